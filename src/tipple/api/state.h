#pragma once

#include <cstdint>
#include <functional>
#include <mutex>
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
///
/// What a source remembers is shared by its resources. While parallel ones are read (Resource::parallel), each call on it is done as a whole: no value is ever seen half written,
/// and of values of one name the last one set counts, whoever that is. So that a run does not depend on timing, let each set names of its own, or use `update` for what comes to
/// the same in any order, as a sum does.
class State {
public:
    /// `document`: where the values are, made when it is not there. Asked for anew with each call. `lock`: what is held meanwhile; empty, or a lock without a mutex = nobody else
    /// uses them.
    explicit State(std::function<json::Object&()> document, std::function<std::unique_lock<std::mutex>()> lock = {}) : document_(std::move(document)), lock_(std::move(lock)) {}

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
    void set(std::string_view name, json::Value value) {
        const auto lock = hold();
        document_().set(name, std::move(value));
    }
    /// Sets what `change` makes of the value of that name, null when it is not there. Nobody else changes it meanwhile, so `change` must not wait, nor use a state itself.
    void update(std::string_view name, const std::function<json::Value(const json::Value& value)>& change) {
        const auto lock = hold();
        const json::Value* value = std::as_const(document_()).find(name);
        json::Value changed = change(value != nullptr ? *value : json::Value());
        document_().set(name, std::move(changed));
    }
    /// Whether it was there.
    bool erase(std::string_view name) {
        const auto lock = hold();
        return document_().erase(name);
    }
    /// The whole, live. Good until the state of the other, resource or source, is asked for. Throws Error(usage) for that of a source while parallel resources are read: others
    /// may change it at any time.
    json::Object& document() {
        if (hold().owns_lock()) {
            throw Error(ErrorKind::usage, "what the source remembers is shared by resources that are read at the same time; use get, set, update and erase instead of document()");
        }
        return document_();
    }

private:
    std::unique_lock<std::mutex> hold() const { return lock_ ? lock_() : std::unique_lock<std::mutex>(); }

    std::function<json::Object&()> document_;
    std::function<std::unique_lock<std::mutex>()> lock_;
};

template <typename T>
std::optional<T> State::find(std::string_view name) const {
    const auto lock = hold();
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
