#pragma once

#include <string>
#include <string_view>

/// Whoever meets an error says that nothing was loaded, and means what he was at. These put it right where more is known.
namespace tipple::pipeline {

/// What is wrong, without what is said of the load and what could be done for a whole run.
std::string without_outcome(std::string_view message);

/// Of a run of which parts are committed already.
std::string outcome_of_part(std::string message);

}  // namespace tipple::pipeline
