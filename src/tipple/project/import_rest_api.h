#pragma once

#include <string>
#include <vector>

#include "tipple/json/value.h"

namespace tipple::project {

/// A project file made of another description, and what of that could not be carried over.
struct ImportedProject {
    std::string text;
    /// Each says where in the description it stands, and what to do about it.
    std::vector<std::string> problems;
    /// What was carried over and is worth being looked at.
    std::vector<std::string> notes;
};

/// The project file with one pipeline for a configuration of dlt's rest_api source, as JSON. Secrets are not copied: references take their place. Throws
/// Error(usage) for what is no such configuration.
ImportedProject import_dlt_rest_api(const json::Value& config, const std::string& pipeline);

}  // namespace tipple::project
