#pragma once

#include <string>
#include <utility>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/source/source.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources::files {

/// What a pattern without a match is: a mistake of whoever typed it, or a day on which nothing came.
enum class NoMatch { fails, is_fine };

/// What one resource reads.
struct ResourceSettings {
    std::string name;
    std::vector<std::string> patterns;
    ContentOptions content;
    NoMatch no_match = NoMatch::fails;
};

/// A resource for each table that the paths are named after, or those that the user defines. Throws Error(usage).
std::vector<ResourceSettings> parse_settings(const extract::SourceContext& context);

/// Options of the source, and those of one of its resources.
std::vector<config::OptionSpec> source_option_specs();
std::vector<config::OptionSpec> resource_option_specs();

}  // namespace tipple::sources::files
