#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/normalize/page_result.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/hints.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// Fields that every record of a page gets beside its own. A record that has one of them itself is a bad one.
struct AddedFields {
    std::span<const std::pair<std::string, schema::Value>> constants;  ///< none of them null
    /// The field that says on which line a record starts, or where there are no lines, which one it is; empty = none.
    std::string_view place;
    std::uint64_t line = 0;  ///< of the page's start; 0 = records are counted
    std::uint64_t records_before = 0;
};

/// Raw JSON of one page, as it came. Whole records only.
struct JsonPage {
    /// Followed by limits::json_padding readable bytes.
    std::string_view text;
    /// Where records start, when they are not one per line. Empty = one or more whole records per line.
    std::span<const std::size_t> record_starts;
    std::uint64_t number = 0;  ///< the page's place in the run, from 0
    /// Records behind this many are left out.
    std::size_t records_max = SIZE_MAX;
    /// nullptr = none.
    const AddedFields* added = nullptr;
};

/// Where the records of a page go.
struct RootTable {
    RootTable(std::string_view table) : name(table) {}
    RootTable(const char* table) : name(table) {}
    /// Normalized.
    std::string_view name;
    /// Instead of `name`: every record chooses its table. Such records go the slow way.
    const schema::TableByField* by_field = nullptr;
    /// Tables, by normalized name, that the schema contract leaves out with all their rows.
    const std::set<std::string, std::less<>>* unwanted = nullptr;
    /// Their records are put aside.
    bool quarantines_unwanted = false;
};

/// Parses JSON records once and writes them straight into typed columns of a root table and its nested tables.
///
/// Between pages it keeps what it learnt of the data's shape (which key follows which, which column it goes to), never anything that could
/// change a result: a page and a snapshot always give the same rows and proposals. One per worker; not thread-safe.
class Shredder {
public:
    /// `rules` outlives the shredder.
    explicit Shredder(const Rules& rules);
    ~Shredder();
    Shredder(const Shredder&) = delete;
    Shredder& operator=(const Shredder&) = delete;

    /// Fills `result`, whose views stay good until the next call. Records that cannot be loaded are left
    /// out whole and listed. Throws Error(data) for what no single record is to blame for.
    void shred(const JsonPage& page, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot,
               PageResult& result);

    /// The same for records that are typed values already.
    void shred_values(std::span<const schema::Value> records, std::uint64_t page_number, const RootTable& root,
                      const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);

private:
    class Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple::normalize
