#pragma once

#include <string>
#include <utility>

namespace tipple::config {

/// A text that must not be shown: it has no formatter and no comparison, and is only got at by name.
class Secret {
public:
    Secret() = default;
    explicit Secret(std::string value) : value_(std::move(value)) {}

    /// The text itself, for whoever has to send it somewhere. Never for a message.
    const std::string& reveal() const { return value_; }
    bool empty() const { return value_.empty(); }

private:
    std::string value_;
};

/// What stands for a secret where settings are shown.
inline constexpr const char* secret_mask = "***";

/// A URL without the password in it: `postgresql://user:***@host/db`. Other text as it is.
std::string mask_url(const std::string& text);

}  // namespace tipple::config
