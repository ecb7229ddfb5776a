#include "tipple/sources/sql/postgres/types.h"

#include <algorithm>
#include <array>
#include <charconv>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/quoting.h"
#include "tipple/schema/coerce.h"

namespace tipple::sources::sql::postgres {

using columns::ColumnType;
using schema::DataType;
using tipple::postgres::quote_identifier;
using tipple::postgres::quote_literal;

namespace {

constexpr int decimal_precision_max = 38;
/// Numbers that the server gives in pg_type to types of its own; they never change.
enum TypeOid : std::uint32_t {
    bool_oid = 16,
    bytea_oid = 17,
    name_oid = 19,
    int8_oid = 20,
    int2_oid = 21,
    int4_oid = 23,
    text_oid = 25,
    oid_oid = 26,
    json_oid = 114,
    float4_oid = 700,
    float8_oid = 701,
    money_oid = 790,
    bpchar_oid = 1042,
    varchar_oid = 1043,
    date_oid = 1082,
    time_oid = 1083,
    timestamp_oid = 1114,
    timestamptz_oid = 1184,
    numeric_oid = 1700,
    uuid_oid = 2950,
    jsonb_oid = 3802,
};

/// Modifiers of types with a length or digits have these bytes of a header in them.
constexpr int modifier_header = 4;
/// Whole and behind the point, of amounts of money: 64 bits, in a currency of two digits.
constexpr ColumnType money_type{.type = DataType::decimal, .precision = 19, .scale = 2};

struct DirectType {
    std::uint32_t oid;
    Wire wire;
    /// As `format_type` writes it, without modifier.
    std::string_view name;
    DataType type;
};
constexpr std::array<DirectType, 20> direct_types = {{
    {bool_oid, Wire::boolean, "boolean", DataType::bool_},
    {bytea_oid, Wire::bytes, "bytea", DataType::binary},
    {name_oid, Wire::text, "name", DataType::text},
    {int8_oid, Wire::int8, "bigint", DataType::bigint},
    {int2_oid, Wire::int2, "smallint", DataType::bigint},
    {int4_oid, Wire::int4, "integer", DataType::bigint},
    {text_oid, Wire::text, "text", DataType::text},
    {oid_oid, Wire::uint4, "oid", DataType::bigint},
    {json_oid, Wire::json, "json", DataType::json},
    {float4_oid, Wire::float4, "real", DataType::double_},
    {float8_oid, Wire::float8, "double precision", DataType::double_},
    {bpchar_oid, Wire::text, "character", DataType::text},
    {varchar_oid, Wire::text, "character varying", DataType::text},
    {date_oid, Wire::date, "date", DataType::date},
    {time_oid, Wire::time, "time without time zone", DataType::time},
    {timestamp_oid, Wire::timestamp, "timestamp without time zone", DataType::timestamp},
    {timestamptz_oid, Wire::timestamp, "timestamp with time zone", DataType::timestamp},
    {numeric_oid, Wire::numeric, "numeric", DataType::decimal},
    {uuid_oid, Wire::uuid, "uuid", DataType::text},
    {jsonb_oid, Wire::jsonb, "jsonb", DataType::json},
}};

/// `timestamp with time zone` of `timestamp(3) with time zone`.
std::string without_modifier(std::string_view declared) {
    std::string name(declared);
    const std::size_t open = name.find('(');
    const std::size_t close = name.find(')');
    // A quoted name may have them too.
    if (name.starts_with('"') || open == std::string::npos || close == std::string::npos) return name;
    name.erase(open, close + 1 - open);
    return name;
}

const DirectType* find_direct(std::string_view declared) {
    std::string name = without_modifier(declared);
    if (name == "bpchar") name = "character";
    const auto found = std::find_if(direct_types.begin(), direct_types.end(), [&](const DirectType& type) { return type.name == name; });
    return found == direct_types.end() ? nullptr : &*found;
}

/// Of a numeric with digits. Its scale may be negative, or larger than its precision.
ColumnType decimal_type(int modifier, const ColumnType& unlimited) {
    if (modifier < modifier_header) return unlimited;
    const int packed = modifier - modifier_header;
    const int precision = (packed >> 16) & 0xFFFF;
    constexpr int scale_bits = 0x7FF;
    constexpr int scale_sign = 0x400;
    const int scale = ((packed & scale_bits) ^ scale_sign) - scale_sign;
    const int whole = std::max(precision - scale, 0);
    const int fraction = std::max(scale, 0);
    if (whole + fraction > decimal_precision_max) return {.type = DataType::text};
    return {.type = DataType::decimal, .precision = whole + fraction, .scale = fraction};
}

std::string timestamp_text(const schema::Timestamp& timestamp, std::string_view type) {
    constexpr std::int64_t year_1_us = -62'135'596'800'000'000;
    constexpr std::int64_t year_10000_us = 253'402'300'800'000'000;
    if (timestamp.us >= year_1_us && timestamp.us < year_10000_us) {
        const std::string text = utc_text(timestamp.us);
        // Without a zone the Z would be ignored.
        return fmt::format("CAST({} AS {})", quote_literal(text), type);
    }
    // Before 14, fields of an interval had 32 bits.
    constexpr std::int64_t second_us = 1'000'000;
    constexpr std::int64_t day_us = 86'400 * second_us;
    const std::int64_t days = timestamp.us / day_us - (timestamp.us % day_us < 0 ? 1 : 0);
    const std::int64_t rest_us = timestamp.us - days * day_us;
    return fmt::format("CAST(CAST('1970-01-01Z' AS {}) + CAST('{} days {} seconds {} microseconds' AS interval) AS {})", type, days, rest_us / second_us, rest_us % second_us, type);
}

/// The type of expressions by which columns of this one are read, where they are cast.
std::string_view cast_type(const ColumnType& type) {
    switch (type.type) {
        case DataType::text:
            return "text";
        case DataType::json:
            return "json";
        case DataType::decimal:
        case DataType::wei:
            return "numeric";
        case DataType::double_:
            return "double precision";
        case DataType::bigint:
            return "bigint";
        case DataType::bool_:
            return "boolean";
        case DataType::date:
            return "date";
        case DataType::time:
            return "time without time zone";
        case DataType::timestamp:
            return type.timezone ? "timestamp with time zone" : "timestamp without time zone";
        case DataType::binary:
            return "bytea";
    }
    return "text";
}

/// Whether the column is read as it is.
bool is_direct(const DeclaredColumn& column) {
    const DirectType* direct = find_direct(column.declared);
    return direct != nullptr && can_read(direct->wire, column.type.value_or(ColumnType{.type = DataType::text}));
}

/// The type a literal is cast to: without digits or length, which would round it or cut it off.
std::string literal_type(const DeclaredColumn& column) {
    if (!is_direct(column)) return std::string(cast_type(column.type.value_or(ColumnType{.type = DataType::text})));
    const std::string name = without_modifier(column.declared);
    // Without a length it means one of 1.
    return name == "character" ? "bpchar" : name;
}

}  // namespace

std::optional<Wire> find_wire(std::uint32_t oid) {
    const auto found = std::find_if(direct_types.begin(), direct_types.end(), [&](const DirectType& type) { return type.oid == oid; });
    return found == direct_types.end() ? std::nullopt : std::optional(found->wire);
}

bool can_read(Wire wire, const ColumnType& type) {
    switch (wire) {
        case Wire::boolean:
            return type.type == DataType::bool_;
        case Wire::int2:
        case Wire::int4:
        case Wire::int8:
        case Wire::uint4:
            return type.type == DataType::bigint;
        case Wire::float4:
        case Wire::float8:
            return type.type == DataType::double_;
        case Wire::numeric:
            return type.type == DataType::decimal || type.type == DataType::wei;
        case Wire::bytes:
            return type.type == DataType::binary;
        case Wire::json:
        case Wire::jsonb:
            return type.type == DataType::json || type.type == DataType::text;
        case Wire::text:
        case Wire::uuid:
            return type.type == DataType::text;
        case Wire::date:
            return type.type == DataType::date;
        case Wire::time:
            return type.type == DataType::time;
        case Wire::timestamp:
            return type.type == DataType::timestamp;
    }
    return false;
}

ColumnType parse_numeric_option(std::string_view text) {
    if (text == "text") return {.type = DataType::text};
    if (text == "double") return {.type = DataType::double_};
    ColumnType type{.type = DataType::decimal};
    const auto number = [&](std::string_view digits, int& value) {
        const auto result = std::from_chars(digits.data(), digits.data() + digits.size(), value);
        return result.ec == std::errc() && result.ptr == digits.data() + digits.size();
    };
    const std::size_t comma = text.find(',');
    constexpr std::string_view start = "decimal(";
    if (text.starts_with(start) && text.ends_with(')') && comma != std::string_view::npos && number(text.substr(start.size(), comma - start.size()), type.precision) &&
        number(text.substr(comma + 1, text.size() - comma - 2), type.scale) && type.precision >= 1 && type.precision <= decimal_precision_max && type.scale >= 0 &&
        type.scale <= type.precision) {
        return type;
    }
    throw Error(ErrorKind::usage, "option \"numeric\": \"{}\" is neither decimal(PRECISION,SCALE), of at most {} digits, nor text, nor double", excerpt(text), decimal_precision_max);
}

DeclaredColumn declared_column(const CatalogType& type, const ColumnType& unlimited) {
    DeclaredColumn column{.declared = type.text};
    const bool has_modifier = type.modifier >= 0;
    switch (type.oid) {
        case int2_oid:
            column.precision = 16;
            break;
        case int4_oid:
            column.precision = 32;
            break;
        case varchar_oid:
        case bpchar_oid:
            if (has_modifier) column.precision = type.modifier - modifier_header;
            break;
        case time_oid:
        case timestamp_oid:
        case timestamptz_oid:
            if (has_modifier) column.precision = type.modifier;
            break;
        default:
            break;
    }
    const auto direct = std::find_if(direct_types.begin(), direct_types.end(), [&](const DirectType& known) { return known.oid == type.oid; });
    if (type.oid == numeric_oid) {
        column.type = decimal_type(type.modifier, unlimited);
    } else if (type.oid == money_oid) {
        column.type = money_type;
    } else if (direct != direct_types.end()) {
        column.type = ColumnType{.type = direct->type, .timezone = type.oid != timestamp_oid};
    } else if (type.category == 'A' || type.kind == 'c' || type.name == "hstore") {
        column.type = ColumnType{.type = DataType::json};
    } else {
        column.type = ColumnType{.type = DataType::text};
    }
    return column;
}

std::string select_expression(const DeclaredColumn& column) {
    const std::string name = quote_identifier(column.name);
    if (is_direct(column)) return name;
    const ColumnType type = column.type.value_or(ColumnType{.type = DataType::text});
    const DirectType* direct = find_direct(column.declared);
    const bool is_text = direct != nullptr && direct->type == DataType::text;
    if (type.type == DataType::json && !is_text) return fmt::format("pg_catalog.to_json({})", name);
    // A cast would show the mask of a single host.
    if (type.type == DataType::text && column.declared == "inet") return fmt::format("pg_catalog.abbrev({})", name);
    return fmt::format("CAST({} AS {})", name, cast_type(type));
}

std::string order_expression(const DeclaredColumn& column) {
    const bool is_text = column.type && column.type->type == DataType::text;
    const std::string expression = select_expression(column);
    // UUIDs have no collation, and their order is that of their texts.
    return is_text && column.declared != "uuid" ? expression + " COLLATE \"C\"" : expression;
}

std::string literal(const schema::Value& value, const DeclaredColumn& column) {
    const std::string type = literal_type(column);
    if (value.is_null()) return "NULL";
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
        constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
        if (timestamp->us == infinity || timestamp->us == -infinity) return fmt::format("CAST('{}infinity' AS {})", timestamp->us < 0 ? "-" : "", type);
        return timestamp_text(*timestamp, type);
    }
    if (const auto* date = value.get_if<schema::Date>()) {
        constexpr std::int32_t infinity = std::numeric_limits<std::int32_t>::max();
        if (date->days == infinity || date->days == -infinity) return fmt::format("CAST('{}infinity' AS {})", date->days < 0 ? "-" : "", type);
        return fmt::format("CAST(CAST('1970-01-01' AS date) + {} AS {})", date->days, type);
    }
    if (const auto* binary = value.get_if<schema::Binary>()) {
        std::string hex = "\\x";
        for (const char byte : binary->bytes) hex += fmt::format("{:02x}", static_cast<unsigned char>(byte));
        return fmt::format("CAST({} AS {})", quote_literal(hex), type);
    }
    const std::optional<schema::Value> text = schema::coerce(DataType::text, value);
    if (!text || !text->is<std::string>()) {
        throw Error(ErrorKind::usage, "column \"{}\" of type {} cannot be compared with a list or an object", column.name, column.declared);
    }
    return fmt::format("CAST({} AS {})", quote_literal(text->as<std::string>()), type);
}

}  // namespace tipple::sources::sql::postgres
