#include "cli/run.h"

int main(int argc, char** argv) { return tipple::cli::run(argc, argv, {}); }
