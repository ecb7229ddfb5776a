#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/incremental/cursor.h"

namespace tipple::incremental {

/// JSON records of a page that may be overwritten: whole records, one after another.
struct JsonRecords {
    char* text = nullptr;  ///< followed by limits::json_padding readable bytes
    std::size_t size = 0;
    /// Where records start when they are not one per line.
    std::span<const std::size_t> record_starts;
};

/// What of a page is of interest.
struct FilterOptions {
    /// No more records than this are kept.
    std::size_t kept_max = SIZE_MAX;
    /// A value that is known to be crowded (Cursor::crowded_value): records there need no hashes.
    schema::Value crowded_value = {};
    /// The last value before the page (Cursor::last); of a cursor that judges in order only.
    schema::Value last = {};
};

/// A record that ends the run, and where it stands.
struct RecordProblem {
    std::string text;
    std::size_t offset = 0;  ///< in the text of the page
    std::size_t record = 0;  ///< from 0
};

/// Leaves records out of pages, by what the cursor was at the start of the run alone, unless it judges in order. One per worker; not thread-safe.
///
/// Each call fills `fold` and looks at records until enough were kept; what lies behind them stays. A page with a problem stays as it is.
class PageFilter {
public:
    PageFilter();
    ~PageFilter();
    PageFilter(PageFilter&&) noexcept;

    /// Records that are left out become blanks, so that offsets and lines of the others stay true. What is no JSON stays and counts as kept:
    /// whoever reads the records will say so.
    std::optional<RecordProblem> filter(const CursorStart& start, const JsonRecords& records, const FilterOptions& options, PageFold& fold);
    std::optional<RecordProblem> filter(const CursorStart& start, std::vector<schema::Value>& records, const FilterOptions& options, PageFold& fold);
    /// Throws Error(usage) when the cursor is no column.
    std::optional<RecordProblem> filter(const CursorStart& start, columns::Batch& batch, const FilterOptions& options, PageFold& fold);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple::incremental
