#include "tipple/destinations/filesystem/views.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destinations::filesystem {

namespace {

/// Making a view opens files, so it is done for those tables only that can be meant. Statements about the catalog mean all.
bool may_name(const std::string& lower_sql, const std::string& table) {
    if (table.find('"') != std::string::npos || lower_sql.find(lower(table)) != std::string::npos) return true;
    constexpr std::string_view catalogs[] = {"information_schema", "duckdb_", "show", "pragma", "sqlite_master"};
    return std::any_of(std::begin(catalogs), std::end(catalogs), [&](std::string_view catalog) { return lower_sql.find(catalog) != std::string::npos; });
}

std::vector<schema::Column> complete_columns(const schema::Table& table) {
    std::vector<schema::Column> columns;
    for (const schema::Column& column : table.columns()) {
        if (column.is_complete()) columns.push_back(column);
    }
    return columns;
}

void add_system_files(Tables& tables, const Dataset& dataset, const schema::Table& definition, const std::vector<SystemFile>& files) {
    tables.definitions.insert_or_assign(definition.name(), definition);
    for (const SystemFile& file : files) tables.files[definition.name()][Format::jsonl].emplace_back([&] { return dataset.local_path(file); });
}

}  // namespace

schema::Schema stored_schema(const Dataset& dataset, const SystemFile& file) {
    const json::Object stored = dataset.read_object(file);
    const json::Value* document = stored.find("schema");
    try {
        if (document == nullptr || !document->is_text()) throw Error(ErrorKind::corrupt, "it has no text \"schema\"");
        return schema::Schema::from_document(destination::decode_schema(document->as_text()));
    } catch (const Error& error) {
        throw error.with_context(dataset.path(file.path));
    }
}

std::map<std::string, schema::Schema, std::less<>> schemas_of(const Dataset& dataset, const Snapshot& snapshot) {
    std::map<std::string, schema::Schema, std::less<>> schemas;
    for (auto file = snapshot.schemas.rbegin(); file != snapshot.schemas.rend(); ++file) {
        if (!schemas.contains(file->owner)) schemas.emplace(file->owner, stored_schema(dataset, *file));
    }
    return schemas;
}

destination::StoredState stored_state(const Dataset& dataset, const SystemFile& file) {
    const json::Object row = dataset.read_object(file);
    const auto text = [&](std::string_view name) {
        const json::Value* value = row.find(name);
        if (value == nullptr || !value->is_text()) throw Error(ErrorKind::corrupt, "{}: it has no text \"{}\"", dataset.path(file.path), name);
        return value->as_text();
    };
    const json::Value* version = row.find("version");
    if (version == nullptr || !version->is_int()) throw Error(ErrorKind::corrupt, "{}: it has no number \"version\"", dataset.path(file.path));
    return {.version = version->as_int(), .version_hash = text("version_hash"), .load_id = file.id, .document = destination::decode_state(text("state"))};
}

Tables tables_of(const Dataset& dataset, const Snapshot& snapshot, const std::map<std::string, schema::Schema, std::less<>>& schemas) {
    Tables tables;
    for (const auto& [name, schema] : schemas) {
        for (const auto& table : schema.tables()) {
            if (!table->has_complete_columns()) continue;
            tables.definitions.insert_or_assign(table->name(), *table);
            const auto files = snapshot.files.find(table->name());
            if (files == snapshot.files.end()) continue;
            auto& by_format = tables.files[table->name()];
            by_format.clear();
            for (const DataFile& file : files->second) by_format[file.format].emplace_back([&] { return dataset.local_path(file.path); });
        }
    }
    add_system_files(tables, dataset, destination::version_table_definition(), snapshot.schemas);
    add_system_files(tables, dataset, destination::loads_table_definition(), snapshot.loads);
    add_system_files(tables, dataset, destination::state_table_definition(), snapshot.states);
    return tables;
}

std::string select_statement(const Tables& tables, const std::string& table, std::size_t line_bytes) {
    const auto definition = tables.definitions.find(table);
    if (definition == tables.definitions.end()) throw Error(ErrorKind::corrupt, "no schema of the dataset knows table \"{}\", of which there are files", table);
    const std::vector<schema::Column> columns = complete_columns(definition->second);
    const auto files = tables.files.find(table);
    if (files == tables.files.end()) return empty_statement(columns);
    std::vector<std::string> selects;
    for (const auto& [format, found] : files->second) {
        std::vector<std::string> paths;
        for (const Tables::File& file : found) paths.push_back(file());
        selects.push_back(read_statement(columns, format, paths, line_bytes));
    }
    return join(selects, " UNION ALL ");
}

void create_views(engine::Engine& engine, const Tables& tables, const std::string& dataset, std::string_view sql, std::size_t line_bytes) {
    const std::string schema = engine::quote_identifier(dataset);
    engine.execute(fmt::format("CREATE SCHEMA IF NOT EXISTS {0}; USE {0}", schema));
    const std::string lower_sql = lower(sql);
    for (const auto& [name, definition] : tables.definitions) {
        if (!may_name(lower_sql, name)) continue;
        engine.execute(fmt::format("CREATE VIEW {}.{} AS {}", schema, engine::quote_identifier(name), select_statement(tables, name, line_bytes)));
    }
}

}  // namespace tipple::destinations::filesystem
