#pragma once

#include <memory>
#include <string>
#include <vector>

#include "tipple/destination/merge_sql.h"
#include "tipple/destinations/duckdb/rows.h"
#include "tipple/destinations/duckdb/session.h"

namespace tipple::destinations::duckdb {

/// A SELECT over the key columns of a table's rows in the package, with their positions behind
/// them; one per place where rows lie.
using KeySelects = std::vector<std::string>;

/// One table of a merge.
struct MergeTable {
    std::string name;
    std::uint64_t rows = 0;  ///< in the package
    /// Whether there may be rows of earlier loads.
    bool existed = false;
    /// Reads the columns `staged_columns` of all its rows in the package.
    KeySelects selects;
    std::shared_ptr<DroppedRows> dropped = std::make_shared<DroppedRows>();
    std::uint64_t deleted = 0;
};

/// The merge of one root table and those below it, up to the inserts.
///
/// Only the keys of the package's rows are staged, with the rows' positions. What the keys say,
/// which rows are duplicates, known or marked for deletion, comes back as sets of positions; the rows
/// themselves then go straight from the package into their tables, past those. So a merge without
/// duplicates costs little more than an append, where staging the rows would double it. A row that is
/// updated is one that is deleted and inserted anew: for readers of a transaction that is the same.
class Merge {
public:
    /// `tables`: the root first, parents before children. `number` makes the names of temporary
    /// tables unique.
    Merge(Session& session, const schema::Schema& schema, const destination::MergePlan& plan,
          std::vector<MergeTable> tables, std::size_t number);

    /// Columns that must be readable, in the order of `MergeTable::selects`; none when the table
    /// needs no staging.
    static std::vector<std::string> staged_columns(const schema::Schema& schema,
                                                   const destination::MergePlan& plan,
                                                   const schema::Table& table);

    /// Stages keys, finds the rows to drop, and deletes or closes the rows at the destination that
    /// give way to others. Before any row of these tables is inserted.
    void prepare(std::stop_token stop);
    const std::vector<MergeTable>& tables() const { return tables_; }

private:
    MergeTable& root() { return tables_.front(); }
    std::string temporary(std::string_view what) const;
    std::string position() const { return engine::quote_identifier(position_); }
    std::uint64_t kept_rows(const MergeTable& table) const { return table.rows - table.dropped->count(); }
    void stage(const MergeTable& table, const std::string& staged,
               const std::vector<std::string>& columns, std::stop_token stop);
    void collect_positions(const std::string& select, DroppedRows& dropped, std::stop_token stop);
    void filter_source(std::stop_token stop);
    void require_kept(std::uint64_t kept) const;
    void keep_row_keys(const std::string& select, std::stop_token stop);
    void find_dropped_children(MergeTable& table, std::stop_token stop);
    void find_known_children(MergeTable& table, const std::string& staged, std::stop_token stop);
    void fill_root_keys(std::stop_token stop);
    void delete_below(const std::string& select_row_keys, std::stop_token stop);
    void drop(std::string_view what);

    // One per strategy, each over the staged keys of the root.
    void delete_insert(std::stop_token stop);
    void find_dropped_roots(std::stop_token stop);
    void upsert(std::stop_token stop);
    void keep_versions(std::stop_token stop);
    void find_dropped_versions(MergeTable& table, std::stop_token stop);

    Session& session_;
    const schema::Schema& schema_;
    const destination::MergePlan& plan_;
    std::vector<MergeTable> tables_;
    std::string prefix_;
    std::string position_;
    destination::MergeSql sql_;
    /// A temporary table `kept` has the row keys of the roots below which rows are inserted; without it, all are.
    bool has_kept_keys_ = false;
};

}  // namespace tipple::destinations::duckdb
