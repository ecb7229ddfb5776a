#include <fmt/format.h>

#include <algorithm>
#include <cstdio>
#include <map>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "cli/schema_text.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

/// When each column appeared: the first stored schema that has it, and the load that came with it.
class Additions {
public:
    explicit Additions(destination::Destination& destination) {
        const destination::QueryResult result = destination.query(
            fmt::format("SELECT v.schema, min(l.load_id) FROM {} v LEFT JOIN {} l ON l.schema_version_hash = v.version_hash "
                        "GROUP BY v.schema, v.inserted_at ORDER BY v.inserted_at",
                        destination.quote_table("_dlt_version"), destination.quote_table("_dlt_loads")),
            {});
        for (const destination::QueryRow& row : result.rows) {
            json::Value document;
            if (!row[0] || !json::try_parse(*row[0], document) || !document.is_object()) continue;
            const json::Value* tables = document.as_object().find("tables");
            if (tables == nullptr || !tables->is_object()) continue;
            for (const json::Member& table : tables->as_object()) add(table, row[1].value_or(""));
        }
    }

    std::string load_of(const std::string& table, const std::string& column) const {
        const auto at = loads_.find({table, column});
        return at == loads_.end() ? "" : at->second;
    }

private:
    void add(const json::Member& table, const std::string& load_id) {
        const json::Value* columns = table.value.is_object() ? table.value.as_object().find("columns") : nullptr;
        if (columns == nullptr || !columns->is_object()) return;
        for (const json::Member& column : columns->as_object()) {
            if (column.value.is_object() && column.value.as_object().find("data_type") != nullptr) {
                loads_.try_emplace({table.name, column.name}, load_id);
            }
        }
    }

    std::map<std::pair<std::string, std::string>, std::string> loads_;
};

std::string hints_text(const schema::Column& column) {
    std::vector<std::string> hints;
    for (const char* flag : {"primary_key", "merge_key", "unique", "row_key", "parent_key", "root_key", "variant", "hard_delete"}) {
        if (column.flag(flag)) hints.emplace_back(flag);
    }
    return join(hints, ", ");
}

std::string table_title(const schema::Schema& schema, const schema::Table& table, const Terminal& terminal) {
    std::string text = terminal.styled(Style::bold, table.name());
    if (table.is_nested()) {
        text += fmt::format("  nested in {} ({} = {}.{})", table.parent(), schema::parent_id_column, table.parent(), schema::id_column);
    } else {
        text += fmt::format("  {}", schema::to_text(schema.disposition_of(table)));
    }
    return text + "\n";
}

std::string text_output(const schema::Schema& schema, const std::vector<const schema::Table*>& tables, const Additions& additions,
                        const Terminal& terminal) {
    std::string out;
    for (const schema::Table* table : tables) {
        out += table_title(schema, *table, terminal);
        destination::QueryResult result;
        result.columns = {{"column", "VARCHAR"}, {"type", "VARCHAR"}, {"null", "VARCHAR"}, {"hints", "VARCHAR"}, {"added by load", "VARCHAR"}};
        for (const schema::Column& column : table->columns()) {
            result.rows.push_back({column.name(), type_text(column), column.is_nullable() ? "" : "not null", hints_text(column),
                                   additions.load_of(table->name(), column.name())});
        }
        out += format_table(result, terminal) + "\n";
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

}  // namespace

int run_schema(Program& program, const SchemaArguments& arguments) {
    const std::unique_ptr<destination::Destination> destination = open_target(program, arguments.target, arguments.dataset);
    const std::optional<destination::StoredDataset> stored = destination->read_dataset();
    if (!stored || stored->schemas.empty()) {
        throw Error(ErrorKind::usage, "{} holds no schema written by tipple or dlt{}", destination->description(),
                    arguments.dataset.empty() ? "; is it in another dataset? (--dataset)" : "");
    }
    const schema::Schema& schema = choose_schema(*stored, arguments.table);
    const std::vector<const schema::Table*> tables = choose_tables(schema, arguments.table);
    std::string out;
    if (program.global.is_json || arguments.output == "json") {
        out = json::to_text(document_of(schema, arguments.table), {.spacing = json::Spacing::pretty}) + "\n";
    } else if (arguments.output == "yaml") {
        out = to_yaml(document_of(schema, arguments.table));
    } else if (arguments.output == "sql") {
        for (const schema::Table* table : tables) out += destination->create_table_sql(*table) + "\n";
    } else {
        out = fmt::format("schema {}  version {}  {}\n\n", schema.name(), schema.version(), destination->description());
        out += text_output(schema, tables, Additions(*destination), program.terminal);
    }
    std::fwrite(out.data(), 1, out.size(), stdout);
    return exit_done;
}

}  // namespace tipple::cli
