#include "tipple/schema/filters.h"

#include <algorithm>

#include "tipple/core/error.h"

namespace tipple::schema {

namespace {

std::vector<NameRule> read_rules(const json::Object& filters, std::string_view name, const Table& table) {
    std::vector<NameRule> rules;
    const json::Value* list = filters.find(name);
    if (list == nullptr || list->is_null()) return rules;
    const auto malformed = [&](std::string_view what, std::string_view is) {
        return Error(ErrorKind::usage, "{} of the filters of table \"{}\" must {}, not a {}", name, table.name(), what, is);
    };
    if (!list->is_array()) throw malformed("be a list", list->type_name());
    for (const json::Value& rule : list->as_array()) {
        if (!rule.is_text()) throw malformed("hold texts", rule.type_name());
        rules.emplace_back(rule.as_text());
    }
    return rules;
}

/// The parts of a name: what is between separators, if it is not blank.
std::vector<std::string_view> parts_of(std::string_view name, std::string_view separator) {
    std::vector<std::string_view> parts;
    while (true) {
        const std::size_t end = name.find(separator);
        const std::string_view part = name.substr(0, end);
        if (part.find_first_not_of(" \t\r\n") != std::string_view::npos) parts.push_back(part);
        if (end == std::string_view::npos) return parts;
        name.remove_prefix(end + separator.size());
    }
}

bool any_matches(const std::vector<NameRule>& rules, std::string_view path) {
    return std::any_of(rules.begin(), rules.end(), [&](const NameRule& rule) { return rule.matches(path); });
}

}  // namespace

Filters::Filters(const Schema& schema, std::string_view separator) : separator_(separator) {
    for (const auto& table : schema.tables()) {
        const json::Value* filters = table->properties().find("filters");
        if (filters == nullptr || filters->is_null()) continue;
        if (!filters->is_object()) {
            throw Error(ErrorKind::usage, "the filters of table \"{}\" must be an object, not a {}", table->name(), filters->type_name());
        }
        TableFilters rules{.table = table->name(),
                           .excludes = read_rules(filters->as_object(), "excludes", *table),
                           .includes = read_rules(filters->as_object(), "includes", *table)};
        if (!rules.excludes.empty()) tables_.push_back(std::move(rules));
    }
}

bool Filters::concern(std::string_view root) const {
    const auto is_at_or_below = [&](std::string_view name, std::string_view above) {
        return name == above || (name.starts_with(above) && name.substr(above.size()).starts_with(separator_));
    };
    return std::any_of(tables_.begin(), tables_.end(), [&](const TableFilters& rules) {
        return is_at_or_below(rules.table, root) || is_at_or_below(root, rules.table);
    });
}

bool Filters::leave_out(std::string_view table, std::string_view column) const {
    const std::vector<std::string_view> parts = parts_of(table, separator_);
    std::string above;
    for (std::size_t count = 1; count <= parts.size(); ++count) {
        if (count > 1) above += separator_;
        above += parts[count - 1];
        const auto rules = std::find_if(tables_.begin(), tables_.end(), [&](const TableFilters& each) { return each.table == above; });
        if (rules == tables_.end()) continue;
        std::string path;
        for (std::size_t i = count; i < parts.size(); ++i) (path += parts[i]) += separator_;
        path += column;
        if (any_matches(rules->excludes, path) && !any_matches(rules->includes, path)) return true;
    }
    return false;
}

}  // namespace tipple::schema
