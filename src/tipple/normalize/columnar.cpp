#include "tipple/normalize/columnar.h"

#include <algorithm>

#include "tipple/columns/value_at.h"
#include "tipple/core/text.h"
#include "tipple/normalize/content_ids.h"
#include "tipple/normalize/decimals.h"
#include "tipple/normalize/json_values.h"
#include "tipple/normalize/kinds.h"
#include "tipple/normalize/shown.h"
#include "tipple/normalize/table_names.h"
#include "tipple/normalize/times.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/widening.h"

namespace tipple::normalize {

using columns::ColumnView;
using schema::DataType;

schema::Column declare_column(const Rules& rules, const std::string& name, const columns::ColumnType& type) {
    schema::Column column = rules.inference->make_column(name, type.type);
    if (type.type == DataType::decimal) {
        column.set_hint("precision", type.precision);
        column.set_hint("scale", type.scale);
    }
    // Wall clock timestamps are read as UTC unless the user says otherwise, as in the reference.
    return column;
}

const std::string& ColumnarNormalizer::normalized(const std::string& name) {
    const auto at = names_.find(name);
    if (at != names_.end()) return at->second;
    const bool is_blank = name.find_first_not_of(" \t\r\n") == std::string::npos;
    return names_.emplace(name, is_blank ? "_empty" : rules_.naming->normalize_path(name)).first->second;
}

/// Proposes a column that the table does not have yet. What the user said about it beforehand overlays what the data says.
void ColumnarNormalizer::add(TableProposal& proposal, const schema::Table* table, schema::Column column, const ColumnOrigin& origin) {
    const schema::Column* hints = table != nullptr ? table->find(column.name()) : nullptr;
    if (hints != nullptr) {
        if (hints->is_complete()) return;
        for (const json::Member& hint : hints->hints()) column.set_hint(hint.name, hint.value);
    }
    mark_unsettled(rules_, column);
    proposal.columns.push_back(std::move(column));
    proposal.origins.push_back(origin);
}

namespace {

bool has_timezone(const schema::Table* table, const std::string& column) {
    const schema::Column* known = table != nullptr ? table->find(column) : nullptr;
    return known == nullptr || known->has_timezone();
}

}  // namespace

namespace {

/// The rows of a batch that are not marked.
std::unique_ptr<columns::Batch> without_rows(const columns::Batch& batch, const std::vector<bool>& marked) {
    auto kept = std::make_unique<columns::Batch>();
    kept->names = batch.names;
    for (const columns::ColumnBuilder& column : batch.columns) kept->columns.emplace_back(column.type());
    for (std::size_t row = 0; row < batch.rows;) {
        std::size_t end = row;
        while (end < batch.rows && !marked[end]) ++end;
        for (std::size_t i = 0; i < batch.columns.size(); ++i) kept->columns[i].append_rows(batch.columns[i].view(), row, end - row);
        kept->rows += end - row;
        row = end + 1;
    }
    return kept;
}

/// Fills in the row as JSON, with the names of the source.
void describe_row(const columns::Batch& batch, BadRecord& bad) {
    schema::Object row;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) row.push_back({batch.names[i], exact_value_at(batch.columns[i].view(), bad.record_index)});
    bad.text = to_json_text(row);
    bad.text_excerpt = excerpt(bad.text, 200);
}

}  // namespace

/// False when the row is left out already.
bool ColumnarNormalizer::leave_out(std::size_t row) {
    if (row >= discards_.rows.size()) discards_.rows.resize(row + 1);
    if (discards_.rows[row]) return false;
    discards_.rows[row] = true;
    ++discards_.count;
    return true;
}

void ColumnarNormalizer::add_bad(BadRecord bad) {
    if (leave_out(bad.record_index)) discards_.bad.push_back(std::move(bad));
}

