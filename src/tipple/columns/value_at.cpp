#include "tipple/columns/value_at.h"

#include <algorithm>

namespace tipple::columns {

namespace {

schema::Decimal decimal_of(int128 number, int scale) {
    schema::Decimal decimal;
    decimal.negative = number < 0;
    decimal.exponent = -scale;
    decimal.digits.clear();
    auto rest = static_cast<uint128>(number < 0 ? -number : number);
    do {
        decimal.digits += static_cast<char>('0' + static_cast<int>(rest % 10));
        rest /= 10;
    } while (rest != 0);
    std::reverse(decimal.digits.begin(), decimal.digits.end());
    return decimal;
}

}  // namespace

schema::Value value_at(const ColumnView& column, std::size_t row) {
    if (column.is_null(row)) return {};
    switch (column.type.type) {
        case DataType::text:
            return std::string(column.text(row));
        case DataType::json:
            return schema::Json{std::string(column.text(row))};
        case DataType::binary:
            return schema::Binary{std::string(column.text(row))};
        case DataType::bigint:
            return column.value<std::int64_t>(row);
        case DataType::double_:
            return column.value<double>(row);
        case DataType::bool_:
            return column.boolean(row);
        case DataType::timestamp:
            return schema::Timestamp{.us = column.value<std::int64_t>(row), .is_aware = column.type.timezone};
        case DataType::date:
            return schema::Date{.days = column.value<std::int32_t>(row)};
        case DataType::time:
            return schema::Time{.us = column.value<std::int64_t>(row)};
        case DataType::decimal:
            return decimal_of(column.value<int128>(row), column.type.scale);
        case DataType::wei:
            return schema::Wei{decimal_of(column.value<int128>(row), 0)};
    }
    return {};
}

schema::Value exact_value_at(const ColumnView& column, std::size_t row) {
    schema::Value value = value_at(column, row);
    if (column.fractions.empty()) return value;
    if (auto* timestamp = std::get_if<schema::Timestamp>(static_cast<schema::Value::variant*>(&value))) timestamp->ns = column.nanoseconds(row);
    if (auto* time = std::get_if<schema::Time>(static_cast<schema::Value::variant*>(&value))) time->ns = column.nanoseconds(row);
    return value;
}

}  // namespace tipple::columns
