#include "tipple/pipeline/resources.h"

#include <algorithm>

#include "tipple/core/text.h"
#include "tipple/pipeline/file_ledger.h"
#include "tipple/pipeline/quarantine.h"
#include "tipple/incremental/cursor.h"
#include "tipple/schema/contract.h"
#include "tipple/source/record_filter.h"

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
        // No key of the data becomes a column without a name.
        if (name.empty()) continue;
        schema::Column column = table.find(name) != nullptr ? *table.find(name) : schema::Column(name);
        for (const json::Member& hint : hints.hints()) column.set_hint(hint.name, hint.value);
        table.set_column(std::move(column));
    }
}

/// The column of the cursor is marked, and no other.
void mark_cursor(schema::Table& table, const extract::ResourceSpec& spec, const schema::NamingConvention& naming) {
    constexpr std::string_view hint = "incremental";
    const std::optional<std::string> field = spec.incremental ? incremental::cursor_field(*spec.incremental) : std::nullopt;
    if (!field) return;
    for (const std::string& old : table.columns_with(hint)) table.find(old)->erase_hint(hint);
    const std::string name = naming.normalize_path(*field);
    schema::Column column = table.find(name) != nullptr ? *table.find(name) : schema::Column(name);
    column.set_hint(hint, true);
    table.set_column(std::move(column));
}

json::Object& member_object(json::Object& object, std::string_view name) {
    json::Value& member = object[name];
    if (!member.is_object()) member = json::Object();
    return member.as_object();
}

json::Object& normalizer_config(schema::Schema& schema) { return member_object(member_object(schema.normalizers(), "json"), "config"); }

/// The rows below a merged table carry the id of their root row; the schema says so where the reference looks for it.
void propagate_root_id(schema::Schema& schema, const std::string& table) {
    json::Object& tables = member_object(member_object(normalizer_config(schema), "propagation"), "tables");
    tables.set(table, json::Object{{std::string(schema::id_column), std::string(schema::root_id_column)}});
}

