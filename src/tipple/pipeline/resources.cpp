#include "tipple/pipeline/resources.h"

#include <algorithm>

namespace tipple::pipeline {

namespace {

using schema::Disposition;

/// Replaces the flag `hint` on all columns of the table by one on `names`; key columns must not be null unless the hints say otherwise.
void set_key(schema::Table& table, std::string_view hint, const std::vector<std::string>& names, const schema::NamingConvention& naming) {
    if (names.empty()) return;
    for (const std::string& old : table.columns_with(hint)) table.find(old)->erase_hint(hint);
    for (const std::string& name : names) {
        const std::string normalized = naming.normalize_path(name);
        schema::Column column = table.find(normalized) != nullptr ? *table.find(normalized) : schema::Column(normalized);
        if (column.hints().find("nullable") == nullptr) column.set_nullable(false);
        column.set_hint(hint, true);
        table.set_column(std::move(column));
    }
}

void set_columns(schema::Table& table, const std::vector<schema::Column>& columns, const schema::NamingConvention& naming) {
    for (const schema::Column& hints : columns) {
        const std::string name = naming.normalize_path(hints.name());
        schema::Column column = table.find(name) != nullptr ? *table.find(name) : schema::Column(name);
        for (const json::Member& hint : hints.hints()) column.set_hint(hint.name, hint.value);
        table.set_column(std::move(column));
    }
}

/// The rows below a merged table carry the id of their root row; the schema says so where the reference looks for it.
void propagate_root_id(schema::Schema& schema, const std::string& table) {
    json::Value& json = schema.normalizers()["json"];
    if (!json.is_object()) json = json::Object();
    json::Value& config = json.as_object()["config"];
    if (!config.is_object()) config = json::Object();
    json::Value& propagation = config.as_object()["propagation"];
    if (!propagation.is_object()) propagation = json::Object();
    json::Value& tables = propagation.as_object()["tables"];
    if (!tables.is_object()) tables = json::Object();
    tables.as_object().set(table, json::Object{{std::string(schema::id_column), std::string(schema::root_id_column)}});
}

bool has_root_id_column(const schema::Schema& schema, const std::string& root) {
    for (const schema::Table* table : schema.chain_of(root)) {
        const schema::Column* column = table->find(schema::root_id_column);
        if (column != nullptr && column->is_complete()) return true;
    }
    return false;
}

}  // namespace

std::vector<ActiveResource> declare_resources(std::vector<source::ResourceSpec> specs, const RunOptions& options,
                                              const schema::NamingConvention& naming, schema::Schema& schema) {
    std::vector<ActiveResource> resources;
    for (source::ResourceSpec& spec : specs) {
        if (options.disposition) spec.disposition = *options.disposition;
        if (options.primary_key) spec.primary_key = *options.primary_key;
        if (options.max_nesting) spec.max_nesting = options.max_nesting;
        const std::string name = naming.normalize_table_path(spec.table.empty() ? spec.name : spec.table);
        const schema::Table* known = schema.find(name);
        if (known != nullptr && known->is_nested()) {
            throw Error(ErrorKind::usage, "table \"{}\" exists already as a nested table of \"{}\"; choose another name with --as", name, known->parent());
        }
        schema::Table table = known != nullptr ? *known : schema::Table(name);
        table.set_property("write_disposition", std::string(schema::to_text(spec.disposition)));
        table.set_property("resource", spec.name);
        for (const json::Member& hint : spec.table_hints) table.set_property(hint.name, hint.value);
        if (spec.max_nesting) table.set_normalizer_hint("max_nesting", *spec.max_nesting);
        set_columns(table, spec.columns, naming);
        set_key(table, "primary_key", spec.primary_key, naming);
        set_key(table, "merge_key", spec.merge_key, naming);
        schema.set_table(std::move(table));
        if (spec.disposition == Disposition::merge || has_root_id_column(schema, name)) propagate_root_id(schema, name);
        resources.push_back({.spec = std::move(spec), .table = name, .disposition = schema.find(name)->disposition().value_or(Disposition::append)});
    }
    return resources;
}

namespace {

bool has_seen_data(const schema::Table& table) { return table.normalizer_hint("seen-data") == json::Value(true); }

}  // namespace

std::vector<package::TableLoad> plan_loads(const schema::Schema& schema, const std::vector<ActiveResource>& resources,
                                           const std::map<std::string, std::uint64_t>& rows) {
    std::vector<package::TableLoad> loads;
    for (const ActiveResource& resource : resources) {
        const bool is_listed = std::any_of(loads.begin(), loads.end(), [&](const auto& load) { return load.root == resource.table; });
        if (is_listed || resource.disposition == Disposition::skip) continue;
        package::TableLoad load{.root = resource.table, .disposition = resource.disposition, .tables = {}};
        bool has_rows = false;
        for (const schema::Table* table : schema.chain_of(resource.table)) {
            const bool got_rows = rows.contains(table->name());
            has_rows = has_rows || got_rows;
            // Tables of the chain that hold older rows take part in a replace or merge even without new ones.
            const bool is_affected = resource.disposition != Disposition::append && has_seen_data(*table) && table->has_complete_columns();
            if (got_rows || is_affected) load.tables.push_back(table->name());
        }
        const bool is_emptied = resource.disposition == Disposition::replace && !load.tables.empty();
        if (has_rows || is_emptied) loads.push_back(std::move(load));
    }
    return loads;
}

void mark_seen_data(schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows) {
    for (const auto& [name, count] : rows) {
        const schema::Table* table = schema.find(name);
        if (table == nullptr || has_seen_data(*table)) continue;
        schema::Table marked = *table;
        marked.set_normalizer_hint("seen-data", true);
        schema.set_table(std::move(marked));
    }
}

}  // namespace tipple::pipeline
