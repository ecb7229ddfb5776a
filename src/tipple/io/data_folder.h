#pragma once

#include <string>

namespace tipple::io {

/// Where tipple keeps packages and locks of this user: `$XDG_DATA_HOME/tipple` or `~/.local/share/tipple`. Throws Error(usage) when the
/// environment names neither.
std::string default_data_folder();

}  // namespace tipple::io