/// What the source says of all its tables is said anew in each run.
void set_source_config(schema::Schema& schema, const DeclareContext& context) {
    const json::Value* json = schema.normalizers().find("json");
    const bool has_config = json != nullptr && json->is_object() && json->as_object().find("config") != nullptr;
    if (!has_config && !context.root_key && !context.max_nesting) return;
    json::Object& config = normalizer_config(schema);
    config.erase("root_key_propagation");
    config.erase("max_nesting");
    if (context.root_key) config.set("root_key_propagation", *context.root_key);
    if (context.max_nesting) config.set("max_nesting", *context.max_nesting);
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

/// What the contract says to a root table that may be new.
TableVerdict admit_table(const schema::Schema& schema, const schema::Table& table) {
    const schema::Table* known = schema.find(table.name());
    if (known != nullptr && known->has_complete_columns()) return TableVerdict::admitted;
    const schema::Contract contract = schema::contract_of(schema, &table);
    if (contract.tables == schema::ContractMode::freeze) {
        throw Error(ErrorKind::data, "the schema contract freezes tables, and table \"{}\" of resource \"{}\" would be new", table.name(), table.resource());
    }
    if (contract.tables == schema::ContractMode::quarantine) return TableVerdict::put_aside;
    return contract.tables == schema::ContractMode::evolve ? TableVerdict::admitted : TableVerdict::left_out;
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

namespace {

/// An empty contract changes nothing of what is stored.
bool says_nothing(const json::Value& contract) { return contract.is_null() || (contract.is_object() && contract.as_object().size() == 0); }

/// The hints of a resource, with those of the run on top.
schema::TableHints hints_of(const extract::ResourceSpec& spec, const RunOptions& options) {
    schema::TableHints hints{.disposition = options.disposition.value_or(spec.disposition),
                             .merge = options.disposition ? options.merge : spec.merge,
                             .primary_key = options.primary_key.value_or(spec.primary_key),
                             .merge_key = spec.merge_key,
                             .columns = spec.columns,
                             .schema_contract = options.schema_contract.is_null() ? spec.schema_contract : options.schema_contract,
                             .properties = spec.table_hints};
    hints.columns.insert(hints.columns.end(), options.columns.begin(), options.columns.end());
    return hints;
}

/// A column that is there keeps its type, and whether it takes nulls.
void set_declared(schema::Table& table, const std::vector<schema::Column>& declared, const schema::NamingConvention& naming) {
    std::vector<schema::Column> columns = declared;
    for (schema::Column& column : columns) {
        const schema::Column* known = table.find(naming.normalize_path(column.name()));
        if (known == nullptr || !known->is_complete()) continue;
        for (const char* hint : {"data_type", "precision", "scale", "timezone", "nullable"}) column.erase_hint(hint);
    }
    set_columns(table, columns, naming);
}

/// References to other tables, by the names that the destination has.
json::Value normalized_references(const json::Value& references, const schema::NamingConvention& naming) {
    json::Array normalized;
    for (const json::Value& reference : references.is_array() ? references.as_array() : json::Array()) {
        json::Object entry = reference.is_object() ? reference.as_object() : json::Object();
        for (json::Member& member : entry) {
            if (member.name == "referenced_table" && member.value.is_text()) member.value = table_name(member.value.as_text(), naming);
            if (!member.value.is_array()) continue;
            for (json::Value& column : member.value.as_array()) column = naming.normalize_path(column.as_text());
        }
        normalized.push_back(std::move(entry));
    }
    return normalized;
}

void apply_hints(schema::Table& table, const schema::TableHints& hints, const schema::NamingConvention& naming) {
    if (hints.disposition) table.set_property("write_disposition", std::string(schema::to_text(*hints.disposition)));
    for (const json::Member& hint : hints.properties) {
        table.set_property(hint.name, hint.name == "references" ? normalized_references(hint.value, naming) : hint.value);
    }
    set_columns(table, hints.columns, naming);
    set_key(table, "primary_key", hints.primary_key, naming);
    set_key(table, "merge_key", hints.merge_key, naming);
    if (hints.disposition == Disposition::merge) schema::set_merge_hints(table, hints.merge, naming);
    if (says_nothing(hints.schema_contract)) return;
    schema::parse_contract(hints.schema_contract);
    schema::store_contract(table.edit_properties(), hints.schema_contract);
}

/// Of a table that is open to new columns because it is new.
constexpr std::string_view first_run_hint = "evolve-columns-once";

/// In the reference the limit takes the place of what normalizing noted before: `seen-data` is back with the next rows, which counts as two
/// versions of the schema.
void limit_nesting(schema::Table& table, int levels) {
    table.erase_normalizer_hint("seen-data");
    table.set_normalizer_hint("max_nesting", levels);
}

/// A table that is new lets all columns in for the rest of its first run, whatever its contract says.
void open_if_new(const schema::Schema& schema, schema::Table& table) {
    const schema::Table* known = schema.find(table.name());
    const bool is_new = known == nullptr || !known->has_complete_columns();
    if (is_new && schema::contract_of(schema, &table).columns != schema::ContractMode::evolve) table.set_normalizer_hint(first_run_hint, true);
}

bool propagates(const schema::Schema& schema, const schema::Table& table, std::optional<bool> root_key) {
    const bool is_merged = needs_root_id(table) && root_key.value_or(true);
    return is_merged || root_key.value_or(false) || has_root_id_column(schema, table.name());
}

std::string nested_name(const std::string& root, const std::vector<std::string>& path, const schema::NamingConvention& naming) {
    std::vector<std::string> parts = {root};
    for (const std::string& key : path) parts.push_back(naming.normalize_path(key));
    return naming.join_path(parts);
}

/// The table that the rows of `path` are nested in: where the path has another one declared on its way, that one.
std::string parent_of(const schema::Schema& schema, const std::string& root, std::vector<std::string> path, const schema::NamingConvention& naming) {
    for (path.pop_back(); !path.empty(); path.pop_back()) {
        const std::string name = nested_name(root, path, naming);
        if (schema.find(name) != nullptr) return name;
    }
    return root;
}

void declare_nested(const extract::ResourceSpec& spec, const std::string& root, const RunOptions& options, const DeclareContext& context,
                    schema::Schema& schema) {
    std::vector<const schema::NestedHints*> ordered;
    for (const schema::NestedHints& nested : spec.nested) ordered.push_back(&nested);
    for (const schema::NestedHints& nested : options.nested) ordered.push_back(&nested);
    std::stable_sort(ordered.begin(), ordered.end(), [](const auto* a, const auto* b) { return a->path.size() < b->path.size(); });
    for (const schema::NestedHints* nested : ordered) {
        const std::string name = nested_name(root, nested->path, context.naming);
        const schema::Table* known = schema.find(name);
        schema::Table table = known != nullptr ? *known : schema::Table(name);
        const bool is_root = !nested->hints.primary_key.empty() || !nested->hints.merge_key.empty();
        if (is_root && known != nullptr && known->is_nested() && known->has_complete_columns()) {
            throw Error(ErrorKind::usage, "resource \"{}\": hints would make table \"{}\" a table of its own, but it holds rows nested in \"{}\"; "
                                          "load into another dataset, or leave the key out",
                        spec.name, name, known->parent());
        }
        if (is_root) {
            table.erase_property("parent");
            table.set_property("resource", spec.name);
        } else if (known == nullptr) {
            table.set_property("parent", parent_of(schema, root, nested->path, context.naming));
        }
        apply_hints(table, nested->hints, context.naming);
        if (is_root && !table.disposition()) table.set_property("write_disposition", std::string(schema::to_text(Disposition::append)));
        check_hint_changes(schema, table);
        open_if_new(schema, table);
        const bool propagates_root_id = is_root && propagates(schema, table, context.root_key);
        schema.set_table(std::move(table));
        if (propagates_root_id) propagate_root_id(schema, name);
    }
}

}  // namespace

bool has_limit(const extract::ResourceSpec& spec) { return spec.limit || spec.records_max; }

std::string place_prefix(const extract::ResourceSpec& spec) { return spec.place.empty() ? "" : spec.place + ": "; }

std::string table_name(std::string_view raw, const schema::NamingConvention& naming) { return naming.normalize_table_path(raw); }

TableVerdict declare_table(const extract::ResourceSpec& spec, std::string_view raw_name, const RunOptions& options, const DeclareContext& context,
                   schema::Schema& schema) {
    const schema::TableHints hints = hints_of(spec, options);
    if (hints.disposition == Disposition::skip) {
        throw Error(ErrorKind::usage, "resource \"{}\": the write disposition skip is for tables that the loader does not write", spec.name);
    }
    const std::string name = table_name(raw_name, context.naming);
    const schema::Table* known = schema.find(name);
    if (known != nullptr && known->is_nested()) {
        throw Error(ErrorKind::usage, "table \"{}\" exists already as a nested table of \"{}\"; choose another name with --as", name, known->parent());
    }
    schema::Table table = known != nullptr ? *known : schema::Table(name);
    table.set_property("resource", spec.name);
    const std::optional<int> max_nesting = options.max_nesting ? options.max_nesting : spec.max_nesting;
    if (max_nesting) limit_nesting(table, *max_nesting);
    set_declared(table, spec.declared, context.naming);
    apply_hints(table, hints, context.naming);
    mark_cursor(table, spec, context.naming);
    if (const TableVerdict verdict = admit_table(schema, table); verdict != TableVerdict::admitted) return verdict;
    check_hint_changes(schema, table);
    open_if_new(schema, table);
    const bool propagates_root_id = propagates(schema, table, context.root_key);
    schema.set_table(std::move(table));
    if (propagates_root_id) propagate_root_id(schema, name);
    declare_nested(spec, name, options, context, schema);
    return TableVerdict::admitted;
}

namespace {

/// A cursor moves to the furthest record that was loaded, and what a limit keeps from being read must lie behind it.
void check_limit(const extract::ResourceSpec& spec, const RunOptions& options) {
    if (!spec.records_max || !spec.incremental || options.is_dry_run) return;
    const incremental::Spec& cursor = *spec.incremental;
    const bool forgets = !cursor.end_value.is_null() || options.disposition.value_or(spec.disposition) == Disposition::replace;
    if (forgets || cursor.row_order == incremental::RowOrder::asc) return;
    throw Error(ErrorKind::usage, "{}resource \"{}\" has a cursor and a limit, but nothing says that its records come in the order of the cursor (order = \"asc\"): those that the "
                                  "limit leaves for later would be lost; leave the limit out, or try it with --dry-run",
                place_prefix(spec), spec.name);
}

/// Whether each parent can have a cursor of its own, as the user wants it.
void check_cursor_scope(const extract::ResourceSpec& spec, const RunOptions& options) {
    if (!spec.incremental || spec.incremental->scope == incremental::Scope::resource) return;
    if (!spec.has_parent) {
        throw Error(ErrorKind::usage, "resource \"{}\": its cursor has scope = \"parent\", but it is not read by the records of a parent; leave \"scope\" out", spec.name);
    }
    if ((options.limit || has_limit(spec)) && !options.is_dry_run) {
        throw Error(ErrorKind::usage, "{}resource \"{}\" keeps a cursor for each of its parents, and a limit would move them past records that are not loaded: give it max_pages instead, or "
                                      "try with --dry-run",
                    place_prefix(spec), spec.name);
    }
}

/// A ledger says which files were loaded whole.
void check_ledger_alone(const extract::ResourceSpec& spec, const RunOptions& options) {
    if (options.delete_missing || spec.delete_missing) {
        throw Error(ErrorKind::usage, "{}resource \"{}\" takes what it reads for all there is (delete_missing), but with a ledger it reads what is new; give state = \"none\"",
                    place_prefix(spec), spec.name);
    }
    if (spec.incremental) {
        throw Error(ErrorKind::usage, "{}resource \"{}\" has a cursor and a ledger of its files: records of files that come late would lie before the cursor and be lost; leave "
                                      "the cursor out, or give state = \"none\"",
                    place_prefix(spec), spec.name);
    }
    if (!options.is_dry_run && (options.limit || has_limit(spec))) {
        throw Error(ErrorKind::usage, "{}resource \"{}\" reads every file once and whole, and a limit would load a part of one: give it max_files or max_bytes instead, or try "
                                      "with --dry-run",
                    place_prefix(spec), spec.name);
    }
}

/// Conditions that would be refused at the first page. With `explode`, rows become records.
void check_conditions(const extract::ResourceSpec& spec) {
    if (!spec.comes_as_columns) return;
    if (spec.steps != nullptr) {
        if (std::any_of(spec.steps->begin(), spec.steps->end(), [](const extract::Step& step) { return !step.explode.empty(); })) return;
        for (const extract::Step& step : *spec.steps) {
            if (step.filter) extract::require_names(*step.filter, spec.name);
        }
    }
    if (spec.where != nullptr) extract::require_names(*spec.where, spec.name);
}

}  // namespace

void check_resource(const extract::ResourceSpec& spec, const RunOptions& options) {
    check_cursor_scope(spec, options);
    if (spec.incremental) incremental::check_function(*spec.incremental, spec.name);
    check_limit(spec, options);
    check_conditions(spec);
    if (spec.keeps_ledger) check_ledger_alone(spec, options);
}

std::vector<ActiveResource> declare_resources(std::vector<extract::ResourceSpec> specs, const RunOptions& options, const DeclareContext& context,
                                              schema::Schema& schema) {
    std::vector<ActiveResource> resources;
    if (!says_nothing(options.schema_contract)) schema::store_contract(schema.settings(), options.schema_contract);
    set_source_config(schema, context);
    for (extract::ResourceSpec& spec : specs) {
        check_resource(spec, options);
        ActiveResource resource{.spec = std::move(spec), .table = {}};
        resource.disposition = options.disposition.value_or(resource.spec.disposition);
        resource.delete_missing = options.delete_missing ? options.delete_missing : resource.spec.delete_missing;
        if (resource.delete_missing && options.delete_limit) resource.delete_missing->limit = *options.delete_limit;
        if (resource.delete_missing && options.allows_empty) resource.delete_missing->allows_empty = true;
        if (!resource.spec.table_by) {
            const std::string raw = resource.spec.table.empty() ? resource.spec.name : resource.spec.table;
            resource.table = table_name(raw, context.naming);
            const std::size_t known = schema.tables().size();
            const TableVerdict verdict = declare_table(resource.spec, raw, options, context, schema);
            resource.is_left_out = verdict == TableVerdict::left_out;
            resource.is_put_aside = verdict == TableVerdict::put_aside;
            for (std::size_t i = known; i < schema.tables().size(); ++i) resource.new_tables.push_back(schema.tables()[i]->name());
        }
        resources.push_back(std::move(resource));
    }
    return resources;
}

namespace {

bool has_seen_data(const schema::Table& table) { return table.normalizer_hint("seen-data") == json::Value(true); }

/// Whether rows have come in any run. Row ids are added to a table by its first rows and, unlike `seen-data`, stay.
bool may_hold_rows(const schema::Table& table) {
    const schema::Column* id = table.find(schema::id_column);
    return has_seen_data(table) || (id != nullptr && id->is_complete());
}

/// Root tables that records of the resource go to, in the order of the schema.
std::vector<const schema::Table*> tables_of(const schema::Schema& schema, const extract::ResourceSpec& spec) {
    std::vector<const schema::Table*> tables;
    for (const auto& table : schema.tables()) {
        if (!table->is_nested() && !table->is_internal() && table->resource() == spec.name) tables.push_back(table.get());
    }
    return tables;
}

/// What happens to a root table beside the rows that come.
struct RootPlan {
    bool is_emptied = false;
    std::optional<schema::DeleteMissing> delete_missing = {};
    std::optional<package::ReplacedRows> replaced = {};
};

/// The root table with those nested in it that got rows or, where older rows go, may hold some. Nothing when there is nothing to be done.
std::optional<package::TableLoad> plan_load(const schema::Schema& schema, const schema::Table& root, const std::map<std::string, std::uint64_t>& rows, RootPlan plan) {
    package::TableLoad load{.root = root.name(), .disposition = root.disposition().value_or(Disposition::append), .tables = {}, .delete_missing = plan.delete_missing};
    if (load.disposition != Disposition::replace) load.replaced = std::move(plan.replaced);
    bool has_rows = false;
    for (const schema::Table* table : schema.chain_of(root.name())) {
        const bool got_rows = rows.contains(table->name());
        has_rows = has_rows || got_rows;
        const bool is_affected = (load.disposition != Disposition::append || load.replaced) && may_hold_rows(*table) && table->has_complete_columns();
        if (got_rows || is_affected) load.tables.push_back(table->name());
    }
    const bool is_needed = has_rows || load.replaced || (plan.is_emptied && (load.disposition == Disposition::replace || plan.delete_missing));
    if (!is_needed || load.tables.empty()) return std::nullopt;
    return load;
}

/// Which rows of the table give way to those of changed files, whichever of the resources that fill it has read them.
std::optional<package::ReplacedRows> replaced_rows(std::span<const ActiveResource> resources, const schema::Table& table,
                                                   const std::map<std::string, std::vector<std::string>>& replaced, const schema::NamingConvention& naming) {
    package::ReplacedRows rows;
    for (const ActiveResource& resource : resources) {
        const bool is_ledger = table.name() == resource.ledger_table;
        const auto files = replaced.find(resource.ledger_table);
        if ((!is_ledger && table.name() != resource.table) || files == replaced.end()) continue;
        rows.column = is_ledger ? std::string(ledger_file_column) : naming.normalize_path(resource.spec.input_column);
        rows.values.insert(rows.values.end(), files->second.begin(), files->second.end());
    }
    return rows.values.empty() ? std::nullopt : std::optional(std::move(rows));
}

}  // namespace

std::vector<package::TableLoad> plan_loads(const schema::Schema& schema, std::span<const ActiveResource> resources, const std::map<std::string, std::uint64_t>& rows,
                                           const std::map<std::string, std::vector<std::string>>& replaced, const schema::NamingConvention& naming) {
    std::vector<package::TableLoad> loads;
    for (const ActiveResource& resource : resources) {
        if (resource.is_left_out) continue;
        const std::vector<const schema::Table*> tables = tables_of(schema, resource.spec);
        // A full snapshot that brings no record at all empties what the resource has loaded before. So does a replace, each table for itself.
        const bool is_empty = std::none_of(tables.begin(), tables.end(), [&](const schema::Table* table) {
            return !is_ledger(table->name()) && rows.contains(table->name());
        });
        for (const schema::Table* table : tables) {
            const bool is_listed = std::any_of(loads.begin(), loads.end(), [&](const auto& load) { return load.root == table->name(); });
            if (is_listed) continue;
            // A ledger has entries of what is new, whatever its resource's records are.
            const std::optional<schema::DeleteMissing> delete_missing = is_ledger(table->name()) ? std::nullopt : resource.delete_missing;
            const bool is_emptied = is_empty || (resource.disposition == Disposition::replace && !is_ledger(table->name()));
            RootPlan plan{.is_emptied = is_emptied, .delete_missing = delete_missing, .replaced = replaced_rows(resources, *table, replaced, naming)};
            if (std::optional<package::TableLoad> load = plan_load(schema, *table, rows, std::move(plan))) loads.push_back(std::move(*load));
        }
    }
    if (rows.contains(std::string(quarantine_table))) loads.push_back(*plan_load(schema, schema.require(quarantine_table), rows, {}));
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

void add_missing_flags(schema::Schema& schema, const std::vector<package::TableLoad>& loads) {
    for (const package::TableLoad& load : loads) {
        if (!load.delete_missing || load.delete_missing->mode != schema::DeleteMissing::Mode::soft) continue;
        for (const std::string& name : load.tables) {
            schema::Table table = schema.require(name);
            if (table.find(schema::deleted_at_column) != nullptr) continue;
            table.set_column(schema::Column(std::string(schema::deleted_at_column), json::Object{{"data_type", "timestamp"}, {"nullable", true}}));
            schema.set_table(std::move(table));
        }
    }
}

void restore_contracts(schema::Schema& schema, const schema::Schema& before) {
    schema::copy_contract(schema.settings(), before.settings());
    for (const auto& shared : std::vector(schema.tables())) {
        const schema::Table* old = before.find(shared->name());
        schema::Table table = *shared;
        schema::copy_contract(table.edit_properties(), old != nullptr ? old->properties() : json::Object());
        schema.set_table(std::move(table));
    }
}

void end_first_run(schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows, std::set<std::string>& ended) {
    for (const auto& [name, count] : rows) {
        const schema::Table* known = schema.find(name);
        if (known != nullptr && !known->normalizer_hint(first_run_hint).is_null()) ended.insert(name);
    }
    for (const std::string& name : ended) {
        schema::Table table = schema.require(name);
        table.erase_normalizer_hint(first_run_hint);
        schema.set_table(std::move(table));
    }
}

void go_on_with_first_run(schema::Schema& schema, const std::set<std::string>& ended) {
    for (const std::string& name : ended) {
        schema::Table table = schema.require(name);
        table.set_normalizer_hint(first_run_hint, true);
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
