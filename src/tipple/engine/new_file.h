#pragma once

#include <string>
#include <string_view>

#include "tipple/engine/engine.h"

// Private to the module.
namespace tipple::engine {

/// Makes an empty database file that is whole from the moment it has its name: a process that is killed while the library writes the heads of a new file would leave one
/// there that nobody can open any more. It is made as `.tipple-RANDOM.new` beside it; what a killed process left of that kind goes after an hour.
/// `engine`: attaches and detaches it. `file`: canonical path; nothing is changed when there is one by then. `options`: those of ATTACH for a file that is created.
/// Does nothing on a file system without hard links. Throws what `engine` throws.
void make_database_file(Engine& engine, const std::string& file, std::string_view options);

}  // namespace tipple::engine
