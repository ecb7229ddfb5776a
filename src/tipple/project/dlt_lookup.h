#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/project/project.h"

/// What a dlt project says of sources and destinations, below all that is ours.
namespace tipple::project {

/// What somebody else has set, and where: `key` is its name there.
struct OtherSetting {
    std::string value;
    config::Place place;
    std::string key;
    /// It is put together of several settings; place and key are those of the first.
    bool is_of_parts = false;
};

/// Looks for an option elsewhere that nobody has set here; `name` is its own, or `credentials_key` for the whole URL.
using OtherSettings = std::function<std::optional<OtherSetting>(const std::string& name, config::OptionKind kind)>;

/// Where dlt looks for the whole URL of a destination or database.
inline constexpr const char* credentials_key = "credentials";

/// What a dlt project in the folder says under these sections. `pipeline`: what is said under its name comes first; may be empty. `files` and `project`
/// outlive what is returned, which throws Error(usage), as this does.
OtherSettings dlt_settings_of(io::FileSystem& files, const Project& project, std::vector<std::string> sections, const std::string& last_section,
                              const std::string& pipeline);

/// The same of a source of that kind, in the order in which it counts: under dlt's name of it, then under ours.
std::vector<OtherSettings> dlt_settings_of_source(io::FileSystem& files, const Project& project, const std::string& kind, const std::string& pipeline);

/// The same of an option that dlt may call by another name.
std::optional<OtherSetting> find_other(const OtherSettings& others, const config::OptionSpec& spec);

/// The sections of a destination that is written as a table, `node`; dlt calls it by its type.
std::vector<std::string> dlt_sections_of(const config::Node& node);

/// Who wrote a URL.
enum class UrlWriter {
    project,  ///< It is complete, but for a password.
    dlt,      ///< What it leaves out may be said elsewhere.
};

/// Whether the URL decides about an option, so that dlt's single fields do not count.
bool is_said_by_url(std::string_view url, UrlWriter writer, std::string_view option);

}  // namespace tipple::project
