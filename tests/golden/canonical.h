#pragma once

#include <string>

#include "store.h"
#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

namespace tipple::golden {

/// A dataset in the form of a case's `expect`.
struct CanonicalDataset {
    json::Object tables;
    json::Object system;
    std::int64_t loads = 0;
};

/// `exact`: true, or a list of the tables whose ids are shown as they are, or null.
CanonicalDataset read_canonical(Store& store, const std::string& dataset, const schema::Schema& schema, const json::Value& exact);

/// The schema as `expect.schema` has it.
json::Object canonical_schema(const schema::Schema& schema);

/// A state as `expect.state` has it: typed values as objects, hashes sorted.
json::Value canonical_state(const json::Value& state);

}  // namespace tipple::golden
