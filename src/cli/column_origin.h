#pragma once

#include <optional>
#include <string>
#include <vector>

#include "cli/program.h"
#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

/// What the runs of this machine have noted of a column.
namespace tipple::cli {

struct ColumnOrigins {
    /// Which record made the column; nothing when no run of this machine did, or none that noted it.
    std::optional<json::Object> made;
    /// When it got a wider type since, newest first.
    std::vector<json::Object> widened;
};

/// Of all pipelines that load into the target's dataset. Throws Error(usage).
ColumnOrigins read_column_origins(Program& program, const std::string& target, const std::string& dataset, const std::string& schema, const std::string& table,
                                  const std::string& column);

/// `orders.jsonl:17 (byte 1,234)`; empty for a column that was declared.
std::string place_text(const json::Object& origin);

/// Why the column has its type, in a sentence; empty when `origin` does not say.
std::string reason_text(const json::Object& origin, const schema::Column& column);

}  // namespace tipple::cli
