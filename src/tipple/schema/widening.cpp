#include "tipple/schema/widening.h"

#include <algorithm>

#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::schema {

namespace {

constexpr int decimal_precision_max = 38;
constexpr int decimal_precision_default = 38;
constexpr int decimal_scale_default = 9;

/// No precision is the largest there is.
bool is_at_least(std::optional<int> precision, std::optional<int> other) {
    return !precision || (other && *precision >= *other);
}

bool holds(const DecimalDigits& digits, const DecimalDigits& other) {
    return digits.scale >= other.scale && digits.precision - digits.scale >= other.precision - other.scale;
}

bool holds_bigints(const Column& to, DataType type) {
    if (type == DataType::double_) return true;
    return type == DataType::decimal && holds(decimal_digits(to), bigint_digits);
}

}  // namespace

bool is_wider(const Column& to, const Column& from) {
    const DataType type = *to.data_type();
    const DataType old_type = *from.data_type();
    if (type != old_type) {
        if (old_type == DataType::bigint) return holds_bigints(to, type);
        return old_type == DataType::date && type == DataType::timestamp;
    }
    switch (type) {
        case DataType::decimal:
            return decimal_digits(to) != decimal_digits(from) && holds(decimal_digits(to), decimal_digits(from));
        case DataType::timestamp:
            if (to.has_timezone() != from.has_timezone()) return false;
            break;
        case DataType::text:
        case DataType::bigint:
        case DataType::binary:
        case DataType::time:
            break;
        default:
            return false;
    }
    return to.precision() != from.precision() && is_at_least(to.precision(), from.precision());
}

std::optional<DecimalDigits> widest(const DecimalDigits& a, const DecimalDigits& b) {
    const int scale = std::max(a.scale, b.scale);
    const int whole = std::max(a.precision - a.scale, b.precision - b.scale);
    if (whole + scale > decimal_precision_max) return std::nullopt;
    return DecimalDigits{.precision = whole + scale, .scale = scale};
}

DecimalDigits decimal_digits(const Column& column) {
    return {.precision = column.precision().value_or(decimal_precision_default), .scale = column.scale().value_or(decimal_scale_default)};
}

bool loses_by_coercion(DataType to, const Value& value) {
    if (to == DataType::double_) {
        if (const auto* number = value.get_if<std::int64_t>()) return !is_double_integer(*number);
        return value.is<std::uint64_t>();
    }
    if (to != DataType::date) return false;
    std::optional<Timestamp> timestamp;
    if (const auto* point = value.get_if<Timestamp>()) timestamp = *point;
    if (const auto* text = value.get_if<std::string>()) timestamp = timestamp_from_text(*text);
    return timestamp && timestamp->us % civil::us_per_day != 0;
}

}  // namespace tipple::schema
