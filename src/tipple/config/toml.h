#pragma once

#include <string>
#include <string_view>

#include "tipple/config/node.h"

namespace tipple::config {

/// A TOML document. `name`: the file as the user would name it. Throws Error(usage) with file, line and column.
Node parse_toml(std::string_view text, const std::string& name);

/// The value of a setting given as one text, by a variable or a flag: a list or table of TOML or JSON, else the text as it is. Whoever reads the
/// setting turns the text into what it wants.
Node parse_setting(const std::string& text, Place place);

}  // namespace tipple::config
