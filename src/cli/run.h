#pragma once

#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// What a program knows besides what is built in.
struct Entries {
    std::vector<extract::SourceEntry> sources;
    std::vector<destination::DestinationEntry> destinations;
};

/// The whole command line: parses, runs the command, prints. Returns the exit code and throws nothing.
int run(int argc, const char* const* argv, const Entries& own);

}  // namespace tipple::cli
