#include "tipple/normalize/page_tables.h"

#include <algorithm>
#include <array>
#include <limits>

#include "tipple/core/text.h"
#include "tipple/normalize/decimals.h"
#include "tipple/normalize/kinds.h"
#include "tipple/normalize/shown.h"
#include "tipple/normalize/table_names.h"
#include "tipple/normalize/times.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/widening.h"

namespace tipple::normalize {

using schema::DataType;
using schema::Value;

namespace {

/// System columns follow all fields of the row, in this order.
constexpr std::int32_t system_order = std::numeric_limits<std::int32_t>::max();
constexpr std::int32_t root_id_rank = 0;
constexpr std::int32_t parent_id_rank = 1;
constexpr std::int32_t list_index_rank = 2;
constexpr std::int32_t load_id_rank = 3;
constexpr std::int32_t id_rank = 4;

/// An incomplete definition of the user's overlays what was inferred.
schema::Column overlay(schema::Column inferred, const schema::Column* hints) {
    if (hints == nullptr) return inferred;
    for (const json::Member& hint : hints->hints()) inferred.set_hint(hint.name, hint.value);
    return inferred;
}

}  // namespace

PageTables::PageTables(const Rules& rules) : rules_(rules) {}
PageTables::~PageTables() = default;

void PageTables::begin_page(std::shared_ptr<const schema::Schema> snapshot, std::uint64_t page_number) {
    snapshot_ = std::move(snapshot);
    ids_.emplace(rules_.row_id_prefix, page_number);
    page_number_ = page_number;
    rows_ = 0;
    rows_at_record_start_ = 0;
    discarded_values_ = 0;
    discarded_values_at_record_start_ = 0;
    notes_.clear();
    record_notes_.clear();
    touched_.clear();
    for (const auto& table : tables_) refresh_table(*table);
}

ColumnState& PageTables::add_column(TableState& table, std::string name, columns::ColumnType type) {
    if (table.columns.size() >= limits::columns_max) {
        throw Error(ErrorKind::data,
                    "table \"{}\" would get more than {} columns; are there data values among the keys? --max-table-nesting keeps objects whole",
                    table.name, limits::columns_max);
    }
    table.columns.push_back(std::make_unique<ColumnState>(std::move(name), type));
    ColumnState& column = *table.columns.back();
    table.by_name.emplace(column.name, &column);
    return column;
}

void PageTables::remove_column(TableState& table, ColumnState& column) {
    table.by_name.erase(column.name);
    for (ColumnState** system : {&table.id, &table.parent_id, &table.list_index, &table.root_id}) {
        if (*system == &column) *system = nullptr;
    }
    const auto at = std::find_if(table.columns.begin(), table.columns.end(),
                                 [&](const auto& owned) { return owned.get() == &column; });
    table.columns.erase(at);
}

/// The nearest table above that the snapshot has: contracts go down to all that is below.
std::string_view PageTables::known_ancestor(const TableState& table) const {
    std::string_view name = table.parent;
    while (snapshot_->find(name) == nullptr) {
        const auto above = by_name_.find(name);
        if (above == by_name_.end()) break;
        name = above->second->parent;
    }
    return name;
}

/// A root table that is new is marked by whoever declared it, and open for the whole run; a nested one is open for its first row.
void PageTables::refresh_contract(TableState& table, const schema::Table* known) {
    table.contract = known != nullptr ? schema::contract_of(*snapshot_, known) : schema::contract_below(*snapshot_, known_ancestor(table));
    const bool is_new = known == nullptr || !known->has_complete_columns();
    const bool is_marked = known != nullptr && known->normalizer_hint("evolve-columns-once") == json::Value(true);
    table.is_open_once = is_new && known == nullptr && !table.parent.empty();
    table.is_open = is_marked || (is_new && !table.is_open_once);
}

void PageTables::refresh_required(TableState& table) const {
    table.required.clear();
    for (const std::string& name : required_key(table.known.get())) {
        table.required.push_back({.name = name, .kinds = columns_of_kinds(rules_, name)});
    }
}

/// Makes the table's columns those of the snapshot, empty.
void PageTables::refresh_table(TableState& table) {
    table.rows = 0;
    table.is_touched = false;
    table.null_names.clear();
    std::shared_ptr<const schema::Table> known = snapshot_->find_shared(table.name);
    const bool is_same = known == table.known && table.proposed_count == 0;
    for (const auto& column : table.columns) column->builder.clear();
    table.root_numbers.clear();
    refresh_contract(table, known.get());
    if (is_same) return;
    ++table.generation;
    table.known = std::move(known);
    table.proposed_count = 0;
    table.id_source = row_id_source(table.known.get());
    table.key_columns = table.id_source == RowIdSource::key ? table.known->columns_with("primary_key") : std::vector<std::string>();
    refresh_required(table);
    std::vector<ColumnState*> gone;
    for (const auto& column : table.columns) {
        const schema::Column* stored = table.known == nullptr ? nullptr : table.known->find(column->name);
        if (stored == nullptr || !stored->is_complete() || columns::column_type(*stored) != column->type) {
            gone.push_back(column.get());
        } else {
            column->is_nullable = stored->is_nullable();
            column->is_unsettled = is_unsettled(*stored);
            column->unit_us = kept_unit_us(rules_, *stored);
            column->proposed.reset();
        }
    }
    for (ColumnState* column : gone) remove_column(table, *column);
    if (table.known != nullptr) {
        for (const schema::Column& stored : table.known->columns()) {
            if (!stored.is_complete() || stored.name() == schema::load_id_column || table.find(stored.name()) != nullptr) continue;
            ColumnState& column = add_column(table, stored.name(), columns::column_type(stored));
            column.is_nullable = stored.is_nullable();
            column.is_unsettled = is_unsettled(stored);
            column.unit_us = kept_unit_us(rules_, stored);
        }
    }
    add_system_columns(table);
}

ColumnState* PageTables::add_system_column(TableState& table, std::string_view name, DataType type, std::int32_t rank) {
    if (ColumnState* column = table.find(name)) return column;
    ColumnState& column = add_column(table, std::string(name), {.type = type});
    column.proposed = overlay(rules_.inference->make_column(name, type), table.known == nullptr ? nullptr : table.known->find(name));
    column.is_nullable = column.proposed->is_nullable();
    column.first_row = table.rows;
    column.order = {system_order, rank};
    ++table.proposed_count;
    return &column;
}

void PageTables::add_system_columns(TableState& table) {
    table.is_nested = table.known != nullptr ? table.known->is_nested() : !table.parent.empty();
    if (table.has_root_id) table.root_id = add_system_column(table, schema::root_id_column, DataType::text, root_id_rank);
    table.id = add_system_column(table, schema::id_column, DataType::text, id_rank);
    if (table.is_nested) {
        // Made with the first row that needs them: rows that bring their own id have no links in the reference.
        table.parent_id = table.find(schema::parent_id_column);
        table.list_index = table.find(schema::list_index_column);
        return;
    }
    const schema::Column* stored = table.known == nullptr ? nullptr : table.known->find(schema::load_id_column);
    table.proposes_load_id = stored == nullptr || !stored->is_complete();
    table.load_id_order = {system_order, load_id_rank};
    table.load_id_first_row = 0;
    if (table.proposes_load_id) ++table.proposed_count;
}

void PageTables::add_links(TableState& table) {
    table.parent_id = add_system_column(table, schema::parent_id_column, DataType::text, parent_id_rank);
    table.list_index = add_system_column(table, schema::list_index_column, DataType::bigint, list_index_rank);
}

namespace {

Error two_roots(std::string_view table, std::string_view root, std::string_view other) {
    return Error(ErrorKind::data,
                 "two lists of the data would both become table \"{}\": one belongs to records of \"{}\", the other to those of \"{}\"; rename one "
                 "of the keys, or keep it whole with --max-table-nesting",
                 table, root, other);
}

}  // namespace

TableState& PageTables::table(std::string_view name, const TableState* parent, bool has_root_id) {
    // Hints may have made a root of its own of a table that lists lead to.
    const schema::Table* known = snapshot_->find(name);
    const bool is_root = parent == nullptr || (known != nullptr && !known->is_nested());
    const std::string root(is_root ? name : parent->root);
    const auto [first, last] = by_name_.equal_range(name);
    for (auto at = first; at != last; ++at) {
        if (at->second->root == root) return *at->second;
    }
    tables_.push_back(std::make_unique<TableState>());
    TableState& table = *tables_.back();
    table.name = name;
    table.root = root;
    if (parent != nullptr) table.parent = parent->name;
    table.has_root_id = has_root_id;
    by_name_.emplace(table.name, &table);
    table.proposed_count = 1;  // so that refresh_table does all its work
    refresh_table(table);
    return table;
}

/// What earlier pages looked like does not count: the first row of a page decides, if the schema does not.
void PageTables::begin_list(TableState& table, std::string_view parent) {
    const bool is_known = table.known != nullptr && table.known->is_nested();
    if (table.rows == 0) {
        const std::string decided = is_known ? table.known->parent() : std::string(parent);
        if (decided != table.parent) {
            table.parent = decided;
            refresh_contract(table, table.known.get());
        }
    }
    if (table.parent == parent) return;
    add_note({.kind = DataNote::Kind::parents_met, .table = table.name, .column = {}, .name = std::string(parent), .other = table.parent});
}

/// Asked when the table gets its first row of a page.
void PageTables::check_root(const TableState& table) const {
    if (table.known != nullptr && table.known->is_nested()) {
        const std::string& root = snapshot_->root_of(*table.known).name();
        if (root != table.root) throw two_roots(table.name, root, table.root);
    }
    const auto [first, last] = by_name_.equal_range(table.name);
    for (auto at = first; at != last; ++at) {
        if (at->second != &table && at->second->rows > 0) throw two_roots(table.name, at->second->root, table.root);
    }
}

void PageTables::touch(TableState& table) {
    if (table.is_touched) return;
    table.is_touched = true;
    table.rows_at_record_start = table.rows;
    table.null_names_at_record_start = table.null_names.size();
    touched_.push_back(&table);
    if (table.rows == 0) check_root(table);
}

inline std::size_t PageTables::start_row(TableState& table, RowId& id_made) {
    if (table.rows == 0) table.first_place = rows_;
    ids_->make(rows_++, id_made);
    return table.rows++;
}

void PageTables::begin_plain_row(TableState& table, const RowId* parent, const RowId* root, std::int64_t list_index, RowId& id_made) {
    touch(table);
    if (table.is_nested && table.parent_id == nullptr) add_links(table);
    const std::size_t row = start_row(table, id_made);
    begin_value(*table.id, row);
    table.id->builder.append_short_text(id_made.data(), id_made.size());
    if (table.is_nested) {
        begin_value(*table.parent_id, row);
        table.parent_id->builder.append_short_text(parent->data(), parent->size());
        begin_value(*table.list_index, row);
        table.list_index->builder.append_int64(list_index);
    }
    if (table.root_id != nullptr && root != nullptr) {
        begin_value(*table.root_id, row);
        table.root_id->builder.append_short_text(root->data(), root->size());
    }
}

std::size_t PageTables::begin_row(TableState& table, const RowStart& start, RowId* id_made) {
    touch(table);
    if (table.is_nested && table.parent_id == nullptr && start.needs_links) add_links(table);
    const std::size_t row = start_row(table, *id_made);
    begin_value(*table.id, row);
    table.id->builder.append_text(start.own_id.empty() ? id_made->text() : start.own_id);
    if (table.is_nested && table.parent_id != nullptr) {
        begin_value(*table.parent_id, row);
        table.parent_id->builder.append_text(start.parent_id);
        begin_value(*table.list_index, row);
        table.list_index->builder.append_int64(start.list_index);
    }
    if (table.root_id != nullptr && !start.root_id.empty()) {
        begin_value(*table.root_id, row);
        table.root_id->builder.append_text(start.root_id);
    }
    if (start.root_number > 0) {
        table.root_numbers.pad_to(row);
        table.root_numbers.append_int64(start.root_number);
    }
    return row;
}

schema::ContractMode PageTables::admit_table(const TableState& table) {
    const bool is_new = table.known == nullptr && table.rows == 0;
    if (!is_new || table.contract.tables == schema::ContractMode::evolve || table.name.starts_with(schema::internal_prefix)) {
        return schema::ContractMode::evolve;
    }
    if (table.contract.tables == schema::ContractMode::freeze || table.contract.tables == schema::ContractMode::quarantine) {
        reject_by_contract(table.contract.tables, table, "", "the table would be new");
    }
    return table.contract.tables;
}

void PageTables::undo_row(TableState& table) {
    --table.rows;
    --rows_;
    for (const auto& column : table.columns) column->builder.truncate(table.rows);
    table.root_numbers.truncate(std::min(table.root_numbers.length(), table.rows));
    remove_late_columns(table);
}

/// What the contract says to a column that would be new: nothing, or what becomes of the value.
std::optional<PutResult> PageTables::check_contract(const TableState& table, std::string_view column, bool is_variant, const Value& value) {
    if (column.starts_with(schema::internal_prefix)) return std::nullopt;
    schema::ContractMode mode = schema::ContractMode::evolve;
    if (is_variant) {
        mode = table.contract.data_type;
    } else if (!table.is_open && !(table.is_open_once && table.rows == 1)) {
        mode = table.contract.columns;
    }
    switch (mode) {
        case schema::ContractMode::evolve:
            return std::nullopt;
        case schema::ContractMode::discard_row:
            return PutResult::discard_row;
        case schema::ContractMode::discard_value:
            ++discarded_values_;
            return PutResult::done;
        case schema::ContractMode::freeze:
        case schema::ContractMode::quarantine:
            break;
    }
    return reject_by_contract(mode, table, column,
                              is_variant ? fmt::format("the value \"{}\" has another type than its column", shown(value)) : "the column would be new");
}

PutResult PageTables::reject_by_contract(schema::ContractMode mode, const TableState& table, std::string_view column, std::string_view what) {
    const bool is_quarantined = mode == schema::ContractMode::quarantine;
    rejection_ = {table.name, std::string(column), fmt::format("{}, which the schema contract {}", what, is_quarantined ? "puts aside" : "freezes"), !is_quarantined,
                  is_quarantined};
    return PutResult::rejected;
}

void PageTables::add_note(DataNote note) {
    note.count = 1;
    note.offset = record_offset_;
    note.record_index = record_index_;
    record_notes_.push_back(std::move(note));
}

/// What was noted of the record before is true of the page, since that record was not rolled back.
void PageTables::keep_notes() {
    for (DataNote& note : record_notes_) {
        const auto same = std::find_if(notes_.begin(), notes_.end(), [&](const DataNote& other) { return other.is_same_as(note); });
        if (same != notes_.end()) {
            same->count += note.count;
        } else if (notes_.size() < limits::data_notes_max) {
            notes_.push_back(std::move(note));
        }
    }
    record_notes_.clear();
}

void PageTables::begin_record(std::size_t index, std::size_t offset) {
    if (!record_notes_.empty()) keep_notes();
    record_index_ = index;
    record_offset_ = offset;
    discarded_values_at_record_start_ = discarded_values_;
    rows_at_record_start_ = rows_;
    for (TableState* table : touched_) table->is_touched = false;
    touched_.clear();
}

void PageTables::remove_late_columns(TableState& table) {
    std::vector<ColumnState*> late;
    for (const auto& column : table.columns) {
        // Ids stay: the table itself may go on with the next record. Links are made by the first row that needs them.
        const bool is_kept = column.get() == table.id || column.get() == table.root_id;
        if (column->proposed && !is_kept && column->first_row >= table.rows) late.push_back(column.get());
    }
    if (late.empty()) return;
    ++table.generation;
    for (ColumnState* column : late) {
        remove_column(table, *column);
        --table.proposed_count;
    }
}

namespace {

std::size_t count_values(const ColumnState* column) {
    return column == nullptr ? 0 : column->builder.length() - column->builder.null_count();
}

std::string describe_missing_key(const TableState& table, const std::string& name) {
    std::string reason = "the record has no value for it, and it is part of the table's key";
    if (table.find(name) != nullptr) return reason;
    std::vector<std::string> names;
    for (const auto& column : table.columns) {
        if (!column->name.starts_with(schema::internal_prefix)) names.push_back(column->name);
    }
    const std::optional<std::string> near = did_you_mean(name, names);
    return near ? fmt::format("{}; did you mean \"{}\"?", reason, *near) : reason;
}

}  // namespace

PutResult PageTables::end_record() {
    for (TableState* table : touched_) {
        for (RequiredColumn& column : table->required) {
            if (column.generation == table->generation && count_values(column.found) == table->rows) continue;
            column.found = table->find(column.name);
            column.generation = table->generation;
            std::size_t values = count_values(column.found);
            for (const std::string& kind : column.kinds) values += count_values(table->find(kind));
            if (values < table->rows) return reject(*table, column.name, describe_missing_key(*table, column.name));
        }
    }
    return PutResult::done;
}

void PageTables::rollback_record() {
    for (TableState* table : touched_) {
        table->rows = table->rows_at_record_start;
        table->null_names.resize(table->null_names_at_record_start);
        for (const auto& column : table->columns) column->builder.truncate(table->rows);
        table->root_numbers.truncate(std::min(table->root_numbers.length(), table->rows));
        remove_late_columns(*table);
    }
    rows_ = rows_at_record_start_;
    discarded_values_ = discarded_values_at_record_start_;
    record_notes_.clear();
    begin_record(record_index_, record_offset_);
}

PutResult PageTables::reject(const TableState& table, std::string_view column, std::string reason) {
    rejection_ = {table.name, std::string(column), std::move(reason)};
    return PutResult::rejected;
}

const std::string* PageTables::column_of_source(const TableState& table, std::string_view source) const {
    for (const auto& column : table.columns) {
        const schema::Column* definition = column->proposed ? &*column->proposed : table.known->find(column->name);
        const json::Value* own = definition != nullptr ? definition->hints().find(schema::source_name_hint) : nullptr;
        if (own != nullptr && *own == json::Value(source)) return &column->name;
    }
    return nullptr;
}

void PageTables::set_source(TableState& table, std::string_view column, std::string source) {
    ColumnState* state = table.find(column);
    if (state != nullptr && state->proposed && state->first_row == table.rows - 1) {
        state->proposed->set_hint(schema::source_name_hint, std::move(source));
    }
}

bool PageTables::is_json_column(TableState& table, std::string_view column) const {
    if (const ColumnState* state = table.find(column)) return state->type.type == DataType::json;
    return rules_.inference->preferred_type(column) == DataType::json;
}

PutResult PageTables::put_null(TableState& table, std::string_view column) {
    const ColumnState* state = table.find(column);
    const bool must_have_value = state != nullptr ? !state->is_nullable : rules_.inference->is_not_null(column);
    if (must_have_value) return reject(table, column, "the value is null, but the column must not be null");
    if (state == nullptr && std::find(table.null_names.begin(), table.null_names.end(), column) == table.null_names.end()) {
        table.null_names.emplace_back(column);
    }
    return PutResult::done;
}

namespace {

/// `value` as a column of `type` holds it. Conversions that leave 64 bits are none: the value keeps its own type in a variant column.
std::optional<Value> convert(DataType type, const Value& value) {
    std::optional<Value> converted = schema::coerce(type, value);
    if (converted && type == DataType::bigint && !converted->is<std::int64_t>()) return std::nullopt;
    return converted;
}

bool is_beyond_wei(const Value& value) {
    const auto* wei = value.get_if<schema::Wei>();
    return wei != nullptr && !schema::fits_wei(wei->value);
}

}  // namespace

PutResult PageTables::put(TableState& table, std::string_view column, const Value& value, const FieldOrderSource& order,
                          OnCollision on_collision) {
    on_collision_ = on_collision;
    ColumnState* state = table.find(column);
    if (state == nullptr) return put_new(table, column, value, false, order);
    const bool is_same = schema::natural_type(value) == state->type.type;
    if (!is_same && !takes(*state, value)) return put_variant(table, column, value, order);
    const std::optional<Value> converted = is_same ? std::optional<Value>() : convert(state->type.type, value);
    if (!is_same && !converted) return put_variant(table, column, value, order);
    const Value& fitted = is_same ? value : *converted;
    if (is_beyond_wei(fitted)) return put_wei_text(table, column, fitted, order);
    return append(table, *state, fitted);
}

/// Whether a value of another type may be converted to the column's: not where it would lose something that widening can keep.
bool PageTables::takes(const ColumnState& column, const Value& value) const {
    return !rules_.widens || !(column.is_unsettled || schema::loses_by_coercion(column.type.type, value));
}

PutResult PageTables::put_new(TableState& table, std::string_view column, const Value& value, bool is_variant,
                              const FieldOrderSource& order) {
    DataType type = rules_.inference->infer(column, value, is_variant);
    // Whether text is times is known when all of it is read.
    const bool is_preferred = !is_variant && rules_.inference->preferred_type(column).has_value();
    if (rules_.widens && value.is<std::string>() && !is_preferred) type = DataType::text;
    std::optional<Value> converted;
    if (schema::natural_type(value) == type) {
        converted = value;
    } else {
        converted = convert(type, value);
    }
    if (!converted) {
        // A variant of a variant does not exist; a new column whose first value does not fit is not made, its variant is.
        if (is_variant) {
            return reject(table, column, fmt::format("the value \"{}\" does not fit type {}", shown(value), schema::to_text(type)));
        }
        return put_variant(table, column, value, order);
    }
    if (is_beyond_wei(*converted)) return put_wei_text(table, column, *converted, order);
    if (const std::optional<PutResult> verdict = check_contract(table, column, is_variant, value)) return *verdict;
    ColumnState& made = make_column(table, column, type, reason_of(column, type, value, is_variant), order);
    if (is_variant) made.origin.value = shown_with_type(value);
    return append(table, made, *converted);
}

TypeReason PageTables::reason_of(std::string_view column, DataType type, const Value& value, bool is_variant) const {
    if (is_variant) return TypeReason::variant;
    if (rules_.inference->preferred_type(column)) return TypeReason::preferred;
    return schema::natural_type(value) == type ? TypeReason::value : TypeReason::detected;
}

PutResult PageTables::put_variant(TableState& table, std::string_view column, const Value& value, const FieldOrderSource& order) {
    const DataType type = schema::natural_type(value);
    const std::string name = variant_name(rules_, column, type);
    ColumnState* state = table.find(name);
    if (state == nullptr) return put_new(table, name, value, true, order);
    if (type == state->type.type) return append(table, *state, value);
    if (const std::optional<Value> converted = convert(state->type.type, value)) return append(table, *state, *converted);
    return reject(table, name, fmt::format("the value \"{}\" does not fit type {}", shown(value), schema::to_text(state->type.type)));
}

/// Numbers that no wei column takes are kept as text beside it.
PutResult PageTables::put_wei_text(TableState& table, std::string_view column, const Value& value, const FieldOrderSource& order) {
    const std::array<std::string, 2> parts = {std::string(column), "v_str"};
    const std::string name = rules_.naming->join_path(parts);
    const Value text = schema::to_text(value.as<schema::Wei>().value);
    ColumnState* state = table.find(name);
    if (state == nullptr) return put_new(table, name, text, true, order);
    if (const std::optional<Value> converted = convert(state->type.type, text)) return append(table, *state, *converted);
    return reject(table, name, fmt::format("the value \"{}\" does not fit type {}", shown(text), schema::to_text(state->type.type)));
}

ColumnState& PageTables::make_column(TableState& table, std::string_view name, DataType type, TypeReason reason, const FieldOrderSource& order) {
    const schema::Column* hints = table.known == nullptr ? nullptr : table.known->find(name);
    schema::Column definition = overlay(rules_.inference->make_column(name, type), hints);
    if (reason == TypeReason::variant) definition.set_hint("variant", true);
    mark_unsettled(rules_, definition);
    ColumnState& column = add_column(table, std::string(name), columns::column_type(definition));
    column.is_nullable = definition.is_nullable();
    column.is_unsettled = is_unsettled(definition);
    column.unit_us = kept_unit_us(rules_, definition);
    column.proposed = std::move(definition);
    column.first_row = table.rows - 1;
    column.order = order();
    column.origin = {.reason = reason, .offset = record_offset_, .record_index = record_index_};
    ++table.proposed_count;
    // From here on objects under this name stay whole, so what was cached about the name no longer holds.
    if (type == DataType::json) ++table.generation;
    return column;
}

PutResult PageTables::append(TableState& table, ColumnState& column, const Value& value) {
    if (!begin_value(column, table.rows - 1)) {
        if (on_collision_ == OnCollision::report) return PutResult::collided;
        column.builder.truncate(table.rows - 1);
        add_note({.kind = DataNote::Kind::names_met, .table = table.name, .column = column.name, .name = {}, .other = {}});
    }
    switch (column.type.type) {
        case DataType::text:
            column.builder.append_text(value.as<std::string>());
            return PutResult::done;
        case DataType::json:
            column.builder.append_text(value.as<schema::Json>().text);
            return PutResult::done;
        case DataType::binary:
            column.builder.append_text(value.as<schema::Binary>().bytes);
            return PutResult::done;
        case DataType::bigint:
            return append_integer(table, column, value);
        case DataType::double_:
            column.builder.append_double(value.as<double>());
            return PutResult::done;
        case DataType::bool_:
            column.builder.append_bool(value.as<bool>());
            return PutResult::done;
        case DataType::timestamp:
            return append_time(table, column, value, schema::apply_timezone(value.as<schema::Timestamp>(), column.type.timezone).us);
        case DataType::date:
            column.builder.append_int32(value.as<schema::Date>().days);
            return PutResult::done;
        case DataType::time:
            return append_time(table, column, value, value.as<schema::Time>().us);
        case DataType::decimal:
            return append_decimal(table, column, value.as<schema::Decimal>());
        case DataType::wei:
            return append_decimal(table, column, value.as<schema::Wei>().value);
    }
    return PutResult::rejected;
}

PutResult PageTables::append_integer(TableState& table, ColumnState& column, const Value& value) {
    if (const auto* number = value.get_if<std::int64_t>()) {
        column.builder.append_int64(*number);
        return PutResult::done;
    }
    return reject(table, column.name,
                  fmt::format("the integer {} does not fit 64 bits; declare the column as decimal or text to keep it", shown(value)));
}

PutResult PageTables::append_decimal(TableState& table, ColumnState& column, const schema::Decimal& decimal) {
    const std::optional<FixedDecimal> fixed = to_fixed(decimal, column.type);
    if (!fixed) {
        return reject(table, column.name,
                      fmt::format("the number {} does not fit decimal({},{})", excerpt(schema::to_text(decimal)), column.type.precision,
                                  column.type.scale));
    }
    if (fixed->is_rounded) {
        if (schema::keeps_digits(table.contract.data_type)) {
            return reject_digits(table, column, describe_fine_number(decimal, column.type), remedy_more_digits);
        }
        add_note({.kind = DataNote::Kind::rounded, .table = table.name, .column = column.name, .name = {}, .other = {}});
    }
    column.builder.append_int128(fixed->number);
    return PutResult::done;
}

/// `value`: the same as it came.
PutResult PageTables::append_time(TableState& table, ColumnState& column, const Value& value, std::int64_t time_us) {
    if (is_fine_time(value, column.unit_us)) {
        if (schema::keeps_digits(table.contract.data_type)) return reject_digits(table, column, describe_fine_time(value, column.unit_us), remedy_of_fine_times(column.unit_us));
        add_note({.kind = note_of_fine_times(column.unit_us), .table = table.name, .column = column.name, .name = {}, .other = {}});
    }
    column.builder.append_int64(time_us);
    return PutResult::done;
}

PutResult PageTables::reject_digits(const TableState& table, const ColumnState& column, const std::string& what, std::string_view remedy) {
    const PutResult result = reject_by_contract(table.contract.data_type, table, column.name, what);
    rejection_.remedy = remedy;
    return result;
}

void PageTables::propose(TableState& table, TableProposal& proposal) const {
    struct Entry {
        std::size_t row;
        const FieldOrder* order;
        schema::Column column;
        ColumnOrigin origin;
    };
    std::vector<Entry> entries;
    for (const auto& column : table.columns) {
        if (column->proposed) entries.push_back({column->first_row, &column->order, *column->proposed, column->origin});
    }
    if (table.proposes_load_id) {
        entries.push_back({table.load_id_first_row, &table.load_id_order,
                           rules_.inference->make_column(schema::load_id_column, DataType::text), {}});
    }
    std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) {
        return a.row != b.row ? a.row < b.row : *a.order < *b.order;
    });
    for (Entry& entry : entries) {
        proposal.columns.push_back(std::move(entry.column));
        proposal.origins.push_back(entry.origin);
    }
}

