#pragma once

#include <string_view>

#include "cli/program.h"

namespace tipple::cli {

/// `tipple init --source KIND [FOLDER]`: writes `text` as the project file, and says how to go on with its pipeline. Throws Error(usage) when there is one already.
int write_project_template(Program& program, const InitArguments& arguments, std::string_view text, std::string_view pipeline);

}  // namespace tipple::cli
