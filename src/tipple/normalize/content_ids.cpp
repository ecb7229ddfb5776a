#include "tipple/normalize/content_ids.h"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>

#include "tipple/core/hash.h"
#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/typed_text.h"

namespace tipple::normalize {

namespace {

using schema::Value;

namespace typed_text = schema::typed_text;

void append_marked(std::string& out, std::string_view mark, const std::string& text) { json::append_quoted(out, std::string(mark) + text); }

void append(std::string& out, const Value& value);

using Member = std::pair<std::string_view, const Value*>;

/// Names by code point; of equal names the last one counts.
void append_members(std::string& out, std::vector<Member> members) {
    std::stable_sort(members.begin(), members.end(), [](const Member& a, const Member& b) { return a.first < b.first; });
    out += '{';
    bool is_first = true;
    for (std::size_t i = 0; i < members.size(); ++i) {
        if (i + 1 < members.size() && members[i + 1].first == members[i].first) continue;
        if (!is_first) out += ',';
        is_first = false;
        json::append_quoted(out, members[i].first);
        out += ':';
        append(out, *members[i].second);
    }
    out += '}';
}

void append_list(std::string& out, const schema::List& list) {
    out += '[';
    for (std::size_t i = 0; i < list.size(); ++i) {
        if (i > 0) out += ',';
        append(out, list[i]);
    }
    out += ']';
}

void append(std::string& out, const Value& value) {
    if (value.is_null()) {
        out += "null";
    } else if (const auto* flag = value.get_if<bool>()) {
        out += *flag ? "true" : "false";
    } else if (const auto* integer = value.get_if<std::int64_t>()) {
        out += std::to_string(*integer);
    } else if (const auto* large = value.get_if<std::uint64_t>()) {
        out += std::to_string(*large);
    } else if (const auto* number = value.get_if<double>()) {
        if (std::isfinite(*number)) {
            json::append_number(out, *number);
        } else {
            out += "null";
        }
    } else if (const auto* text = value.get_if<std::string>()) {
        json::append_quoted(out, *text);
    } else if (const auto* decimal = value.get_if<schema::Decimal>()) {
        append_marked(out, typed_text::decimal_mark, schema::to_text(*decimal));
    } else if (const auto* wei = value.get_if<schema::Wei>()) {
        append_marked(out, typed_text::wei_mark, schema::to_text(wei->value));
    } else if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
        append_marked(out, typed_text::timestamp_mark, schema::to_iso_text(*timestamp));
    } else if (const auto* date = value.get_if<schema::Date>()) {
        append_marked(out, typed_text::date_mark, schema::to_iso_text(*date));
    } else if (const auto* time = value.get_if<schema::Time>()) {
        append_marked(out, typed_text::time_mark, schema::to_iso_text(*time));
    } else if (const auto* bytes = value.get_if<schema::Binary>()) {
        append_marked(out, typed_text::base64_mark, to_base64(bytes->bytes));
    } else if (const auto* whole = value.get_if<schema::Json>()) {
        out += whole->text;
    } else if (const auto* list = value.get_if<schema::List>()) {
        append_list(out, *list);
    } else {
        std::vector<Member> members;
        for (const schema::Field& field : value.as<schema::Object>()) members.emplace_back(field.name, &field.value);
        append_members(out, std::move(members));
    }
}

/// 80 bits in 14 characters.
std::string hash_id(std::string_view text) { return to_base64(as_text(shake128(text, 10)), Base64Padding::none); }

}  // namespace

std::vector<std::string> required_key(const schema::Table* table) {
    std::vector<std::string> names;
    if (table == nullptr) return names;
    for (const schema::Column& column : table->columns()) {
        const bool is_key = column.flag("primary_key") || column.flag("merge_key");
        if (is_key && !column.is_nullable()) names.push_back(column.name());
    }
    return names;
}

RowIdSource row_id_source(const schema::Table* root) {
    if (root == nullptr || root->is_nested() || root->disposition() != schema::Disposition::merge) return RowIdSource::position;
    const std::optional<schema::MergeStrategy> strategy = schema::merge_strategy_of(*root);
    if (strategy && schema::has_key_ids(*strategy)) return RowIdSource::key;
    if (strategy != schema::MergeStrategy::scd2) return RowIdSource::position;
    const std::vector<std::string> versions = root->columns_with("x-row-version");
    return !versions.empty() && versions.front() == schema::id_column ? RowIdSource::content : RowIdSource::position;
}

std::string content_id(const schema::Object& record) {
    std::vector<Member> members;
    for (const schema::Field& field : record) {
        if (!field.name.starts_with(schema::internal_prefix)) members.emplace_back(field.name, &field.value);
    }
    std::string text;
    append_members(text, std::move(members));
    return hash_id(text);
}

std::string key_id(const KeyValues& key) {
    std::string text;
    append_members(text, key);
    return hash_id(text);
}

std::string repeatable_child_id(std::string_view parent_id, std::string_view table, std::int64_t list_index) {
    return hash_id(fmt::format("{}_{}_{}", parent_id, table, list_index));
}

}  // namespace tipple::normalize
