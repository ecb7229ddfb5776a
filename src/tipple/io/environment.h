#pragma once

#include <functional>
#include <optional>
#include <string>

namespace tipple::io {

/// Looks up a variable by its name.
using Variables = std::function<std::optional<std::string>(const std::string& name)>;

/// Variables of this process. One that is set to nothing counts as not set.
Variables process_variables();

}  // namespace tipple::io
