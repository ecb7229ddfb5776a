#pragma once

#include <string>

#include "cli/program.h"

namespace tipple::cli {

/// Before a command takes something away: shows `plan` on stderr and asks. True when the user says yes, or has said so with --yes. Throws Error(usage)
/// where nobody can be asked (standard input is no terminal): nothing is ever silently left undone.
bool confirm(const Program& program, const std::string& plan, bool is_confirmed);

/// `--dry-run`: `plan` is the answer, and nothing else happens.
void show_plan(const Program& program, const std::string& plan);

}  // namespace tipple::cli
