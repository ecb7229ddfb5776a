#pragma once

#include <string_view>

#include "tipple/incremental/spec.h"
#include "tipple/json/value.h"

namespace tipple::incremental {

/// The member of a resource's state that holds its cursors.
inline constexpr std::string_view slots_member = "incremental";

/// What a resource's state says of a cursor, or nullptr.
const json::Object* find_slot(const json::Object& resource, const Spec& spec);
void set_slot(json::Object& resource, const Spec& spec, json::Object slot);

}  // namespace tipple::incremental
