#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/config/table_reader.h"
#include "tipple/source/hinted_source.h"

/// What a table of the project file says of a resource, whatever its source is.
namespace tipple::project {

/// Keys that every source has, but for those that are options of its own here.
struct SourceKeys {
    bool has_where = false;  ///< in the language of a database
    bool has_steps = false;
};

/// Reads the keys of a resource that every source has; what is wrong goes to `problems`. Other keys are left for the source's own options. `what`: such as `resource "orders"`, for
/// messages.
extract::ResourceHints read_resource_hints(std::string name, const std::string& what, config::TableReader& reader, config::Problems& problems, SourceKeys of_source);

/// `cursor = { field = …, start = … }`. Nothing when it is wrong.
std::optional<incremental::Spec> read_cursor(const config::Node& node, const std::string& what, config::Problems& problems);

/// The keys of a resource under `[pipeline.X.defaults]`, with the resource's own on top: maps of the source are merged by key, all else is replaced,
/// and `"!unset"` takes a key away.
config::Node merge_defaults(const config::Node& defaults, const config::Node& own);

}  // namespace tipple::project
