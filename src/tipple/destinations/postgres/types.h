#pragma once

#include <optional>
#include <string>
#include <string_view>

#include "tipple/columns/column.h"
#include "tipple/destination/sql.h"
#include "tipple/postgres/quoting.h"

namespace tipple::destinations::postgres {

using tipple::postgres::quote_identifier;
using tipple::postgres::quote_literal;

/// The type a complete column gets, spelled as `format_type` does. Throws Error(usage) when Postgres has none for it.
std::string column_type(const schema::Column& column);
/// Digits behind the second that a column of that type keeps; 6 for all other types.
int kept_digits(const schema::Column& column);

/// How a value is written in COPY's binary format.
enum class Wire {
    bytes,    ///< text, json, bytea: as they are
    uuid,     ///< of its text
    jsonb,    ///< a version and the text
    int2,
    int4,
    int8,
    whole_numeric,  ///< numeric, of a whole number
    numeric,
    float8,
    boolean,
    timestamp,
    date,
    time,
};

/// How values of `type` get into a column of the type `target`, spelled as `format_type` does, so that they are the same there or are refused with
/// an error; nothing when they cannot.
std::optional<Wire> find_wire(const columns::ColumnType& type, std::string_view target);

/// Whether a column of the type `to` takes any value of the type `from`, both spelled as `format_type` does, unchanged or with an error.
bool keeps_values(std::string_view from, std::string_view to);

inline constexpr destination::NameRule name_rule{.is_case_sensitive = true};

destination::SqlDialect dialect();

}  // namespace tipple::destinations::postgres
