#include "tipple/pipeline/forget.h"

namespace tipple::pipeline {

namespace {

json::Object* find_object(json::Object* object, std::string_view name) {
    json::Value* member = object != nullptr ? object->find(name) : nullptr;
    return member != nullptr && member->is_object() ? &member->as_object() : nullptr;
}

}  // namespace

void erase_tables(schema::Schema& schema, const std::vector<std::string>& tables) {
    json::Object* config = find_object(find_object(&schema.normalizers(), "json"), "config");
    json::Object* propagation = find_object(find_object(config, "propagation"), "tables");
    for (const std::string& table : tables) {
        schema.erase_table(table);
        if (propagation != nullptr) propagation->erase(table);
    }
}

void erase_unused(schema::Schema& schema, const std::vector<ActiveResource>& resources, const ExtractResult& extracted) {
    for (const ActiveResource& resource : resources) {
        if (!extracted.rows.contains(resource.table) && !extracted.reached.contains(resource.table)) erase_tables(schema, resource.new_tables);
    }
}

}  // namespace tipple::pipeline
