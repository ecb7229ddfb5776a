#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/node.h"
#include "tipple/config/settings.h"
#include "tipple/io/file_system.h"

namespace tipple::config {

/// What is looked for in the settings of a dlt project. The words are dlt's.
struct DltField {
    std::string key;
    bool is_secret = false;
    /// From the widest on: {"sources", "shop_api", "shop"} or {"destination", "postgres"}.
    std::vector<std::string> sections;
    /// Names of the fields around it.
    std::vector<std::string> embedded = {};
    /// Always the last section: "credentials".
    std::string last_section = {};
    /// A table of that name holds the parts of what is looked for: it is found in secrets.toml, and hides what counts less; one in config.toml is not.
    bool is_whole = false;
};

struct DltValue {
    Node node;
    /// As the place that has it names it: `SOURCES__SHOP__API_KEY`, `sources.shop.api_key`, or the path of a file that holds nothing else.
    std::string key;
};

/// Where containers find their secrets, a file each.
inline constexpr const char* mounted_secrets_folder = "/run/secrets";

/// Where settings of dlt are, besides variables.
struct DltPlaces {
    /// The project's, in which `.dlt` is; the variables DLT_PROJECT_DIR and DLT_CONFIG_FOLDER say otherwise.
    std::string folder;
    /// Of `secrets.toml` and `config.toml` for all projects, below those of the project; empty = none.
    std::string global_folder = {};
    /// Of files that hold a secret each; empty = none.
    std::string secrets_folder = {};
};

/// `secrets.toml`, `config.toml`, mounted secrets and variables of the environment, looked up as dlt does it: first under the pipeline's name, then
/// without it; each time in mounted secrets and the environment, then in secrets.toml, then in config.toml; there from the most specific section to
/// none. Where the project itself has none of the two files, it is perhaps no dlt project at all: then of variables and mounted secrets only those
/// count that are named by a section of dlt's, DESTINATION__WH__CREDENTIALS but not PASSWORD.
class DltSettings {
public:
    /// Files that are not there are empty. `files` outlives the settings. Throws Error(usage) for a file that is not TOML.
    static DltSettings read(io::FileSystem& files, const DltPlaces& places, Environment environment);

    /// `pipeline` may be empty. Throws Error(usage) for a secret that stands in config.toml.
    std::optional<DltValue> find(const DltField& field, std::string_view pipeline) const;
    /// All keys that `find` looks under, in its order.
    static std::vector<std::string> keys(const DltField& field, std::string_view pipeline);

private:
    std::optional<DltValue> find_in(const DltField& field, std::string_view pipeline) const;
    std::optional<DltValue> find_mounted(const std::string& variable) const;

    io::FileSystem* files_ = nullptr;
    std::string secrets_folder_;  ///< empty = there is none
    Environment environment_;
    Node secrets_;
    Node config_;
    bool is_dlt_project_ = false;
};

/// Without blanks at both ends, as dlt takes whole numbers and passwords. Valid as long as `text`.
std::string_view dlt_stripped(std::string_view text);
/// Text, and other scalars as dlt turns them into text.
std::string dlt_text(const Node& node);
/// `yes true t y 1` and `no false f n 0` in any case; nothing for another text. Numbers count by whether they are zero.
std::optional<bool> dlt_boolean(const Node& node);
/// Whole numbers, also as text with blanks around it or in hexadecimal, and numbers without a fraction.
std::optional<std::int64_t> dlt_integer(const Node& node);

}  // namespace tipple::config
