#pragma once

#include <string>

namespace tipple::cli {

/// "tipple 0.1.0"
std::string version_text();

}  // namespace tipple::cli
