#include "tipple/pipeline/state.h"

#include "tipple/core/hash.h"

namespace tipple::pipeline {

namespace {

constexpr std::int64_t state_engine_version = 4;

std::string schema_name_of(const PipelineConfig& config) { return config.schema_name.empty() ? config.name : config.schema_name; }

}  // namespace

std::string state_hash(const json::Object& document) {
    json::Object hashed;
    for (const json::Member& member : document) {
        if (member.name == "_state_version" || member.name == "_state_engine_version" || member.name == "_version_hash" || member.name == "_local") {
            continue;
        }
        hashed.append(member.name, member.value);
    }
    Sha3_256 hash;
    hash.update(json::to_text(hashed, {.key_order = json::KeyOrder::sorted}));
    return to_base64(as_text(hash.digest()));
}

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
    document["_state_version"];
    document.set("_state_engine_version", state_engine_version);
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
    document.set("sources", std::move(sources));
    const std::string hash = state_hash(document);
    state.is_changed = !stored || stored->version_hash != hash;
    const std::int64_t version = stored ? stored->version : 0;
    document.set("_state_version", state.is_changed ? version + 1 : version);
    document.set("_version_hash", hash);
    return state;
}

schema::Table state_table() {
    using schema::Column;
    using schema::DataType;
    schema::Table table("_dlt_pipeline_state");
    table.set_column(Column("version", DataType::bigint, false));
    table.set_column(Column("engine_version", DataType::bigint, false));
    table.set_column(Column("pipeline_name", DataType::text, false));
    table.set_column(Column("state", DataType::text, false));
    table.set_column(Column("created_at", DataType::timestamp, false));
    table.set_column(Column("version_hash", DataType::text, true));
    Column load_id(std::string(schema::load_id_column), DataType::text, false);
    load_id.set_hint("precision", 64);
    table.set_column(std::move(load_id));
    Column id(std::string(schema::id_column), DataType::text, false);
    id.set_hint("unique", true);
    id.set_hint("row_key", true);
    table.set_column(std::move(id));
    table.set_property("write_disposition", "append");
    table.set_property("file_format", "preferred");
    table.set_property("resource", "_dlt_pipeline_state");
    table.set_normalizer_hint("seen-data", true);
    return table;
}

}  // namespace tipple::pipeline
