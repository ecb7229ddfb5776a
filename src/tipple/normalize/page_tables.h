#pragma once

#include <cstdint>
#include <deque>
#include <functional>
#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/normalize/content_ids.h"
#include "tipple/normalize/page_result.h"
#include "tipple/normalize/row_ids.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

/// The tables one page is being turned into: typed columns, system columns, and what is new about them. Both ways into the tables, the
/// streaming shredder and the record normalizer, end here.
namespace tipple::normalize {

/// Where a field stands in its row, in the order in which the reference meets fields: all scalars of an object first, then its objects from
/// the last to the first. Compares lexicographically.
using FieldOrder = std::vector<std::int32_t>;

/// Makes the field order of the value at hand; called only when a column is new.
using FieldOrderSource = std::function<FieldOrder()>;

struct ColumnState {
    ColumnState(std::string column_name, columns::ColumnType column_type)
        : name(std::move(column_name)), type(column_type), builder(column_type) {}

    std::string name;
    columns::ColumnType type;
    columns::ColumnBuilder builder;
    bool is_nullable = true;
    /// Only values of its own kind may enter, nothing is converted: see kinds.h.
    bool is_unsettled = false;
    /// Set when the snapshot does not have it: the definition to propose, and where it was first met.
    std::optional<schema::Column> proposed;
    /// kept_unit_us of times.h.
    std::int64_t unit_us = 1;
    std::size_t first_row = 0;
    FieldOrder order;
    ColumnOrigin origin;
};

struct RequiredColumn {
    std::string name;
    std::vector<std::string> kinds;
    /// Where its values were found last; good while the table has that generation.
    const ColumnState* found = nullptr;
    std::uint64_t generation = 0;
};

/// One table of the page. Rows are numbered from 0 within the page.
struct TableState {
    std::string name;
    /// The root table it belongs to; its own name when it is one.
    std::string root;
    /// As the schema says, else that of its first row in the page; empty for a root table.
    std::string parent;
    std::shared_ptr<const schema::Table> known;  ///< in the snapshot; nullptr when the page makes it
    bool is_nested = false;
    bool has_root_id = false;
    schema::Contract contract;
    /// New columns are welcome whatever the contract says: the table is new.
    bool is_open = false;
    /// The table is new and nested: it is open for its first row only.
    bool is_open_once = false;
    std::size_t rows = 0;
    std::size_t rows_at_record_start = 0;
    /// The number of its first row among all rows of the page.
    std::uint64_t first_place = 0;
    bool is_touched = false;  ///< has rows of the current record
    std::size_t proposed_count = 0;

    std::vector<std::unique_ptr<ColumnState>> columns;
    std::unordered_map<std::string_view, ColumnState*> by_name;
    /// Names that got an explicit null in this page and are no column yet.
    std::vector<std::string> null_names;
    std::size_t null_names_at_record_start = 0;

    // System columns; nullptr where the table does not have them.
    ColumnState* id = nullptr;
    ColumnState* parent_id = nullptr;
    ColumnState* list_index = nullptr;
    ColumnState* root_id = nullptr;
    /// schema::root_number_column; empty where rows are not numbered.
    columns::ColumnBuilder root_numbers{{.type = schema::DataType::bigint}};
    /// Whether the constant `_dlt_load_id` is new too, and where the data had a field of that name.
    bool proposes_load_id = false;
    FieldOrder load_id_order;
    std::size_t load_id_first_row = 0;

    /// Of a root table: what ids of rows that bring none are made of, and with RowIdSource::key the columns of the key.
    RowIdSource id_source = RowIdSource::position;
    std::vector<std::string> key_columns;

    /// Goes up whenever cached pointers to columns of this table are no longer good.
    std::uint64_t generation = 0;

    /// By name of a field: whether filters of the schema leave it out.
    std::unordered_map<std::string, bool> filtered;

    /// Columns of the table's keys that must not be null, each with the columns its value may wait in while kinds are kept apart.
    std::vector<RequiredColumn> required;

