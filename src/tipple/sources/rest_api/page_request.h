#pragma once

#include <optional>
#include <string>

#include "tipple/io/http_client.h"
#include "tipple/io/url.h"
#include "tipple/json/value.h"
#include "tipple/sources/rest_api/settings.h"

namespace tipple::sources::rest {

/// A request in parts, as paginators change it from page to page.
struct PageRequest {
    std::string method = "GET";
    std::string url;  ///< without query
    io::QueryParams query;
    io::HttpHeaders headers;
    std::optional<json::Value> json;
    /// When there is no `json`.
    std::optional<std::string> body;

    /// Replaces every parameter of that name, or adds one.
    void set_param(const std::string& name, std::string value);
    /// Where `a.b` leads in the JSON body; objects on the way are made.
    void set_in_body(const std::string& path, json::Value value);
    std::string full_url() const { return io::with_query(url, query); }
    io::HttpRequest to_http() const;
    /// Equal for requests that mean the same.
    std::uint64_t fingerprint() const;
};

/// The resource's first request. Throws Error(data) for a null in its path.
PageRequest make_request(const ApiSettings& api, const ResourceSettings& resource, const Scope& scope);

}  // namespace tipple::sources::rest
