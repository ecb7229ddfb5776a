#include "tipple/pipeline/resources.h"

#include <algorithm>

#include "tipple/core/text.h"
#include "tipple/schema/contract.h"

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

/// Rows below a merged row are found by the id of their root; those below versions of a row stay with their version for good.
bool needs_root_id(const schema::Table& root) {
    return root.disposition() == Disposition::merge && schema::merge_strategy_of(root) != schema::MergeStrategy::scd2;
}

bool has_root_id_column(const schema::Schema& schema, const std::string& root) {
    for (const schema::Table* table : schema.chain_of(root)) {
        const schema::Column* column = table->find(schema::root_id_column);
        if (column != nullptr && column->is_complete()) return true;
    }
    return false;
}

}  // namespace

namespace {

/// What the contract says to a root table that would be new. False = the resource is left out.
bool admit_table(const schema::Schema& schema, const schema::Table& table) {
    const schema::Table* known = schema.find(table.name());
    if (known != nullptr && known->has_complete_columns()) return true;
    const schema::Contract contract = schema::contract_of(schema, &table);
    if (contract.tables == schema::ContractMode::freeze) {
        throw Error(ErrorKind::data, "the schema contract freezes tables, and table \"{}\" of resource \"{}\" would be new", table.name(), table.resource());
    }
    return contract.tables == schema::ContractMode::evolve;
}

/// Hints that would change the type of a column with data are a matter of the contract too.
void check_hint_changes(const schema::Schema& schema, schema::Table& table) {
    const schema::Table* known = schema.find(table.name());
    const schema::ContractMode mode = schema::contract_of(schema, &table).data_type;
    if (known == nullptr || mode == schema::ContractMode::evolve) return;
    for (const schema::Column& old : known->columns()) {
        const schema::Column* column = table.find(old.name());
        if (!old.is_complete() || column == nullptr) continue;
        bool has_changed = false;
        for (const char* hint : {"data_type", "nullable", "precision", "scale", "timezone"}) {
            const json::Value* before = old.hints().find(hint);
            const json::Value* after = column->hints().find(hint);
            has_changed = has_changed || (after != nullptr && (before == nullptr || !(*before == *after)));
        }
        if (!has_changed) continue;
        if (mode == schema::ContractMode::freeze) {
            throw Error(ErrorKind::data, "table \"{}\", column \"{}\": the schema contract freezes data types, and a hint would change this one", table.name(),
                        old.name());
        }
        table.set_column(old);
    }
}

}  // namespace

std::vector<ActiveResource> declare_resources(std::vector<source::ResourceSpec> specs, const RunOptions& options,
                                              const schema::NamingConvention& naming, schema::Schema& schema) {
    std::vector<ActiveResource> resources;
    if (!options.schema_contract.is_null()) schema.settings().set("schema_contract", options.schema_contract);
    for (source::ResourceSpec& spec : specs) {
        if (options.disposition) {
            spec.disposition = *options.disposition;
            spec.merge = options.merge;
        }
        if (options.primary_key) spec.primary_key = *options.primary_key;
        if (options.max_nesting) spec.max_nesting = options.max_nesting;
        if (spec.disposition == Disposition::skip) {
            throw Error(ErrorKind::usage, "resource \"{}\": the write disposition skip is for tables that the loader does not write", spec.name);
        }
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
        if (spec.disposition == Disposition::merge) schema::set_merge_hints(table, spec.merge, naming);
        if (!options.schema_contract.is_null()) spec.schema_contract = options.schema_contract;
        if (!spec.schema_contract.is_null()) {
            schema::parse_contract(spec.schema_contract);
            table.set_property("schema_contract", spec.schema_contract);
        }
        if (!admit_table(schema, table)) continue;
        check_hint_changes(schema, table);
        const bool is_new = known == nullptr || !known->has_complete_columns();
        if (is_new && schema::contract_of(schema, &table).columns != schema::ContractMode::evolve) {
            table.set_normalizer_hint("evolve-columns-once", true);
        }
        schema.set_table(std::move(table));
        if (needs_root_id(*schema.find(name)) || has_root_id_column(schema, name)) propagate_root_id(schema, name);
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

void check_unbound_columns(const schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows) {
    for (const auto& [name, count] : rows) {
        const schema::Table& table = schema.require(name);
        std::vector<std::string> names;
        for (const schema::Column& column : table.columns()) {
            if (column.is_complete()) names.push_back(column.name());
        }
        for (const schema::Column& column : table.columns()) {
            if (column.is_complete() || column.is_nullable()) continue;
            const std::optional<std::string> near = did_you_mean(column.name(), names);
            throw Error(ErrorKind::data, "table \"{}\": column \"{}\" is {} and must not be null, but no record has a value for it{}", name, column.name(),
                        column.flag("primary_key") ? "a key" : "declared", near ? fmt::format("; did you mean \"{}\"?", *near) : "");
        }
    }
}

void end_first_run(schema::Schema& schema) {
    for (const auto& shared : std::vector(schema.tables())) {
        if (shared->normalizer_hint("evolve-columns-once").is_null()) continue;
        schema::Table table = *shared;
        table.erase_normalizer_hint("evolve-columns-once");
        schema.set_table(std::move(table));
    }
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
