#include "tipple/project/resource_hints.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <memory>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/json/path.h"
#include "tipple/schema/column_hint.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::project {

using config::Node;
using config::Problems;
using config::TableReader;

namespace {

const std::vector<std::pair<std::string, schema::Disposition>> dispositions = {
    {"append", schema::Disposition::append}, {"replace", schema::Disposition::replace}, {"merge", schema::Disposition::merge}, {"skip", schema::Disposition::skip}};

/// Throwing readers of single values, with the place of the value added to what they say.
template <typename Read>
void guarded(const Node& node, Problems& problems, Read&& read) {
    try {
        read();
    } catch (const Error& error) {
        problems.add(node.place, error.what());
    }
}

void read_disposition(TableReader& reader, extract::ResourceHints& hints, Problems& problems) {
    const Node* node = reader.find("disposition");
    if (node != nullptr && node->is_table()) {
        guarded(*node, problems, [&] {
            const json::Value object = config::to_json(*node);
            const json::Value* name = object.as_object().find("disposition");
            hints.disposition = name != nullptr && name->is_text() ? schema::find_disposition(name->as_text()) : std::nullopt;
            if (!hints.disposition) throw Error(ErrorKind::usage, "a table of \"disposition\" needs disposition = \"merge\" and a strategy");
            if (*hints.disposition == schema::Disposition::merge) hints.merge = schema::parse_merge_options(object.as_object());
        });
    } else {
        hints.disposition = reader.one_of("disposition", dispositions);
    }
    const std::optional<std::string> strategy = reader.text("strategy");
    if (!strategy) return;
    guarded(*reader.find("strategy"), problems, [&] { hints.merge.strategy = schema::require_merge_strategy(*strategy); });
    if (!hints.disposition) hints.disposition = schema::Disposition::merge;
    if (*hints.disposition != schema::Disposition::merge) reader.problem("strategy", "\"strategy\" is for disposition = \"merge\"");
}

void read_table(TableReader& reader, extract::ResourceHints& hints, Problems& problems) {
    const Node* node = reader.find("table");
    if (node == nullptr || !node->is_table()) {
        hints.table = reader.text("table");
        return;
    }
    TableReader by(*node, "\"table\"", problems);
    const std::optional<std::string> field = by.text("field");
    if (!field) by.problem("field", "\"field\" is missing: the field of each record that names its table");
    hints.table_by = {.field = field.value_or(""), .prefix = by.text("prefix").value_or("")};
    by.refuse_others();
}

/// `type` is the short name of `data_type`.
json::Object column_object(const Node& node) {
    json::Object object;
    const json::Value all = config::to_json(node);
    for (const json::Member& member : all.as_object()) object.set(member.name == "type" ? "data_type" : member.name, member.value);
    return object;
}

void read_columns(TableReader& reader, extract::ResourceHints& hints, Problems& problems) {
    const Node* node = reader.find("columns");
    if (node == nullptr) return;
    const auto add_text = [&](const Node& at, const std::string& text) {
        guarded(at, problems, [&] { schema::add_column_hint(schema::parse_column_hint(text), text, hints.columns, hints.nested); });
    };
    for (const Node& item : node->items) {
        if (item.kind == Node::Kind::text) {
            add_text(item, item.value.as_text());
        } else {
            problems.add(item.place, "a column in a list is a text such as \"amount:decimal(10,2)\"");
        }
    }
    for (const auto& [name, column] : node->members) {
        if (column.is_table()) {
            guarded(column, problems, [&] { hints.columns.emplace_back(name, column_object(column)); });
        } else {
            add_text(column, fmt::format("{}:{}", name, config::scalar_text(column)));
        }
    }
    if (node->is_scalar()) reader.problem("columns", "\"columns\" must be a table such as { amount = \"decimal(10,2)\" }, or a list");
}

/// A bound as TOML types it; texts are turned into what the records have later.
schema::Value bound_value(const Node& node) {
    if (node.kind == Node::Kind::integer) return node.value.as_int();
    if (node.kind == Node::Kind::number) return node.value.as_double();
    const std::string text = config::scalar_text(node);
    if (node.kind == Node::Kind::date) {
        if (const auto date = schema::date_from_text(text)) return *date;
    }
    if (node.kind == Node::Kind::timestamp) {
        if (const auto timestamp = schema::timestamp_from_text(text)) return *timestamp;
    }
    return text;
}

void read_lag(TableReader& reader, incremental::Spec& spec) {
    const Node* node = reader.find("lag");
    if (node == nullptr) return;
    if (node->kind == Node::Kind::integer || node->kind == Node::Kind::number) {
        spec.lag = node->value.as_double();
        return;
    }
    const std::optional<std::string> text = reader.text("lag");
    // On a command line, numbers are texts.
    double number = 0;
    const char* end = text ? text->data() + text->size() : nullptr;
    if (const auto [stop, error] = std::from_chars(text ? text->data() : nullptr, end, number); text && error == std::errc() && stop == end && std::isfinite(number)) {
        spec.lag = number;
        return;
    }
    spec.lag = text ? parse_duration_seconds(*text) : std::nullopt;
    spec.is_lag_in_seconds = spec.lag.has_value();
    if (text && !spec.lag) reader.problem("lag", fmt::format("\"lag\" must be a number or a time such as 30s, 5m, 2h or 1d, not \"{}\"", excerpt(*text)));
}

/// `[)` and the like: whether records exactly at start and end are read.
void read_range(TableReader& reader, incremental::Spec& spec) {
    const std::optional<std::string> range = reader.text("range");
    if (!range) return;
    const bool is_known = range->size() == 2 && ((*range)[0] == '[' || (*range)[0] == '(') && ((*range)[1] == ']' || (*range)[1] == ')');
    if (!is_known) {
        reader.problem("range", "\"range\" is one of \"[)\", \"[]\", \"()\", \"(]\": a square bracket lets records exactly at that end in");
        return;
    }
    spec.range_start = (*range)[0] == '[' ? incremental::Range::closed : incremental::Range::open;
    spec.range_end = (*range)[1] == ']' ? incremental::Range::closed : incremental::Range::open;
}

void read_bound(TableReader& reader, const char* name, schema::Value& bound) {
    const Node* node = reader.find(name);
    if (node == nullptr) return;
    if (node->is_scalar()) {
        bound = bound_value(*node);
    } else {
        reader.problem(name, fmt::format("\"{}\" must be a number, a text or a date", name));
    }
}

void read_checkpoint(TableReader& reader, extract::ResourceHints& hints) {
    const Node* node = reader.find("checkpoint");
    if (node == nullptr) return;
    hints.checkpoint = node->is_scalar() ? extract::parse_checkpoint(config::scalar_text(*node)) : std::nullopt;
    if (!hints.checkpoint) reader.problem("checkpoint", "\"checkpoint\" must be a number of records, or a time such as \"10m\", after which what was read is committed");
}

void read_delete_missing(TableReader& reader, extract::ResourceHints& hints, Problems& problems) {
    const std::optional<std::string> mode = reader.text("delete_missing");
    const Node* limit = reader.find("max_delete");
    const std::optional<bool> allows_empty = reader.boolean("allow_empty");
    schema::DeleteMissing missing{.allows_empty = allows_empty.value_or(false)};
    if (limit != nullptr && limit->is_scalar()) {
        guarded(*limit, problems, [&] { missing.limit = schema::DeleteLimit::parse(config::scalar_text(*limit)); });
    } else if (limit != nullptr) {
        reader.problem("max_delete", "\"max_delete\" must be a share such as \"10%\", or a number of rows");
    }
    if (!mode) {
        if (limit != nullptr) reader.problem("max_delete", "\"max_delete\" is for delete_missing = \"soft\" or \"hard\"");
        if (allows_empty) reader.problem("allow_empty", "\"allow_empty\" is for delete_missing = \"soft\" or \"hard\"");
        return;
    }
    guarded(*reader.find("delete_missing"), problems, [&] { missing.mode = schema::require_delete_mode(*mode); });
    hints.delete_missing = missing;
}

/// Which records are read, and when.
void read_selection(TableReader& reader, const std::string& what, extract::ResourceHints& hints, Problems& problems, SourceKeys of_source) {
    if (!of_source.has_where) {
        if (const std::optional<std::string> where = reader.text("where")) {
            guarded(*reader.find("where"), problems, [&] { hints.where = std::make_shared<const extract::Condition>(extract::Condition::parse(*where, "where")); });
        }
    }
    if (!of_source.has_steps) {
        if (const Node* steps = reader.find("steps")) {
            hints.steps = std::make_shared<const std::vector<extract::Step>>(extract::read_steps(*steps, what, json::Path::Dialect::plain, problems));
        }
    }
    if (const std::optional<std::int64_t> limit = reader.integer("limit")) hints.limit = static_cast<std::uint64_t>(*limit);
    hints.depends = reader.texts("depends").value_or(std::vector<std::string>());
    if (!hints.name.empty() && std::find(hints.depends.begin(), hints.depends.end(), hints.name) != hints.depends.end()) {
        reader.problem("depends", fmt::format("resource \"{}\" cannot depend on itself", hints.name));
    }
}

bool is_path(const std::string& text) {
    try {
        json::Path::parse(text);
        return true;
    } catch (const Error&) {
        return false;
    }
}

}  // namespace

