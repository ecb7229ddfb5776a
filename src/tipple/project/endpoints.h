#pragma once

#include <string>

#include "tipple/project/project.h"

/// The two sides of a pipeline: what stands under `source` and `destination`, or in a connection.
namespace tipple::project {

/// A path or URL, or a table with `uri` or `type` and the options of that kind of destination. References are replaced already.
DestinationChoice read_destination(const config::Node& node, const std::string& what, const Project& project, const destination::Registry& registry,
                                   config::Problems& problems);

/// A connection, the name of a source, a path, or a table with `uri` or `type` and the source's options.
SourceChoice read_source(const config::Node& node, const std::string& what, const Project& project, const extract::Registry& registry, config::Problems& problems);

/// The options among the members of `table`, those of `hints` left out: tables within tables are named `csv_delimiter`, lists have a line for each
/// text. Unknown names are problems, unless `specs` is nullptr: then there is no list of them.
config::Options read_options(const config::Node& table, const std::vector<std::string>& hints, const std::vector<config::OptionSpec>* specs,
                             const std::string& what, const Project& project, config::Problems& problems);

}  // namespace tipple::project
