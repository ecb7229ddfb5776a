#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include "tipple/schema/types.h"

namespace tipple::schema {

/// A decimal of any length: (-1)^negative × digits × 10^exponent. `digits` has no leading zeros; "0" is zero. Kept exactly as given:
/// 1.50 is digits 150, exponent -2.
struct Decimal {
    enum class Special : std::uint8_t { none, nan, infinity };
    bool negative = false;
    Special special = Special::none;
    std::string digits = "0";
    std::int32_t exponent = 0;
    bool operator==(const Decimal&) const = default;
};

/// Microseconds since 1970-01-01; `is_aware` = it is a point in time (then UTC), else a wall clock reading without a zone.
struct Timestamp {
    std::int64_t us = 0;
    bool is_aware = true;
    /// East of UTC: how an aware value is written, not what it is.
    std::int32_t offset_seconds = 0;
    /// Nanoseconds beyond `us`, 0 to 999. Columns of times have no room for them, texts do.
    std::int16_t ns = 0;
    bool operator==(const Timestamp&) const = default;
};
struct Date {
    std::int32_t days = 0;  ///< since 1970-01-01
    bool operator==(const Date&) const = default;
};
struct Time {
    std::int64_t us = 0;  ///< since midnight
    std::int16_t ns = 0;  ///< as in Timestamp
    bool operator==(const Time&) const = default;
};
struct Wei {
    Decimal value;
    bool operator==(const Wei&) const = default;
};
struct Binary {
    std::string bytes;
    bool operator==(const Binary&) const = default;
};
/// Compact JSON text of an object or list that is not flattened.
struct Json {
    std::string text;
    bool operator==(const Json&) const = default;
};

class Value;
struct Field;
using List = std::vector<Value>;
using Object = std::vector<Field>;

/// A typed value on the slow path: what a record holds where plain JSON columns are not enough, and what coercion works on.
/// Integers beyond int64 are uint64 where they fit.
class Value : public std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Decimal, Wei, Timestamp,
                                  Date, Time, Binary, Json, List, Object> {
public:
    using variant::variant;
    bool is_null() const { return index() == 0; }
    template <typename T>
    const T* get_if() const {
        return std::get_if<T>(static_cast<const variant*>(this));
    }
    template <typename T>
    bool is() const {
        return get_if<T>() != nullptr;
    }
    template <typename T>
    const T& as() const {
        return std::get<T>(static_cast<const variant&>(*this));
    }
};

/// A name and a value, in an Object.
struct Field {
    std::string name;
    Value value;
};

/// The type a value has by itself. Not for null, lists and objects (those are `json` where they stay whole).
DataType natural_type(const Value& scalar);

}  // namespace tipple::schema
