#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

/// URLs of http and https as text.
namespace tipple::io {

/// Names and values in their order, decoded; a name may come more than once.
using QueryParams = std::vector<std::pair<std::string, std::string>>;

/// By its scheme alone.
bool is_http_url(std::string_view url);

/// `reference` as seen from `base`; nothing when that is no URL of http or https.
std::optional<std::string> resolve_url(const std::string& base, const std::string& reference);

/// `https://host:port`, the port always given; empty when it is no URL of http or https.
std::string url_origin(const std::string& url);

/// The URL without its query and fragment, and its query.
std::pair<std::string, QueryParams> split_query(std::string_view url);
/// The URL, which has no query, with this one.
std::string with_query(std::string url, const QueryParams& params);

/// Everything but letters, digits and `-._~` as `%XX`.
std::string percent_encode(std::string_view text);
/// Escapes that are none stay as they are.
std::string percent_decode(std::string_view text);
/// What cannot stand in a URL as `%XX`: spaces, controls, bytes beyond ASCII and `"<>\^`{|}`. The rest stays.
std::string encode_unsafe(std::string_view text);

/// `name=value&…` with spaces as `+`, as forms are sent.
std::string form_encode(const QueryParams& params);

/// The URL with `***` for its password and for values of parameters whose names say that they are secret (`api_key`, `password`, all that end with
/// `token` or `signature`, …).
std::string mask_url_secrets(const std::string& url);

}  // namespace tipple::io
