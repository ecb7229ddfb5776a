#pragma once

#include <string>

namespace tipple::config {

/// What stands for a secret where settings are shown.
inline constexpr const char* secret_mask = "***";

/// A URL without the password in it: `postgresql://user:***@host/db`. Other text as it is.
std::string mask_url(const std::string& text);

}  // namespace tipple::config
