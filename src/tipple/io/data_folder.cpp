#include "tipple/io/data_folder.h"

#include <cstdlib>

#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

namespace tipple::io {

std::string default_data_folder() {
    if (const char* base = std::getenv("XDG_DATA_HOME"); base != nullptr && *base == '/') return join_path(base, "tipple");
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return join_path(home, ".local/share/tipple");
    throw Error(ErrorKind::usage, "HOME is not set, so there is no place for tipple's packages and locks; give one with --data-dir");
}

}  // namespace tipple::io
