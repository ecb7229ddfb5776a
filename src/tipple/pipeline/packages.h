#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/package/package.h"

/// The packages of a pipeline as people look at them.
namespace tipple::pipeline {

/// Rows of one table in a package.
struct PackageTable {
    std::string table;
    std::string disposition;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;  ///< on disk; 0 once the rows were loaded and deleted
    std::size_t files = 0;
};

struct PackageInfo {
    std::string load_id;
    package::PackageState state = package::PackageState::normalized;
    std::string schema_name;
    std::string created_at;  ///< UTC
    std::string tool_version;
    std::string folder;
    std::uint64_t rows = 0;
    std::vector<PackageTable> tables;
    /// What the package says of itself: steps with their times.
    std::vector<json::Value> journal;
    /// Why it was not loaded when this was last tried; empty when it never failed.
    std::string error;
    /// The line of the journal that says so, with the job that failed: `to_json` of a JobFailure. Empty when it never failed.
    json::Object failure = {};
};

/// Reads what the package says of itself, and its journal. Throws like the functions of the package.
PackageInfo describe_package(const package::Package& package);

}  // namespace tipple::pipeline
