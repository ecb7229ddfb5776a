#include "tipple/engine/column_types.h"

#include <charconv>
#include <optional>
#include <set>

#include "tipple/columns/column.h"
#include "tipple/core/error.h"

namespace tipple::engine {

using schema::DataType;

namespace {

std::string bigint_type(const schema::Column& column) {
    const int bits = column.precision().value_or(64);
    if (bits <= 8) return "TINYINT";
    if (bits <= 16) return "SMALLINT";
    if (bits <= 32) return "INTEGER";
    if (bits <= 64) return "BIGINT";
    if (bits <= 128) return "HUGEINT";
    throw Error(ErrorKind::usage,
                "column \"{}\": DuckDB has no whole numbers of {} bits, 128 at most", column.name(),
                bits);
}

std::string decimal_type(const schema::Column& column) {
    const columns::ColumnType type = columns::column_type(column);
    if (type.precision < 1 || type.precision > 38 || type.scale < 0 ||
        type.scale > type.precision) {
        throw Error(ErrorKind::usage,
                    "column \"{}\": DuckDB has no decimal({},{}); precision is 1 to 38 and at "
                    "least the scale, which is 9 "
                    "unless it is given",
                    column.name(), type.precision, type.scale);
    }
    return fmt::format("DECIMAL({},{})", type.precision, type.scale);
}

std::string timestamp_type(const schema::Column& column) {
    if (column.has_timezone()) return "TIMESTAMP WITH TIME ZONE";
    const int digits = column.precision().value_or(6);
    if (digits == 0) return "TIMESTAMP_S";
    if (digits <= 3) return "TIMESTAMP_MS";
    if (digits <= 6) return "TIMESTAMP";
    return "TIMESTAMP_NS";
}

}  // namespace

std::string column_type(const schema::Column& column) {
    TIPPLE_ASSERT(column.is_complete());
    switch (*column.data_type()) {
        case DataType::text:
            return "VARCHAR";
        case DataType::bigint:
            return bigint_type(column);
        case DataType::double_:
            return "DOUBLE";
        case DataType::bool_:
            return "BOOLEAN";
        case DataType::timestamp:
            return timestamp_type(column);
        case DataType::date:
            return "DATE";
        case DataType::time:
            return "TIME";
        case DataType::decimal:
            return decimal_type(column);
        case DataType::wei:
            return "DECIMAL(38,0)";
        case DataType::binary:
            return "BLOB";
        case DataType::json:
            return "JSON";
    }
    return "VARCHAR";
}

int kept_time_digits(const schema::Column& column) {
    const std::string type = column_type(column);
    return type == "TIMESTAMP_S" ? 0 : type == "TIMESTAMP_MS" ? 3 : 6;
}

namespace {

bool is_integer(std::string_view type) {
    static const std::set<std::string_view> names = {"TINYINT",  "SMALLINT",  "INTEGER",  "BIGINT",  "HUGEINT",
                                                     "UTINYINT", "USMALLINT", "UINTEGER", "UBIGINT", "UHUGEINT"};
    return names.contains(type);
}

/// Digits behind the point of `DECIMAL(p,s)`; nothing for another type.
std::optional<int> scale_of(std::string_view type) {
    const std::size_t comma = type.find(',');
    if (!type.starts_with("DECIMAL(") || comma == std::string_view::npos) return std::nullopt;
    int scale = 0;
    std::from_chars(type.data() + comma + 1, type.data() + type.size(), scale);
    return scale;
}

/// Digits of a second that a type of time stamps keeps; nothing for another type.
std::optional<int> fraction_digits(std::string_view type) {
    if (type == "TIMESTAMP_S") return 0;
    if (type == "TIMESTAMP_MS") return 3;
    if (type == "TIMESTAMP" || type == "TIMESTAMP WITH TIME ZONE") return 6;
    if (type == "TIMESTAMP_NS") return 9;
    return std::nullopt;
}

}  // namespace

bool keeps_values(std::string_view from, std::string_view to) {
    if (from == to || (to == "VARCHAR" && from != "BLOB")) return true;
    if (from == "VARCHAR" || from == "JSON") return to == "JSON" || to == "UUID" || to.starts_with("ENUM(");
    if (from == "BOOLEAN") return is_integer(to);
    if (from == "DATE") return fraction_digits(to).has_value();
    if (const std::optional<int> digits = fraction_digits(from)) return fraction_digits(to).value_or(-1) >= *digits;
    const std::optional<int> scale = scale_of(to);
    if (is_integer(from)) return is_integer(to) || scale;
    if (const std::optional<int> digits = scale_of(from)) return scale.value_or(-1) >= *digits || (*digits == 0 && is_integer(to));
    return false;
}

}  // namespace tipple::engine
