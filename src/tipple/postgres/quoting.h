#pragma once

#include <string>
#include <string_view>

namespace tipple::postgres {

/// `"name"`.
std::string quote_identifier(std::string_view name);
/// A literal that means the same whatever `standard_conforming_strings` says.
std::string quote_literal(std::string_view text);

}  // namespace tipple::postgres
