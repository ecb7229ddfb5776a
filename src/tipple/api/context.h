#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tipple/api/record.h"
#include "tipple/api/state.h"
#include "tipple/core/log.h"
#include "tipple/source/source.h"

namespace tipple {

/// The cursor of a resource that is read incrementally. Only for the thread of the read.
class Cursor {
public:
    explicit Cursor(extract::CursorView& view) : view_(view) {}

    /// From where on this run reads: the last value of the run before, with the lag taken off, or the initial value. Null = from the beginning. Records
    /// before it may be written, and are left out.
    const Value& start() const { return view_.start(); }
    /// The same as text: dates and times in ISO form. Empty = from the beginning.
    std::string start_text() const { return text_of(start()); }
    /// The same where the cursor is an integer.
    std::optional<std::int64_t> start_int() const { return int_of(start()); }
    /// Where a run that has an end ends; null = it has none.
    const Value& end() const { return view_.end(); }
    /// The same as text; empty = it has none.
    std::string end_text() const { return text_of(end()); }
    /// The furthest value of what was written so far, else the start. Waits until all of that has been looked at, so ask once a page at most.
    Value last() { return view_.last(); }
    /// The same as text.
    std::string last_text() { return text_of(last()); }

private:
    static std::string text_of(const Value& value);
    static std::optional<std::int64_t> int_of(const Value& value);

    extract::CursorView& view_;
};

/// What a resource reads with. Only for the thread of the read, but for `stop_token`.
class ResourceContext {
public:
    /// Everything referenced outlives this. `state` is the resource's own.
    ResourceContext(const extract::ResourceContext& context, extract::Output& out, extract::CursorView* cursor, State state, std::string resource);

    /// Throws Error(usage) when the resource is not incremental.
    Cursor cursor();
    /// What this resource remembers from run to run.
    State& resource_state() { return resource_state_; }
    /// What all resources of the source remember together.
    State& source_state() { return source_state_; }

    /// Whether the run is to end: between two requests, a read should look.
    bool stop_requested() const { return context_.stop.stop_requested(); }
    /// For waits that can be woken.
    std::stop_token stop_token() const { return context_.stop; }
    const Log& log() const { return context_.log; }
    /// Adds to a figure of this resource that the report of the run shows: requests made, pages skipped.
    void count(std::string_view metric, std::int64_t by = 1) { out_.count(metric, by); }
    /// How far the read has come, for progress. `bytes_total` when it is known.
    void report_progress(std::uint64_t bytes_read, std::optional<std::uint64_t> bytes_total = {}) {
        out_.report({.bytes_read = bytes_read, .bytes_total = bytes_total});
    }
    /// A folder for files that live no longer than the run. It may not be there yet.
    const std::string& temp_folder() const { return context_.temp_folder; }

private:
    const extract::ResourceContext& context_;
    extract::Output& out_;
    extract::CursorView* cursor_;
    State resource_state_;
    State source_state_;
    std::string resource_;
};

}  // namespace tipple
