#pragma once

#include <string>

namespace tipple::io {

/// Where tipple keeps packages and locks of this user: `$XDG_DATA_HOME/tipple` or `~/.local/share/tipple`. Throws Error(usage) when the
/// environment names neither.
std::string default_data_folder();

/// Where dlt keeps what holds for all projects of this user: `/var/dlt` for root, else `~/.dlt`, or `$XDG_DATA_HOME/dlt` while `~/.dlt` is not there.
/// Empty for a user without a folder of their own: dlt takes one then that everybody may write to.
std::string default_dlt_folder();

}  // namespace tipple::io
