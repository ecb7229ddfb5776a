#pragma once

#include <string>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/schema/schema.h"

namespace tipple::cli {

/// One stored version of a schema.
struct SchemaVersion {
    schema::Schema schema;
    std::string inserted_at;  ///< as the store prints it
    /// The first load that was made with it; empty when none is recorded.
    std::string load_id;
};

/// All stored versions of the schema `name`, oldest first.
std::vector<SchemaVersion> read_schema_history(destination::Destination& destination, const std::string& name);

/// The version in which a table or column (empty = the table itself) came to be as it is: the first of those, back from the newest, that
/// have it. Nothing when the newest has it not.
const SchemaVersion* version_that_added(const std::vector<SchemaVersion>& history, const std::string& table, const std::string& column);

}  // namespace tipple::cli
