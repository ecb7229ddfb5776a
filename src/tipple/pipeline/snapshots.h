#pragma once

#include <string>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/options.h"
#include "tipple/schema/schema.h"

/// Full snapshots (`delete_missing`): what is not read is taken for gone, so nothing may be left unread.
namespace tipple::pipeline {

/// Throws Error(usage) when a resource that is to be a full snapshot cannot be one, by what it and the run say. `unread`: tables of resources of the
/// source that the run does not read.
void check_snapshots(const std::vector<ActiveResource>& resources, const std::vector<std::string>& unread, const schema::Schema& schema, const RunOptions& options,
                     const destination::Capabilities& capabilities);

/// Throws Error(usage) when, now that all is read, something of such a resource was left out, or it had no records.
void check_complete(const std::vector<ActiveResource>& resources, const ExtractResult& extracted);

}  // namespace tipple::pipeline
