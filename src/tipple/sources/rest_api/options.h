#pragma once

#include <vector>

#include "tipple/config/option_spec.h"

namespace tipple::sources::rest {

/// What may stand in the settings of the source and of its resources. What is inside of tables is checked where they are read.
std::vector<config::OptionSpec> source_option_specs();
std::vector<config::OptionSpec> resource_option_specs();

}  // namespace tipple::sources::rest
