#pragma once

#include <array>
#include <string_view>

namespace tipple::cli {

/// Every command that the help lists, in its order.
inline constexpr std::array<std::string_view, 26> command_names = {"load", "run",   "query",  "preview",     "schema", "quarantine", "packages", "undo", "verify", "list",       "show",
                                                                   "runs", "trace", "jobs",   "connections", "config", "state",      "drop",       "sync",
                                                                   "plan", "check", "init",   "import",      "completion",  "version", "help"};

}  // namespace tipple::cli
