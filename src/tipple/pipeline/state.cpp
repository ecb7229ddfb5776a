#include "tipple/pipeline/state.h"

#include <algorithm>

#include "tipple/destination/system_tables.h"

namespace tipple::pipeline {

namespace {

std::string schema_name_of(const PipelineConfig& config) { return config.schema_name.empty() ? config.name : config.schema_name; }

}  // namespace

json::Object sources_of(const std::optional<destination::StoredState>& stored) {
    if (!stored || !stored->document.is_object()) return {};
    const json::Value* sources = stored->document.as_object().find("sources");
    return sources != nullptr && sources->is_object() ? sources->as_object() : json::Object();
}

PipelineState next_state(const std::optional<destination::StoredState>& stored, const PipelineConfig& config, const std::string& dataset,
                         const std::string& destination_type, json::Object sources) {
    PipelineState state;
    // Members of other writers stay.
    if (stored && stored->document.is_object()) state.document = stored->document.as_object();
    json::Object& document = state.document;
    // The order of a document that the reference has written.
    document["_state_version"];
    document.set("_state_engine_version", destination::state_engine_version);
    json::Array names;
    if (const json::Value* known = document.find("schema_names"); known != nullptr && known->is_array()) names = known->as_array();
    const json::Value own_name(schema_name_of(config));
    if (std::find(names.begin(), names.end(), own_name) == names.end()) names.push_back(own_name);
    std::sort(names.begin(), names.end(), [](const json::Value& a, const json::Value& b) { return a.as_text() < b.as_text(); });
    document.set("schema_names", std::move(names));
    document.set("pipeline_name", config.name);
    document.set("dataset_name", dataset);
    document.set("default_schema_name", own_name);
    document.set("destination_type", destination_type);
    document["destination_name"];
    document["_version_hash"];
    // The reference leaves the member out until a source has a state; the document's hash must not change without need.
    if (!sources.empty() || document.find("sources") != nullptr) document.set("sources", std::move(sources));
    const std::string hash = destination::state_hash(document);
    state.is_changed = !stored || stored->version_hash != hash;
    const std::int64_t version = stored ? stored->version : 0;
    document.set("_state_version", state.is_changed ? version + 1 : version);
    document.set("_version_hash", hash);
    return state;
}

}  // namespace tipple::pipeline