/// What the contract says to `what` in one row. `remedy`: as in BadRecord.
void ColumnarNormalizer::discard(schema::ContractMode mode, const std::string& name, std::size_t row, std::string_view what, std::string_view remedy) {
    BadRecord bad{.record_index = row, .table = table_name_, .column = name, .remedy = std::string(remedy)};
    switch (mode) {
        case schema::ContractMode::freeze:
            if (discards_.forbidden && discards_.forbidden->record_index <= row) return;
            bad.reason = fmt::format("{}, which the schema contract freezes", what);
            bad.breaks_contract = true;
            discards_.forbidden = std::move(bad);
            return;
        case schema::ContractMode::quarantine:
            bad.reason = fmt::format("{}, which the schema contract puts aside", what);
            bad.is_quarantined = true;
            return add_bad(std::move(bad));
        case schema::ContractMode::discard_row:
            leave_out(row);
            return;
        case schema::ContractMode::discard_value:
            ++discards_.values;
            return;
        case schema::ContractMode::evolve:
            break;
    }
    TIPPLE_ASSERT(false);
}

/// Finds rows that lack a part of the table's key.
void ColumnarNormalizer::find_keyless(const TableRows& rows, const schema::Table* table) {
    for (const std::string& name : required_key(table)) {
        std::vector<std::string> wanted = columns_of_kinds(rules_, name);
        wanted.push_back(name);
        std::vector<const ColumnView*> views;
        std::size_t values = 0;
        for (std::size_t i = 0; i < rows.names.size(); ++i) {
            if (std::find(wanted.begin(), wanted.end(), rows.names[i]) == wanted.end()) continue;
            views.push_back(&rows.columns[i]);
            values += rows.columns[i].length - rows.columns[i].null_count;
        }
        if (values >= rows.rows) continue;
        for (std::size_t row = 0; row < rows.rows; ++row) {
            const bool has_value = std::any_of(views.begin(), views.end(), [&](const ColumnView* view) { return !view->is_null(row); });
            if (has_value) continue;
            add_bad({.record_index = row, .table = table_name_, .column = name, .reason = "the record has no value for it, and it is part of the table's key"});
        }
    }
}

/// Whether a column that may be new is let in.
bool ColumnarNormalizer::admit_column(const ColumnView& source, const std::string& name, const schema::Table* table) {
    const schema::Column* known = table != nullptr ? table->find(name) : nullptr;
    if (known != nullptr && known->is_complete()) return true;
    const bool is_open = table == nullptr || !table->has_complete_columns() || table->normalizer_hint("evolve-columns-once") == json::Value(true);
    if (is_open || contract_.columns == schema::ContractMode::evolve) return true;
    for (std::size_t row = 0; row < source.length; ++row) {
        if (!source.is_null(row)) discard(contract_.columns, name, row, "the column would be new");
    }
    return false;
}

void ColumnarNormalizer::normalize(const columns::Batch& batch, std::uint64_t page_number, std::string_view root_table,
                                   const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result, const BatchExtras& extras) {
    extras_ = extras;
    const schema::Table* table = snapshot->find(root_table);
    contract_ = schema::contract_of(*snapshot, table);
    discards_ = {};
    normalize_batch(batch, page_number, root_table, snapshot, result);
    if (discards_.forbidden) {
        result.clear();
        result.records = batch.rows;
        describe_row(batch, *discards_.forbidden);
        result.bad_records.push_back(std::move(*discards_.forbidden));
        return;
    }
    if (!result.tables.empty()) find_keyless(result.tables.front(), table);
    if (discards_.count == 0) return;
    // Once more without the rows that turned out to be unwanted: ids follow the rows that stay.
    const std::size_t discarded = discards_.count;
    discards_.rows.resize(batch.rows);
    kept_ = without_rows(batch, discards_.rows);
    std::vector<std::size_t> kept_rows;
    for (std::size_t row = 0; row < batch.rows; ++row) {
        if (!discards_.rows[row]) kept_rows.push_back(row);
    }
    discards_.rows.assign(kept_->rows, false);
    discards_.values = 0;
    normalize_batch(*kept_, page_number, root_table, snapshot, result);
    // Messages speak of the rows as they came.
    for (TableProposal& proposal : result.proposals) {
        for (ColumnOrigin& origin : proposal.origins) origin.record_index = kept_rows.empty() ? 0 : kept_rows[origin.record_index];
    }
    for (DataNote& note : result.notes) note.record_index = kept_rows[note.record_index];
    result.discarded_rows = discarded - discards_.bad.size();
    std::stable_sort(discards_.bad.begin(), discards_.bad.end(), [](const BadRecord& a, const BadRecord& b) { return a.record_index < b.record_index; });
    for (BadRecord& bad : discards_.bad) describe_row(batch, bad);
    result.bad_records = std::move(discards_.bad);
}

