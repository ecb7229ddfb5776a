#pragma once

#include <compare>
#include <cstdint>
#include <string>

#include "tipple/json/value.h"
#include "tipple/schema/value.h"

/// Values of cursors: how they compare, and how a state document writes them.
namespace tipple::incremental {

/// Values of one kind can be compared; those of different kinds cannot.
enum class Kind : std::uint8_t {
    none,  ///< null, a list or an object: no cursor can have it
    number,
    text,
    instant,     ///< a timestamp with a zone
    wall_clock,  ///< a timestamp without one
    date,
    time,
    binary,
};
Kind kind_of(const schema::Value& value);

/// "integer", "text", "timestamp without zone", … for messages.
const char* type_name(const schema::Value& value);
/// `value` and its type, for messages.
std::string describe(const schema::Value& value);

/// Both are of the same kind. Numbers of all types compare by what they are; texts by code point. Unordered only with NaN.
std::partial_ordering compare(const schema::Value& a, const schema::Value& b);

/// The timestamp with a zone when `like` has one, else without; a wall clock is read as UTC.
schema::Timestamp adapt_zone(const schema::Timestamp& timestamp, const schema::Timestamp& like);

/// Whether they are the same: also of lists and of objects, whose members have no order, and of values that cannot be compared, which are not.
bool is_same(const schema::Value& a, const schema::Value& b);

/// As in a state document: what JSON has no type for is a text that begins with a mark of its type.
json::Value to_state(const schema::Value& value);
/// A text with a mark whose rest is not of that type stays text.
schema::Value from_state(const json::Value& value);
/// The same, also of lists and objects of such.
schema::Value document_from_state(const json::Value& value);

}  // namespace tipple::incremental
