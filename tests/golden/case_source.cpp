#include "case_source.h"

#include <algorithm>
#include <cmath>
#include <limits>
#include <set>

#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::golden {

namespace {

/// `{"$decimal": "1.50"}` and the like: the name behind the dollar, or nothing. `{"$ref": …}` is data like any other.
std::string typed_kind(const json::Value& value) {
    static const std::set<std::string_view> kinds = {"$decimal", "$wei", "$datetime", "$date", "$time", "$uuid", "$double", "$bytes"};
    if (!value.is_object() || value.as_object().size() != 1) return {};
    const json::Member& member = *value.as_object().begin();
    return kinds.contains(member.name) && member.value.is_text() ? member.name.substr(1) : std::string();
}

bool has_typed_values(const json::Value& value) {
    if (!typed_kind(value).empty()) return true;
    if (value.is_array()) return std::any_of(value.as_array().begin(), value.as_array().end(), has_typed_values);
    if (value.is_object()) {
        return std::any_of(value.as_object().begin(), value.as_object().end(),
                           [](const json::Member& member) { return has_typed_values(member.value); });
    }
    return false;
}

double special_double(const std::string& text) {
    if (text == "nan") return std::numeric_limits<double>::quiet_NaN();
    return text == "inf" ? std::numeric_limits<double>::infinity() : -std::numeric_limits<double>::infinity();
}

schema::Value typed_value(const std::string& kind, const std::string& text) {
    if (kind == "decimal") return *schema::parse_decimal(text);
    if (kind == "wei") return schema::Wei{*schema::parse_decimal(text)};
    if (kind == "datetime") {
        schema::Timestamp timestamp = *schema::timestamp_from_text(text);
        timestamp.offset_seconds = schema::parse_datetime(text)->offset_seconds.value_or(0);
        return timestamp;
    }
    if (kind == "date") return *schema::date_from_text(text);
    if (kind == "time") return *schema::time_from_text(text);
    if (kind == "uuid") return text;
    if (kind == "double") return special_double(text);
    if (kind == "bytes") {
        schema::Binary binary;
        TIPPLE_ASSERT(try_parse_base64(text, binary.bytes));
        return binary;
    }
    throw_bug("a kind that typed_kind does not know", __FILE__, __LINE__);
}

schema::Value to_typed(const json::Value& value) {
    if (const std::string kind = typed_kind(value); !kind.empty()) return typed_value(kind, value.as_object().begin()->value.as_text());
    if (value.is_null()) return {};
    if (value.is_bool()) return value.as_bool();
    if (value.is_int()) return value.as_int();
    if (value.is_uint()) return value.as_uint();
    if (value.is_double()) return value.as_double();
    if (value.is_text()) return value.as_text();
    if (value.is_array()) {
        schema::List list;
        for (const json::Value& element : value.as_array()) list.push_back(to_typed(element));
        return list;
    }
    schema::Object object;
    for (const json::Member& member : value.as_object()) object.push_back({member.name, to_typed(member.value)});
    return object;
}

void write_text(const std::string& text, const std::string& table, extract::Output& out) {
    extract::JsonPage page;
    page.size = text.size();
    page.text.append(text.data(), text.size());
    page.text.resize_zeroed(text.size() + limits::json_padding);
    page.origin = {.name = "case", .byte_offset = 0, .line = 1, .record = 0};
    page.table = table;
    out.write(std::move(page));
}

/// Records as JSON text where that can hold them, else as typed values, so that both ways into the tables are exercised.
void write_records(const json::Value& records, extract::Output& out) {
    std::string table;
    const json::Value* items = &records;
    if (const json::Value* marked = records.is_object() ? records.as_object().find("$to_table") : nullptr) {
        table = marked->as_text();
        items = records.as_object().find("item");
    }
    const json::Array list = items->is_array() ? items->as_array() : json::Array{*items};
    if (list.empty()) {
        // No records, but a yield: limits count it.
        out.write(extract::ValuePage{.records = {}, .origin = {.name = "case"}, .table = table});
        return;
    }
    if (std::any_of(list.begin(), list.end(), has_typed_values)) {
        extract::ValuePage page;
        for (const json::Value& record : list) page.records.push_back(to_typed(record));
        page.origin.name = "case";
        page.table = table;
        out.write(std::move(page));
        return;
    }
    std::string text;
    for (const json::Value& record : list) text += json::to_text(record) + "\n";
    write_text(text, table, out);
}

std::vector<std::string> names(const json::Value* value) {
    if (value == nullptr || value->is_null()) return {};
    if (value->is_text()) return {value->as_text()};
    std::vector<std::string> list;
    for (const json::Value& name : value->as_array()) list.push_back(name.as_text());
    return list;
}

std::vector<schema::Column> columns(const json::Value& hints) {
    std::vector<schema::Column> list;
    if (hints.is_object()) {
        for (const json::Member& member : hints.as_object()) list.emplace_back(member.name, member.value.as_object());
    } else {
        for (const json::Value& column : hints.as_array()) {
            list.emplace_back(column.as_object().find("name")->as_text(), column.as_object());
        }
    }
    return list;
}

/// Points in time may be typed in a case.
json::Object untyped(const json::Object& options) {
    json::Object plain;
    for (const json::Member& option : options) {
        plain.set(option.name, typed_kind(option.value).empty() ? option.value : option.value.as_object().begin()->value);
    }
    return plain;
}

void set_disposition(extract::ResourceSpec& spec, const json::Value& value) {
    std::string name = value.is_text() ? value.as_text() : value.as_object().find("disposition")->as_text();
    const std::optional<schema::Disposition> disposition = schema::find_disposition(name);
    if (!disposition) throw Error(ErrorKind::usage, "unknown disposition {}", name);
    spec.disposition = *disposition;
    if (value.is_object()) spec.merge = merge_options(value.as_object());
}

schema::NestedHints make_nested(const std::string& path, const json::Object& hints) {
    schema::NestedHints nested;
    for (std::size_t start = 0; start <= path.size();) {
        const std::size_t end = std::min(path.find('/', start), path.size());
        nested.path.push_back(path.substr(start, end - start));
        start = end + 1;
    }
    for (const json::Member& hint : hints) {
        if (hint.name == "columns") {
            nested.hints.columns = columns(hint.value);
        } else if (hint.name == "primary_key") {
            nested.hints.primary_key = names(&hint.value);
        } else if (hint.name == "merge_key") {
            nested.hints.merge_key = names(&hint.value);
        } else if (hint.name == "schema_contract") {
            nested.hints.schema_contract = hint.value;
        } else if (hint.name == "write_disposition") {
            const bool is_object = hint.value.is_object();
            nested.hints.disposition = schema::find_disposition((is_object ? *hint.value.as_object().find("disposition") : hint.value).as_text());
            if (is_object) nested.hints.merge = merge_options(hint.value.as_object());
        } else {
            throw Error(ErrorKind::usage, "this runner does not know \"{}\" of nested hints", hint.name);
        }
    }
    return nested;
}

/// The enumerator with this name.
template <typename Enum>
Enum one_of(const json::Value& value, std::initializer_list<std::pair<const char*, Enum>> known) {
    for (const auto& [name, enumerator] : known) {
        if (value == json::Value(name)) return enumerator;
    }
    throw Error(ErrorKind::usage, "this runner does not know {}", json::to_text(value));
}

incremental::Spec make_incremental(const json::Object& options, const json::Value* key) {
    using namespace incremental;
    Spec spec;
    for (const json::Member& option : options) {
        const json::Value& value = option.value;
        if (value.is_null()) continue;
        if (option.name == "cursor_path") {
            spec.cursor_path = value.as_text();
        } else if (option.name == "initial_value") {
            spec.initial_value = to_typed(value);
        } else if (option.name == "end_value") {
            spec.end_value = to_typed(value);
        } else if (option.name == "last_value_func") {
            spec.last_value_func = one_of<LastValue>(value, {{"max", LastValue::max}, {"min", LastValue::min}});
        } else if (option.name == "row_order") {
            spec.row_order = one_of<RowOrder>(value, {{"asc", RowOrder::asc}, {"desc", RowOrder::desc}});
        } else if (option.name == "on_cursor_value_missing") {
            spec.on_cursor_value_missing = one_of<MissingCursor>(
                value, {{"raise", MissingCursor::raise}, {"include", MissingCursor::include}, {"exclude", MissingCursor::exclude}});
        } else if (option.name == "lag") {
            spec.lag = value.as_double();
        } else if (option.name == "range_start") {
            spec.range_start = one_of<Range>(value, {{"open", Range::open}, {"closed", Range::closed}});
        } else if (option.name == "range_end") {
            spec.range_end = one_of<Range>(value, {{"open", Range::open}, {"closed", Range::closed}});
        } else if (option.name == "primary_key") {
            spec.primary_key = names(&value);
            key = &value;
        } else {
            throw Error(ErrorKind::usage, "this runner does not know \"{}\" of an incremental", option.name);
        }
    }
    spec.has_key_list = key != nullptr && key->is_array();
    return spec;
}

extract::ResourceSpec make_spec(const json::Object& resource) {
    static const std::set<std::string> known = {"name",    "write_disposition", "primary_key", "merge_key", "columns",
                                                "max_table_nesting", "data",    "pages",       "jsonl",     "items",
                                                "table_name", "schema_contract", "nested_hints", "materialize", "state_ops", "raise_after_pages",
                                                "incremental", "limit"};
    extract::ResourceSpec spec;
    for (const json::Member& member : resource) {
        if (!known.contains(member.name)) throw Error(ErrorKind::usage, "this runner does not know \"{}\" of a resource", member.name);
    }
    spec.name = resource.find("name")->as_text();
    if (const json::Value* value = resource.find("write_disposition")) set_disposition(spec, *value);
    spec.primary_key = names(resource.find("primary_key"));
    spec.merge_key = names(resource.find("merge_key"));
    if (const json::Value* value = resource.find("columns")) spec.columns = columns(*value);
    if (const json::Value* value = resource.find("max_table_nesting")) spec.max_nesting = static_cast<int>(value->as_int());
    if (const json::Value* value = resource.find("schema_contract")) spec.schema_contract = *value;
    if (const json::Value* value = resource.find("table_name")) {
        if (value->is_text()) {
            spec.table = value->as_text();
        } else {
            const json::Value* prefix = value->as_object().find("prefix");
            spec.table_by = {.field = value->as_object().find("field")->as_text(), .prefix = prefix != nullptr ? prefix->as_text() : ""};
        }
    }
    if (const json::Value* value = resource.find("incremental")) spec.incremental = make_incremental(value->as_object(), resource.find("primary_key"));
    if (const json::Value* value = resource.find("limit")) spec.limit = static_cast<std::uint64_t>(value->as_int());
    if (const json::Value* value = resource.find("nested_hints")) {
        for (const json::Member& nested : value->as_object()) spec.nested.push_back(make_nested(nested.name, nested.value.as_object()));
    }
    return spec;
}

/// Values are set, or a number is added: `{"add": n}`.
void change_state(json::Object& state, const json::Object& changes) {
    for (const json::Member& change : changes) {
        const json::Value* add = change.value.is_object() ? change.value.as_object().find("add") : nullptr;
        if (add == nullptr) {
            state.set(change.name, change.value);
            continue;
        }
        json::Value& number = state[change.name];
        number = (number.is_int() ? number.as_int() : 0) + add->as_int();
    }
}

void change_states(extract::State& state, const json::Object& changes) {
    if (const json::Value* own = changes.find("resource")) change_state(state.resource(), own->as_object());
    if (const json::Value* shared = changes.find("source")) change_state(state.source(), shared->as_object());
}

/// The yields of a resource, one after the other.
class Yields {
public:
    Yields(const json::Object& resource, extract::Output& out) : out_(out) {
        if (const json::Value* count = resource.find("raise_after_pages")) left_ = count->as_int();
    }

