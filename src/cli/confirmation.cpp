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

void show_plan(const Program& program, const std::string& plan) {
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"plan", plan.substr(0, plan.find_last_not_of('\n') + 1)}}));
    } else {
        fmt::print("{}", plan);
    }
}

}  // namespace tipple::cli
