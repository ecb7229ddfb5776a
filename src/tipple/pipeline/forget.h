#pragma once

#include <string>
#include <vector>

#include "tipple/pipeline/extract.h"
#include "tipple/schema/schema.h"

/// Takes tables out of schemas.
namespace tipple::pipeline {

/// With what the schema's normalizers say of them.
void erase_tables(schema::Schema& schema, const std::vector<std::string>& tables);

/// Tables that were declared for the first time, and of whose resource nothing came, are as if they had not been.
void erase_unused(schema::Schema& schema, const std::vector<ActiveResource>& resources, const ExtractResult& extracted);

}  // namespace tipple::pipeline