std::optional<incremental::Spec> read_cursor(const Node& node, const std::string& what, Problems& problems) {
    using namespace incremental;
    Spec spec;
    spec.converts_bounds = true;
    if (node.kind == Node::Kind::text) {
        spec.cursor_path = node.value.as_text();
        return spec;
    }
    TableReader reader(node, what, problems);
    spec.cursor_path = reader.text("field").value_or("");
    if (spec.cursor_path.empty() || !is_path(spec.cursor_path)) {
        reader.problem("field", "\"field\" must be the name, or a path such as meta.updated_at, of what grows from record to record");
    }
    read_bound(reader, "start", spec.initial_value);
    read_bound(reader, "end", spec.end_value);
    spec.last_value_func = reader.one_of<LastValue>("function", {{"max", LastValue::max}, {"min", LastValue::min}}).value_or(LastValue::max);
    spec.row_order = reader.one_of<RowOrder>("order", {{"asc", RowOrder::asc}, {"desc", RowOrder::desc}, {"none", RowOrder::none}}).value_or(spec.row_order);
    const std::vector<std::pair<std::string, MissingCursor>> missing = {
        {"raise", MissingCursor::raise}, {"include", MissingCursor::include}, {"exclude", MissingCursor::exclude}};
    for (const char* name : {"on_missing", "on_null"}) {
        spec.on_cursor_value_missing = reader.one_of(name, missing).value_or(spec.on_cursor_value_missing);
    }
    spec.scope = reader.one_of<Scope>("scope", {{"resource", Scope::resource}, {"parent", Scope::parent}}).value_or(spec.scope);
    const std::vector<std::pair<std::string, schema::DataType>> types = {{"timestamp", schema::DataType::timestamp},
                                                                         {"date", schema::DataType::date},
                                                                         {"bigint", schema::DataType::bigint},
                                                                         {"double", schema::DataType::double_},
                                                                         {"text", schema::DataType::text}};
    spec.value_type = reader.one_of("type", types);
    read_lag(reader, spec);
    read_range(reader, spec);
    if (const Node* key = reader.find("primary_key")) {
        spec.primary_key = reader.texts("primary_key");
        spec.has_key_list = key->is_list();
    }
    reader.refuse_others();
    return spec;
}

