#pragma once

#include <optional>
#include <string>

#include "tipple/destinations/duckdb/session.h"

namespace tipple::destinations::duckdb {

/// What a run reads at its start. Nothing when the file or the dataset is not there.
std::optional<destination::StoredDataset> read_dataset(Session& session,
                                                       const std::string& pipeline);

bool has_load(Session& session, const std::string& load_id);

/// The system table under the name it has, if it is there.
bool has_table(const destination::Catalog& catalog, std::string_view table);

}  // namespace tipple::destinations::duckdb
