#pragma once

#include <string>
#include <vector>

#include "tipple/core/log.h"
#include "tipple/io/file_system.h"
#include "tipple/sources/files/settings.h"

namespace tipple::sources::files {

/// The files that a path or pattern names, sorted. Throws Error(usage) with a near name when there are none and that is a mistake.
std::vector<std::string> find_files(io::FileSystem& files, const std::string& pattern, NoMatch no_match, const Log& log);

}  // namespace tipple::sources::files