extract::ResourceHints read_resource_hints(std::string name, const std::string& what, TableReader& reader, Problems& problems, SourceKeys of_source) {
    extract::ResourceHints hints;
    hints.name = std::move(name);
    hints.place = reader.table().place.text();
    hints.is_enabled = reader.boolean("enabled").value_or(true);
    read_table(reader, hints, problems);
    read_disposition(reader, hints, problems);
    hints.primary_key = reader.texts("primary_key");
    hints.merge_key = reader.texts("merge_key");
    read_columns(reader, hints, problems);
    if (const Node* contract = reader.find("contract")) {
        hints.schema_contract = config::to_json(*contract);
        guarded(*contract, problems, [&] { schema::parse_contract(hints.schema_contract); });
    }
    if (const std::optional<std::int64_t> levels = reader.integer("max_nesting")) {
        hints.max_nesting = static_cast<int>(std::min<std::int64_t>(*levels, limits::json_depth_max));
    }
    read_checkpoint(reader, hints);
    read_delete_missing(reader, hints, problems);
    read_selection(reader, what, hints, problems, of_source);
    const Node* cursor = reader.find("cursor");
    if (cursor != nullptr) hints.incremental = read_cursor(*cursor, "\"cursor\"", problems);
    const Node* key = reader.find("primary_key");
    if (hints.incremental && !hints.incremental->primary_key) hints.incremental->has_key_list = key != nullptr && key->is_list();
    return hints;
}

Node merge_defaults(const Node& defaults, const Node& own) {
    constexpr std::array<std::string_view, 8> merged = {"params", "headers", "json", "columns", "read", "reflect", "csv", "retry"};
    Node result = defaults;
    result.place = own.place;
    for (const auto& [name, value] : own.members) {
        const bool is_map = std::find(merged.begin(), merged.end(), name) != merged.end();
        if (value.kind == Node::Kind::text && value.value.as_text() == "!unset") {
            std::erase_if(result.members, [&](const auto& member) { return member.first == name; });
        } else if (is_map) {
            config::overlay(result[name], value);
        } else {
            result[name] = value;
        }
    }
    return result;
}

}  // namespace tipple::project
