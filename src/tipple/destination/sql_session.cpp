#include "tipple/destination/sql_session.h"

#include <charconv>

#include "tipple/core/error.h"

namespace tipple::destination {

std::optional<std::string> SqlSession::query_value(std::string_view sql) {
    const std::vector<QueryRow> rows = query(sql);
    return rows.empty() || rows[0].empty() ? std::nullopt : rows[0][0];
}

std::optional<std::int64_t> SqlSession::query_int(std::string_view sql) {
    const std::optional<std::string> text = query_value(sql);
    if (!text) return std::nullopt;
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), number);
    TIPPLE_ASSERT(error == std::errc() && end == text->data() + text->size());
    return number;
}

bool SqlSession::has_rows(std::string_view table) {
    return query_value(fmt::format("SELECT 1 FROM {} LIMIT 1", sql_.table(table))).has_value();
}

}  // namespace tipple::destination
