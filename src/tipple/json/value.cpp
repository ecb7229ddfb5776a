#include "tipple/json/value.h"

#include <algorithm>
#include <limits>

#include "tipple/core/error.h"

namespace tipple::json {

Object::Object() = default;
Object::Object(const Object& other) = default;
Object::Object(Object&& other) noexcept = default;
Object& Object::operator=(const Object& other) = default;
Object& Object::operator=(Object&& other) noexcept = default;
Object::~Object() = default;
Object::Object(std::initializer_list<Member> members) : members_(members) {}

const Value* Object::find(std::string_view name) const {
    for (const Member& member : members_) {
        if (member.name == name) return &member.value;
    }
    return nullptr;
}

Value* Object::find(std::string_view name) {
    return const_cast<Value*>(static_cast<const Object*>(this)->find(name));
}

Value& Object::operator[](std::string_view name) {
    if (Value* value = find(name)) return *value;
    members_.push_back({std::string(name), Value()});
    return members_.back().value;
}

void Object::set(std::string_view name, Value value) { (*this)[name] = std::move(value); }

bool Object::erase(std::string_view name) {
    const auto at = std::find_if(members_.begin(), members_.end(),
                                 [&](const Member& member) { return member.name == name; });
    if (at == members_.end()) return false;
    members_.erase(at);
    return true;
}

void Object::append(std::string name, Value value) {
    members_.push_back({std::move(name), std::move(value)});
}

bool Object::operator==(const Object& other) const { return members_ == other.members_; }

Value::Value(std::uint64_t value) {
    if (value <= static_cast<std::uint64_t>(std::numeric_limits<std::int64_t>::max())) {
        data_ = static_cast<std::int64_t>(value);
    } else {
        data_ = value;
    }
}

double Value::as_double() const {
    if (is_int()) return static_cast<double>(as_int());
    if (is_uint()) return static_cast<double>(as_uint());
    return std::get<double>(data_);
}

const char* Value::type_name() const {
    if (is_null()) return "null";
    if (is_bool()) return "boolean";
    if (is_number()) return "number";
    if (is_text()) return "text";
    if (is_array()) return "list";
    return "object";
}

}  // namespace tipple::json
