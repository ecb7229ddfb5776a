#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "tipple/package/package.h"
#include "tipple/pipeline/report.h"
#include "tipple/schema/schema.h"

namespace tipple::pipeline {

/// What the run did to each table, roots before what is nested in them. `rows`: how many came, by table.
void describe_tables(std::vector<TableReport>& tables, const schema::Schema& schema, const schema::Schema& before, const std::map<std::string, std::uint64_t>& rows,
                     const std::vector<package::WidenedColumn>& widened);

/// Adds what another part of a run did; a table may come in several.
void add_tables(std::vector<TableReport>& tables, const std::vector<TableReport>& added);

}  // namespace tipple::pipeline
