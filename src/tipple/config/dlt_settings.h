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
    /// A table of that name holds the parts of what is looked for, and is not it.
    bool is_whole = false;
};

struct DltValue {
    Node node;
    /// As the place that has it names it: `SOURCES__SHOP__API_KEY`, or `sources.shop.api_key`.
    std::string key;
};

/// `.dlt/secrets.toml`, `.dlt/config.toml` and variables of the environment, looked up as dlt does it: first under the pipeline's name, then without
/// it; each time in the environment, then in secrets, then in config; there from the most specific section to none.
class DltSettings {
public:
    /// `folder`: the project's. Files that are not there are empty. Throws Error(usage) for one that is not TOML.
    static DltSettings read(io::FileSystem& files, const std::string& folder, Environment environment);

    /// Whether there is a file at all: variables alone do not make a dlt project.
    bool has_files() const { return has_files_; }
    /// `pipeline` may be empty. Throws Error(usage) for a secret that stands in config.toml.
    std::optional<DltValue> find(const DltField& field, std::string_view pipeline) const;
    /// All keys that `find` looks under, in its order.
    static std::vector<std::string> keys(const DltField& field, std::string_view pipeline);

private:
    std::optional<DltValue> find_in(const DltField& field, std::string_view pipeline) const;

    Environment environment_;
    Node secrets_;
    Node config_;
    bool has_files_ = false;
};

/// Text, and other scalars as dlt turns them into text.
std::string dlt_text(const Node& node);
/// `yes true t y 1` and `no false f n 0` in any case; nothing for another text. Numbers count by whether they are zero.
std::optional<bool> dlt_boolean(const Node& node);
/// Whole numbers, also as text with blanks around it or in hexadecimal, and numbers without a fraction.
std::optional<std::int64_t> dlt_integer(const Node& node);

}  // namespace tipple::config
