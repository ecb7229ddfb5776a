#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/options.h"

/// Takes back what loads have brought: which rows, and where cursors stand afterwards.
namespace tipple::pipeline {

struct UndoOptions {
    std::string load_id;
    /// It and all loads of its schema that came after it.
    bool through = false;
    /// What the sources remember stays as it is, although the rows go. Entries of ledgers are rows: their files are read again.
    bool keeps_cursor = false;
    /// Also where a load has merged or replaced, or a later one has: what it took away does not come back.
    bool rows_only = false;
};

/// What an undo would do.
struct UndoPlan {
    std::string schema_name;
    /// Load ids that go, oldest first.
    std::vector<std::string> load_ids;
    /// Rows that go, nested tables before their parents; tables without any are left out.
    std::vector<package::UndoneRows> rows;
    /// What the sources remember goes back to what it was before these loads.
    bool moves_state = false;
    /// What they will remember then: the member `sources` of the state.
    json::Object sources;
    /// What does not come back, a sentence each.
    std::vector<std::string> losses;

    std::uint64_t row_count() const;
};

/// Looks at the destination only. `pipeline` is the name under which states are stored. Throws Error(usage) when there is no such load, and when
/// undoing it would leave what nobody wants, saying what to do instead.
UndoPlan plan_undo(destination::Destination& destination, const std::string& pipeline, const UndoOptions& options);

}  // namespace tipple::pipeline
