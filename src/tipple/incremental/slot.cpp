#include "tipple/incremental/slot.h"

namespace tipple::incremental {

const json::Object* find_slot(const json::Object& resource, const Spec& spec) {
    const json::Value* slots = resource.find(slots_member);
    const json::Value* slot = slots != nullptr && slots->is_object() ? slots->as_object().find(spec.cursor_path) : nullptr;
    return slot != nullptr && slot->is_object() ? &slot->as_object() : nullptr;
}

void set_slot(json::Object& resource, const Spec& spec, json::Object slot) {
    json::Value& slots = resource[slots_member];
    if (!slots.is_object()) slots = json::Object();
    slots.as_object().set(spec.cursor_path, std::move(slot));
}

}  // namespace tipple::incremental
