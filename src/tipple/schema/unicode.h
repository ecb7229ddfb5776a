#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <string_view>

/// The little of Unicode that names and literals need. Bytes that are not UTF-8 are characters of
/// their own, in no class.
namespace tipple::schema::unicode {

struct Character {
    char32_t code = 0;
    std::size_t length = 1;  ///< bytes
};

/// The character that starts at byte `at`, which is inside of `text`.
Character decode(std::string_view text, std::size_t at);

/// How many characters.
std::size_t length(std::string_view text);

/// What Python calls white space.
bool is_space(char32_t code);

/// 0 to 9 for a decimal digit of any script, -1 for everything else.
int digit_value(char32_t code);

/// Without white space at both ends.
std::string_view strip(std::string_view text);

/// Stripped, with the decimal digits of all scripts as ASCII ones: what number literals are read
/// from. Nothing when another character beyond ASCII is left.
std::optional<std::string> to_ascii_literal(std::string_view text);

}  // namespace tipple::schema::unicode
