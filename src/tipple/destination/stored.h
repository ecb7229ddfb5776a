#pragma once

#include <optional>
#include <string>

#include "tipple/destination/sql_session.h"

namespace tipple::destination {

/// What a run reads at its start. Nothing when the dataset is not there.
std::optional<StoredDataset> read_dataset(SqlSession& session, const std::string& pipeline);

/// Whether the load record is there, and the state that came with it.
bool has_load(SqlSession& session, const LoadKey& load);

}  // namespace tipple::destination
