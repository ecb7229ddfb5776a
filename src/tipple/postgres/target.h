#pragma once

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/config/option_spec.h"

namespace tipple::postgres {

/// Which server, which database, and as whom.
struct Target {
    /// For libpq, by its keywords. With secrets.
    std::vector<std::pair<std::string, std::string>> parameters;
    /// `postgresql://host:5432/database`, without secrets.
    std::string description;
    /// The same for the same database, however it was written.
    std::string identity;

    /// Empty when it was not given.
    std::string_view parameter(std::string_view keyword) const;
};

/// From a URL (`url`), from parts (`host`, `port`, `database`, `username`, `password`, `sslmode`), or from both, the parts winning; what
/// neither says comes from the environment and the service file, as in all programs that use libpq. Throws Error(usage), never naming a secret.
Target parse_target(const config::Options& options);

/// A URL as people paste it, made one that libpq understands: the driver behind `postgresql+` and parameters that are meant for other
/// libraries go, and special characters in user and password are encoded.
std::string repair_url(std::string_view url);

}  // namespace tipple::postgres