void ColumnarNormalizer::put_aside(const columns::Batch& batch, const std::string& reason, PageResult& result) {
    result.clear();
    result.records = batch.rows;
    for (std::size_t row = 0; row < batch.rows; ++row) {
        BadRecord bad{.record_index = row, .table = {}, .column = {}, .reason = reason, .text_excerpt = {}};
        bad.is_quarantined = true;
        describe_row(batch, bad);
        result.bad_records.push_back(std::move(bad));
    }
}

void ColumnarNormalizer::normalize_batch(const columns::Batch& batch, std::uint64_t page_number, std::string_view root_table,
                                         const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    result.clear();
    converted_.clear();
    notes_.clear();
    table_name_ = root_table;
    const schema::Table* table = snapshot->find(root_table);
    TableRows rows{.table = table_name_, .rows = batch.rows};
    TableProposal proposal{.table = table_name_, .parent = {}, .is_new = table == nullptr};
    for (std::size_t i = 0; i < batch.columns.size(); ++i) {
        const std::string& name = normalized(batch.names[i]);
        if (name == schema::load_id_column || name == schema::id_column) continue;
        const auto same = std::find(rows.names.begin(), rows.names.end(), name);
        if (same != rows.names.end()) {
            throw Error(ErrorKind::data, "two columns of table \"{}\" would both be named \"{}\" (one is \"{}\" in the source); rename one there",
                        table_name_, name, batch.names[i]);
        }
        ColumnView view = batch.columns[i].view();
        if (view.type.type == DataType::timestamp) view.type.timezone = has_timezone(table, name);
        const schema::Column* known = table != nullptr ? table->find(name) : nullptr;
        if (known != nullptr && known->is_complete() && columns::column_type(*known) != view.type) {
            if (keep_kind(view, name, *known, table, rows, proposal)) continue;
            convert(view, *known, table, rows, proposal);
            continue;
        }
        if (!admit_column(view, name, table)) continue;
        add(proposal, table, declare_column(rules_, name, view.type));
        check_times(view, known != nullptr && known->is_complete() ? *known : proposal.columns.back());
        rows.names.push_back(name);
        rows.columns.push_back(view);
    }
    add_ids(batch, page_number, table, rows, proposal);
    for (std::size_t i = 0; i < rows.columns.size(); ++i) note_kinds(rules_, table_name_, rows.names[i], rows.columns[i], result.kinds);
    result.records = batch.rows;
    result.discarded_values = discards_.values;
    for (const std::string& name : extras_.null_columns) {
        if (table == nullptr || table->find(normalized(name)) == nullptr) result.null_only.push_back({table_name_, normalized(name)});
    }
    result.notes = std::exchange(notes_, {});
    if (!proposal.columns.empty() || !proposal.wider.empty()) result.proposals.push_back(std::move(proposal));
    if (batch.rows > 0) result.tables.push_back(std::move(rows));
}

