#include "tipple/pipeline/source_state.h"

#include "tipple/incremental/slot.h"

namespace tipple::pipeline {

namespace {

constexpr std::string_view resources_member = "resources";

const json::Object* find_object(const json::Object* object, std::string_view name) {
    const json::Value* value = object != nullptr ? object->find(name) : nullptr;
    return value != nullptr && value->is_object() ? &value->as_object() : nullptr;
}

json::Value last_value(const json::Object* slot) {
    const json::Value* value = slot != nullptr ? slot->find("last_value") : nullptr;
    return value != nullptr ? *value : json::Value();
}

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

SourceState source_state(const json::Object& sources, std::string_view schema) {
    const json::Value* own = sources.find(schema);
    return SourceState(own != nullptr && own->is_object() ? own->as_object() : json::Object());
}

std::vector<CursorReport> compare_cursors(const json::Object& sources_before, const json::Object& sources_after) {
    std::vector<CursorReport> cursors;
    for (const json::Member& source : sources_after) {
        const json::Object* after = find_object(find_object(&sources_after, source.name), resources_member);
        const json::Object* before = find_object(find_object(&sources_before, source.name), resources_member);
        if (after == nullptr) continue;
        for (const json::Member& resource : *after) {
            const json::Object* slots = find_object(find_object(after, resource.name), incremental::slots_member);
            const json::Object* old = find_object(find_object(before, resource.name), incremental::slots_member);
            if (slots == nullptr) continue;
            for (const json::Member& slot : *slots) {
                cursors.push_back({.resource = resource.name,
                                   .cursor = slot.name,
                                   .before = last_value(find_object(old, slot.name)),
                                   .after = last_value(find_object(slots, slot.name))});
            }
        }
    }
    return cursors;
}

void set_source_state(json::Object& sources, std::string_view schema, SourceState state) {
    if (state.document().empty() && sources.find(schema) == nullptr) return;
    sources.set(schema, std::move(state.document()));
}

}  // namespace tipple::pipeline
