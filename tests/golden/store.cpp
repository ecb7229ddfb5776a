#include "store.h"

#include "tipple/core/error.h"

namespace tipple::golden {

namespace {

std::string doubled(std::string_view text, char quote) {
    std::string out(1, quote);
    for (const char c : text) {
        if (c == quote) out += c;
        out += c;
    }
    return out + quote;
}

}  // namespace

std::string quote_identifier(std::string_view name) { return doubled(name, '"'); }
std::string quote_literal(std::string_view text) { return doubled(text, '\''); }

std::string Store::quoted(const std::string& dataset, const std::string& table) { return quote_identifier(dataset) + "." + quote_identifier(table); }

std::vector<std::string> Store::tables(const std::string& dataset) {
    std::vector<std::string> names;
    for (const Row& row : query(fmt::format("SELECT table_name FROM information_schema.tables WHERE table_schema = {} ORDER BY 1", quote_literal(dataset)))) {
        names.push_back(row.at(0).value());
    }
    return names;
}

}  // namespace tipple::golden
