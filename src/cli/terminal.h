#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"

/// What stdout and stderr are, and how text looks there.
namespace tipple::cli {

enum class Style { bold, dim, green, yellow, red };

struct Terminal {
    bool is_stdout_terminal = false;
    bool is_stderr_terminal = false;
    bool has_color = false;
    /// The same of stderr, which may be a file where stdout is none, or the other way round.
    bool has_error_color = false;
    bool has_unicode = false;
    /// Columns of the window; 100 when there is none.
    std::size_t width = 100;

    static Terminal detect(ColorMode color);
    /// `text` in that style, or as it is without colour.
    std::string styled(Style style, std::string_view text) const;
    /// The terminal as stderr is, for what is written there.
    Terminal of_stderr() const;
    /// `unicode` where the locale allows, else `ascii`.
    std::string_view glyph(std::string_view unicode, std::string_view ascii) const { return has_unicode ? unicode : ascii; }
};

/// Columns that UTF-8 text takes: wide characters count two, combining ones none.
std::size_t display_width(std::string_view text);
/// How words are put into lines.
struct Wrapping {
    /// Columns of the first line that are taken.
    std::size_t used = 0;
    /// Blanks before all other lines.
    std::size_t indent = 0;
    /// Columns that a line may take; a word that is wider alone stays whole.
    std::size_t width = 0;
};
/// A text without line breaks, broken between words. No line ends in it but those it makes.
std::string wrap_words(std::string_view text, const Wrapping& wrapping);
/// A message whose lines are broken between words where a terminal is too narrow for them; records that it quotes stay as they are.
/// @param text lines; more than one when the message has more
/// @param used columns of the first line that are taken
/// @param terminal where it is shown; what is no terminal has no width
std::string prose(std::string_view text, std::size_t used, const Terminal& terminal);
/// Cut to `width` columns, with `…` (or `...`) when something was cut.
std::string fit(std::string_view text, std::size_t width, const Terminal& terminal);

}  // namespace tipple::cli
