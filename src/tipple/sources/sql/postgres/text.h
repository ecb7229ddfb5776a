#pragma once

#include <charconv>
#include <cstddef>
#include <limits>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/postgres/quoting.h"
#include "tipple/sources/sql/database.h"

/// What statements to the server, and its answers, are written in.
namespace tipple::sources::sql::postgres {

/// Of an answer that is wanted whole.
inline constexpr std::size_t all_rows = std::numeric_limits<std::size_t>::max();

/// A number as the server writes it.
template <typename Number>
Number parse_number(std::string_view text) {
    Number value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}
/// `otherwise` for NULL.
template <typename Number>
Number parse_number(const std::optional<std::string>& field, Number otherwise) {
    return field ? parse_number<Number>(*field) : otherwise;
}

/// `"schema"."table"`.
inline std::string quoted(const TableName& table) { return tipple::postgres::quote_identifier(table.schema) + "." + tipple::postgres::quote_identifier(table.name); }

}  // namespace tipple::sources::sql::postgres
