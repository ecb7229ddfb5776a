#pragma once

#include <cstdint>
#include <optional>
#include <string>
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

/// How a resource is read incrementally. Plain data.
struct Spec {
    /// Where the cursor is in a record: a name, or a path (json::Path) of which the first match counts. As written, it is the key of the
    /// cursor's state.
    std::string cursor_path = {};
    /// Where a pipeline that remembers nothing begins. Null = at the first record.
    schema::Value initial_value = {};
    /// Where reading ends; the run then neither uses nor changes what is remembered. Null = no end.
    schema::Value end_value = {};
    LastValue last_value_func = LastValue::max;
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
