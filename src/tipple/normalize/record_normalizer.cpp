#include "tipple/normalize/record_normalizer.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tipple/core/limits.h"
#include "tipple/normalize/json_values.h"
#include "tipple/normalize/table_names.h"
#include "tipple/schema/coerce.h"

namespace tipple::normalize {

using schema::Value;

PutResult RecordNormalizer::normalize(const Value& record, TableState& root, int nesting) {
    RowContext context{.table = &root, .chain = {root.name}, .level = nesting};
    context.is_own_root = is_own_root(tables_.snapshot(), root);
    context.gives_root_id = context.is_own_root;
    filtered_ = {};
    const schema::Object wrapped = record.is<schema::Object>() ? schema::Object() : schema::Object{{"value", record}};
    const auto* object = record.get_if<schema::Object>();
    FlatRow row;
    const PutResult result = prepare_row(object != nullptr ? *object : wrapped, context, {}, row);
    return result == PutResult::done ? emit_row(row, context, {}) : result == PutResult::discard_row ? PutResult::done : result;
}

namespace {

std::string joined(const std::vector<std::string_view>& source) {
    std::string name;
    for (const std::string_view key : source) {
        if (!name.empty()) name += '.';
        name += key;
    }
    return name;
}

}  // namespace

/// All scalars of an object come before what is in its objects, and its objects are opened from the last to the first.
PutResult RecordNormalizer::flatten(const schema::Object& object, const RowContext& context, FlatRow& row) {
    struct Open {
        const schema::Object* object;
        int level;
        std::vector<std::string> path;
        SourcePath source;
        std::vector<std::size_t> place;
    };
    std::vector<Open> stack;
    stack.push_back({&object, context.level, {}, {}, {}});
    while (!stack.empty()) {
        const Open open = std::move(stack.back());
        stack.pop_back();
        for (const schema::Field& field : *open.object) {
            const std::string key = normalize_key(rules_, field.name);
            std::string name = column_name(rules_, open.path, key);
            SourcePath source = open.source;
            source.push_back(field.name);
            const auto* child = field.value.get_if<schema::Object>();
            const auto* list = field.value.get_if<schema::List>();
            PutResult result = PutResult::done;
            if ((child != nullptr || list != nullptr) && open.level > 0 && !tables_.is_json_column(*context.table, name)) {
                std::vector<std::string> path = open.path;
                path.push_back(key);
                std::vector<std::size_t> place = open.place;
                place.push_back(static_cast<std::size_t>(&field - open.object->data()));
                if (child != nullptr) {
                    stack.push_back({child, open.level - 1, std::move(path), std::move(source), std::move(place)});
                } else {
                    result = add_list({std::move(path), list, std::move(source), std::move(place)}, *context.table, row);
                }
            } else {
                result = add_field({std::move(name), &field.value, std::move(source)}, *context.table, row);
            }
            if (result != PutResult::done) return result;
        }
    }
    sort_lists(context, row.lists);
    return PutResult::done;
}

PutResult RecordNormalizer::add_field(Field field, TableState& table, FlatRow& row) {
    if (rules_.collisions == Collisions::suffix) {
        if (const std::string* own = tables_.column_of_source(table, joined(field.source))) field.name = *own;
    }
    const auto same = std::find_if(row.fields.begin(), row.fields.end(), [&](const Field& other) { return other.name == field.name; });
    if (same == row.fields.end()) {
        row.fields.push_back(std::move(field));
        return PutResult::done;
    }
    if (same->source != field.source) {
        switch (rules_.collisions) {
            case Collisions::fail:
                return refuse_collision(table, field.name, same->source, field.source);
            case Collisions::suffix:
                field.name = free_column(field.name, table, row);
                field.has_own_column = true;
                row.fields.push_back(std::move(field));
                return PutResult::done;
            case Collisions::keep:
                note_collision(DataNote::Kind::names_met, table, field.name, same->source, field.source);
        }
    }
    // The last one that is not null counts; in the reference a null wins too.
    if (!field.value->is_null()) same->value = field.value;
    return PutResult::done;
}

PutResult RecordNormalizer::add_list(ListField list, TableState& table, FlatRow& row) {
    const auto find_same = [&] { return std::find_if(row.lists.begin(), row.lists.end(), [&](const ListField& other) { return other.path == list.path; }); };
    const auto same = find_same();
    if (same == row.lists.end()) {
        row.lists.push_back(std::move(list));
        return PutResult::done;
    }
    if (same->source != list.source) {
        const std::string name = joined(same->source);
        if (rules_.collisions == Collisions::fail) return refuse_collision(table, "", same->source, list.source);
        if (rules_.collisions == Collisions::suffix) {
            const std::string key = list.path.back();
            for (int number = 2; find_same() != row.lists.end(); ++number) list.path.back() = fmt::format("{}_{}", key, number);
            row.lists.push_back(std::move(list));
            return PutResult::done;
        }
        note_collision(DataNote::Kind::lists_met, table, "", same->source, list.source);
    }
    same->list = list.list;
    return PutResult::done;
}

PutResult RecordNormalizer::refuse_collision(const TableState& table, const std::string& column, const SourcePath& first,
                                             const SourcePath& second) {
    return tables_.reject(table, column,
                          fmt::format("\"{}\" and \"{}\" would both become {}; rename one of them, or give --collisions suffix to keep both", joined(first),
                                      joined(second), column.empty() ? "one nested table" : "this column"));
}

void RecordNormalizer::note_collision(DataNote::Kind kind, const TableState& table, const std::string& column, const SourcePath& first,
                                      const SourcePath& second) {
    tables_.add_note({.kind = kind, .table = table.name, .column = column, .name = joined(first), .other = joined(second)});
}

/// `name_2` or the next one that neither the row nor the table has.
std::string RecordNormalizer::free_column(const std::string& name, const TableState& table, const FlatRow& row) const {
    for (int number = 2;; ++number) {
        const std::array<std::string, 1> parts = {fmt::format("{}_{}", name, number)};
        std::string candidate = rules_.naming->join_path(parts);
        const bool is_taken = table.find(candidate) != nullptr || std::any_of(row.fields.begin(), row.fields.end(), [&](const Field& field) {
                                  return field.name == candidate;
                              });
        if (!is_taken) return candidate;
    }
}

/// Puts lists in the order of the text, in which the streaming shredder meets them: which of the two a record goes through may depend on what
/// the worker saw before, and the ids of rows must not. Lists that become one table stay in the reference's order, that of its rows; such
/// records always come here.
void RecordNormalizer::sort_lists(const RowContext& context, std::vector<ListField>& lists) const {
    if (lists.size() < 2) return;
    std::vector<std::string> tables;
    for (const ListField& list : lists) {
        if (list.list->empty()) continue;
        std::vector<std::string> chain = context.chain;
        chain.insert(chain.end(), list.path.begin(), list.path.end());
        std::string table = rules_.naming->join_path(chain);
        if (std::find(tables.begin(), tables.end(), table) != tables.end()) return;
        tables.push_back(std::move(table));
    }
    std::stable_sort(lists.begin(), lists.end(), [](const ListField& a, const ListField& b) { return a.place < b.place; });
}

/// A row id in the data counts unless it is null, false, zero or empty.
std::string RecordNormalizer::own_id(const FlatRow& row) {
    for (const Field& field : row.fields) {
        if (field.name != schema::id_column || field.value->is_null()) continue;
        if (field.value->is<schema::List>() || field.value->is<schema::Object>()) return to_json_text(*field.value);
        const std::optional<Value> truth = schema::coerce(schema::DataType::bool_, *field.value);
        const bool is_false_number = truth && !field.value->is<std::string>() && !truth->as<bool>();
        const std::optional<Value> text = schema::coerce(schema::DataType::text, *field.value);
        if (is_false_number || !text) return {};
        return text->as<std::string>();
    }
    return {};
}

/// The id of a row that brings none, as far as it can be known in advance; empty = made when the row is begun. Nothing: the record
/// lacks a key.
std::optional<std::string> RecordNormalizer::row_id(const schema::Object& object, const FlatRow& row, const TableState& table, const Links& links) {
    if (table.is_nested) return links.is_repeatable ? repeatable_child_id(links.parent_id, table.name, links.list_index) : std::string();
    if (table.id_source == RowIdSource::content) return content_id(object);
    if (table.id_source == RowIdSource::position) return std::string();
    KeyValues key;
    for (const std::string& column : table.key_columns) {
        const auto field = std::find_if(row.fields.begin(), row.fields.end(), [&](const Field& any) { return any.name == column; });
        if (field == row.fields.end()) {
            tables_.reject(table, column, "the record has no value for it, and it is part of the primary key");
            return std::nullopt;
        }
        key.emplace_back(column, field->value);
    }
    return key_id(key);
}

/// Fields of rows above win over the row's own.
void RecordNormalizer::take_inherited(const Links& links, FlatRow& row) {
    for (const schema::Field& field : links.inherited) {
        const auto same = std::find_if(row.fields.begin(), row.fields.end(), [&](const Field& other) { return other.name == field.name; });
        if (same != row.fields.end()) {
            same->value = &field.value;
        } else {
            row.fields.push_back({.name = field.name, .value = &field.value, .source = {}});
        }
    }
}

/// `below.parent_id` is the row's id.
void RecordNormalizer::inherit(const TableState& table, const FlatRow& row, Links& below) const {
    for (const PropagatedField& propagated : propagated_fields(tables_.snapshot(), table)) {
        Value value;
        const auto field = std::find_if(row.fields.begin(), row.fields.end(), [&](const Field& any) { return any.name == propagated.from; });
        if (propagated.from == schema::id_column) {
            value = below.parent_id;
        } else if (propagated.from == schema::load_id_column && !table.is_nested) {
            value = rules_.load_id;
        } else if (field != row.fields.end()) {
            value = *field->value;
        } else {
            continue;
        }
        std::erase_if(below.inherited, [&](const schema::Field& other) { return other.name == propagated.to; });
        below.inherited.push_back({propagated.to, std::move(value)});
    }
}

/// Asked once per name, where names are not many.
bool RecordNormalizer::is_filtered(TableState& table, const std::string& column) const {
    if (rules_.filters == nullptr) return false;
    if (const auto known = table.filtered.find(column); known != table.filtered.end()) return known->second;
    const bool is_left_out = rules_.filters->leave_out(table.name, column);
    if (table.filtered.size() < limits::columns_max) table.filtered.emplace(column, is_left_out);
    return is_left_out;
}

/// Whether nothing of the loader's own would be left of a row.
bool RecordNormalizer::filters_links(TableState& table, bool has_root_id) const {
    if (!is_filtered(table, std::string(schema::id_column))) return false;
    if (!table.is_nested) return is_filtered(table, std::string(schema::load_id_column));
    return is_filtered(table, std::string(schema::parent_id_column)) && is_filtered(table, std::string(schema::list_index_column)) &&
           (!has_root_id || is_filtered(table, std::string(schema::root_id_column)));
}

/// Marks fields that filters of the schema leave out. False when nothing is left of the row, the loader's own columns included; those of a row
/// that stays are never left out.
bool RecordNormalizer::filter(const RowContext& context, const Links& links, FlatRow& row) {
    if (rules_.filters == nullptr) return true;
    bool is_empty = true;
    std::size_t values = 0;
    for (Field& field : row.fields) {
        field.is_filtered = is_filtered(*context.table, field.name);
        if (!field.is_filtered) {
            is_empty = false;
        } else if (!field.value->is_null()) {
            ++values;
        }
    }
    if (is_empty && filters_links(*context.table, !links.root_id.empty())) {
        ++filtered_.rows;
        return false;
    }
    filtered_.values += values;
    return true;
}

/// All that is known of a row before it is written: done, rejected, or discard_row when filters leave it out.
PutResult RecordNormalizer::prepare_row(const schema::Object& object, const RowContext& context, const Links& links, FlatRow& row) {
    if (const PutResult result = flatten(object, context, row); result != PutResult::done) return result;
    take_inherited(links, row);
    row.given_id = own_id(row);
    row.id = row.given_id;
    if (row.id.empty()) {
        std::optional<std::string> made_id = row_id(object, row, *context.table, links);
        if (!made_id) return PutResult::rejected;
        row.id = std::move(*made_id);
    }
    return filter(context, links, row) ? PutResult::done : PutResult::discard_row;
}

PutResult RecordNormalizer::emit_row(const FlatRow& row, const RowContext& context, const Links& links) {
    TableState& table = *context.table;
    const std::string& id = row.id;
    std::int64_t root_number = links.root_number;
    if (!table.is_nested) root_number = table.id_source == RowIdSource::key ? tables_.next_root_number() : 0;
    RowId made;
    tables_.begin_row(table,
                      {.parent_id = links.parent_id,
                       .root_id = links.root_id,
                       .list_index = links.list_index,
                       .own_id = id,
                       .needs_links = row.given_id.empty(),
                       .root_number = root_number},
                      &made);
    const PutResult put = put_fields(row, table, !row.given_id.empty());
    if (put == PutResult::discard_row) {
        tables_.undo_row(table);
        ++discarded_rows_;
    }
    if (put != PutResult::done) return put;
    Links below;
    below.is_repeatable = !id.empty();
    below.root_number = root_number;
    below.parent_id = id.empty() ? std::string(made.text()) : id;
    if (context.gives_root_id) below.root_id = context.is_own_root ? below.parent_id : links.root_id;
    below.inherited = links.inherited;
    inherit(table, row, below);
    for (const ListField& list : row.lists) {
        if (const PutResult result = emit_list(list, context, below); result != PutResult::done) return result;
    }
    return PutResult::done;
}

PutResult RecordNormalizer::put_fields(const FlatRow& row, TableState& table, bool has_own_id) {
    const std::size_t number = table.rows - 1;
    for (std::size_t i = 0; i < row.fields.size(); ++i) {
        const Field& field = row.fields[i];
        const auto position = static_cast<std::int32_t>(i);
        if (field.name == schema::id_column) {
            if (has_own_id && table.id->proposed && table.id->first_row == number) table.id->order = {position};
            continue;
        }
        if (field.name == schema::load_id_column && !table.is_nested) {
            if (table.proposes_load_id && number == 0) table.load_id_order = {position};
            continue;
        }
        if (field.is_filtered) continue;
        // What the loader itself fills in wins over the data.
        const ColumnState* column = table.find(field.name);
        if (column != nullptr && (column == table.parent_id || column == table.list_index || column == table.root_id)) continue;
        if (const PutResult result = put_field(table, field, position); result != PutResult::done) return result;
        if (field.has_own_column) tables_.set_source(table, field.name, joined(field.source));
    }
    return PutResult::done;
}

PutResult RecordNormalizer::put_field(TableState& table, const Field& field, std::int32_t position) {
    if (field.value->is_null()) return tables_.put_null(table, field.name);
    const FieldOrderSource order = [&] { return FieldOrder{position}; };
    const auto put = [&](const Value& value) {
        // Two fields may still meet in one column, through the name of a variant: the later one counts, as in the reference.
        return tables_.put(table, field.name, value, order, OnCollision::replace);
    };
    if (field.value->is<schema::Object>() || field.value->is<schema::List>()) return put(schema::Json{to_json_text(*field.value)});
    if (const auto* number = field.value->get_if<double>(); number != nullptr && !std::isfinite(*number)) {
        // NaN and infinities are null, as in the reference.
        return tables_.put_null(table, field.name);
    }
    return put(*field.value);
}

namespace {

/// Of a list that is left out: its row stays.
PutResult as_row(PutResult of_list) { return of_list == PutResult::discard_row ? PutResult::done : of_list; }

}  // namespace

/// Whether a list may have rows in `table`: done, rejected, or discard_row when the contract leaves it out with the `rows` that are left of it.
PutResult RecordNormalizer::admit(const ListField& list, std::size_t rows, const RowContext& context, TableState& table) {
    tables_.begin_list(table, context.table->name);
    const schema::ContractMode mode = tables_.admit_table(table);
    if (mode == schema::ContractMode::evolve) return PutResult::done;
    if (mode == schema::ContractMode::freeze || mode == schema::ContractMode::quarantine) return PutResult::rejected;
    discarded_rows_ += rows;
    tables_.add_note({.kind = DataNote::Kind::table_left_out, .table = table.name, .column = {}, .name = joined(list.source), .other = {}});
    return PutResult::discard_row;
}

PutResult RecordNormalizer::emit_list(const ListField& list, const RowContext& context, const Links& links) {
    RowContext below{.table = nullptr, .chain = context.chain, .level = context.level - 1};
    below.chain.insert(below.chain.end(), list.path.begin(), list.path.end());
    const std::string name = rules_.naming->join_path(below.chain);
    below.table = &tables_.table(name, context.table, context.gives_root_id);
    below.is_own_root = is_own_root(tables_.snapshot(), *below.table);
    below.gives_root_id = context.gives_root_id || below.is_own_root;
    // A table that filters leave out is none: what the contract says of it is asked with the first row that stays.
    bool is_admitted = list.list->empty();
    if (!is_admitted && !filters_links(*below.table, context.gives_root_id)) {
        if (const PutResult result = admit(list, list.list->size(), context, *below.table); result != PutResult::done) return as_row(result);
        is_admitted = true;
    }
    RowContext inner = below;
    inner.level = below.level - 1;
    Links row_links = links;
    for (const Value& element : *list.list) {
        const RowContext& row_context = element.is<schema::List>() ? inner : below;
        const auto* object = element.get_if<schema::Object>();
        const schema::Object wrapped = object != nullptr ? schema::Object() : schema::Object{{element.is<schema::List>() ? "list" : "value", element}};
        FlatRow row;
        PutResult result = prepare_row(object != nullptr ? *object : wrapped, row_context, row_links, row);
        if (result == PutResult::done && !is_admitted) {
            if (const PutResult admitted = admit(list, list.list->size() - static_cast<std::size_t>(row_links.list_index), context, *below.table); admitted != PutResult::done) return as_row(admitted);
            is_admitted = true;
        }
        if (result == PutResult::done) result = emit_row(row, row_context, row_links);
        if (result == PutResult::rejected) return result;
        ++row_links.list_index;
    }
    return PutResult::done;
}

}  // namespace tipple::normalize
