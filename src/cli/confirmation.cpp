#include "cli/confirmation.h"

#include <fmt/format.h>
#include <unistd.h>

#include <cstdio>
#include <iostream>
#include <string>

#include "tipple/core/error.h"

namespace tipple::cli {

bool confirm(const Program& program, const std::string& plan, bool is_confirmed) {
    if (!program.global.is_quiet || !is_confirmed) fmt::print(stderr, "{}", plan);
    if (is_confirmed) return true;
    if (isatty(STDIN_FILENO) == 0) throw Error(ErrorKind::usage, "nothing was done: give --yes to do it, or --dry-run to only see it");
    fmt::print(stderr, "Go on? [y/N] ");
    std::string answer;
    std::getline(std::cin, answer);
    return answer == "y" || answer == "Y" || answer == "yes";
}

}  // namespace tipple::cli
