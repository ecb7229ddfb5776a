#include "tipple/schema/difference.h"

#include <algorithm>
#include <array>

namespace tipple::schema {

namespace {

using Kind = Difference::Kind;

bool is_mark(std::string_view hint) {
    static constexpr std::array<std::string_view, 3> marks = {"x-normalizer", "x-extractor", "x-loader"};
    return std::find(marks.begin(), marks.end(), hint) != marks.end();
}

const Column* find_complete(const Table* table, std::string_view name) {
    const Column* column = table == nullptr ? nullptr : table->find(name);
    return column != nullptr && column->is_complete() ? column : nullptr;
}

/// Hints in the order of `after`, then those only `before` has.
void compare_hints(const json::Object& before, const json::Object& after, Difference place, std::vector<Difference>& found) {
    const auto add = [&](const std::string& hint) {
        const json::Value* old_value = before.find(hint);
        const json::Value* new_value = after.find(hint);
        if (is_mark(hint) || (old_value != nullptr && new_value != nullptr && *old_value == *new_value)) return;
        place.hint = hint;
        place.before = old_value == nullptr ? json::Value() : *old_value;
        place.after = new_value == nullptr ? json::Value() : *new_value;
        found.push_back(place);
    };
    for (const json::Member& hint : after) add(hint.name);
    for (const json::Member& hint : before) {
        if (after.find(hint.name) == nullptr) add(hint.name);
    }
}

void compare_tables(const Table* before, const Table& after, std::vector<Difference>& found) {
    if (before == nullptr) {
        found.push_back({.kind = Kind::table_added, .table = after.name()});
    } else {
        compare_hints(before->properties(), after.properties(), {.kind = Kind::table_changed, .table = after.name()}, found);
    }
    for (const Column& column : after.columns()) {
        if (!column.is_complete()) continue;
        if (const Column* old = find_complete(before, column.name())) {
            compare_hints(old->hints(), column.hints(), {.kind = Kind::column_changed, .table = after.name(), .column = column.name()}, found);
        } else {
            found.push_back({.kind = Kind::column_added, .table = after.name(), .column = column.name()});
        }
    }
    if (before == nullptr) return;
    for (const Column& column : before->columns()) {
        if (column.is_complete() && find_complete(&after, column.name()) == nullptr) {
            found.push_back({.kind = Kind::column_removed, .table = after.name(), .column = column.name()});
        }
    }
}

bool is_compared(const Table& table) { return !table.is_internal() && table.has_complete_columns(); }

const Table* find_compared(const Schema& schema, std::string_view name) {
    const Table* table = schema.find(name);
    return table != nullptr && is_compared(*table) ? table : nullptr;
}

}  // namespace

std::vector<Difference> compare(const Schema& before, const Schema& after) {
    std::vector<Difference> found;
    for (const auto& table : after.tables()) {
        if (is_compared(*table)) compare_tables(find_compared(before, table->name()), *table, found);
    }
    for (const auto& table : before.tables()) {
        if (is_compared(*table) && find_compared(after, table->name()) == nullptr) {
            found.push_back({.kind = Kind::table_removed, .table = table->name()});
        }
    }
    return found;
}

}  // namespace tipple::schema
