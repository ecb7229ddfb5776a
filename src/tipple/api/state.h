#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/json/value.h"

namespace tipple {

/// What a resource, or its source, remembers from run to run. Changes are saved in the commit that saves the rows of the run, and are gone when
/// it fails. Only for the thread of the read.
class State {
public:
    /// `document`: where the values are, made when it is not there. Asked for anew with each call.
    explicit State(std::function<json::Object&()> document) : document_(std::move(document)) {}

    /// The value of that name; nothing when it is not there or null. `T`: bool, an integer, double, std::string or json::Value. Throws Error(usage) when
    /// it is of another type.
    template <typename T>
    std::optional<T> find(std::string_view name) const;
    /// The same, or `otherwise`.
    template <typename T>
    T get(std::string_view name, T otherwise) const {
        return find<T>(name).value_or(std::move(otherwise));
    }
    std::string get(std::string_view name, const char* otherwise) const { return find<std::string>(name).value_or(otherwise); }
    /// A json::Value is made of a bool, a number, a text, or a json::Array or json::Object of such.
    void set(std::string_view name, json::Value value) { document_().set(name, std::move(value)); }
    /// Whether it was there.
    bool erase(std::string_view name) { return document_().erase(name); }
    /// The whole, live. Good until the state of the other, resource or source, is asked for.
    json::Object& document() { return document_(); }

private:
    std::function<json::Object&()> document_;
};

template <typename T>
std::optional<T> State::find(std::string_view name) const {
    const json::Value* value = std::as_const(document_()).find(name);
    if (value == nullptr || value->is_null()) return std::nullopt;
    if constexpr (std::is_same_v<T, json::Value>) {
        return *value;
    } else if constexpr (std::is_same_v<T, bool>) {
        if (value->is_bool()) return value->as_bool();
    } else if constexpr (std::is_integral_v<T>) {
        if (value->is_int() && std::in_range<T>(value->as_int())) return static_cast<T>(value->as_int());
    } else if constexpr (std::is_floating_point_v<T>) {
        if (value->is_number()) return static_cast<T>(value->as_double());
    } else {
        static_assert(std::is_same_v<T, std::string>, "a state holds bool, integers, double, std::string and json::Value");
        if (value->is_text()) return value->as_text();
    }
    throw Error(ErrorKind::usage, "\"{}\" in the state is a {}, which is not what was asked for", name, value->type_name());
}

}  // namespace tipple