/// Of values that are of their column's own type: whether the destination keeps all of them.
void ColumnarNormalizer::check_times(const ColumnView& source, const schema::Column& column) {
    const std::int64_t unit = kept_unit_us(rules_, column);
    const auto tell = [&](std::size_t row) {
        if (schema::keeps_digits(contract_.data_type)) {
            discard(contract_.data_type, column.name(), row, describe_fine_time(exact_value_at(source, row), unit), remedy_of_fine_times(unit));
        } else {
            note(note_of_fine_times(unit), column.name(), row);
        }
    };
    if (unit == 1) {
        for (const columns::Fraction& fraction : source.fractions) tell(fraction.row);
        return;
    }
    if (source.type.type != DataType::timestamp && source.type.type != DataType::time) return;
    auto fraction = source.fractions.begin();
    for (std::size_t row = 0; row < source.length; ++row) {
        const bool has_fraction = fraction != source.fractions.end() && fraction->row == row;
        if (has_fraction) ++fraction;
        if (has_fraction || (!source.is_null(row) && source.value<std::int64_t>(row) % unit != 0)) tell(row);
    }
}

void ColumnarNormalizer::note(DataNote::Kind kind, const std::string& column, std::size_t row) {
    const DataNote note{.kind = kind, .table = table_name_, .column = column, .name = {}, .other = {}, .count = 1, .record_index = row};
    const auto same = std::find_if(notes_.begin(), notes_.end(), [&](const DataNote& other) { return other.is_same_as(note); });
    if (same != notes_.end()) {
        ++same->count;
    } else {
        notes_.push_back(note);
    }
}

columns::ColumnBuilder& ColumnarNormalizer::variant(const std::string& name, const ColumnView& source, std::size_t row, const schema::Table* table,
                                                    TableProposal& proposal) {
    const std::string variant = variant_name(rules_, name, source.type.type);
    for (const auto& target : converted_) {
        if (target->name == variant) return target->builder;
    }
    schema::Column column = declare_column(rules_, variant, source.type);
    column.set_hint("variant", true);
    const schema::Column* known = table != nullptr ? table->find(variant) : nullptr;
    const columns::ColumnType column_type = columns::column_type(known != nullptr && known->is_complete() ? *known : column);
    add(proposal, table, std::move(column), {.reason = TypeReason::variant, .record_index = row, .value = shown_with_type(columns::value_at(source, row))});
    converted_.push_back(std::make_unique<Target>(Target{variant, columns::ColumnBuilder(column_type)}));
    return converted_.back()->builder;
}

namespace {

const schema::Decimal* find_decimal(const schema::Value& value) {
    const auto* wei = value.get_if<schema::Wei>();
    return wei != nullptr ? &wei->value : value.get_if<schema::Decimal>();
}

/// Appends a value that `fit` has let through.
void append_value(columns::ColumnBuilder& builder, const schema::Value& value) {
    if (const schema::Decimal* decimal = find_decimal(value)) {
        builder.append_int128(to_fixed(*decimal, builder.type())->number);
    } else if (const auto* text = value.get_if<std::string>()) {
        builder.append_text(*text);
    } else if (const auto* whole = value.get_if<schema::Json>()) {
        builder.append_text(whole->text);
    } else if (const auto* bytes = value.get_if<schema::Binary>()) {
        builder.append_text(bytes->bytes);
    } else if (const auto* integer = value.get_if<std::int64_t>()) {
        builder.append_int64(*integer);
    } else if (const auto* number = value.get_if<double>()) {
        builder.append_double(*number);
    } else if (const auto* flag = value.get_if<bool>()) {
        builder.append_bool(*flag);
    } else if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
        builder.append_int64(timestamp->us);
    } else if (const auto* date = value.get_if<schema::Date>()) {
        builder.append_int32(date->days);
    } else if (const auto* time = value.get_if<schema::Time>()) {
        builder.append_int64(time->us);
    } else {
        TIPPLE_ASSERT(false);
    }
}

/// A value that its column, or the destination, would round.
struct Loss {
    DataNote::Kind kind;
    std::string what;
    std::string_view remedy = remedy_more_digits;
};

