#include "tipple/destinations/postgres/types.h"

#include <algorithm>
#include <charconv>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"

namespace tipple::destinations::postgres {

using schema::DataType;

namespace {

/// Digits of a second that Postgres keeps.
constexpr int fraction_digits_max = 6;
constexpr int decimal_precision_max = 38;

std::string bigint_type(const schema::Column& column) {
    const int bits = column.precision().value_or(64);
    if (bits <= 16) return "smallint";
    if (bits <= 32) return "integer";
    if (bits <= 64) return "bigint";
    throw Error(ErrorKind::usage, "column \"{}\": Postgres has no whole numbers of {} bits, 64 at most; declare it decimal", column.name(), bits);
}

std::string decimal_type(const schema::Column& column) {
    const columns::ColumnType type = columns::column_type(column);
    if (type.precision < 1 || type.precision > decimal_precision_max || type.scale < 0 || type.scale > type.precision) {
        throw Error(ErrorKind::usage,
                    "column \"{}\": decimal({},{}) cannot be stored; precision is 1 to {} and at least the scale, which is 9 unless it is given",
                    column.name(), type.precision, type.scale, decimal_precision_max);
    }
    return fmt::format("numeric({},{})", type.precision, type.scale);
}

/// `(3)` for a precision that says something.
std::string fraction(const schema::Column& column) {
    const int digits = kept_digits(column);
    return digits < fraction_digits_max ? fmt::format("({})", digits) : "";
}

std::string timestamp_literal(std::int64_t time_us) { return fmt::format("TIMESTAMPTZ {}", quote_literal(utc_text(time_us))); }

std::string timestamp_us(std::string_view expression) { return fmt::format("CAST(extract(epoch FROM {}) * 1000000 AS bigint)", expression); }

bool is_integer(std::string_view type) { return type == "smallint" || type == "integer" || type == "bigint"; }

/// Refuses what is too long.
bool is_text(std::string_view type) {
    return type == "text" || type == "citext" || type.starts_with("character varying") || type.starts_with("character(") || type == "bpchar";
}

bool is_numeric(std::string_view type) { return type == "numeric" || type.starts_with("numeric("); }

/// Digits behind the point of `numeric(p,s)`; nothing for plain numeric, which keeps all.
std::optional<int> scale_of(std::string_view type) {
    const std::size_t comma = type.find(',');
    if (comma == std::string_view::npos) return std::nullopt;
    int scale = 0;
    std::from_chars(type.data() + comma + 1, type.data() + type.size(), scale);
    return scale;
}

bool keeps_scale(int scale, std::string_view to) { return is_numeric(to) && scale_of(to).value_or(scale) >= scale; }

/// `timestamp(3) with time zone` without its digits, and these.
struct TimeType {
    std::string base;
    int digits = fraction_digits_max;
};
TimeType time_type(std::string_view type) {
    TimeType parsed{.base = std::string(type)};
    const std::size_t open = type.find('(');
    const std::size_t close = type.find(')');
    if (!type.starts_with("time") || open == std::string_view::npos || close == std::string_view::npos) return parsed;
    std::from_chars(type.data() + open + 1, type.data() + close, parsed.digits);
    parsed.base.erase(open, close + 1 - open);
    return parsed;
}

}  // namespace

int kept_digits(const schema::Column& column) {
    const bool has_digits = column.data_type() == DataType::timestamp || column.data_type() == DataType::time;
    return has_digits ? std::min(column.precision().value_or(fraction_digits_max), fraction_digits_max) : fraction_digits_max;
}

std::string column_type(const schema::Column& column) {
    TIPPLE_ASSERT(column.is_complete());
    switch (*column.data_type()) {
        case DataType::text:
            return column.precision() ? fmt::format("character varying({})", *column.precision()) : "character varying";
        case DataType::bigint:
            return bigint_type(column);
        case DataType::double_:
            return "double precision";
        case DataType::bool_:
            return "boolean";
        case DataType::timestamp:
            return fmt::format("timestamp{} {} time zone", fraction(column), column.has_timezone() ? "with" : "without");
        case DataType::date:
            return "date";
        case DataType::time:
            return fmt::format("time{} without time zone", fraction(column));
        case DataType::decimal:
            return decimal_type(column);
        case DataType::wei:
            // As wide as 256 bits and their fractions ask for.
            return "numeric(156,78)";
        case DataType::binary:
            return "bytea";
        case DataType::json:
            return "jsonb";
    }
    return "character varying";
}

std::optional<Wire> find_wire(const columns::ColumnType& type, std::string_view target) {
    const auto when = [](bool is_right, Wire wire) { return is_right ? std::optional(wire) : std::nullopt; };
    switch (type.type) {
        case DataType::text:
        case DataType::json:
            if (target == "jsonb") return Wire::jsonb;
            if (target == "uuid") return when(type.type == DataType::text, Wire::uuid);
            return when(is_text(target) || target == "json", Wire::bytes);
        case DataType::bigint:
            if (target == "smallint") return Wire::int2;
            if (target == "integer") return Wire::int4;
            if (target == "bigint") return Wire::int8;
            return when(is_numeric(target), Wire::whole_numeric);
        case DataType::double_:
            return when(target == "double precision", Wire::float8);
        case DataType::bool_:
            return when(target == "boolean", Wire::boolean);
        case DataType::timestamp:
            return when(time_type(target).base == (type.timezone ? "timestamp with time zone" : "timestamp without time zone"), Wire::timestamp);
        case DataType::date:
            return when(target == "date", Wire::date);
        case DataType::time:
            return when(time_type(target).base == "time without time zone", Wire::time);
        case DataType::decimal:
        case DataType::wei:
            return when(keeps_scale(type.scale, target), Wire::numeric);
        case DataType::binary:
            return when(target == "bytea", Wire::bytes);
    }
    return std::nullopt;
}

bool keeps_values(std::string_view from, std::string_view to) {
    if (from == to) return true;
    if (is_text(from)) return is_text(to) || to == "uuid" || to == "json" || to == "jsonb";
    if (from == "jsonb") return is_text(to) || to == "json";
    if (is_integer(from)) return is_integer(to) || is_numeric(to);
    // What is loaded as wei has whole numbers only.
    if (is_numeric(from)) return keeps_scale(from == "numeric(156,78)" ? 0 : scale_of(from).value_or(0), to);
    const TimeType time_from = time_type(from);
    const TimeType time_to = time_type(to);
    return from.starts_with("time") && time_from.base == time_to.base && time_to.digits >= time_from.digits;
}

destination::SqlDialect dialect() {
    return {.quote_identifier = quote_identifier,
            .quote_literal = quote_literal,
            .column_type = column_type,
            .timestamp_literal = timestamp_literal,
            .timestamp_us = timestamp_us,
            .names = name_rule,
            .temporary_prefix = "pg_temp.",
            .temporary_suffix = " ON COMMIT DROP",
            .analyze = "ANALYZE"};
}

}  // namespace tipple::destinations::postgres
