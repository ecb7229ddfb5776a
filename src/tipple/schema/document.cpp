#include <algorithm>
#include <array>
#include <string>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/schema/migration.h"
#include "tipple/schema/naming.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/unicode.h"

namespace tipple::schema {

namespace {

constexpr std::size_t name_length_max = 64;
constexpr std::size_t previous_hashes_max = 10;

/// The keys that are members of Schema; everything else are extras.
constexpr std::array<std::string_view, 8> known_keys = {
    "version", "version_hash", "engine_version", "name",
    "tables",  "settings",     "normalizers",    "previous_hashes"};

/// A letter of any script or `_`, then also digits. Which characters beyond ASCII are letters is
/// not asked.
bool is_identifier(std::string_view name) {
    for (std::size_t at = 0; at < name.size();) {
        const unicode::Character character = unicode::decode(name, at);
        const char32_t code = character.code;
        const bool is_letter = code == U'_' || (code >= U'a' && code <= U'z') ||
                               (code >= U'A' && code <= U'Z') ||
                               (code >= 0x80 && !unicode::is_space(code));
        const bool is_digit = unicode::digit_value(code) >= 0;
        if (at == 0 ? is_digit || !is_letter : !is_digit && !is_letter) return false;
        at += character.length;
    }
    return !name.empty();
}

void check_name(std::string_view name) {
    if (is_valid_utf8(name) && is_identifier(name) && utf8_length(name) <= name_length_max) return;
    throw Error(ErrorKind::usage,
                "\"{}\" cannot name a schema: letters, digits and `_` only, not a digit first, at "
                "most {} characters",
                excerpt(name), name_length_max);
}

/// The recipe of the reference, on a document of the present engine.
std::string hash_of(const json::Object& document) {
    json::Object hashed;
    for (const auto& [key, value] : document) {
        if (key == "version" || key == "version_hash" || key == "imported_version_hash" ||
            key == "previous_hashes") {
            continue;
        }
        hashed.append(key, value);
    }
    Sha3_256 hash;
    hash.update(json::to_text(hashed, {.key_order = json::KeyOrder::sorted}));
    // The order of columns counts, that of tables does not.
    std::vector<const json::Member*> tables;
    for (const json::Member& table : document.find("tables")->as_object()) tables.push_back(&table);
    std::sort(tables.begin(), tables.end(),
              [](const json::Member* a, const json::Member* b) { return a->name < b->name; });
    for (const json::Member* table : tables) {
        hash.update(table->name);
        const json::Value* columns = table->value.as_object().find("columns");
        if (columns == nullptr || !columns->is_object()) continue;
        for (const json::Member& column : columns->as_object()) hash.update(column.name);
    }
    return to_base64(as_text(hash.digest()));
}

/// No hash is never wrong. A document without tables is not asked: nothing was stored like this.
bool has_hash(const json::Object& document, const std::string& hash) {
    if (hash.empty()) return true;
    const json::Value* tables = document.find("tables");
    return tables != nullptr && tables->is_object() && hash_of(document) == hash;
}

std::int64_t require_int(const json::Object& document, std::string_view key) {
    const json::Value* value = document.find(key);
    if (value == nullptr || !value->is_int()) {
        throw Error(ErrorKind::usage, "schema: {} must be a whole number", key);
    }
    return value->as_int();
}

/// A text; empty when it is missing or null.
std::string optional_text(const json::Object& document, std::string_view key) {
    const json::Value* value = document.find(key);
    if (value == nullptr || value->is_null()) return {};
    if (!value->is_text())
        throw Error(ErrorKind::usage, "schema: {} must be text, not a {}", key, value->type_name());
    return value->as_text();
}

json::Object& require_member_object(json::Member& member, std::string_view kind) {
    if (member.value.is_object()) return member.value.as_object();
    throw Error(ErrorKind::usage, "schema: {} \"{}\" must be an object, not a {}", kind,
                excerpt(member.name), member.value.type_name());
}

/// Earlier releases of the reference marked columns that had only nulls so far. Such columns are
/// found again from data.
void erase_null_marks(json::Object& columns) {
    static constexpr std::string_view mark = "seen-null-first";
    std::vector<std::string> untyped;
    for (auto& [name, column] : columns) {
        json::Value* hints = column.as_object().find("x-normalizer");
        if (hints == nullptr || !hints->is_object() || !hints->as_object().erase(mark)) continue;
        if (hints->as_object().empty()) column.as_object().erase("x-normalizer");
        const json::Value* type = column.as_object().find("data_type");
        if (type == nullptr || type->is_null()) untyped.push_back(name);
    }
    for (const std::string& name : untyped) columns.erase(name);
}

/// Puts back what exports leave out: names inside tables and columns, and what root tables have
/// when they say nothing.
void expand(json::Object& document) {
    for (json::Member& table : require_object(document, "tables")) {
        json::Object& properties = require_member_object(table, "table");
        properties.set("name", table.name);
        if (properties.find("parent") == nullptr) {
            if (properties.find("write_disposition") == nullptr)
                properties.set("write_disposition", "append");
            if (properties.find("resource") == nullptr) properties.set("resource", table.name);
        }
        for (json::Member& column : require_object(properties, "columns")) {
            require_member_object(column, "column").set("name", column.name);
        }
    }
    require_object(document, "settings");
    require_object(document, "normalizers");
}

Table to_table(json::Member& member) {
    Table table(member.name);
    for (auto& [key, value] : member.value.as_object()) {
        if (key == "name") continue;
        if (key == "columns") {
            for (auto& [name, column] : value.as_object()) {
                table.set_column(Column(name, std::move(column.as_object())));
            }
        } else if (key != "parent" || !value.is_null()) {
            table.set_property(key, std::move(value));
        }
    }
    const json::Value* disposition = table.properties().find("write_disposition");
    if (disposition != nullptr && !disposition->is_null() && !table.disposition()) {
        throw Error(ErrorKind::usage, "schema: table \"{}\" has an unknown write_disposition {}",
                    excerpt(table.name()), excerpt(json::to_text(*disposition)));
    }
    if (table.is_nested() && table.parent().empty()) {
        throw Error(ErrorKind::usage, "schema: table \"{}\" must name its parent",
                    excerpt(table.name()));
    }
    return table;
}

json::Object to_member(const Table& table) {
    json::Object columns;
    for (const Column& column : table.columns()) {
        json::Object hints{{"name", column.name()}};
        for (const auto& [hint, value] : column.hints()) hints.append(hint, value);
        columns.append(column.name(), std::move(hints));
    }
    json::Object member{{"name", table.name()}, {"columns", std::move(columns)}};
    for (const auto& [key, value] : table.properties()) member.append(key, value);
    return member;
}

/// Every parent is there and no table is below itself.
void check_parents(const Schema& schema) {
    for (const auto& table : schema.tables()) {
        const Table* at = table.get();
        for (std::size_t steps = 0; at->is_nested(); ++steps) {
            const Table* parent = schema.find(at->parent());
            if (parent == nullptr || steps > schema.tables().size()) {
                throw Error(
                    ErrorKind::usage, "schema: table \"{}\" has the parent \"{}\", {}",
                    excerpt(at->name()), excerpt(at->parent()),
                    parent == nullptr ? "which is not in the schema" : "which is below itself");
            }
            at = parent;
        }
    }
}

/// The hint lists of a new schema.
json::Object default_hints() {
    return {{"not_null", json::Array{id_column, root_id_column, parent_id_column, list_index_column,
                                     load_id_column}},
            {"parent_key", json::Array{parent_id_column}},
            {"root_key", json::Array{root_id_column}},
            {"unique", json::Array{id_column}},
            {"row_key", json::Array{id_column}}};
}

}  // namespace

Schema Schema::make(std::string name, std::string_view naming) {
    check_name(name);
    const auto convention = NamingConvention::make(naming);
    Schema schema;
    schema.name_ = std::move(name);
    json::Member system_tables[] = {
        {convention->normalize_table_path(version_table_name), version_table()},
        {convention->normalize_table_path(loads_table_name), loads_table()}};
    for (json::Member& table : system_tables) schema.set_table(to_table(table));
    schema.settings_ = {{"detections", json::Array{"iso_timestamp"}},
                        {"default_hints", default_hints()}};
    schema.normalizers_ = {
        {"names", naming},
        {"json", json::Object{{"module", "dlt.common.normalizers.json.relational"}}}};
    return schema;
}

bool Schema::bump() {
    std::string hash = compute_hash();
    if (hash == version_hash_) return false;
    if (!version_hash_.empty()) {
        ++version_;
        if (std::find(previous_hashes_.begin(), previous_hashes_.end(), version_hash_) ==
            previous_hashes_.end()) {
            previous_hashes_.insert(previous_hashes_.begin(), version_hash_);
            if (previous_hashes_.size() > previous_hashes_max)
                previous_hashes_.resize(previous_hashes_max);
        }
    }
    version_hash_ = std::move(hash);
    return true;
}

Schema Schema::from_document(const json::Value& document) {
    if (!document.is_object()) {
        throw Error(ErrorKind::usage, "a schema must be an object, not a {}", document.type_name());
    }
    json::Object content = document.as_object();
    const std::int64_t engine = require_int(content, "engine_version");
    if (engine < 1 || engine > engine_version) {
        throw Error(ErrorKind::usage,
                    "the schema was written by engine version {}, this release reads 1 to {}: use "
                    "a newer release",
                    engine, engine_version);
    }
    if (engine < engine_version) migrate(content, engine);
    expand(content);

    Schema schema;
    schema.name_ = optional_text(content, "name");
    check_name(schema.name_);
    schema.version_ = require_int(content, "version");
    schema.version_hash_ = optional_text(content, "version_hash");
    // A migrated document keeps its old hash, which belongs to what it was: the next bump sees the
    // difference.
    if (engine == engine_version && !has_hash(content, schema.version_hash_) &&
        !has_hash(document.as_object(), schema.version_hash_)) {
        throw Error(ErrorKind::corrupt,
                    "schema \"{}\": its content does not have the stored hash {}; it was changed "
                    "by hand or is damaged",
                    schema.name_, excerpt(schema.version_hash_));
    }
    if (const json::Value* hashes = content.find("previous_hashes");
        hashes != nullptr && hashes->is_array()) {
        for (const json::Value& hash : hashes->as_array()) {
            if (hash.is_text()) schema.previous_hashes_.push_back(hash.as_text());
        }
    }
    schema.settings_ = content.find("settings")->as_object();
    schema.normalizers_ = content.find("normalizers")->as_object();
    for (json::Member& table : content.find("tables")->as_object()) {
        erase_null_marks(table.value.as_object().find("columns")->as_object());
        schema.set_table(to_table(table));
    }
    check_parents(schema);
    for (auto& [key, value] : content) {
        if (std::find(known_keys.begin(), known_keys.end(), key) == known_keys.end()) {
            schema.extras_.append(key, std::move(value));
        }
    }
    return schema;
}

json::Object Schema::to_document() const {
    json::Object tables;
    for (const auto& table : tables_) tables.append(table->name(), to_member(*table));
    json::Array hashes(previous_hashes_.begin(), previous_hashes_.end());
    json::Object document{{"version", version_},
                          {"version_hash", version_hash_},
                          {"engine_version", engine_version},
                          {"name", name_},
                          {"tables", std::move(tables)},
                          {"settings", settings_},
                          {"normalizers", normalizers_},
                          {"previous_hashes", std::move(hashes)}};
    for (const auto& [key, value] : extras_) document.append(key, value);
    return document;
}

std::string Schema::compute_hash() const {
    return hash_of(to_document());
}

}  // namespace tipple::schema
