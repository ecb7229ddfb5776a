#pragma once

#include <cstdint>
#include <stop_token>
#include <string>
#include <vector>

#include "tipple/destination/destination.h"

/// Looks at a whole dataset for what must never be: no load does it, since it reads every table.
namespace tipple::pipeline {

/// One thing that is not as it must be.
struct Finding {
    /// orphans, duplicate_ids, duplicate_keys, unknown_loads, lost_roots, missing_table, missing_column, repeated_loads, unknown_schemas, schema_hash
    std::string check;
    std::string table;
    std::uint64_t count = 0;  ///< of rows, or of whatever is found
    std::string example;      ///< one of them: an id, a key, a name
    std::string meaning;      ///< a sentence for people
};

/// Rows that one load has in one root table; nested rows are not counted.
struct LoadRows {
    std::string load_id;
    std::string table;
    std::uint64_t rows = 0;
};

struct VerifyReport {
    std::vector<Finding> findings;
    std::vector<LoadRows> rows;  ///< of every root table, by load, oldest first
    std::uint64_t tables = 0;
    std::uint64_t checks = 0;
};

/// Reads only. Throws Error(usage) when there is no dataset, Error(cancelled) when stopped between two tables.
VerifyReport verify(destination::Destination& destination, std::stop_token stop);

}  // namespace tipple::pipeline
