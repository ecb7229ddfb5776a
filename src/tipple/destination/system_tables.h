#pragma once

#include <string>
#include <string_view>

#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

/// The three tables in which a dataset remembers schemas, loads and states, exactly as the
/// reference lays them out, so that either can go on where the other stopped.
namespace tipple::destination {

inline constexpr std::string_view version_table = "_dlt_version";
inline constexpr std::string_view loads_table = "_dlt_loads";
inline constexpr std::string_view state_table = "_dlt_pipeline_state";

/// Columns in the reference's order, types and nullability.
schema::Table version_table_definition();
schema::Table loads_table_definition();
schema::Table state_table_definition();

inline constexpr std::int64_t state_engine_version = 4;
/// Length of the random row id of a state row.
inline constexpr std::size_t state_row_id_length = 14;

/// base64 of SHA3-256 over the sorted document without what does not count: its versions, its hash
/// and the part that stays local.
std::string state_hash(const json::Object& document);
/// What is stored as a state's `version_hash`: the one that it says, or else the one that it has.
std::string stored_state_hash(const json::Object& document);

/// base64 of the compressed document, without the part that stays local. Typed values are texts
/// that start with a mark of their own and stay as they are.
std::string encode_state(const json::Object& document);
/// Also takes a document that was not compressed. Throws Error(corrupt).
json::Value decode_state(std::string_view text);

/// A schema document as stored: as JSON, or compressed like a state where the store's texts are
/// short. Throws Error(corrupt).
json::Value decode_schema(std::string_view text);

}  // namespace tipple::destination
