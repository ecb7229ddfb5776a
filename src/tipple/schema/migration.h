#pragma once

#include <cstdint>
#include <string_view>

#include "tipple/json/value.h"

namespace tipple::schema {

/// Brings a schema document of engine `from` (1 to 10) to the present engine. Of what the steps
/// need, the shape is checked: throws Error(usage) on a malformed document.
void migrate(json::Object& document, std::int64_t from);

/// The two tables that every schema has, as members of a document. Their names are those before any
/// naming convention.
inline constexpr std::string_view version_table_name = "_dlt_version";
inline constexpr std::string_view loads_table_name = "_dlt_loads";
json::Object version_table();
json::Object loads_table();

/// The member `name` of a document, made an empty object when it is not there. Throws Error(usage)
/// when it is something else.
json::Object& require_object(json::Object& object, std::string_view name);

}  // namespace tipple::schema
