#pragma once

#include <string>
#include <vector>

#include "cli/program.h"
#include "tipple/io/file_system.h"

namespace tipple::cli {

/// Writes a source in C++ that can be built, run and tested as it is, into `folder/<name>`. Returns the paths of its files. Throws Error(usage)
/// for a name that is no C++ identifier, or a folder that has files.
std::vector<std::string> write_source_project(io::FileSystem& files, const std::string& name, const std::string& folder);

/// `tipple init --source NAME`.
int init_source(Program& program, const InitArguments& arguments);

}  // namespace tipple::cli
