#include "tipple/io/data_folder.h"

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "tipple/core/error.h"
#include "tipple/io/file_system.h"

namespace tipple::io {

std::string default_data_folder() {
    if (const char* base = std::getenv("XDG_DATA_HOME"); base != nullptr && *base == '/') return join_path(base, "tipple");
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return join_path(home, ".local/share/tipple");
    throw Error(ErrorKind::usage, "HOME is not set, so there is no place for tipple's packages and locks; give one with --data-dir");
}

std::string default_dlt_folder() {
    if (::geteuid() == 0) return "/var/dlt";
    const char* home = std::getenv("HOME");
    if (home == nullptr || *home == '\0' || ::access(home, W_OK | X_OK) != 0) return {};
    std::string folder = join_path(home, ".dlt");
    const char* base = std::getenv("XDG_DATA_HOME");
    std::error_code error;
    if (base != nullptr && !std::filesystem::is_directory(folder, error)) return join_path(base, "dlt");
    return folder;
}

}  // namespace tipple::io
