#include "tipple/postgres/quoting.h"

#include <fmt/format.h>

namespace tipple::postgres {

namespace {

std::string doubled(std::string_view text, std::string_view characters) {
    std::string out;
    for (const char c : text) {
        if (characters.find(c) != std::string_view::npos) out += c;
        out += c;
    }
    return out;
}

}  // namespace

std::string quote_identifier(std::string_view name) { return "\"" + doubled(name, "\"") + "\""; }

std::string quote_literal(std::string_view text) {
    const bool has_backslash = text.find('\\') != std::string_view::npos;
    return fmt::format("{}'{}'", has_backslash ? "E" : "", doubled(text, has_backslash ? "'\\" : "'"));
}

}  // namespace tipple::postgres
