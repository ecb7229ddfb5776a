#include "tipple/incremental/value.h"

#include <algorithm>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/typed_text.h"

namespace tipple::incremental {

using schema::Decimal;
using schema::Value;

namespace {

namespace typed_text = schema::typed_text;

std::partial_ordering order(int sign) { return sign <=> 0; }

/// -1, 0 or 1. `number` is no NaN.
int compare_integer(std::int64_t integer, double number) {
    // Beyond these, `number` has no equal among the integers.
    if (number >= 9223372036854775808.0) return -1;
    if (number < -9223372036854775808.0) return 1;
    const auto whole = static_cast<std::int64_t>(number);
    if (integer != whole) return integer < whole ? -1 : 1;
    const double fraction = number - static_cast<double>(whole);
    return fraction > 0 ? -1 : fraction < 0 ? 1 : 0;
}

/// A double as the decimal that it exactly is.
Decimal exact_decimal(double number) {
    if (std::isinf(number)) return {.negative = number < 0, .special = Decimal::Special::infinity};
    // No double has more significant digits.
    return *schema::parse_decimal(fmt::format("{:.{}e}", number, 766));
}

Decimal to_decimal(const Value& number) {
    if (const auto* decimal = number.get_if<Decimal>()) return *decimal;
    if (const auto* wei = number.get_if<schema::Wei>()) return wei->value;
    if (const auto* flag = number.get_if<bool>()) return {.digits = *flag ? "1" : "0"};
    if (const auto* real = number.get_if<double>()) return exact_decimal(*real);
    const auto* integer = number.get_if<std::int64_t>();
    return *schema::parse_decimal(integer != nullptr ? std::to_string(*integer) : std::to_string(number.as<std::uint64_t>()));
}

int compare_magnitudes(const Decimal& a, const Decimal& b) {
    const auto top = [](const Decimal& decimal) { return static_cast<std::int64_t>(decimal.digits.size()) + decimal.exponent; };
    const bool a_is_zero = a.digits == "0";
    const bool b_is_zero = b.digits == "0";
    if (a_is_zero || b_is_zero) return static_cast<int>(b_is_zero) - static_cast<int>(a_is_zero);
    if (top(a) != top(b)) return top(a) < top(b) ? -1 : 1;
    const std::size_t length = std::max(a.digits.size(), b.digits.size());
    const auto padded = [&](const Decimal& decimal) { return decimal.digits + std::string(length - decimal.digits.size(), '0'); };
    const int result = padded(a).compare(padded(b));
    return result < 0 ? -1 : result > 0 ? 1 : 0;
}

int compare_decimals(const Decimal& a, const Decimal& b) {
    const auto sign = [](const Decimal& decimal) {
        return decimal.special == Decimal::Special::none && decimal.digits == "0" ? 0 : decimal.negative ? -1 : 1;
    };
    if (sign(a) != sign(b)) return sign(a) < sign(b) ? -1 : 1;
    const bool a_is_infinite = a.special == Decimal::Special::infinity;
    const bool b_is_infinite = b.special == Decimal::Special::infinity;
    const int magnitudes = a_is_infinite || b_is_infinite ? static_cast<int>(a_is_infinite) - static_cast<int>(b_is_infinite) : compare_magnitudes(a, b);
    return sign(a) < 0 ? -magnitudes : magnitudes;
}

bool is_nan(const Value& number) {
    if (const auto* real = number.get_if<double>()) return std::isnan(*real);
    const auto* decimal = number.get_if<Decimal>();
    return decimal != nullptr && decimal->special == Decimal::Special::nan;
}

std::partial_ordering compare_numbers(const Value& a, const Value& b) {
    if (is_nan(a) || is_nan(b)) return std::partial_ordering::unordered;
    const auto* a_integer = a.get_if<std::int64_t>();
    const auto* b_integer = b.get_if<std::int64_t>();
    const auto* a_real = a.get_if<double>();
    const auto* b_real = b.get_if<double>();
    if (a_integer != nullptr && b_integer != nullptr) return *a_integer <=> *b_integer;
    if (a_real != nullptr && b_real != nullptr) return *a_real <=> *b_real;
    if (a_integer != nullptr && b_real != nullptr) return order(compare_integer(*a_integer, *b_real));
    if (a_real != nullptr && b_integer != nullptr) return order(-compare_integer(*b_integer, *a_real));
    return order(compare_decimals(to_decimal(a), to_decimal(b)));
}

/// The typed value that the text behind `mark` says, or nothing.
std::optional<Value> from_marked(std::string_view mark, std::string_view text) {
    if (mark == typed_text::timestamp_mark) {
        const std::optional<schema::DateTimeText> parsed = schema::parse_datetime(text);
        if (!parsed || parsed->kind == schema::DateTimeKind::time) return std::nullopt;
        const std::int32_t offset = parsed->offset_seconds.value_or(0);
        return schema::Timestamp{
            .us = parsed->us - offset * std::int64_t{1'000'000}, .is_aware = parsed->offset_seconds.has_value(), .offset_seconds = offset};
    }
    if (mark == typed_text::date_mark) {
        if (const auto date = schema::date_from_text(text)) return *date;
    } else if (mark == typed_text::time_mark) {
        if (const auto time = schema::time_from_text(text)) return *time;
    } else if (mark == typed_text::decimal_mark) {
        if (const auto decimal = schema::parse_decimal(text)) return *decimal;
    } else if (mark == typed_text::wei_mark) {
        if (const auto decimal = schema::parse_decimal(text)) return schema::Wei{*decimal};
    } else if (mark == typed_text::base64_mark) {
        schema::Binary binary;
        if (try_parse_base64(text, binary.bytes)) return binary;
    }
    return std::nullopt;
}

}  // namespace

Kind kind_of(const Value& value) {
    if (value.is<bool>() || value.is<std::int64_t>() || value.is<std::uint64_t>() || value.is<double>() || value.is<Decimal>() || value.is<schema::Wei>()) {
        return Kind::number;
    }
    if (value.is<std::string>()) return Kind::text;
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return timestamp->is_aware ? Kind::instant : Kind::wall_clock;
    if (value.is<schema::Date>()) return Kind::date;
    if (value.is<schema::Time>()) return Kind::time;
    return value.is<schema::Binary>() ? Kind::binary : Kind::none;
}

const char* type_name(const Value& value) {
    switch (kind_of(value)) {
        case Kind::number:
            if (value.is<bool>()) return "boolean";
            if (value.is<double>()) return "number";
            return value.is<Decimal>() || value.is<schema::Wei>() ? "decimal" : "integer";
        case Kind::text:
            return "text";
        case Kind::instant:
            return "timestamp with zone";
        case Kind::wall_clock:
            return "timestamp without zone";
        case Kind::date:
            return "date";
        case Kind::time:
            return "time";
        case Kind::binary:
            return "binary";
        case Kind::none:
            break;
    }
    return value.is_null() ? "null" : value.is<schema::List>() ? "list" : "object";
}

std::string describe(const Value& value) {
    if (kind_of(value) == Kind::none) return type_name(value);
    std::string text;
    if (const auto* written = value.get_if<std::string>()) {
        text = json::quoted(*written);
    } else if (value.is<schema::Binary>()) {
        text = "…";
    } else {
        const std::optional<Value> as_text = schema::coerce(schema::DataType::text, value);
        text = as_text ? as_text->as<std::string>() : "?";
    }
    return fmt::format("{} ({})", excerpt(text), type_name(value));
}

std::partial_ordering compare(const Value& a, const Value& b) {
    switch (kind_of(a)) {
        case Kind::number:
            return compare_numbers(a, b);
        case Kind::text:
            return a.as<std::string>() <=> b.as<std::string>();
        case Kind::instant:
        case Kind::wall_clock:
            return a.as<schema::Timestamp>().us <=> b.as<schema::Timestamp>().us;
        case Kind::date:
            return a.as<schema::Date>().days <=> b.as<schema::Date>().days;
        case Kind::time:
            return a.as<schema::Time>().us <=> b.as<schema::Time>().us;
        case Kind::binary:
            return a.as<schema::Binary>().bytes <=> b.as<schema::Binary>().bytes;
        case Kind::none:
            break;
    }
    return std::partial_ordering::unordered;
}

bool is_same(const Value& a, const Value& b) {
    const Kind kind = kind_of(a);
    if (kind != kind_of(b)) return false;
    if (kind != Kind::none) return compare(a, b) == 0;
    if (const auto* list = a.get_if<schema::List>()) {
        const auto* other = b.get_if<schema::List>();
        return other != nullptr && std::equal(list->begin(), list->end(), other->begin(), other->end(), is_same);
    }
    if (const auto* object = a.get_if<schema::Object>()) {
        const auto* other = b.get_if<schema::Object>();
        return other != nullptr && object->size() == other->size() && std::all_of(object->begin(), object->end(), [&](const schema::Field& field) {
            return std::any_of(other->begin(), other->end(), [&](const schema::Field& known) { return known.name == field.name && is_same(known.value, field.value); });
        });
    }
    return to_state(a) == to_state(b);
}

schema::Timestamp adapt_zone(const schema::Timestamp& timestamp, const schema::Timestamp& like) {
    if (timestamp.is_aware == like.is_aware) return timestamp;
    return {.us = timestamp.us, .is_aware = like.is_aware, .offset_seconds = like.is_aware ? like.offset_seconds : 0};
}

json::Value to_state(const Value& value) {
    const auto marked = [](std::string_view mark, const std::string& text) { return json::Value(std::string(mark) + text); };
    if (const auto* flag = value.get_if<bool>()) return *flag;
    if (const auto* integer = value.get_if<std::int64_t>()) return *integer;
    if (const auto* large = value.get_if<std::uint64_t>()) return *large;
    if (const auto* real = value.get_if<double>()) return *real;
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* decimal = value.get_if<Decimal>()) return marked(typed_text::decimal_mark, schema::to_text(*decimal));
    if (const auto* wei = value.get_if<schema::Wei>()) return marked(typed_text::wei_mark, schema::to_text(wei->value));
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return marked(typed_text::timestamp_mark, schema::to_iso_text(*timestamp));
    if (const auto* date = value.get_if<schema::Date>()) return marked(typed_text::date_mark, schema::to_iso_text(*date));
    if (const auto* time = value.get_if<schema::Time>()) return marked(typed_text::time_mark, schema::to_iso_text(*time));
    if (const auto* binary = value.get_if<schema::Binary>()) return marked(typed_text::base64_mark, to_base64(binary->bytes));
    if (const auto* document = value.get_if<schema::Json>()) return json::parse(document->text, "the value");
    if (const auto* list = value.get_if<schema::List>()) {
        json::Array array;
        for (const Value& element : *list) array.push_back(to_state(element));
        return array;
    }
    if (const auto* fields = value.get_if<schema::Object>()) {
        json::Object object;
        for (const schema::Field& field : *fields) object.set(field.name, to_state(field.value));
        return object;
    }
    TIPPLE_ASSERT(value.is_null());
    return {};
}

Value from_state(const json::Value& value) {
    if (value.is_null()) return {};
    if (value.is_bool()) return value.as_bool();
    if (value.is_int()) return value.as_int();
    if (value.is_uint()) return value.as_uint();
    if (value.is_double()) return value.as_double();
    if (!value.is_text()) throw Error(ErrorKind::corrupt, "a cursor's value in the pipeline's state is a {}", value.type_name());
    const std::string_view text = value.as_text();
    const std::size_t length = typed_text::decimal_mark.size();
    if (text.size() > length) {
        if (std::optional<Value> typed = from_marked(text.substr(0, length), text.substr(length))) return *std::move(typed);
    }
    return std::string(text);
}

Value document_from_state(const json::Value& value) {
    if (value.is_array()) {
        schema::List list;
        for (const json::Value& element : value.as_array()) list.push_back(document_from_state(element));
        return list;
    }
    if (!value.is_object()) return from_state(value);
    schema::Object object;
    for (const json::Member& member : value.as_object()) object.push_back({member.name, document_from_state(member.value)});
    return object;
}

}  // namespace tipple::incremental
