#include "tipple/pipeline/source_state.h"

namespace tipple::pipeline {

namespace {

constexpr std::string_view resources_member = "resources";
constexpr std::string_view incremental_member = "incremental";

}  // namespace

json::Object& SourceState::resource(std::string_view name) {
    json::Value& resources = document_[resources_member];
    if (!resources.is_object()) resources = json::Object();
    json::Value& own = resources.as_object()[name];
    if (!own.is_object()) own = json::Object();
    return own.as_object();
}

const json::Object* SourceState::find_resource(std::string_view name) const {
    const json::Value* resources = document_.find(resources_member);
    const json::Value* own = resources != nullptr && resources->is_object() ? resources->as_object().find(name) : nullptr;
    return own != nullptr && own->is_object() ? &own->as_object() : nullptr;
}

void SourceState::erase_resource(std::string_view name) {
    json::Value* resources = document_.find(resources_member);
    if (resources != nullptr && resources->is_object()) resources->as_object().erase(name);
}

const json::Object* find_cursor_slot(const json::Object& resource, const incremental::Spec& spec) {
    const json::Value* slots = resource.find(incremental_member);
    const json::Value* slot = slots != nullptr && slots->is_object() ? slots->as_object().find(spec.cursor_path) : nullptr;
    return slot != nullptr && slot->is_object() ? &slot->as_object() : nullptr;
}

void set_cursor_slot(json::Object& resource, const incremental::Spec& spec, json::Object slot) {
    json::Value& slots = resource[incremental_member];
    if (!slots.is_object()) slots = json::Object();
    slots.as_object().set(spec.cursor_path, std::move(slot));
}

SourceState source_state(const json::Object& sources, std::string_view schema) {
    const json::Value* own = sources.find(schema);
    return SourceState(own != nullptr && own->is_object() ? own->as_object() : json::Object());
}

void set_source_state(json::Object& sources, std::string_view schema, SourceState state) {
    if (state.document().empty() && sources.find(schema) == nullptr) return;
    sources.set(schema, std::move(state.document()));
}

}  // namespace tipple::pipeline