    void write(const json::Value& records) {
        if (left_ == 0) throw Error(ErrorKind::data, "the source fails on purpose");
        if (left_ > 0) --left_;
        write_records(records, out_);
    }
    void end() {
        if (left_ >= 0) throw Error(ErrorKind::data, "the source fails on purpose");
    }

private:
    extract::Output& out_;
    std::int64_t left_ = -1;
};

class CaseSource final : public extract::SourceDriver {
public:
    CaseSource(std::string name, json::Array resources) : name_(std::move(name)), resources_(std::move(resources)) {}

    std::string name() const override { return name_; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        std::vector<extract::ResourceSpec> specs;
        for (const json::Value& resource : resources_) specs.push_back(make_spec(resource.as_object()));
        return specs;
    }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) override {
        for (const json::Value& resource : resources_) {
            const json::Object& object = resource.as_object();
            if (object.find("name")->as_text() != spec.name) continue;
            if (object.find("materialize") != nullptr) out.materialize();
            if (const json::Value* changes = object.find("state_ops")) change_states(*context.state, changes->as_object());
            Yields yields(object, out);
            if (const json::Value* data = object.find("data")) yields.write(*data);
            for (const char* member : {"pages", "items"}) {
                const json::Value* list = object.find(member);
                for (const json::Value& records : list != nullptr ? list->as_array() : json::Array()) {
                    if (out.wants_more()) yields.write(records);
                }
            }
            if (out.wants_more()) yields.end();
            if (const json::Value* lines = object.find("jsonl")) {
                std::string text;
                for (const json::Value& line : lines->as_array()) text += line.as_text() + "\n";
                write_text(text, {}, out);
            }
        }
    }

private:
    std::string name_;
    json::Array resources_;
};

}  // namespace

std::vector<schema::Column> make_columns(const json::Value& hints) { return columns(hints); }
std::vector<std::string> make_names(const json::Value* value) { return names(value); }

schema::MergeOptions merge_options(const json::Object& disposition) {
    const json::Value* name = disposition.find("disposition");
    return name != nullptr && *name == json::Value("merge") ? schema::parse_merge_options(untyped(disposition)) : schema::MergeOptions();
}

std::unique_ptr<extract::SourceDriver> make_case_source(const std::string& name, const json::Array& resources) {
    return std::make_unique<CaseSource>(name, resources);
}

}  // namespace tipple::golden
