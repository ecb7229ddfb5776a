#include "tipple/pipeline/schema_files.h"

#include "tipple/core/error.h"
#include "tipple/schema/yaml.h"

namespace tipple::pipeline {

namespace {

/// The hash of the document that was imported last, which is no part of the schema's own hash.
constexpr std::string_view imported_hash = "imported_version_hash";

std::string path_of(const std::string& folder, const schema::Schema& schema, const char* ending) {
    return io::join_path(folder, schema.name() + ".schema" + ending);
}

/// Without what loads note in a schema for themselves.
schema::Schema without_marks(schema::Schema schema) {
    const auto tables = schema.tables();
    for (const auto& table : tables) {
        schema::Table plain = *table;
        plain.erase_property("x-normalizer");
        schema.set_table(std::move(plain));
    }
    schema.extras().erase(std::string(imported_hash));
    return schema;
}

/// A document that may have been edited: its hash is that of what it was.
schema::Schema read_document(json::Value document, const std::string& path) {
    if (!document.is_object()) throw Error(ErrorKind::usage, "{} is no schema document", path);
    document.as_object().erase("version_hash");
    try {
        return schema::Schema::from_document(document);
    } catch (const Error& error) {
        throw error.with_context(path);
    }
}

}  // namespace

void SchemaFiles::import_into(schema::Schema& schema) const {
    if (import_folder_.empty()) return;
    std::string path = path_of(import_folder_, schema, ".yaml");
    const bool is_yaml = files_.find(path) != nullptr;
    if (!is_yaml) path = path_of(import_folder_, schema, ".json");
    if (files_.find(path) == nullptr) return;
    const std::string text = files_.read_text(path);
    schema::Schema imported = read_document(is_yaml ? schema::parse_yaml(text, path) : json::parse(text, path), path);
    if (imported.name() != schema.name()) {
        throw Error(ErrorKind::usage, "{} is a document of schema \"{}\", not of \"{}\"", path, imported.name(), schema.name());
    }
    const std::string hash = imported.compute_hash();
    const json::Value* last = schema.extras().find(imported_hash);
    if (last != nullptr && *last == json::Value(hash)) return;
    if (without_marks(schema).compute_hash() != hash) {
        imported.continue_from(schema);
        schema = std::move(imported);
    }
    schema.extras().set(std::string(imported_hash), hash);
}

void SchemaFiles::offer(schema::Schema& declared) const {
    if (import_folder_.empty()) return;
    const std::string path = path_of(import_folder_, declared, ".yaml");
    if (files_.find(path) != nullptr || files_.find(path_of(import_folder_, declared, ".json")) != nullptr) return;
    schema::Schema plain = without_marks(declared);
    plain.bump();
    files_.create_folders(import_folder_);
    files_.write_text_durably(path, schema::to_yaml(plain.to_document()));
    declared.extras().set(std::string(imported_hash), plain.version_hash());
}

void SchemaFiles::write_export(const schema::Schema& schema) const {
    if (export_folder_.empty()) return;
    files_.create_folders(export_folder_);
    files_.write_text_durably(path_of(export_folder_, schema, ".yaml"), schema::to_yaml(schema.to_document()));
}

}  // namespace tipple::pipeline
