#pragma once

#include <map>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/io/environment.h"
#include "tipple/io/file_system.h"

namespace tipple::store {

/// Settings of one profile, as the files that AWS's own tools keep have them.
class AwsProfile {
public:
    /// Reads `AWS_CONFIG_FILE` and `AWS_SHARED_CREDENTIALS_FILE`, or `~/.aws/config` and `~/.aws/credentials`; files that are not there have no settings. An
    /// empty name is `AWS_PROFILE`, or `default`. Throws Error(usage) when a profile that somebody named is in neither.
    static AwsProfile read(io::FileSystem& files, const io::Variables& variables, const std::string& name);

    const std::string& name() const { return name_; }
    std::optional<std::string> find(const std::string& key) const;

private:
    bool add_file(std::string_view text, std::string_view section);

    std::string name_;
    std::map<std::string, std::string> settings_;
};

}  // namespace tipple::store
