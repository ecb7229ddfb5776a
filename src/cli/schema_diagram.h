#pragma once

#include <string>
#include <vector>

#include "tipple/schema/schema.h"

namespace tipple::cli {

/// An entity relationship diagram of the tables in Mermaid's notation (https://mermaid.js.org/syntax/entityRelationshipDiagram.html): columns with
/// their types and keys, and a line from each table to those nested in it.
std::string to_mermaid(const std::vector<const schema::Table*>& tables);

}  // namespace tipple::cli
