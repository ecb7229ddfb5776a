#include "tipple/sources/sql/tables.h"

#include <algorithm>
#include <map>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/glob.h"
#include "tipple/schema/schema.h"

namespace tipple::sources::sql {

namespace {

bool is_default(const TableName& table, const std::string& default_schema) { return table.schema.empty() || table.schema == default_schema; }

bool is_called(const TableName& table, const std::string& name, const std::string& default_schema) {
    return full_name(table) == name || (is_default(table, default_schema) && table.name == name);
}

/// Tables of a dataset that tell what was loaded into it: they are made anew where its other tables go.
bool is_of_a_dataset(std::string_view name) {
    const std::string key = lower(name);
    return key.starts_with(schema::internal_prefix) || key.starts_with("_tipple_");
}

bool fits(const TableName& table, const std::string& pattern, const std::string& default_schema) {
    if (io::matches_wildcards(pattern, full_name(table))) return is_default(table, default_schema) || pattern.find('.') != std::string::npos;
    return is_default(table, default_schema) && io::matches_wildcards(pattern, table.name);
}

[[noreturn]] void fail_unknown(const ResourceSettings& resource, const std::vector<TableName>& tables, const std::string& default_schema) {
    std::vector<std::string> names;
    for (const TableName& table : tables) {
        if (is_default(table, default_schema)) names.push_back(table.name);
        if (!table.schema.empty()) names.push_back(full_name(table));
    }
    const std::optional<std::string> near = did_you_mean(resource.from, names);
    constexpr std::size_t listed_max = 20;
    const bool are_many = names.size() > listed_max;
    names.resize(std::min(names.size(), listed_max));
    const std::string hint = near            ? fmt::format("did you mean \"{}\"?", *near)
                             : names.empty() ? std::string("there are none that can be seen")
                                             : fmt::format("there are: {}{}", join(names, ", "), are_many ? ", …" : "");
    throw Error(ErrorKind::usage, "{} \"{}\"; {}", resource.is_pattern() ? "no table fits" : "there is no table", excerpt(resource.from), hint);
}

/// What stands for the table, or nullptr.
const ResourceSettings* find_pattern(const std::vector<ResourceSettings>& resources, const TableName& table, const std::string& default_schema) {
    const ResourceSettings* found = nullptr;
    for (const ResourceSettings& resource : resources) {
        if (!resource.is_exclusion && !resource.is_pattern()) continue;
        const bool is_meant = resource.is_pattern() ? fits(table, resource.from, default_schema) : is_called(table, resource.from, default_schema);
        if (!is_meant || (table.is_view && !resource.has_views && !resource.is_exclusion)) continue;
        if (resource.is_exclusion) return nullptr;
        found = &resource;
    }
    return found;
}

std::string resource_name(const ResourceSettings& settings, const TableName& table, const std::string& default_schema) {
    const bool has_own_name = !settings.query.empty() || (!settings.is_pattern() && settings.name != settings.from);
    if (has_own_name) return settings.name;
    return is_default(table, default_schema) ? table.name : full_name(table);
}

void check_names(const std::vector<ChosenTable>& chosen) {
    std::map<std::string, const ChosenTable*> names;
    for (const ChosenTable& table : chosen) {
        if (is_of_a_dataset(table.name)) {
            throw Error(ErrorKind::usage, "\"{}\" is a name of tables that tell what was loaded; give it a resource of another name, with from = \"{}\"", table.name,
                        full_name(table.table));
        }
        // A destination that makes no difference between them would get one table out of two.
        const auto [other, is_new] = names.try_emplace(lower(table.name), &table);
        if (is_new) continue;
        throw Error(ErrorKind::usage, "\"{}\" and \"{}\" would both fill the table \"{}\"; give one of them a resource of another name, with from = \"{}\"",
                    full_name(other->second->table), full_name(table.table), other->first, full_name(table.table));
    }
}

}  // namespace

std::string full_name(const TableName& table) { return table.schema.empty() ? table.name : table.schema + "." + table.name; }

std::vector<ChosenTable> choose_tables(const std::vector<ResourceSettings>& resources, const std::vector<TableName>& tables, const std::string& default_schema) {
    for (const ResourceSettings& resource : resources) {
        if (!resource.query.empty() || resource.is_exclusion) continue;
        const bool is_there = std::any_of(tables.begin(), tables.end(), [&](const TableName& table) {
            return resource.is_pattern() ? fits(table, resource.from, default_schema) : is_called(table, resource.from, default_schema);
        });
        if (!is_there) fail_unknown(resource, tables, default_schema);
    }
    std::vector<ChosenTable> chosen;
    const auto add = [&](const ResourceSettings& settings, const TableName& table) {
        chosen.push_back({.settings = &settings, .table = table, .name = resource_name(settings, table, default_schema)});
    };
    for (const TableName& table : tables) {
        bool is_named = false;
        for (const ResourceSettings& resource : resources) {
            if (!resource.query.empty() || resource.is_exclusion || resource.is_pattern() || !is_called(table, resource.from, default_schema)) continue;
            add(resource, table);
            is_named = true;
        }
        if (is_named || is_of_a_dataset(table.name)) continue;
        if (const ResourceSettings* pattern = find_pattern(resources, table, default_schema)) add(*pattern, table);
    }
    for (const ResourceSettings& resource : resources) {
        if (!resource.query.empty()) add(resource, {});
    }
    check_names(chosen);
    return chosen;
}

}  // namespace tipple::sources::sql