void PageTables::finish_page(PageResult& result) {
    keep_notes();
    result.notes = std::exchange(notes_, {});
    result.discarded_values = discarded_values_;
    // In which order this worker has made its tables depends on earlier pages.
    std::vector<TableState*> filled;
    for (const auto& table : tables_) {
        for (std::string& name : table->null_names) {
            if (table->find(name) == nullptr) result.null_only.push_back({table->name, std::move(name)});
        }
        if (table->rows > 0) filled.push_back(table.get());
    }
    std::sort(filled.begin(), filled.end(), [](const TableState* a, const TableState* b) { return a->first_place < b->first_place; });
    for (TableState* each : filled) {
        TableState& table = *each;
        TableRows rows{.table = table.name, .rows = table.rows, .names = {}, .columns = {}};
        for (const auto& column : table.columns) {
            column->builder.pad_to(table.rows);
            rows.names.push_back(column->name);
            rows.columns.push_back(column->builder.view());
            note_kinds(rules_, table.name, column->name, rows.columns.back(), result.kinds);
        }
        if (table.root_numbers.length() > 0) {
            table.root_numbers.pad_to(table.rows);
            rows.names.push_back(schema::root_number_column);
            rows.columns.push_back(table.root_numbers.view());
        }
        result.tables.push_back(std::move(rows));
        if (table.proposed_count == 0) continue;
        TableProposal proposal{.table = table.name, .parent = table.parent, .is_new = table.known == nullptr, .columns = {}};
        proposal.must_be_new = table.is_open_once && table.contract.columns != schema::ContractMode::evolve;
        propose(table, proposal);
        result.proposals.push_back(std::move(proposal));
    }
}

}  // namespace tipple::normalize
