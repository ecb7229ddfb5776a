#include "cli/schema_changes.h"

#include <fmt/format.h>

#include "cli/schema_text.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"

namespace tipple::cli {

using schema::Difference;
using Kind = Difference::Kind;

namespace {

struct Count {
    std::size_t added = 0;
    std::size_t removed = 0;
    std::size_t changed = 0;
};

const char* to_text(Kind kind) {
    switch (kind) {
        case Kind::table_added: return "table_added";
        case Kind::table_removed: return "table_removed";
        case Kind::column_added: return "column_added";
        case Kind::column_removed: return "column_removed";
        case Kind::column_changed: return "column_changed";
        case Kind::table_changed: return "table_changed";
    }
    return "";
}

/// "2 tables and 14 columns added", or nothing.
std::string phrase(std::size_t tables, std::size_t columns, const char* verb) {
    std::vector<std::string> parts;
    if (tables > 0) parts.push_back(counted(tables, "table"));
    if (columns > 0) parts.push_back(counted(columns, "column"));
    return parts.empty() ? "" : join(parts, " and ") + " " + verb;
}

std::string value_text(const json::Value& value) { return value.is_null() ? "(not set)" : value.is_text() ? value.as_text() : json::to_text(value); }

}  // namespace

std::string format_difference(const Difference& difference, const schema::Schema& after, const Terminal& terminal) {
    const std::string name = difference.column.empty() ? difference.table : difference.table + "." + difference.column;
    switch (difference.kind) {
        case Kind::table_added:
            return terminal.styled(Style::green, fmt::format("+ {}", name)) + "  table";
        case Kind::column_added:
            return terminal.styled(Style::green, fmt::format("+ {}", name)) + "  " + type_text(*after.require(difference.table).find(difference.column));
        case Kind::table_removed:
            return terminal.styled(Style::red, fmt::format("- {}", name)) + "  table";
        case Kind::column_removed:
            return terminal.styled(Style::red, fmt::format("- {}", name));
        case Kind::column_changed:
        case Kind::table_changed:
            break;
    }
    return terminal.styled(Style::yellow, fmt::format("~ {}", name)) +
           fmt::format("  {}: {} -> {}", difference.hint, value_text(difference.before), value_text(difference.after));
}

json::Value difference_object(const Difference& difference) {
    json::Object object{{"change", to_text(difference.kind)}, {"table", difference.table}};
    if (!difference.column.empty()) object.set("column", difference.column);
    if (!difference.hint.empty()) {
        object.set("hint", difference.hint);
        object.set("before", difference.before);
        object.set("after", difference.after);
    }
    return object;
}

std::string summarize(const std::vector<Difference>& differences) {
    Count tables;
    Count columns;
    // Several hints of one column are one change.
    const Difference* last = nullptr;
    for (const Difference& one : differences) {
        const bool is_same_place = last != nullptr && last->kind == one.kind && last->table == one.table && last->column == one.column;
        last = &one;
        if (is_same_place) continue;
        switch (one.kind) {
            case Kind::table_added: ++tables.added; break;
            case Kind::table_removed: ++tables.removed; break;
            case Kind::table_changed: ++tables.changed; break;
            case Kind::column_added: ++columns.added; break;
            case Kind::column_removed: ++columns.removed; break;
            case Kind::column_changed: ++columns.changed; break;
        }
    }
    std::vector<std::string> parts;
    for (const std::string& part : {phrase(tables.added, columns.added, "added"), phrase(tables.removed, columns.removed, "removed"),
                                    phrase(tables.changed, columns.changed, "changed")}) {
        if (!part.empty()) parts.push_back(part);
    }
    return parts.empty() ? "the same" : join(parts, ", ");
}

std::string explain_column(const std::vector<SchemaVersion>& history, const schema::Table& table, const schema::Column& column) {
    if (column.name().starts_with(schema::internal_prefix)) return "the loader's own column";
    if (column.flag("variant")) {
        const std::string_view origin = schema::origin_of_variant(column.name());
        const schema::Column* of = table.find(origin);
        if (of != nullptr && of->is_complete()) {
            return fmt::format("values did not fit \"{}\", which is {}: they are kept here, as {}", origin, type_text(*of), type_text(column));
        }
        return fmt::format("values did not fit another column's type: they are kept here, as {}", type_text(column));
    }
    // A type that was there before any data came was declared.
    for (const SchemaVersion& version : history) {
        const schema::Table* then = version.schema.find(table.name());
        if (then == nullptr || then->find(column.name()) == nullptr) continue;
        if (!then->find(column.name())->is_complete()) return fmt::format("a hint named the column; the first value made it {}", type_text(column));
        break;
    }
    if (column.precision() || column.flag("primary_key") || column.flag("merge_key")) {
        return fmt::format("{}, with hints given for the column", type_text(column));
    }
    return fmt::format("the first value that was not null made it {}", type_text(column));
}

}  // namespace tipple::cli
