#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tipple/project/project.h"

/// The two sides of a pipeline: what stands under `source` and `destination`, or in a connection.
namespace tipple::project {

/// What somebody else has set, and where: `key` is its name there.
struct OtherSetting {
    std::string value;
    config::Place place;
    std::string key;
};

/// Looks for an option elsewhere that nobody has set here; `name` is its own, or `credentials_key` for the whole URL.
using OtherSettings = std::function<std::optional<OtherSetting>(const std::string& name, config::OptionKind kind)>;

/// Where dlt looks for the whole URL of a destination.
inline constexpr const char* credentials_key = "credentials";

/// What a dlt project in the folder says under these sections, below all that is ours; nothing is found where there is no such project. `pipeline`:
/// what is said under its name comes first; may be empty. Throws Error(usage).
OtherSettings dlt_settings_of(io::FileSystem& files, const Project& project, std::vector<std::string> sections, const std::string& last_section,
                              const std::string& pipeline);

/// The same of a source of that kind, in the order in which it counts: under dlt's name of it, then under ours.
std::vector<OtherSettings> dlt_settings_of_source(io::FileSystem& files, const Project& project, const std::string& kind, const std::string& pipeline);

/// Sets what `node`, the table of the source or a text, leaves open of it.
void fill_source(SourceChoice& source, const config::Node& node, const std::vector<OtherSettings>& others, const Project& project);

/// The same of an option that dlt may call by another name.
std::optional<OtherSetting> find_other(const OtherSettings& others, const config::OptionSpec& spec);

/// The sections of a destination that is written as a table, `node`; dlt calls it by its type.
std::vector<std::string> dlt_sections_of(const config::Node& node);

/// A path or URL, or a table with `uri` or `type` and the options of that kind of destination. References are replaced already.
DestinationChoice read_destination(const config::Node& node, const std::string& what, const Project& project, const destination::Registry& registry,
                                   const OtherSettings& others, config::Problems& problems);

/// A connection, the name of a source, a path, or a table with `uri` or `type` and the source's options.
SourceChoice read_source(const config::Node& node, const std::string& what, const Project& project, const extract::Registry& registry, config::Problems& problems);

/// Sets what is not set yet.
void fill_options(config::Options& options, const std::vector<config::OptionSpec>& specs, const OtherSettings& others);

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
