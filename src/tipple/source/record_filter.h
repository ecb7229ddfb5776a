#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/json/path.h"
#include "tipple/json/pull.h"
#include "tipple/schema/value.h"
#include "tipple/source/condition.h"

namespace tipple::extract {

/// What the path finds first in a typed value; nullptr when that is nothing. Paths of the plain dialect. Valid as long as the value.
const schema::Value* find_first(const schema::Value& value, const json::Path& path);

/// Throws Error(usage) when the condition looks inside of columns, where records come as such; `resource` is named in errors.
void require_names(const Condition& condition, const std::string& resource);

/// Leaves records out of pages that do not meet a condition with paths of the plain dialect. One per worker; not thread-safe.
///
/// Each call returns the places, ascending, that the records had which it has left out.
class RecordFilter {
public:
    /// Records that are left out become blanks, so that offsets and lines of the others stay true. What is no JSON stays, and so does null: whoever reads the
    /// records will say so. Of a name that comes twice the last one counts.
    std::vector<std::size_t> filter(const Condition& condition, const incremental::JsonRecords& records);
    std::vector<std::size_t> filter(const Condition& condition, std::vector<schema::Value>& records);
    /// Rows; `resource` is named in errors. A column that is not there is null in all of them. Throws Error(usage) when the condition looks inside of a column.
    std::vector<std::size_t> filter(const Condition& condition, columns::Batch& batch, const std::string& resource);

private:
    struct Page;
    json::pull::WalkEnd walk(Page& page, std::size_t from, std::size_t to);
    json::pull::Fault judge(Page& page, json::pull::Cursor& cursor, bool& is_wanted);
    json::pull::Fault read_members(const Condition& condition, json::pull::Cursor& cursor);

    json::pull::Index index_;
    std::string scratch_;
    /// Of the record at hand: what it has for each comparison.
    std::vector<schema::Value> values_;
};

}  // namespace tipple::extract
