#pragma once

#include "cli/program.h"

namespace tipple::cli {

/// `tipple init --source rest_api [FOLDER]`: a project file that describes an API, to be changed.
int init_rest_api(Program& program, const InitArguments& arguments);

}  // namespace tipple::cli
