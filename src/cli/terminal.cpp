#include "cli/terminal.h"

#include <fmt/format.h>
#include <sys/ioctl.h>
#include <unistd.h>
#include <wchar.h>

#include <algorithm>
#include <clocale>
#include <cstdlib>
#include <cstring>

namespace tipple::cli {

namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool wants_color(ColorMode mode, bool is_terminal) {
    if (mode != ColorMode::automatic) return mode == ColorMode::always;
    if (is_set("NO_COLOR")) return false;
    if (is_set("CLICOLOR_FORCE") && std::strcmp(std::getenv("CLICOLOR_FORCE"), "0") != 0) return true;
    const char* term = std::getenv("TERM");
    return is_terminal && !(term != nullptr && std::strcmp(term, "dumb") == 0);
}

bool locale_is_utf8() {
    for (const char* variable : {"LC_ALL", "LC_CTYPE", "LANG"}) {
        if (!is_set(variable)) continue;
        const std::string value = std::getenv(variable);
        return value.find("UTF-8") != std::string::npos || value.find("utf8") != std::string::npos || value.find("UTF8") != std::string::npos;
    }
    return false;
}

std::size_t window_width() {
    for (const int descriptor : {STDOUT_FILENO, STDERR_FILENO}) {
        winsize size{};
        if (isatty(descriptor) != 0 && ioctl(descriptor, TIOCGWINSZ, &size) == 0 && size.ws_col > 0) return size.ws_col;
    }
    return 100;
}

/// One code point; advances `at`. Bytes that are no UTF-8 count one each.
char32_t next_code_point(std::string_view text, std::size_t& at) {
    const auto first = static_cast<unsigned char>(text[at]);
    std::size_t length = first < 0x80 ? 1 : first >= 0xF0 ? 4 : first >= 0xE0 ? 3 : first >= 0xC0 ? 2 : 1;
    if (at + length > text.size()) length = 1;
    char32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
    for (std::size_t i = 1; i < length; ++i) code = (code << 6) | (static_cast<unsigned char>(text[at + i]) & 0x3FU);
    at += length;
    return code;
}

std::size_t width_of(char32_t code) {
    if (code < 0x300) return 1;
    const bool is_combining = (code >= 0x300 && code < 0x370) || code == 0x200B || code == 0x200D || (code >= 0xFE00 && code < 0xFE10);
    if (is_combining) return 0;
    const bool is_wide = (code >= 0x1100 && code < 0x1160) || (code >= 0x2E80 && code < 0xA4D0) || (code >= 0xAC00 && code < 0xD7A4) ||
                         (code >= 0xF900 && code < 0xFB00) || (code >= 0xFE30 && code < 0xFE70) || (code >= 0xFF00 && code < 0xFF61) ||
                         (code >= 0x1F300 && code < 0x1FB00) || (code >= 0x20000 && code < 0x40000);
    return is_wide ? 2 : 1;
}

}  // namespace

Terminal Terminal::detect(ColorMode color) {
    Terminal terminal;
    terminal.is_stdout_terminal = isatty(STDOUT_FILENO) != 0;
    terminal.is_stderr_terminal = isatty(STDERR_FILENO) != 0;
    terminal.has_color = wants_color(color, terminal.is_stdout_terminal);
    terminal.has_error_color = wants_color(color, terminal.is_stderr_terminal);
    terminal.has_unicode = locale_is_utf8();
    terminal.width = window_width();
    return terminal;
}

Terminal Terminal::of_stderr() const {
    Terminal terminal = *this;
    terminal.has_color = has_error_color;
    terminal.is_stdout_terminal = is_stderr_terminal;
    return terminal;
}

std::string Terminal::styled(Style style, std::string_view text) const {
    if (!has_color) return std::string(text);
    const char* code = "0";
    switch (style) {
        case Style::bold:
            code = "1";
            break;
        case Style::dim:
            code = "2";
            break;
        case Style::green:
            code = "32";
            break;
        case Style::yellow:
            code = "33";
            break;
        case Style::red:
            code = "31";
            break;
    }
    return fmt::format("\x1b[{}m{}\x1b[0m", code, text);
}

std::size_t display_width(std::string_view text) {
    std::size_t width = 0;
    for (std::size_t at = 0; at < text.size();) width += width_of(next_code_point(text, at));
    return width;
}

std::string wrap_words(std::string_view text, const Wrapping& wrapping) {
    std::string out;
    std::size_t used = wrapping.used;
    bool is_first = true;
    while (!text.empty()) {
        std::size_t end = std::min(text.find(' '), text.size());
        // A flag at the beginning of a line would look as if it were explained there.
        while (text.substr(end, 3) == " --") end = std::min(text.find(' ', end + 1), text.size());
        const std::string_view word = text.substr(0, end);
        text.remove_prefix(std::min(text.size(), end + 1));
        const std::size_t needed = display_width(word) + (is_first ? 0 : 1);
        if (!is_first && used + needed > wrapping.width) {
            out += '\n';
            out.append(wrapping.indent, ' ');
            used = wrapping.indent;
            is_first = true;
        }
        if (!is_first) out += ' ';
        out += word;
        used += display_width(word) + (is_first ? 0 : 1);
        is_first = false;
    }
    return out;
}

std::string prose(std::string_view text, std::size_t used, const Terminal& terminal) {
    if (!terminal.is_stdout_terminal) return std::string(text);
    std::string out;
    while (true) {
        const std::string_view line = text.substr(0, text.find('\n'));
        const std::size_t indent = std::min(line.find_first_not_of(' '), line.size());
        const bool is_data = line.substr(indent).starts_with("record: ");
        if (is_data) {
            out += line;
        } else {
            out.append(indent, ' ');
            out += wrap_words(line.substr(indent), {.used = used + indent, .indent = indent + 2, .width = terminal.width});
        }
        if (line.size() == text.size()) return out;
        out += '\n';
        text.remove_prefix(line.size() + 1);
        used = 0;
    }
}

std::string fit(std::string_view text, std::size_t width, const Terminal& terminal) {
    if (display_width(text) <= width) return std::string(text);
    const std::string_view mark = terminal.glyph("…", "...");
    const std::size_t room = width > display_width(mark) ? width - display_width(mark) : 0;
    std::size_t used = 0;
    std::size_t end = 0;
    while (end < text.size()) {
        std::size_t next = end;
        const std::size_t columns = width_of(next_code_point(text, next));
        if (used + columns > room) break;
        used += columns;
        end = next;
    }
    return std::string(text.substr(0, end)) + std::string(mark);
}

}  // namespace tipple::cli
