#pragma once

#include <cstddef>
#include <map>
#include <memory>
#include <string>

#include "tipple/incremental/cursor.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/json/value.h"
#include "tipple/source/source.h"
#include "tipple/sources/rest_api/page_reader.h"

namespace tipple::sources::rest {

/// Parents of one resource whose cursors are remembered; they are part of the state that each load writes.
inline constexpr std::size_t parent_cursors_max = 20'000;

/// The cursors of a resource that has one for each of its parent's records (incremental::Scope::parent). One thread.
class ParentCursors {
public:
    /// `spec`: the resource, with a cursor; outlives this. `remembered`: what `state` gave in an earlier run, or nullptr.
    ParentCursors(const extract::ResourceSpec& spec, const json::Object* remembered);

    /// The cursor for the parent that is told from others by `key`, as the run finds it.
    std::unique_ptr<incremental::Cursor> open(const std::string& key) const;
    /// Leaves the records out of the page that the cursor has no use for. Pages of one cursor come in their order. Throws Error(data).
    void filter(incremental::Cursor& cursor, ReadPage& page);
    /// All pages of that parent were written. Throws Error(usage) when there are too many parents.
    void keep(const std::string& key, incremental::Cursor& cursor);
    /// What is to be remembered.
    json::Object state() const;

private:
    const extract::ResourceSpec& spec_;
    incremental::PageFilter filter_;
    std::map<std::string, json::Object> slots_;
};

}  // namespace tipple::sources::rest