    ColumnState* find(std::string_view column) const {
        const auto at = by_name.find(column);
        return at == by_name.end() ? nullptr : at->second;
    }
};

/// Pads the column up to `row`. False when the row has a value already: two fields of one row met in one column.
inline bool begin_value(ColumnState& column, std::size_t row) {
    const std::size_t length = column.builder.length();
    if (length == row) return true;
    if (length > row) return false;
    column.builder.append_nulls(row - length);
    return true;
}

enum class PutResult {
    done,
    collided,     ///< the row has a value in that column already
    rejected,     ///< the record cannot be loaded as it is
    discard_row,  ///< the schema contract wants the row left out
};

/// What a second value for a column of one row does.
enum class OnCollision { report, replace };

/// Why a record cannot be loaded as it is.
struct Rejection {
    std::string table;
    std::string column;
    std::string reason;
    bool breaks_contract = false;  ///< the run ends, whatever is to be done with bad records
    bool is_quarantined = false;
    std::string remedy = {};  ///< as in BadRecord
};

class PageTables {
public:
    explicit PageTables(const Rules& rules);
    ~PageTables();
    PageTables(const PageTables&) = delete;
    PageTables& operator=(const PageTables&) = delete;

    const Rules& rules() const { return rules_; }
    /// Forgets the rows of the page before and takes over a new snapshot. Tables and columns that are the same in both snapshots stay
    /// where they are, so pointers to them stay good as long as the table's generation does.
    void begin_page(std::shared_ptr<const schema::Schema> snapshot, std::uint64_t page_number);
    const schema::Schema& snapshot() const { return *snapshot_; }

    /// The table of that name below the root of `parent`, made when needed. `parent` is nullptr for a root table. Valid as long as this object.
    TableState& table(std::string_view name, const TableState* parent, bool has_root_id);
    /// Rows below rows of `parent` are about to come. A table has one parent in the schema; rows below another one are loaded all the same, and
    /// noted.
    void begin_list(TableState& table, std::string_view parent);

    /// Starts a row: ids and list index are filled in. Throws Error(data) when the snapshot or the page has the table below another root. `parent_id`, `root_id`: of the rows above, empty where there are none.
    /// `own_id`: given by the data, empty = made here. Returns the row's number.
    struct RowStart {
        std::string_view parent_id;
        std::string_view root_id;
        std::int64_t list_index = 0;
        /// Known already: given by the data or made from the parent's; empty = made here.
        std::string_view own_id;
        /// Rows that bring their own id do not ask for link columns; where the table has them they are filled all the same.
        bool needs_links = true;
        /// Of the root row above; 0 = rows are not numbered.
        std::int64_t root_number = 0;
    };
    std::size_t begin_row(TableState& table, const RowStart& start, RowId* id_made);
    /// The same for the hot path: the table has all its link columns, and the ids are made here. `parent`, `root`: nullptr where there is none.
    void begin_plain_row(TableState& table, const RowId* parent, const RowId* root, std::int64_t list_index, RowId& id_made);

    /// Puts a scalar or Json into a column of the current (last) row: finds or makes the column or its variant and converts.
    PutResult put(TableState& table, std::string_view column, const schema::Value& value, const FieldOrderSource& order,
                  OnCollision on_collision = OnCollision::report);
    /// An explicit null: done, or rejected when the column must not be null.
    PutResult put_null(TableState& table, std::string_view column);
    /// For a record that lacks what it must have.
    PutResult reject(const TableState& table, std::string_view column, std::string reason);
    /// After a record: done, or rejected when a row of it lacks a part of its table's key.
    PutResult end_record();
    /// For what the contract wants neither in the tables nor left out: `mode` is freeze or quarantine.
    PutResult reject_by_contract(schema::ContractMode mode, const TableState& table, std::string_view column, std::string_view what);
    /// Why the last `put` was rejected.
    const Rejection& rejection() const { return rejection_; }
    /// The column that is kept for this name of the data; nullptr when it has none of its own.
    const std::string* column_of_source(const TableState& table, std::string_view source) const;
    /// Keeps a column that the current row has made for that name of the data.
    void set_source(TableState& table, std::string_view column, std::string source);
    /// Whether objects and lists under that name stay whole, by hint or preferred type.
    bool is_json_column(TableState& table, std::string_view column) const;

