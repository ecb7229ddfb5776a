#include "tipple/pipeline/state.h"

#include <algorithm>

#include "tipple/destination/system_tables.h"

namespace tipple::pipeline {

json::Object sources_of(const std::optional<destination::StoredState>& stored) {
    if (!stored || !stored->document.is_object()) return {};
    const json::Value* sources = stored->document.as_object().find("sources");
    return sources != nullptr && sources->is_object() ? sources->as_object() : json::Object();
}

std::optional<std::string> default_schema_of(const std::optional<destination::StoredState>& stored) {
    if (!stored || !stored->document.is_object()) return std::nullopt;
    const json::Value* name = stored->document.as_object().find("default_schema_name");
    return name != nullptr && name->is_text() && !name->as_text().empty() ? std::optional(name->as_text()) : std::nullopt;
}

PipelineState next_state(const std::optional<destination::StoredState>& stored, const PipelineConfig& config, const std::vector<std::string>& schemas,
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
    for (const std::string& schema : schemas) {
        if (std::find(names.begin(), names.end(), json::Value(schema)) == names.end()) names.emplace_back(schema);
    }
    std::sort(names.begin(), names.end(), [](const json::Value& a, const json::Value& b) { return a.as_text() < b.as_text(); });
    document.set("schema_names", std::move(names));
    document.set("pipeline_name", config.name);
    document.set("dataset_name", config.dataset);
    document.set("default_schema_name", default_schema_of(stored).value_or(schemas.front()));
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
