#pragma once

#include <string>
#include <vector>

#include "tipple/project/dlt_lookup.h"
#include "tipple/project/project.h"

/// The two sides of a pipeline: what stands under `source` and `destination`, or in a connection.
namespace tipple::project {

/// Sets what `node`, the table of the source or a text, leaves open of it.
void fill_source(SourceChoice& source, const config::Node& node, const std::vector<OtherSettings>& others, const Project& project);

/// A path or URL, or a table with `uri` or `type` and the options of that kind of destination. References are replaced already.
DestinationChoice read_destination(const config::Node& node, const std::string& what, const Project& project, const destination::Registry& registry,
                                   const OtherSettings& others, config::Problems& problems);

/// A connection, the name of a source, a path, or a table with `uri` or `type` and the source's options.
SourceChoice read_source(const config::Node& node, const std::string& what, const Project& project, const extract::Registry& registry, config::Problems& problems);

/// What may be in a table of options.
struct KnownOptions {
    const std::vector<config::OptionSpec>* own = nullptr;        ///< nullptr = there is no list of them
    const std::vector<config::OptionSpec>* of_source = nullptr;  ///< of a resource: what would have its place in the source
};

/// The options among the members of `table`, those of `hints` left out: tables within tables are named `csv_delimiter`, those that are
/// blocks (OptionSpec::block) not at all, lists have a line for each
/// text. Unknown names are problems where there is a list.
config::Options read_options(const config::Node& table, const std::vector<std::string>& hints, const KnownOptions& known, const std::string& what,
                             const Project& project, config::Problems& problems);

}  // namespace tipple::project
