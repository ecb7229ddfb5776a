#pragma once

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/destination/dropped_rows.h"
#include "tipple/destination/merge_sql.h"
#include "tipple/destination/sql_session.h"
#include "tipple/package/package.h"

/// What loading a package into a store with SQL takes, whichever store it is.
namespace tipple::destination {

/// One table of a package on its way in.
struct TableLoadState {
    std::string name;
    std::string root;
    std::size_t number = 0;  ///< its place among all
    schema::Disposition disposition = schema::Disposition::append;
    /// All complete columns, in the order of the table.
    std::vector<package::SegmentColumn> columns;
    /// Columns that are not read but the same for all rows: `_dlt_load_id` of a root table.
    std::vector<Constant> constants;
    /// Columns by which it is merged.
    std::vector<package::SegmentColumn> key_columns;
    std::uint64_t rows = 0;
    std::uint64_t job_rows = 0;  ///< of those, in job files and not by reference
    bool is_loaded = false;
    std::shared_ptr<DroppedRows> dropped = std::make_shared<DroppedRows>();
    /// What `LoadJob::only` says.
    std::shared_ptr<RowRange> selected = std::make_shared<RowRange>();
    LoadedTable loaded;

    bool is_constant(std::string_view column) const;
    /// Whether not all of its rows are to be loaded.
    bool is_part() const { return selected->first > 0 || selected->count < UINT64_MAX; }
    /// Throws Error(data) with both numbers when not as many rows were inserted as the package has, but for those left out.
    void check_counts() const;
};

/// The tables of a package and how each is loaded.
class LoadPlan {
public:
    /// Throws Error(usage) when the store cannot load a table as it asks for. `package` is the caller's, and outlives the plan.
    LoadPlan(const package::Package& package, const Capabilities& capabilities);

    /// Parents before children. References stay valid.
    std::deque<TableLoadState>& tables() { return tables_; }
    const std::deque<TableLoadState>& tables() const { return tables_; }
    TableLoadState& require(std::string_view table);
    /// How the tables of a root are merged; nothing for one that is not.
    const MergePlan* find_merge(const std::string& root) const;
    /// The load whose root the table is, when rows at the destination have to go first; else nullptr.
    const package::TableLoad* find_replacing(const TableLoadState& table) const;
    /// Whether job files of the root's tables have schema::root_number_column, which is no column of theirs.
    bool has_root_numbers(const std::string& root) const;

private:
    void add_table(const package::Package& package, const package::TableLoad& load, const std::string& name);

    std::deque<TableLoadState> tables_;
    std::map<std::string, MergePlan> merges_;  ///< by root
    std::map<std::string, const package::TableLoad*> replacing_;  ///< by root
};

/// For a row without a value in a column that must have one.
Error missing_value_error(const std::string& table, const std::string& column);

// The steps of a load's transaction. `catalog`: what was there when it began.

/// Other programs may have written to the table since the run looked. Throws Error(conflict) when the column has got values that its wider type does not hold.
void check_widening(SqlSession& session, const DdlPlan::WidenColumn& wider);

/// Throws Error(conflict) when state or schema are not what the run saw when it started, or the load is there already.
void check_fence(SqlSession& session, const Catalog& catalog, const package::Package& package);
/// Throws Error(conflict) when what is stored, `found`, is not what the run saw.
void require_fence(const package::Fence& found, const package::Package& package, const std::string& dataset);
/// Throws Error(usage) when a table exists that no stored schema knows.
void check_foreign_tables(SqlSession& session, const Catalog& catalog, const LoadPlan& plan);
/// Throws Error(usage) when a column that is there would change values. `keeps_values`: whether a column of the type `to` (as the catalog
/// names it) takes any value of the type `from` (as `SqlDialect::column_type` names it) unchanged or with an error.
void check_types(const Catalog& catalog, const package::Package& package, const LoadPlan& plan, const SqlDialect& dialect,
                 bool (*keeps_values)(std::string_view from, std::string_view to));
/// Makes the dataset and the system tables that are not there.
void create_system_tables(SqlSession& session, const Catalog& catalog);
/// Schema, state and, last, the load record.
void write_system_rows(SqlSession& session, const package::Package& package, std::int64_t now_us);

}  // namespace tipple::destination
