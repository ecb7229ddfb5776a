#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "tipple/incremental/cursor.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/source/record_filter.h"
#include "tipple/source/source.h"
#include "tipple/sources/rest_api/page_reader.h"
#include "tipple/sources/rest_api/parent_records.h"

namespace tipple::sources::rest {

/// Keeps a resource's records for its children: those that its condition, cursor and limit let in, as the run itself will find later, in the same order.
class KeptRecords {
public:
    /// `spec` has the resource's condition, cursor and limit, `state` what the cursor remembers.
    KeptRecords(ParentRecords& records, const extract::ResourceSpec& spec, const json::Object* state);

    void add(const ReadPage& page);
    /// The cursor, or the limit, says that no more are of interest. Never by timing.
    bool is_done() const { return records_left_ == 0 || (cursor_ && cursor_->is_done()); }

private:
    /// Places of records, ascending.
    std::vector<std::size_t> find_unwanted(const extract::JsonPage& part);

    ParentRecords& records_;
    std::shared_ptr<const extract::Condition> where_;
    std::uint64_t records_left_;
    std::optional<incremental::Cursor> cursor_;
    extract::RecordFilter condition_filter_;
    incremental::PageFilter filter_;
};

}  // namespace tipple::sources::rest
