#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <type_traits>
#include <utility>
#include <vector>

#include "tipple/schema/value.h"

/// Reading only what is new: a cursor is a value of each record (a number that grows, a time of change) of which the greatest one so far is
/// remembered. Names and meanings are the reference's; see docs/internals/incremental.md.
namespace tipple::incremental {

/// Which of two cursor values is further on.
enum class LastValue : std::uint8_t { max, min };
/// Whether the source's records come in the order of the cursor, so that reading can end early.
enum class RowOrder : std::uint8_t { none, asc, desc };
/// Whether records exactly at a bound belong to what is read.
enum class Range : std::uint8_t { closed, open };
/// What becomes of records without a cursor value.
enum class MissingCursor : std::uint8_t { raise, include, exclude };

/// Of what a last value is remembered: of the resource, or, where records are read parent by parent, of each parent. The source keeps those itself.
enum class Scope : std::uint8_t { resource, parent };

/// What makes the last value of the values that come: the greatest, the least, or a function of the program's own.
class LastValueFunction {
public:
    /// `value`: a record's cursor, never null. `last`: the last value so far; nullptr = there is none, or none is to count. Returns the last value with `value`, which may be
    /// anything that a state can hold: a number, a text, a time, a list, an object. A record that does not change it, and whose own value is not what reading began with, is old.
    ///
    /// Must depend on nothing but its arguments: it is called several times for a record, in the order of the records, on any thread, for a parent of transformers on two at a
    /// time. What it throws ends the run, naming the record.
    using Custom = std::function<schema::Value(const schema::Value& value, const schema::Value* last)>;

    LastValueFunction(LastValue order) : order_(order) {}
    /// Each record is judged by all before it, so that one thread at a time makes rows of the resource: slower than `max` and `min`, which the workers judge side by side. It
    /// goes with neither row_order, lag, value_type, checkpoints nor `--since` and `--until`, which need to know which values lie ahead.
    template <typename Function>
        requires std::is_invocable_r_v<schema::Value, const Function&, const schema::Value&, const schema::Value*>
    LastValueFunction(Function custom) : custom_(std::move(custom)) {}

    bool is_custom() const { return custom_ != nullptr; }
    /// Not of a custom one.
    LastValue order() const { return order_; }
    /// Of a custom one only.
    schema::Value operator()(const schema::Value& value, const schema::Value* last = nullptr) const { return custom_(value, last); }
    friend bool operator==(const LastValueFunction& function, LastValue order) { return !function.is_custom() && function.order_ == order; }

private:
    LastValue order_ = LastValue::max;
    Custom custom_;
};

/// How a resource is read incrementally. Plain data.
struct Spec {
    /// Where the cursor is in a record: a name, or a path (json::Path) of which the first match counts. As written, it is the key of the
    /// cursor's state.
    std::string cursor_path = {};
    /// Where a pipeline that remembers nothing begins. Null = at the first record.
    schema::Value initial_value = {};
    /// Where reading ends; the run then neither uses nor changes what is remembered. Null = no end.
    schema::Value end_value = {};
    LastValueFunction last_value_func = LastValue::max;
    RowOrder row_order = RowOrder::none;
    MissingCursor on_cursor_value_missing = MissingCursor::raise;
    /// Reads again what lies so far behind the last value: days of dates, seconds of times, else the number itself.
    std::optional<double> lag = {};
    /// The lag counts seconds whatever the values are; of days, it is rounded up to whole ones.
    bool is_lag_in_seconds = false;
    Range range_start = Range::closed;
    Range range_end = Range::open;
    /// Columns by which records at the last value are told apart. Nothing = the resource's key or, when it has none, the whole record; empty =
    /// they are not told apart.
    std::optional<std::vector<std::string>> primary_key = {};
    /// A key of one column was given as a list: its hash is another one than that of the column alone.
    bool has_key_list = false;
    /// The bounds may have another type than the records' values, as what a user writes has: they are turned into what the records have, where
    /// that can be done.
    bool converts_bounds = false;
    /// Values are read as this type, whatever the records write them as; of timestamp, date, bigint, double and text.
    std::optional<schema::DataType> value_type = {};
    /// Reading begins at the initial value even if what is remembered is further on. What is remembered does not fall behind for it. An
    /// initial value ahead of it counts for nothing: what lies between would never be read.
    bool begins_anew = false;
    Scope scope = Scope::resource;
};

}  // namespace tipple::incremental