    /// What the contract says of the table itself: evolve when it exists or may be made; discard_* when it and all below is to be ignored;
    /// freeze or quarantine when the record must be rejected, `rejection()` then says why.
    schema::ContractMode admit_table(const TableState& table);
    /// Forgets the last row, which has no rows below it yet.
    void undo_row(TableState& table);
    /// Of the root row that will be begun next: unique in the load, above 0.
    std::int64_t next_root_number() const { return static_cast<std::int64_t>((page_number_ << 32) + rows_ + 1); }
    std::size_t discarded_values() const { return discarded_values_; }

    /// Something about the current record that the user should hear of. `note` needs no place and no count.
    void add_note(DataNote note);

    /// A record is all or nothing. `index`, `offset`: its place in the page, for notes.
    void begin_record(std::size_t index = 0, std::size_t offset = 0);
    void rollback_record();

    /// Pads all columns, and describes rows and proposals, tables in the order of their first rows. Views into the builders stay good until the next `begin_page`.
    void finish_page(PageResult& result);

private:
    void refresh_contract(TableState& table, const schema::Table* known);
    void refresh_required(TableState& table) const;
    void refresh_table(TableState& table);
    void check_root(const TableState& table) const;
    ColumnState& add_column(TableState& table, std::string name, columns::ColumnType type);
    void add_system_columns(TableState& table);
    void add_links(TableState& table);
    void touch(TableState& table);
    std::size_t start_row(TableState& table, RowId& id_made);
    ColumnState* add_system_column(TableState& table, std::string_view name, schema::DataType type, std::int32_t rank);
    void remove_column(TableState& table, ColumnState& column);
    void remove_late_columns(TableState& table);
    TypeReason reason_of(std::string_view column, schema::DataType type, const schema::Value& value, bool is_variant) const;
    ColumnState& make_column(TableState& table, std::string_view name, schema::DataType type, TypeReason reason, const FieldOrderSource& order);
    PutResult put_new(TableState& table, std::string_view column, const schema::Value& value, bool is_variant,
                      const FieldOrderSource& order);
    PutResult put_variant(TableState& table, std::string_view column, const schema::Value& value, const FieldOrderSource& order);
    PutResult put_wei_text(TableState& table, std::string_view column, const schema::Value& value, const FieldOrderSource& order);
    PutResult append(TableState& table, ColumnState& column, const schema::Value& value);
    PutResult append_integer(TableState& table, ColumnState& column, const schema::Value& value);
    PutResult append_decimal(TableState& table, ColumnState& column, const schema::Decimal& decimal);
    PutResult append_time(TableState& table, ColumnState& column, const schema::Value& value, std::int64_t time_us);
    PutResult reject_digits(const TableState& table, const ColumnState& column, const std::string& what, std::string_view remedy);
    bool takes(const ColumnState& column, const schema::Value& value) const;
    std::optional<PutResult> check_contract(const TableState& table, std::string_view column, bool is_variant, const schema::Value& value);
    std::string_view known_ancestor(const TableState& table) const;
    void keep_notes();
    void propose(TableState& table, TableProposal& proposal) const;

    const Rules& rules_;
    std::shared_ptr<const schema::Schema> snapshot_;
    std::optional<RowIdMaker> ids_;
    std::deque<std::unique_ptr<TableState>> tables_;
    std::unordered_multimap<std::string_view, TableState*> by_name_;
    std::vector<TableState*> touched_;
    /// Rows of all tables of the page so far: what ids are made of, so that no two rows of a load share one.
    std::uint64_t rows_ = 0;
    std::uint64_t page_number_ = 0;
    std::uint64_t rows_at_record_start_ = 0;
    std::size_t discarded_values_ = 0;
    std::size_t discarded_values_at_record_start_ = 0;
    OnCollision on_collision_ = OnCollision::report;
    std::vector<DataNote> notes_;         ///< of the page's records before the current one
    std::vector<DataNote> record_notes_;  ///< of the current one
    std::size_t record_index_ = 0;
    std::size_t record_offset_ = 0;
    Rejection rejection_;
};

}  // namespace tipple::normalize
