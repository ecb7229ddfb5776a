#pragma once

#include <cstdint>
#include <string>

#include "tipple/io/http_client.h"

namespace tipple::io {

/// What requests to an object store are signed with. `secret` and `session_token` are for nobody's eyes.
struct AccessKey {
    std::string id;
    std::string secret;
    std::string session_token;  ///< empty = none
    bool operator==(const AccessKey&) const = default;
};

/// Whose words a signature is written in; the computation is one.
enum class SignatureDialect : std::uint8_t { aws, google };

/// What a signature holds for, besides the day.
struct SignatureScope {
    std::string region;
    std::string service;
    SignatureDialect dialect = SignatureDialect::aws;
};

/// `x-amz-date` for `date`, `x-goog-date` for Google.
std::string signed_header_name(SignatureDialect dialect, std::string_view name);

/// Signs a request by Signature Version 4: adds the date, the session token and `Authorization`. All headers that are there are signed, and `Host`
/// as it is going to be sent. The body's hash is that of the header `x-amz-content-sha256` where there is one. Path and query of the URL are
/// taken as they stand, encoded by who made them: object stores do not normalize paths.
void sign_request(HttpRequest& request, const AccessKey& key, const SignatureScope& scope, std::int64_t now_us);

}  // namespace tipple::io
