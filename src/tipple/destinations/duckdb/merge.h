#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tipple/destination/sql.h"
#include "tipple/destinations/duckdb/rows.h"
#include "tipple/destinations/duckdb/session.h"

namespace tipple::destinations::duckdb {

/// A SELECT over the key columns of a table's rows in the package, with their positions behind them; one per place where rows lie.
using KeySelects = std::vector<std::string>;

/// One table of a merge.
struct MergeTable {
    std::string name;
    std::uint64_t rows = 0;  ///< in the package
    /// Whether there may be rows of earlier loads.
    bool existed = false;
    /// Reads the columns `key_columns` of all its rows in the package.
    KeySelects selects;
    std::shared_ptr<DroppedRows> dropped = std::make_shared<DroppedRows>();
    std::uint64_t deleted = 0;
};

/// The delete-insert merge of one root table and those below it, up to the inserts.
///
/// Only the keys of the package's rows are staged, with the rows' positions. What the keys say, which rows are duplicates or marked for
/// deletion, comes back as sets of positions; the rows themselves then go straight from the package into their tables, past those. So a
/// merge without duplicates costs little more than an append, where staging the rows would double it.
class Merge {
public:
    /// `tables`: the root first, parents before children. `number` makes the names of temporary tables unique.
    Merge(Session& session, const schema::Schema& schema, std::vector<MergeTable> tables, std::size_t number);

    /// Columns whose keys must be readable, in the order of `MergeTable::selects`; none when the table needs no staging.
    static std::vector<std::string> key_columns(const schema::Schema& schema, const schema::Table& table,
                                                bool has_nested_tables);

    /// Stages keys, finds the rows to drop and deletes the rows that are replaced. Before any row of these tables is inserted.
    void prepare(std::stop_token stop);
    const std::vector<MergeTable>& tables() const { return tables_; }
    /// Rows of a table that must be inserted.
    std::uint64_t kept_rows(const std::string& table) const;

private:
    MergeTable& root() { return tables_.front(); }
    std::string temporary(std::string_view what) const;
    std::uint64_t stage(const MergeTable& table, const std::string& staged, const std::vector<std::string>& columns,
                        std::stop_token stop);
    void find_dropped_roots(std::stop_token stop);
    void find_dropped_children(MergeTable& table, std::stop_token stop);
    void collect_positions(const std::string& select, DroppedRows& dropped, std::stop_token stop);
    void fill_root_keys(std::stop_token stop);
    void delete_old_rows(std::stop_token stop);

    Session& session_;
    const schema::Schema& schema_;
    std::vector<MergeTable> tables_;
    destination::MergeKeys keys_;
    std::string prefix_;
    std::string position_;
    bool has_kept_keys_ = false;
};

}  // namespace tipple::destinations::duckdb
