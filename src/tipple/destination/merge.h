#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/dropped_rows.h"
#include "tipple/destination/merge_sql.h"
#include "tipple/destination/sql_session.h"

namespace tipple::destination {

/// One table of a merge.
struct MergeTable {
    std::string name;
    std::uint64_t rows = 0;  ///< in the package
    /// Whether there may be rows of earlier loads.
    bool existed = false;
    /// Fills a temporary table with the columns `staged_columns` of all its rows in the package, and behind them each row's position.
    std::function<std::uint64_t(const std::string& temporary, std::stop_token stop)> stage;
    std::shared_ptr<DroppedRows> dropped = std::make_shared<DroppedRows>();
    std::uint64_t deleted = 0;
    /// Rows of records that the load, a full snapshot, does not have: flagged, or among `deleted`.
    std::uint64_t missing = 0;
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
    Merge(SqlSession& session, const schema::Schema& schema, const MergePlan& plan, std::vector<MergeTable> tables, std::size_t number);

    /// What the column of positions is called beside `columns`.
    static std::string position_name(const std::vector<std::string>& columns, const NameRule& names);
    /// Columns of `table` that are staged, in this order.
    static std::vector<std::string> staged_columns(const schema::Schema& schema, const MergePlan& plan, const schema::Table& table);

    /// Stages keys, finds the rows to drop, and deletes or closes the rows at the destination that
    /// give way to others. Before any row of these tables is inserted.
    void prepare(std::stop_token stop);
    const std::vector<MergeTable>& tables() const { return tables_; }

private:
    MergeTable& root() { return tables_.front(); }
    std::string temporary(std::string_view what) const;
    std::string position() const { return session_.sql().name(position_); }
    std::uint64_t kept_rows(const MergeTable& table) const { return table.rows - table.dropped->count(); }
    void stage(const MergeTable& table, const std::string& staged,
               const std::vector<std::string>& columns, std::stop_token stop);
    /// A temporary table of what `select` finds.
    void make(const std::string& temporary, const std::string& select, std::stop_token stop);
    void analyze(const std::string& temporary, std::stop_token stop);
    void collect_positions(const std::string& select, DroppedRows& dropped, std::stop_token stop);
    void filter_source(std::stop_token stop);
    void require_kept(std::uint64_t kept) const;
    void keep_row_keys(const std::string& select, std::stop_token stop);
    void find_dropped_children(MergeTable& table, std::stop_token stop);
    void find_known_children(MergeTable& table, const std::string& staged, std::stop_token stop);
    void fill_root_keys(std::stop_token stop);
    void delete_below(const std::string& select_row_keys, std::stop_token stop);
    void each_below(const std::string& select_row_keys, const std::function<void(MergeTable& table, const std::string& is_below)>& take, std::stop_token stop);
    enum class Flag { set, clear };
    void flag_below(const std::string& select_row_keys, Flag flag, std::stop_token stop);
    void drop(std::string_view what);

    // For full snapshots.
    void settle_missing(std::stop_token stop);
    void check_limit(std::uint64_t missing, std::uint64_t known) const;
    void unflag_returned(std::stop_token stop);

    // One per strategy, each over the staged keys of the root.
    void delete_insert(std::stop_token stop);
    void find_dropped_roots(std::stop_token stop);
    void upsert(std::stop_token stop);
    void keep_versions(std::stop_token stop);
    void find_dropped_versions(MergeTable& table, std::stop_token stop);

    SqlSession& session_;
    const schema::Schema& schema_;
    const MergePlan& plan_;
    std::vector<MergeTable> tables_;
    std::string prefix_;
    std::string position_;
    MergeSql sql_;
    /// A temporary table `kept` has the row keys of the roots below which rows are inserted; without it, all are.
    bool has_kept_keys_ = false;
};

}  // namespace tipple::destination
