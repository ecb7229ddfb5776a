#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <utility>

#include "cli/column_origin.h"
#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "cli/schema_changes.h"
#include "cli/schema_diagram.h"
#include "cli/schema_history.h"
#include "cli/schema_text.h"
#include "tipple/core/text.h"
#include "tipple/schema/yaml.h"

namespace tipple::cli {

namespace {

void print(const std::string& text) { std::fwrite(text.data(), 1, text.size(), stdout); }

std::string hints_text(const schema::Column& column) {
    std::vector<std::string> hints;
    for (const char* flag : {"primary_key", "merge_key", "unique", "row_key", "parent_key", "root_key", "variant", "hard_delete"}) {
        if (column.flag(flag)) hints.emplace_back(flag);
    }
    return join(hints, ", ");
}

/// What whoever wrote the source says of it, when he does.
std::string description_line(const json::Object& properties) {
    const json::Value* description = properties.find("description");
    return description != nullptr && description->is_text() ? description->as_text() + "\n" : std::string();
}

std::string table_title(const schema::Schema& schema, const schema::Table& table, const Terminal& terminal) {
    std::string text = terminal.styled(Style::bold, table.name());
    if (table.is_nested()) {
        text += fmt::format("  nested in {} ({} = {}.{})", table.parent(), schema::parent_id_column, table.parent(), schema::id_column);
    } else {
        text += fmt::format("  {}", schema::to_text(schema.disposition_of(table)));
    }
    return text + "\n" + description_line(table.properties());
}

std::string text_output(const schema::Schema& schema, const std::vector<const schema::Table*>& tables,
                        const std::vector<SchemaVersion>& history, const Terminal& terminal) {
    std::string out;
    for (const schema::Table* table : tables) {
        out += table_title(schema, *table, terminal);
        destination::QueryResult result;
        result.columns = {{"column", "VARCHAR"}, {"type", "VARCHAR"}, {"null", "VARCHAR"}, {"hints", "VARCHAR"}, {"added by load", "VARCHAR"}};
        for (const schema::Column& column : table->columns()) {
            const SchemaVersion* added = version_that_added(history, table->name(), column.name());
            result.rows.push_back({column.name(), type_text(column), column.is_nullable() ? "" : "not null", hints_text(column),
                                   added == nullptr ? "" : added->load_id});
        }
        out += format_table(result, terminal, TableKind::named) + "\n";
    }
    return out;
}

const schema::Schema& choose_schema(const destination::StoredDataset& stored, const std::string& table) {
    const schema::Schema* chosen = nullptr;
    for (const auto& [name, schema] : stored.schemas) {
        if (table.empty() || schema.find(table) != nullptr) chosen = &schema;
    }
    return chosen != nullptr ? *chosen : stored.schemas.begin()->second;
}

std::vector<const schema::Table*> choose_tables(const schema::Schema& schema, const std::string& name) {
    std::vector<const schema::Table*> tables;
    std::vector<std::string> names;
    for (const auto& table : schema.tables()) {
        if (!table->is_internal()) names.push_back(table->name());
        if (name.empty() ? !table->is_internal() : table->name() == name) tables.push_back(table.get());
    }
    if (tables.empty() && !name.empty()) {
        const std::optional<std::string> near = did_you_mean(name, names);
        throw Error(ErrorKind::usage, "the schema \"{}\" has no table \"{}\"{}", schema.name(), name,
                    near ? fmt::format("; did you mean \"{}\"?", *near) : fmt::format("; tables: {}", join(names, ", ")));
    }
    return tables;
}

/// The document with only the chosen tables.
json::Object document_of(const schema::Schema& schema, const std::string& table) {
    json::Object document = schema.to_document();
    if (table.empty()) return document;
    json::Object only;
    const json::Value* tables = document.find("tables");
    only.set(table, *tables->as_object().find(table));
    return only;
}

void show(Program& program, const SchemaArguments& arguments, destination::Destination& destination, const destination::StoredDataset& stored) {
    const schema::Schema& schema = choose_schema(stored, arguments.table);
    const std::vector<const schema::Table*> tables = choose_tables(schema, arguments.table);
    std::string out;
    if (program.global.is_json || arguments.output == "json") {
        out = json::to_text(document_of(schema, arguments.table), {.spacing = json::Spacing::pretty}) + "\n";
    } else if (arguments.output == "yaml") {
        out = schema::to_yaml(document_of(schema, arguments.table));
    } else if (arguments.output == "sql") {
        for (const schema::Table* table : tables) out += destination.create_table_sql(*table) + "\n";
    } else if (arguments.output == "mermaid") {
        out = to_mermaid(tables);
    } else {
        out = fmt::format("schema {}  version {}  {}\n", schema.name(), schema.version(), destination.description());
        out += description_line(schema.extras()) + "\n";
        out += text_output(schema, tables, read_schema_history(destination, schema.name()), program.terminal);
    }
    print(out);
}

// ---- history and diff ----

std::vector<schema::Difference> changes_of(const std::vector<SchemaVersion>& history, std::size_t i) {
    const schema::Schema& after = history[i].schema;
    return schema::compare(i == 0 ? schema::Schema::make(after.name(), after.naming()) : history[i - 1].schema, after);
}

void show_history(Program& program, destination::Destination& destination, const destination::StoredDataset& stored) {
    json::Array versions;
    std::string out;
    for (const auto& [name, newest] : stored.schemas) {
        const std::vector<SchemaVersion> history = read_schema_history(destination, name);
        destination::QueryResult result;
        result.columns = {{"version", "BIGINT"}, {"stored at (UTC)", "VARCHAR"}, {"by load", "VARCHAR"}, {"changes", "VARCHAR"}};
        for (std::size_t i = 0; i < history.size(); ++i) {
            const std::vector<schema::Difference> changes = changes_of(history, i);
            result.rows.push_back(
                {std::to_string(history[i].schema.version()), history[i].inserted_at.substr(0, 19), history[i].load_id, summarize(changes)});
            json::Array list;
            for (const schema::Difference& change : changes) list.push_back(difference_object(change));
            versions.push_back(json::Object{{"schema", name},
                                            {"version", history[i].schema.version()},
                                            {"version_hash", history[i].schema.version_hash()},
                                            {"inserted_at", history[i].inserted_at},
                                            {"load_id", history[i].load_id},
                                            {"changes", std::move(list)}});
        }
        out += fmt::format("schema {}  {}\n\n{}\n", name, destination.description(), format_table(result, program.terminal));
    }
    print(program.global.is_json ? json::to_text(json::Object{{"v", 1}, {"versions", std::move(versions)}}) + "\n" : out);
}

const SchemaVersion& require_version(const std::vector<SchemaVersion>& history, const std::string& text) {
    std::vector<std::string> known;
    const SchemaVersion* found = nullptr;
    for (const SchemaVersion& version : history) {
        known.push_back(std::to_string(version.schema.version()));
        // A number may stand twice when two programs wrote the schema; the later one counts, a hash names each.
        if (known.back() == text || (text.size() >= 6 && version.schema.version_hash().starts_with(text))) found = &version;
    }
    if (found == nullptr) throw Error(ErrorKind::usage, "there is no version {} of the schema; versions: {}", text, join(known, ", "));
    return *found;
}

/// True when there are differences.
bool show_difference(Program& program, const SchemaArguments& arguments, destination::Destination& destination,
                     const destination::StoredDataset& stored) {
    const std::vector<SchemaVersion> history = read_schema_history(destination, choose_schema(stored, "").name());
    const SchemaVersion& after = arguments.version_b.empty() ? history.back() : require_version(history, arguments.version_b);
    const schema::Schema nothing = schema::Schema::make(after.schema.name(), after.schema.naming());
    const schema::Schema* before = &nothing;
    if (!arguments.version_a.empty()) {
        before = &require_version(history, arguments.version_a).schema;
    } else if (history.size() > 1) {
        before = &history[history.size() - 2].schema;
    }
    const std::vector<schema::Difference> differences = schema::compare(*before, after.schema);
    const std::string before_name = before == &nothing ? "nothing" : fmt::format("version {}", before->version());
    if (program.global.is_json) {
        json::Array list;
        for (const schema::Difference& difference : differences) list.push_back(difference_object(difference));
        print(json::to_text(json::Object{{"v", 1},
                                         {"schema", after.schema.name()},
                                         {"before", before == &nothing ? json::Value() : json::Value(before->version())},
                                         {"after", after.schema.version()},
                                         {"changes", std::move(list)}}) +
              "\n");
        return !differences.empty();
    }
    std::string out = fmt::format("schema {}  {} -> version {}: {}\n", after.schema.name(), before_name, after.schema.version(), summarize(differences));
    for (const schema::Difference& difference : differences) out += format_difference(difference, after.schema, program.terminal) + "\n";
    print(out);
    return !differences.empty();
}

// ---- blame ----

/// `table.column`; the table may be left out where only one has the column.
std::pair<const schema::Table*, const schema::Column*> find_column(const schema::Schema& schema, const std::string& text) {
    std::vector<std::pair<const schema::Table*, const schema::Column*>> found;
    std::vector<std::string> names;
    for (const schema::Table* table : choose_tables(schema, "")) {
        for (const schema::Column& column : table->columns()) {
            const std::string full = table->name() + "." + column.name();
            names.push_back(full);
            if (full == text) return {table, &column};
            if (column.name() == text) found.emplace_back(table, &column);
        }
    }
    if (found.size() == 1) return found.front();
    if (found.empty()) {
        const std::optional<std::string> near = did_you_mean(text, names);
        throw Error(ErrorKind::usage, "the schema \"{}\" has no column \"{}\"{}", schema.name(), text,
                    near ? fmt::format("; did you mean \"{}\"?", *near) : "; name it as TABLE.COLUMN");
    }
    std::vector<std::string> tables;
    for (const auto& [table, column] : found) tables.push_back(table->name() + "." + column->name());
    throw Error(ErrorKind::usage, "several tables have a column \"{}\": name one of {}", text, join(tables, ", "));
}

json::Value place_object(const json::Object& origin) {
    json::Object place;
    for (const char* name : {"source", "line", "byte_offset", "record", "value"}) {
        if (const json::Value* value = origin.find(name)) place.set(name, *value);
    }
    return place;
}

json::Object blame_object(const schema::Table& table, const schema::Column& column, const SchemaVersion* added, const ColumnOrigins& origins,
                          const std::string& why) {
    const bool has_place = origins.made && !place_text(*origins.made).empty();
    json::Array widened;
    for (const json::Object& origin : origins.widened) {
        widened.push_back(json::Object{{"load_id", *origin.find("load_id")}, {"data_type", *origin.find("data_type")}, {"first_record", place_object(origin)}});
    }
    return {{"v", 1},
            {"table", table.name()},
            {"column", column.name()},
            {"data_type", column.is_complete() ? json::Value(type_text(column)) : json::Value()},
            {"load_id", added == nullptr ? json::Value() : json::Value(added->load_id)},
            {"inserted_at", added == nullptr ? json::Value() : json::Value(added->inserted_at)},
            {"version", added == nullptr ? json::Value() : json::Value(added->schema.version())},
            {"first_record", has_place ? place_object(*origins.made) : json::Value()},
            {"widened", std::move(widened)},
            {"reason", why}};
}

std::string explain(const std::vector<SchemaVersion>& history, const schema::Table& table, const schema::Column& column, const ColumnOrigins& origins) {
    if (!column.is_complete()) return "every value so far was null: there is no such column yet";
    std::string why;
    if (!origins.widened.empty()) {
        why = reason_text(origins.widened.front(), column);
    } else if (origins.made) {
        why = reason_text(*origins.made, column);
    }
    return why.empty() ? explain_column(history, table, column) : why;
}

void show_blame(Program& program, const SchemaArguments& arguments, destination::Destination& destination,
                const destination::StoredDataset& stored) {
    const schema::Schema& schema = choose_schema(stored, "");
    const auto [table, column] = find_column(schema, arguments.column);
    const std::vector<SchemaVersion> history = read_schema_history(destination, schema.name());
    const SchemaVersion* added = column->is_complete() ? version_that_added(history, table->name(), column->name()) : nullptr;
    const ColumnOrigins origins = read_column_origins(program, arguments.target, arguments.dataset, schema.name(), table->name(), column->name());
    const std::string why = explain(history, *table, *column, origins);
    if (program.global.is_json) {
        print(json::to_text(blame_object(*table, *column, added, origins, why)) + "\n");
        return;
    }
    std::string out = fmt::format("{}  {}\n", program.terminal.styled(Style::bold, table->name() + "." + column->name()), type_text(*column));
    if (added != nullptr) {
        out += fmt::format("  added by load {}, schema version {}, {}\n", added->load_id.empty() ? "(not recorded)" : added->load_id,
                           added->schema.version(), added->inserted_at);
    }
    if (origins.made && !place_text(*origins.made).empty()) out += fmt::format("  first in {}\n", place_text(*origins.made));
    for (const json::Object& origin : origins.widened) {
        out += fmt::format("  made {} by load {}, for {}\n", origin.find("data_type")->as_text(), origin.find("load_id")->as_text(), place_text(origin));
    }
    print(out + "  " + why + "\n");
}

/// A first word that is neither an action nor a target was meant as one of both.
std::unique_ptr<destination::Destination> open_schema_target(Program& program, const SchemaArguments& arguments) {
    try {
        return open_target(program, arguments.target, arguments.dataset);
    } catch (const Error& error) {
        const bool may_be_action = error.kind() == ErrorKind::usage && arguments.action == SchemaAction::show && !arguments.table.empty();
        const std::vector<std::string> actions = {"history", "diff", "blame", "show"};
        const auto longer = std::find_if(actions.begin(), actions.end(), [&](const std::string& action) { return action.starts_with(arguments.target); });
        const std::optional<std::string> near = longer != actions.end() ? *longer : did_you_mean(arguments.target, actions);
        if (!may_be_action || !near) throw;
        throw Error(ErrorKind::usage, "\"{}\" is no action, did you mean {}? Nor is it a target: {}", arguments.target, *near, error.what());
    }
}

}  // namespace

int run_schema(Program& program, const SchemaArguments& arguments) {
    const std::unique_ptr<destination::Destination> destination = open_schema_target(program, arguments);
    const std::optional<destination::StoredDataset> stored = destination->read_dataset();
    if (!stored) require_there(program, arguments.target);
    if (!stored || stored->schemas.empty()) {
        throw Error(ErrorKind::usage, "{} holds no schema written by tipple or dlt{}", destination->description(),
                    arguments.dataset.empty() ? "; is it in another dataset? (--dataset)" : "");
    }
    switch (arguments.action) {
        case SchemaAction::show: show(program, arguments, *destination, *stored); break;
        case SchemaAction::history: show_history(program, *destination, *stored); break;
        case SchemaAction::blame: show_blame(program, arguments, *destination, *stored); break;
        case SchemaAction::diff:
            if (show_difference(program, arguments, *destination, *stored) && arguments.has_exit_code) return exit_changes;
            break;
    }
    return exit_done;
}

}  // namespace tipple::cli
