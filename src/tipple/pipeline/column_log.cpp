#include "tipple/pipeline/column_log.h"

#include <algorithm>
#include <set>

namespace tipple::pipeline {

namespace {

constexpr const char* declared_reason = "declared";
constexpr const char* widened_reason = "widened";

const char* to_text(normalize::TypeReason reason) {
    switch (reason) {
        case normalize::TypeReason::value: return "value";
        case normalize::TypeReason::detected: return "detected";
        case normalize::TypeReason::preferred: return "preferred";
        case normalize::TypeReason::variant: return "variant";
        case normalize::TypeReason::source: return "source";
    }
    return "";
}

bool has_member(const json::Object& object, std::string_view name, std::string_view text) {
    const json::Value* value = object.find(name);
    return value != nullptr && value->is_text() && value->as_text() == text;
}

const std::string& column_after(const std::vector<columns::ColumnMove>& moves, const ColumnBirth& birth) {
    const auto move = std::find_if(moves.begin(), moves.end(), [&](const columns::ColumnMove& each) { return each.table == birth.table && each.from == birth.column; });
    return move == moves.end() ? birth.column : move->to;
}

const schema::Column* find_complete(const schema::Schema& schema, const std::string& table, const std::string& name) {
    const schema::Table* found = schema.find(table);
    const schema::Column* column = found != nullptr ? found->find(name) : nullptr;
    return column != nullptr && column->is_complete() ? column : nullptr;
}

json::Object describe(const std::string& table, const schema::Column& column, const char* reason) {
    return {{"table", table}, {"column", column.name()}, {"data_type", std::string(schema::to_text(*column.data_type()))}, {"reason", reason}};
}

void add_place(json::Object& entry, const RecordPlace& place) {
    entry.set("source", place.origin);
    if (place.line > 0) entry.set("line", place.line);
    if (place.record == 0) return;
    entry.set("byte_offset", place.byte_offset);
    entry.set("record", place.record);
}

}  // namespace

json::Array describe_births(const std::vector<ColumnBirth>& births, const std::vector<columns::ColumnMove>& moves, const schema::Schema& before,
                            const schema::Schema& schema) {
    json::Array entries;
    std::set<std::pair<std::string, std::string>> described;
    for (const ColumnBirth& birth : births) {
        const std::string& name = column_after(moves, birth);
        const schema::Column* column = find_complete(schema, birth.table, name);
        if (column == nullptr || !described.emplace(birth.table, name).second) continue;
        const bool is_new = find_complete(before, birth.table, name) == nullptr;
        json::Object entry = describe(birth.table, *column, is_new ? to_text(birth.reason) : widened_reason);
        add_place(entry, birth.place);
        if (!birth.value.empty()) entry.set("value", birth.value);
        entries.push_back(std::move(entry));
    }
    for (const auto& table : schema.tables()) {
        if (table->is_internal()) continue;
        for (const schema::Column& column : table->columns()) {
            if (column.name().starts_with(schema::internal_prefix) || !column.is_complete() || described.contains({table->name(), column.name()})) continue;
            if (find_complete(before, table->name(), column.name()) == nullptr) entries.push_back(describe(table->name(), column, declared_reason));
        }
    }
    return entries;
}

namespace {

std::string text_of(const json::Object& entry, std::string_view name) {
    const json::Value* value = entry.find(name);
    return value != nullptr && value->is_text() ? value->as_text() : "";
}

std::string place_text(const json::Object& entry) {
    std::string text = text_of(entry, "source");
    if (const json::Value* line = entry.find("line")) return fmt::format("{} line {}", text, line->as_int());
    if (const json::Value* record = entry.find("record")) return fmt::format("{} record {}", text, record->as_int());
    return text;
}

}  // namespace

std::vector<std::string> describe_variants(const json::Array& births, const schema::Schema& schema) {
    constexpr std::size_t named_max = 3;
    std::vector<std::string> texts;
    std::size_t count = 0;
    for (const json::Value& birth : births) {
        const json::Object& entry = birth.as_object();
        const std::string name = text_of(entry, "column");
        if (text_of(entry, "reason") != to_text(normalize::TypeReason::variant) || ++count > named_max) continue;
        const std::string table = text_of(entry, "table");
        const schema::Column* column = find_complete(schema, table, std::string(schema::origin_of_variant(name)));
        const std::string own = column != nullptr ? fmt::format("column \"{}\" is {}, and ", column->name(), schema::to_text(*column->data_type())) : "";
        const std::string value = text_of(entry, "value");
        texts.push_back(fmt::format("table \"{}\": {}values of another type came, first {}in {}; they are in column \"{}\" ({})", table, own,
                                    value.empty() ? "" : value + " ", place_text(entry), name,
                                    text_of(entry, "data_type")));
    }
    if (count == 0) return texts;
    if (count > named_max) texts.push_back(fmt::format("{} more columns got values of other types; tipple schema shows them as variants, tipple schema blame where they came from", count - named_max));
    texts.back() += "\n  to refuse such values: --contract freeze; to put their records aside: --contract quarantine; to have one column for both: --widen, or give its type with --column "
                    "(in a project: contract and columns)";
    return texts;
}

ColumnLog::ColumnLog(io::FileSystem& files, const std::string& folder) : files_(files), path_(io::join_path(folder, "columns.jsonl")) {}

void ColumnLog::add(const package::Manifest& manifest) {
    const json::Value* columns = manifest.notes.find(note);
    if (columns == nullptr || !columns->is_array() || columns->as_array().empty()) return;
    // Behind a line that a crash cut short.
    std::string text = "\n";
    for (const json::Value& column : columns->as_array()) {
        json::Object line{{"v", 1}, {"load_id", manifest.load_id}, {"schema", manifest.schema_name}};
        for (const json::Member& member : column.as_object()) line.set(member.name, member.value);
        text += json::to_text(line) + "\n";
    }
    const std::unique_ptr<io::WriteFile> file = files_.open_append(path_);
    // Not durable on purpose: it is for people to look up.
    file->write(text);
    file->close();
}

std::vector<json::Object> ColumnLog::find(std::string_view schema, std::string_view table, std::string_view column) const {
    std::vector<json::Object> found;
    if (files_.find(path_) == nullptr) return found;
    const std::string text = files_.read_text(path_);
    for (std::size_t at = 0; at < text.size();) {
        const std::size_t end = std::min(text.find('\n', at), text.size());
        json::Value line;
        if (json::try_parse(std::string_view(text).substr(at, end - at), line) && line.is_object()) {
            const json::Object& entry = line.as_object();
            const bool is_it = has_member(entry, "schema", schema) && has_member(entry, "table", table) && has_member(entry, "column", column);
            if (is_it && (found.empty() || found.back() != entry)) found.push_back(entry);
        }
        at = end + 1;
    }
    std::reverse(found.begin(), found.end());
    return found;
}

}  // namespace tipple::pipeline
