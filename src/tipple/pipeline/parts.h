#pragma once

#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/options.h"
#include "tipple/schema/schema.h"

/// Runs that are committed in parts, each a load with the cursor as it stood there.
namespace tipple::pipeline {

/// Throws Error(usage) when a part of what a resource with a checkpoint reads must not be loaded without the rest, or nothing would say where a later run goes on.
void require_parts(const std::vector<ActiveResource>& resources, const schema::Schema& schema, const destination::Capabilities& capabilities, const PipelineConfig& config);

}  // namespace tipple::pipeline
