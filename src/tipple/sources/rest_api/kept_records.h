#pragma once

#include <optional>
#include <vector>

#include "tipple/incremental/cursor.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/source/source.h"
#include "tipple/sources/rest_api/page_reader.h"
#include "tipple/sources/rest_api/parent_records.h"

namespace tipple::sources::rest {

/// Keeps a resource's records for its children: those that its cursor lets in, as the run itself will find later, in the same order.
class KeptRecords {
public:
    /// `spec` has the resource's cursor, `state` what it remembers.
    KeptRecords(ParentRecords& records, const extract::ResourceSpec& spec, const json::Object* state);

    void add(const ReadPage& page);
    /// The cursor says that no more are of interest. Never by timing.
    bool is_done() const { return cursor_ && cursor_->is_done(); }

private:
    ParentRecords& records_;
    std::optional<incremental::Cursor> cursor_;
    incremental::PageFilter filter_;
};

}  // namespace tipple::sources::rest
