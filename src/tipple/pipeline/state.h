#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/pipeline/options.h"

namespace tipple::pipeline {

/// The pipeline's state as a document of the reference's form: who the pipeline is, and what its sources remember.
struct PipelineState {
    json::Object document;
    /// Whether it differs from what the destination has, so that a state row must be written.
    bool is_changed = false;
};

/// What is to be stored after a run of `schemas` that leaves the sources' memory as `sources`: the version goes up when anything but the version
/// changed. The first schema a pipeline ever has is its default.
PipelineState next_state(const std::optional<destination::StoredState>& stored, const PipelineConfig& config, const std::vector<std::string>& schemas,
                         const std::string& destination_type, json::Object sources);

std::optional<std::string> default_schema_of(const std::optional<destination::StoredState>& stored);

/// The `sources` member of a stored state.
json::Object sources_of(const std::optional<destination::StoredState>& stored);

}  // namespace tipple::pipeline
