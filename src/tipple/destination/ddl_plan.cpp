#include <algorithm>
#include <cctype>
#include <set>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/destination.h"

namespace tipple::destination {

std::string NameRule::key(std::string_view name) const {
    std::string key(name);
    // Stores fold ASCII letters only; other letters of two cases stay different names.
    if (!is_case_sensitive) {
        std::transform(key.begin(), key.end(), key.begin(), [](unsigned char c) {
            return static_cast<char>(c < 0x80 ? std::tolower(c) : c);
        });
    }
    return key;
}

const std::vector<CatalogColumn>* Catalog::find(std::string_view table) const {
    const auto found = tables.find(table);
    return found == tables.end() ? nullptr : &found->second;
}

const std::vector<CatalogColumn>* Catalog::find(std::string_view table,
                                                const NameRule& rule) const {
    if (const auto* exact = find(table)) return exact;
    if (rule.is_case_sensitive) return nullptr;
    const std::string key = rule.key(table);
    for (const auto& [name, columns] : tables) {
        if (rule.key(name) == key) return &columns;
    }
    return nullptr;
}

bool Catalog::has_column(std::string_view table, std::string_view column, const NameRule& rule) const {
    const std::vector<CatalogColumn>* columns = find(table, rule);
    return columns != nullptr && std::any_of(columns->begin(), columns->end(), [&](const CatalogColumn& known) { return rule.key(known.name) == rule.key(column); });
}

namespace {

void check_length(std::string_view name, std::string_view what, const Capabilities& capabilities) {
    const bool counts_bytes = capabilities.counts_identifier_bytes;
    if ((counts_bytes ? name.size() : utf8_length(name)) <= capabilities.identifier_length_max) return;
    throw Error(ErrorKind::usage, "the name of {} \"{}\" is longer than the {} {} the destination takes", what, excerpt(name),
                capabilities.identifier_length_max, counts_bytes ? "bytes" : "characters");
}

/// The complete columns. Two of them must not be one column for the store: a value of one would go
/// into the other.
std::vector<schema::Column> columns_to_store(const schema::Table& table,
                                             const Capabilities& capabilities) {
    const NameRule rule{capabilities.is_case_sensitive};
    std::map<std::string, std::string> seen;
    std::vector<schema::Column> columns;
    for (const schema::Column& column : table.columns()) {
        if (!column.is_complete()) continue;
        check_length(column.name(), "column", capabilities);
        const auto [first, is_new] = seen.emplace(rule.key(column.name()), column.name());
        if (!is_new) {
            throw Error(ErrorKind::usage,
                        "columns \"{}\" and \"{}\" of table \"{}\" differ in case only, which is "
                        "one name for the "
                        "destination; rename one of them",
                        first->second, column.name(), table.name());
        }
        columns.push_back(column);
    }
    return columns;
}

}  // namespace

DdlPlan plan_ddl(const schema::Schema& schema, const std::vector<std::string>& tables,
                 const Catalog& catalog, const Capabilities& capabilities,
                 const std::vector<package::WidenedColumn>& widened) {
    const NameRule rule{capabilities.is_case_sensitive};
    std::map<std::string, std::string> seen;
    DdlPlan plan;
    for (const std::string& name : tables) {
        const schema::Table& table = schema.require(name);
        if (!table.has_complete_columns()) continue;
        check_length(name, "table", capabilities);
        const auto [first, is_new] = seen.emplace(rule.key(name), name);
        if (!is_new) {
            if (first->second == name) continue;
            throw Error(ErrorKind::usage,
                        "tables \"{}\" and \"{}\" differ in case only, which is one name for the "
                        "destination; rename "
                        "one of them",
                        first->second, name);
        }
        std::vector<schema::Column> columns = columns_to_store(table, capabilities);
        const std::vector<CatalogColumn>* existing = catalog.find(name, rule);
        if (existing == nullptr) {
            schema::Table created(name);
            for (const json::Member& property : table.properties())
                created.set_property(property.name, property.value);
            for (schema::Column& column : columns) created.set_column(std::move(column));
            plan.create.push_back(std::move(created));
            continue;
        }
        std::set<std::string> known;
        for (const CatalogColumn& column : *existing) known.insert(rule.key(column.name));
        DdlPlan::AddColumns addition{.table = name, .columns = {}};
        for (schema::Column& column : columns) {
            if (known.contains(rule.key(column.name()))) continue;
            if (!capabilities.adds_not_null_columns) column.set_nullable(true);
            addition.columns.push_back(std::move(column));
        }
        if (!addition.columns.empty()) plan.add.push_back(std::move(addition));
    }
    for (const package::WidenedColumn& each : widened) {
        const std::vector<CatalogColumn>* existing = catalog.find(each.table, rule);
        const bool is_there = existing != nullptr && std::any_of(existing->begin(), existing->end(), [&](const CatalogColumn& column) {
            return rule.key(column.name) == rule.key(each.column);
        });
        if (is_there) plan.widen.push_back({each.table, *schema.require(each.table).find(each.column), each.from});
    }
    return plan;
}

}  // namespace tipple::destination
