#pragma once

#include <initializer_list>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/schema/types.h"
#include "tipple/schema/value.h"

namespace tipple {

/// A typed value of a record: null, bool, integer, double, text, Decimal, Timestamp, Date, Time, Binary, List, Object.
using schema::Binary;
using schema::Date;
using schema::Decimal;
using schema::List;
using schema::Object;
using schema::Time;
using schema::Timestamp;
using schema::Value;

/// The types of a column.
using schema::DataType;
/// What the rows of a load do to those that are there.
using schema::Disposition;

/// One record: names and values, in order.
class Record {
public:
    Record() = default;
    /// Names must differ.
    Record(std::initializer_list<schema::Field> fields) : fields_(fields) {}
    explicit Record(schema::Object fields) : fields_(std::move(fields)) {}

    /// The value of that name, or nullptr. Valid until the record changes.
    const Value* find(std::string_view name) const {
        for (const schema::Field& field : fields_) {
            if (field.name == name) return &field.value;
        }
        return nullptr;
    }
    /// The value of that name as a `T`: bool, std::int64_t, double (of any number), std::string, Timestamp, …. Nothing when it is missing or
    /// null. Throws Error(data) when it is something else.
    template <typename T>
    std::optional<T> get(std::string_view name) const;
    /// Replaces the value where it stands, or appends it.
    Record& set(std::string_view name, Value value) {
        for (schema::Field& field : fields_) {
            if (field.name != name) continue;
            field.value = std::move(value);
            return *this;
        }
        fields_.push_back({std::string(name), std::move(value)});
        return *this;
    }
    /// Whether it was there.
    bool erase(std::string_view name) {
        return std::erase_if(fields_, [&](const schema::Field& field) { return field.name == name; }) > 0;
    }

    bool empty() const { return fields_.empty(); }
    std::size_t size() const { return fields_.size(); }
    schema::Object::const_iterator begin() const { return fields_.begin(); }
    schema::Object::const_iterator end() const { return fields_.end(); }
    /// Gives the fields away.
    schema::Object take() && { return std::move(fields_); }

private:
    schema::Object fields_;
};

/// Records of one page.
using Records = std::vector<Record>;

template <typename T>
std::optional<T> Record::get(std::string_view name) const {
    const Value* value = find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if (const T* typed = value->get_if<T>()) return *typed;
    if constexpr (std::is_same_v<T, double>) {
        if (const auto* integer = value->get_if<std::int64_t>()) return static_cast<double>(*integer);
        if (const auto* large = value->get_if<std::uint64_t>()) return static_cast<double>(*large);
    }
    throw Error(ErrorKind::data, "\"{}\" of a record is not of the type that was asked for", name);
}

}  // namespace tipple
