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

/// `{"$decimal": "1.50"}` and the like: the name behind the dollar, or nothing.
std::string typed_kind(const json::Value& value) {
    if (!value.is_object() || value.as_object().size() != 1) return {};
    const std::string& name = value.as_object().begin()->name;
    return name.starts_with('$') && name != "$to_table" ? name.substr(1) : std::string();
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
    throw Error(ErrorKind::usage, "unknown typed value ${}", kind);
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

void write_text(const std::string& text, source::Output& out) {
    source::JsonPage page;
    page.size = text.size();
    page.text.append(text.data(), text.size());
    page.text.resize_zeroed(text.size() + limits::json_padding);
    page.origin = {.name = "case", .byte_offset = 0, .line = 1, .record = 0};
    out.write(std::move(page));
}

/// Records as JSON text where that can hold them, else as typed values, so that both ways into the tables are exercised.
void write_records(const json::Value& records, source::Output& out) {
    const json::Array list = records.is_array() ? records.as_array() : json::Array{records};
    if (list.empty()) return;
    if (std::any_of(list.begin(), list.end(), has_typed_values)) {
        source::ValuePage page;
        for (const json::Value& record : list) page.records.push_back(to_typed(record));
        page.origin.name = "case";
        out.write(std::move(page));
        return;
    }
    std::string text;
    for (const json::Value& record : list) text += json::to_text(record) + "\n";
    write_text(text, out);
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

void set_disposition(source::ResourceSpec& spec, const json::Value& value) {
    std::string name = value.is_text() ? value.as_text() : value.as_object().find("disposition")->as_text();
    const std::optional<schema::Disposition> disposition = schema::find_disposition(name);
    if (!disposition) throw Error(ErrorKind::usage, "unknown disposition {}", name);
    spec.disposition = *disposition;
    if (!value.is_object()) return;
    for (const json::Member& option : value.as_object()) {
        if (option.name == "disposition") continue;
        if (option.name == "strategy") {
            spec.table_hints.set("x-merge-strategy", option.value);
        } else if (option.name == "deduplicated") {
            spec.table_hints.set("x-stage-data-deduplicated", option.value);
        } else {
            throw Error(ErrorKind::usage, "this runner does not know the merge option {}", option.name);
        }
    }
}

source::ResourceSpec make_spec(const json::Object& resource) {
    static const std::set<std::string> known = {"name",    "write_disposition", "primary_key", "merge_key", "columns",
                                                "max_table_nesting", "data",    "pages",       "jsonl",     "items",
                                                "table_name", "schema_contract", "state_ops", "raise_after_pages"};
    source::ResourceSpec spec;
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
        if (!value->is_text()) throw Error(ErrorKind::usage, "this runner does not know table names made from records");
        spec.table = value->as_text();
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

void change_states(source::State& state, const json::Object& changes) {
    if (const json::Value* own = changes.find("resource")) change_state(state.resource(), own->as_object());
    if (const json::Value* shared = changes.find("source")) change_state(state.source(), shared->as_object());
}

/// The yields of a resource, one after the other.
class Yields {
public:
    Yields(const json::Object& resource, source::Output& out) : out_(out) {
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
    source::Output& out_;
    std::int64_t left_ = -1;
};

class CaseSource final : public source::SourceDriver {
public:
    CaseSource(std::string name, json::Array resources) : name_(std::move(name)), resources_(std::move(resources)) {}

    std::string name() const override { return name_; }

    std::vector<source::ResourceSpec> resources(std::stop_token) override {
        std::vector<source::ResourceSpec> specs;
        for (const json::Value& resource : resources_) specs.push_back(make_spec(resource.as_object()));
        return specs;
    }

    void read(const source::ResourceSpec& spec, const source::ResourceContext& context, source::Output& out) override {
        for (const json::Value& resource : resources_) {
            const json::Object& object = resource.as_object();
            if (object.find("name")->as_text() != spec.name) continue;
            if (const json::Value* changes = object.find("state_ops")) change_states(*context.state, changes->as_object());
            Yields yields(object, out);
            if (const json::Value* data = object.find("data")) yields.write(*data);
            for (const char* member : {"pages", "items"}) {
                const json::Value* list = object.find(member);
                for (const json::Value& records : list != nullptr ? list->as_array() : json::Array()) yields.write(records);
            }
            yields.end();
            if (const json::Value* lines = object.find("jsonl")) {
                std::string text;
                for (const json::Value& line : lines->as_array()) text += line.as_text() + "\n";
                write_text(text, out);
            }
        }
    }

private:
    std::string name_;
    json::Array resources_;
};

}  // namespace

std::unique_ptr<source::SourceDriver> make_case_source(const std::string& name, const json::Array& resources) {
    return std::make_unique<CaseSource>(name, resources);
}

}  // namespace tipple::golden
