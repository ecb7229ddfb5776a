#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

/// JSON documents as values: schemas, state, manifests, options. Records being loaded never become these; see pull.h.
namespace tipple::json {

class Value;
struct Member;
using Array = std::vector<Value>;

/// Members in the order they were written. Look-ups are linear: for documents with few members per object, or see `Object::find`.
class Object {
public:
    Object();
    Object(std::initializer_list<Member> members);
    Object(const Object& other);
    Object(Object&& other) noexcept;
    Object& operator=(const Object& other);
    Object& operator=(Object&& other) noexcept;
    ~Object();

    std::size_t size() const;
    bool empty() const;
    std::vector<Member>::const_iterator begin() const;
    std::vector<Member>::const_iterator end() const;
    std::vector<Member>::iterator begin();
    std::vector<Member>::iterator end();

    /// The member's value, or nullptr. Valid until the object changes.
    const Value* find(std::string_view name) const;
    Value* find(std::string_view name);
    /// The value of `name`, made null at the end when it is not there.
    Value& operator[](std::string_view name);
    void set(std::string_view name, Value value);
    /// Whether it was there.
    bool erase(std::string_view name);
    /// Appends without looking for an equal name: the caller knows that there is none.
    void append(std::string name, Value value);

    bool operator==(const Object& other) const;

private:
    std::vector<Member> members_;
};

/// null, bool, int64, uint64 (only beyond int64), double, text, array or object.
class Value {
public:
    Value() = default;
    Value(std::nullptr_t) {}
    Value(bool value) : data_(value) {}
    Value(int value) : data_(static_cast<std::int64_t>(value)) {}
    Value(std::int64_t value) : data_(value) {}
    Value(std::uint64_t value);
    Value(double value) : data_(value) {}
    Value(const char* value) : data_(std::string(value)) {}
    Value(std::string_view value) : data_(std::string(value)) {}
    Value(std::string value) : data_(std::move(value)) {}
    Value(Array value) : data_(std::move(value)) {}
    Value(Object value) : data_(std::move(value)) {}

    bool is_null() const { return std::holds_alternative<std::monostate>(data_); }
    bool is_bool() const { return std::holds_alternative<bool>(data_); }
    bool is_int() const { return std::holds_alternative<std::int64_t>(data_); }
    bool is_uint() const { return std::holds_alternative<std::uint64_t>(data_); }
    bool is_double() const { return std::holds_alternative<double>(data_); }
    bool is_number() const { return is_int() || is_uint() || is_double(); }
    bool is_text() const { return std::holds_alternative<std::string>(data_); }
    bool is_array() const { return std::holds_alternative<Array>(data_); }
    bool is_object() const { return std::holds_alternative<Object>(data_); }

    /// The caller has checked the type; anything else is a bug.
    bool as_bool() const { return std::get<bool>(data_); }
    std::int64_t as_int() const { return std::get<std::int64_t>(data_); }
    std::uint64_t as_uint() const { return std::get<std::uint64_t>(data_); }
    double as_double() const;  ///< any number
    const std::string& as_text() const { return std::get<std::string>(data_); }
    const Array& as_array() const { return std::get<Array>(data_); }
    Array& as_array() { return std::get<Array>(data_); }
    const Object& as_object() const { return std::get<Object>(data_); }
    Object& as_object() { return std::get<Object>(data_); }

    /// "null", "boolean", "number", "text", "list" or "object", for messages.
    const char* type_name() const;

    bool operator==(const Value& other) const { return data_ == other.data_; }

private:
    std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array,
                 Object>
        data_;
};

/// A name and a value, in an Object.
struct Member {
    std::string name;
    Value value;
    bool operator==(const Member&) const = default;
};

// Members of Object that need a complete Member.
inline std::size_t Object::size() const { return members_.size(); }
inline bool Object::empty() const { return members_.empty(); }
inline std::vector<Member>::const_iterator Object::begin() const { return members_.begin(); }
inline std::vector<Member>::const_iterator Object::end() const { return members_.end(); }
inline std::vector<Member>::iterator Object::begin() { return members_.begin(); }
inline std::vector<Member>::iterator Object::end() { return members_.end(); }

/// One document. A name that occurs twice in an object keeps its first place and its last value; integers beyond 64 bits become
/// doubles. Throws Error(usage) that says `what` it is, why it is not JSON, and the byte offset.
Value parse(std::string_view text, std::string_view what = "JSON text");

/// Like `parse`, but false instead of an error, for text that may be anything.
bool try_parse(std::string_view text, Value& value);

enum class Spacing { compact, pretty };  ///< pretty: two spaces, one member per line
enum class KeyOrder { as_written, sorted };
struct WriteOptions {
    Spacing spacing = Spacing::compact;
    KeyOrder key_order = KeyOrder::as_written;  ///< sorted: by code point, at all depths
};

/// JSON text; non-ASCII stays as it is, doubles in their shortest form that reads back equal. NaN and infinities become null.
std::string to_text(const Value& value, WriteOptions options = {});
void append_text(std::string& out, const Value& value, WriteOptions options = {});

/// Appends `text` as a JSON string with its quotes. Escapes `"`, `\` and control characters only.
void append_quoted(std::string& out, std::string_view text);
std::string quoted(std::string_view text);

/// The number as the reference's JSON writer prints it: `1.0`, `0.00001`, `1e-7`, `1e16`. Finite only.
void append_number(std::string& out, double number);
/// The number as Python prints it: `1.0`, `1e-05`, `1e+16`, `nan`, `inf`.
std::string python_number(double number);

}  // namespace tipple::json
