#pragma once

#include "cli/program.h"

namespace tipple::cli {

/// `tipple init --source sql [FOLDER]`: a project file that reads a database, to be changed.
int init_sql(Program& program, const InitArguments& arguments);

}  // namespace tipple::cli
