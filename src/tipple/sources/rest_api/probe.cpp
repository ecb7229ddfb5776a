#include "tipple/sources/rest_api/probe.h"

#include <algorithm>
#include <array>
#include <set>

#include "tipple/core/text.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::sources::rest {

namespace {

constexpr std::array<std::string_view, 8> key_names = {"id", "uuid", "guid", "key", "number", "code", "slug", "name"};
/// The first ones tell of every change, the last ones only of new records.
constexpr std::array<std::string_view, 18> cursor_names = {"updated_at", "updatedAt",  "updated_on", "updated",    "modified_at", "modifiedAt", "modified",   "last_modified", "lastModified",
                                                           "lastmodifieddate", "last_updated", "changed_at", "timestamp", "created_at",  "createdAt",  "created_on", "created",       "date"};
constexpr std::size_t fields_shown_max = 12;

const char* type_of(const json::Value& value) {
    if (value.is_int() || value.is_uint()) return "bigint";
    if (value.is_double()) return "double";
    if (value.is_bool()) return "bool";
    if (value.is_array()) return "list";
    if (value.is_object()) return "object";
    return schema::parse_datetime(value.as_text()) ? "timestamp" : "text";
}

const json::Value* find(const json::Value& record, std::string_view name) {
    const json::Value* value = record.is_object() ? record.as_object().find(name) : nullptr;
    return value == nullptr || value->is_null() ? nullptr : value;
}

/// Fields of nested objects too, as paths.
void collect_paths(const json::Object& object, const std::string& prefix, std::vector<std::string>& paths) {
    for (const json::Member& member : object) {
        paths.push_back(prefix + member.name);
        if (prefix.empty() && member.value.is_object()) collect_paths(member.value.as_object(), member.name + ".", paths);
    }
}

bool identifies(const std::vector<json::Value>& records, std::string_view name) {
    std::set<std::string> seen;
    return std::all_of(records.begin(), records.end(), [&](const json::Value& record) {
        const json::Value* value = find(record, name);
        return value != nullptr && (value->is_text() || value->is_int()) && seen.insert(json::to_text(*value)).second;
    });
}

bool is_time(const json::Value& value) {
    // Seconds or milliseconds of this century.
    constexpr std::int64_t least = 946'684'800;
    return (value.is_text() && schema::parse_datetime(value.as_text())) || (value.is_int() && value.as_int() > least);
}

}  // namespace

void CollectingOutput::write(extract::Page page) {
    const auto& json = std::get<extract::JsonPage>(page);
    const std::string_view text(reinterpret_cast<const char*>(json.text.data()), json.size);
    for (std::size_t i = 0; i < json.record_starts.size(); ++i) {
        const std::size_t end = i + 1 < json.record_starts.size() ? json.record_starts[i + 1] : text.size();
        records_.push_back(json::parse(text.substr(json.record_starts[i], end - json.record_starts[i]), "a record"));
    }
}

std::string describe_fields(const std::vector<json::Value>& records) {
    std::vector<std::pair<std::string, const char*>> fields;
    for (const json::Value& record : records) {
        if (!record.is_object()) continue;
        for (const json::Member& member : record.as_object()) {
            if (member.value.is_null()) continue;
            const bool is_known = std::any_of(fields.begin(), fields.end(), [&](const auto& field) { return field.first == member.name; });
            if (!is_known) fields.emplace_back(member.name, type_of(member.value));
        }
    }
    std::vector<std::string> shown;
    for (const auto& [name, type] : fields) {
        if (shown.size() == fields_shown_max) break;
        shown.push_back(fmt::format("{} {}", excerpt(name), type));
    }
    if (fields.size() > shown.size()) shown.push_back(fmt::format("and {} more", fields.size() - shown.size()));
    return join(shown, ", ");
}

std::string suggest_key(const std::vector<json::Value>& records) {
    if (records.empty()) return {};
    const auto found = std::find_if(key_names.begin(), key_names.end(), [&](std::string_view name) { return identifies(records, name); });
    return found == key_names.end() ? "" : std::string(*found);
}

std::string suggest_cursor(const std::vector<json::Value>& records) {
    if (records.empty() || !records.front().is_object()) return {};
    std::vector<std::string> paths;
    collect_paths(records.front().as_object(), "", paths);
    for (const std::string_view wanted : cursor_names) {
        for (const std::string& path : paths) {
            const std::size_t dot = path.rfind('.');
            if (path.substr(dot == std::string::npos ? 0 : dot + 1) != wanted) continue;
            const bool is_good = std::all_of(records.begin(), records.end(), [&](const json::Value& record) {
                const json::Value* outer = dot == std::string::npos ? &record : find(record, path.substr(0, dot));
                const json::Value* value = outer != nullptr ? find(*outer, wanted) : nullptr;
                return value != nullptr && is_time(*value);
            });
            if (is_good) return path;
        }
    }
    return {};
}

}  // namespace tipple::sources::rest
