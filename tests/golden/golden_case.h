#pragma once

#include <string>
#include <vector>

#include "store.h"
#include "tipple/json/value.h"

namespace tipple::golden {

/// What came of one case.
struct Outcome {
    bool has_passed = false;
    /// One line per difference, or why the case could not be run.
    std::vector<std::string> differences;
};

/// Runs a case in the form of tests/golden/README.md, loading into `store`, with its working data in `folder`, which is empty and stays the caller's.
/// Never throws.
Outcome run_case(const json::Value& document, const std::string& folder, Store& store);

}  // namespace tipple::golden