/// `unit_us`: kept_unit_us of the column.
std::optional<Loss> find_loss(const columns::ColumnType& type, std::int64_t unit_us, const schema::Value& value) {
    if (const schema::Decimal* decimal = find_decimal(value)) {
        if (to_fixed(*decimal, type)->is_rounded) return Loss{DataNote::Kind::rounded, describe_fine_number(*decimal, type)};
        return std::nullopt;
    }
    if (!is_fine_time(value, unit_us)) return std::nullopt;
    return Loss{note_of_fine_times(unit_us), describe_fine_time(value, unit_us), remedy_of_fine_times(unit_us)};
}

/// The value as a column of `type` holds it, or nothing.
std::optional<schema::Value> fit(const Rules& rules, const columns::ColumnType& type, const schema::Value& value) {
    if (rules.widens && schema::loses_by_coercion(type.type, value)) return std::nullopt;
    std::optional<schema::Value> converted = schema::natural_type(value) == type.type ? value : schema::coerce(type.type, value);
    if (!converted) return std::nullopt;
    // Integers beyond 64 bits are not held by a bigint column.
    if (type.type == DataType::bigint && !converted->is<std::int64_t>()) return std::nullopt;
    const schema::Decimal* decimal = find_decimal(*converted);
    if (decimal != nullptr && !to_fixed(*decimal, type)) return std::nullopt;
    return converted;
}

}  // namespace

/// Widening: decimals make their column as wide as they are, and a column of another kind than its name's, which is not settled, is left whole,
/// as a variant. False when the values are to be converted one by one.
bool ColumnarNormalizer::keep_kind(const ColumnView& source, const std::string& name, const schema::Column& known, const schema::Table* table,
                                   TableRows& rows, TableProposal& proposal) {
    if (!rules_.widens || contract_.data_type != schema::ContractMode::evolve) return false;
    const bool is_same_kind = source.type.type == known.data_type();
    if (is_same_kind ? source.type.type != DataType::decimal : !is_unsettled(known)) return false;
    if (source.null_count == source.length) return true;
    schema::Column column = declare_column(rules_, is_same_kind ? name : variant_name(rules_, name, source.type.type), source.type);
    const schema::Column* there = table->find(column.name());
    if (there == nullptr || !there->is_complete()) {
        std::size_t first = 0;
        while (source.is_null(first)) ++first;
        column.set_hint("variant", true);
        add(proposal, table, column, {.reason = TypeReason::variant, .record_index = first, .value = shown_with_type(columns::value_at(source, first))});
    } else if (columns::column_type(*there) != source.type) {
        if (!schema::widest(schema::decimal_digits(*there), schema::decimal_digits(column))) return false;
        proposal.wider.push_back(column);
    }
    check_times(source, column);
    converted_.push_back(std::make_unique<Target>(Target{column.name(), columns::ColumnBuilder(source.type)}));
    rows.names.push_back(converted_.back()->name);
    rows.columns.push_back(source);
    return true;
}

