#pragma once

#include <string>

#include "tipple/columns/column.h"
#include "tipple/engine/handles.h"

// Private to the module: the engine's types and what they become.
namespace tipple::engine {

/// Of DuckDB 2.0, which the header of 1.5 does not name: nanoseconds with a zone.
inline constexpr auto timestamp_tz_ns = static_cast<duckdb_type>(42);

/// How a type of the engine reaches a column of ours.
enum class Passage {
    direct,        ///< its vectors are read as they are
    through_text,  ///< CAST AS VARCHAR first
    through_json,  ///< to_json first
};
struct Mapping {
    columns::ColumnType type;
    Passage passage = Passage::direct;
};
Mapping map_type(duckdb_logical_type type);

/// As a person would write it: `DECIMAL(12,2)`, `STRUCT(a INTEGER, b VARCHAR[])`, `JSON`.
std::string sql_type_name(duckdb_logical_type type);

/// The expression that takes column `name` (already quoted) through its passage.
std::string passage_expression(const std::string& name, Passage passage);

}  // namespace tipple::engine