void ColumnarNormalizer::convert(const ColumnView& source, const schema::Column& known, const schema::Table* table, TableRows& rows, TableProposal& proposal) {
    const std::string name(known.name());
    const columns::ColumnType type = columns::column_type(known);
    const std::int64_t unit_us = kept_unit_us(rules_, known);
    converted_.push_back(std::make_unique<Target>(Target{name, columns::ColumnBuilder(type)}));
    columns::ColumnBuilder& target = converted_.back()->builder;
    const std::size_t first = converted_.size() - 1;
    for (std::size_t row = 0; row < source.length; ++row) {
        const schema::Value value = columns::exact_value_at(source, row);
        if (value.is_null()) continue;
        columns::ColumnBuilder* builder = &target;
        std::optional<schema::Value> fitted = fit(rules_, type, value);
        if (!fitted && contract_.data_type != schema::ContractMode::evolve) {
            discard(contract_.data_type, name, row, fmt::format("the value \"{}\" has another type than its column", shown(value)));
            continue;
        }
        if (!fitted) {
            builder = &variant(name, source, row, table, proposal);
            fitted = fit(rules_, builder->type(), value);
        }
        if (!fitted) {
            add_bad({.record_index = row, .table = table_name_, .column = name, .reason = fmt::format("the value \"{}\" fits neither the column nor its variant", shown(value))});
            continue;
        }
        if (const std::optional<Loss> loss = find_loss(builder->type(), builder == &target ? unit_us : 1, *fitted)) {
            if (schema::keeps_digits(contract_.data_type)) {
                discard(contract_.data_type, name, row, loss->what, loss->remedy);
                continue;
            }
            note(loss->kind, name, row);
        }
        if (const auto* timestamp = fitted->get_if<schema::Timestamp>()) fitted = schema::apply_timezone(*timestamp, builder->type().timezone);
        builder->pad_to(row);
        append_value(*builder, *fitted);
    }
    for (std::size_t i = first; i < converted_.size(); ++i) {
        converted_[i]->builder.pad_to(source.length);
        rows.names.push_back(converted_[i]->name);
        rows.columns.push_back(converted_[i]->builder.view());
    }
}

void ColumnarNormalizer::append_content_ids(const columns::Batch& batch, columns::ColumnBuilder& ids) const {
    for (std::size_t row = 0; row < batch.rows; ++row) {
        schema::Object record;
        for (std::size_t i = 0; i + extras_.origin_columns < batch.columns.size(); ++i) record.push_back({batch.names[i], value_at(batch.columns[i].view(), row)});
        for (const std::string& name : extras_.null_columns) record.push_back({name, schema::Value()});
        ids.append_text(content_id(record));
    }
}

void ColumnarNormalizer::append_key_ids(const columns::Batch& batch, const std::vector<std::string>& key, columns::ColumnBuilder& ids) {
    std::vector<ColumnView> views;
    for (const std::string& column : key) {
        const auto at = std::find_if(batch.names.begin(), batch.names.end(), [&](const std::string& name) { return normalized(name) == column; });
        if (at == batch.names.end()) {
            throw Error(ErrorKind::data, "table \"{}\": column \"{}\" is part of the primary key, and the input has no such column", table_name_, column);
        }
        views.push_back(batch.columns[static_cast<std::size_t>(at - batch.names.begin())].view());
    }
    for (std::size_t row = 0; row < batch.rows; ++row) {
        std::vector<schema::Value> values;
        for (const ColumnView& view : views) values.push_back(value_at(view, row));
        KeyValues members;
        for (std::size_t i = 0; i < key.size(); ++i) members.emplace_back(key[i], &values[i]);
        ids.append_text(key_id(members));
    }
}

void ColumnarNormalizer::add_ids(const columns::Batch& batch, std::uint64_t page_number, const schema::Table* table, TableRows& rows,
                                 TableProposal& proposal) {
    add(proposal, table, rules_.inference->make_column(schema::load_id_column, DataType::text));
    add(proposal, table, rules_.inference->make_column(schema::id_column, DataType::text));
    converted_.push_back(std::make_unique<Target>(Target{std::string(schema::id_column), columns::ColumnBuilder({.type = DataType::text})}));
    columns::ColumnBuilder& ids = converted_.back()->builder;
    switch (row_id_source(table)) {
        case RowIdSource::key:
            append_key_ids(batch, table->columns_with("primary_key"), ids);
            break;
        case RowIdSource::content:
            append_content_ids(batch, ids);
            break;
        case RowIdSource::position: {
            const RowIdMaker maker(rules_.row_id_prefix, page_number);
            RowId id;
            for (std::size_t row = 0; row < batch.rows; ++row) {
                maker.make(row, id);
                ids.append_short_text(id.data(), id.size());
            }
        }
    }
    rows.names.push_back(schema::id_column);
    rows.columns.push_back(ids.view());
}

}  // namespace tipple::normalize
