#include "tipple/sources/rest_api/page_request.h"

#include <algorithm>

#include "tipple/core/hash.h"

namespace tipple::sources::rest {

void PageRequest::set_param(const std::string& name, std::string value) {
    const auto first = std::find_if(query.begin(), query.end(), [&](const auto& param) { return param.first == name; });
    if (first == query.end()) {
        query.emplace_back(name, std::move(value));
        return;
    }
    first->second = std::move(value);
    query.erase(std::remove_if(first + 1, query.end(), [&](const auto& param) { return param.first == name; }), query.end());
}

void PageRequest::set_in_body(const std::string& path, json::Value value) {
    if (!json) json.emplace(json::Object());
    json::Value* at = &*json;
    for (std::size_t begin = 0; begin <= path.size();) {
        const std::size_t end = std::min(path.find('.', begin), path.size());
        if (!at->is_object()) *at = json::Object();
        at = &at->as_object()[path.substr(begin, end - begin)];
        begin = end + 1;
    }
    *at = std::move(value);
}

io::HttpRequest PageRequest::to_http() const {
    io::HttpRequest request{.method = method, .url = full_url(), .headers = headers, .body = body};
    if (json) request.body = json::to_text(*json);
    return request;
}

std::uint64_t PageRequest::fingerprint() const {
    Xxh3 hash;
    hash.update(method);
    hash.update("\n");
    hash.update(full_url());
    hash.update("\n");
    hash.update(json ? json::to_text(*json) : body.value_or(""));
    return hash.digest();
}

namespace {

std::string join_url(const std::string& base, const std::string& path) {
    if (io::is_http_url(path)) return path;
    if (path.empty()) return base;
    std::string url = base;
    while (url.ends_with('/')) url.pop_back();
    std::size_t start = 0;
    while (start < path.size() && path[start] == '/') ++start;
    return url + "/" + path.substr(start);
}

std::string param_text(const json::Value& value) { return value.is_text() ? value.as_text() : json::to_text(value); }

/// A list is the parameter several times.
void add_params(io::QueryParams& params, const std::string& name, const json::Value& value) {
    if (!value.is_array()) {
        params.emplace_back(name, param_text(value));
        return;
    }
    for (const json::Value& element : value.as_array()) params.emplace_back(name, param_text(element));
}

}  // namespace

PageRequest make_request(const ApiSettings& api, const ResourceSettings& resource, const Scope& scope) {
    PageRequest request;
    request.method = resource.method;
    auto [url, query] = io::split_query(join_url(api.base_url, resource.path.url_path(scope)));
    request.url = std::move(url);
    request.query = std::move(query);
    for (const auto& [name, tmpl] : resource.params) {
        const std::optional<json::Value> value = tmpl.value(scope);
        if (!value || value->is_null()) continue;
        std::erase_if(request.query, [&](const auto& param) { return param.first == name; });
        add_params(request.query, name, *value);
    }
    for (const auto& [name, value] : api.headers) io::set_header(request.headers, name, value);
    for (const auto& [name, tmpl] : resource.headers) {
        if (std::optional<std::string> value = tmpl.text(scope)) io::set_header(request.headers, name, *std::move(value));
    }
    const auto default_header = [&](const char* name, const char* value) {
        if (io::find_header(request.headers, name) == nullptr) io::set_header(request.headers, name, value);
    };
    default_header("Accept", "application/json, */*;q=0.5");
    if (resource.json) {
        request.json = resource.json->value(scope).value_or(json::Value(json::Object()));
        default_header("Content-Type", "application/json");
    } else if (resource.form) {
        io::QueryParams form;
        const json::Value value = resource.form->value(scope).value_or(json::Value(json::Object()));
        for (const json::Member& member : value.as_object()) add_params(form, member.name, member.value);
        request.body = io::form_encode(form);
        default_header("Content-Type", "application/x-www-form-urlencoded");
    } else if (resource.body) {
        request.body = resource.body->text(scope);
    }
    return request;
}

}  // namespace tipple::sources::rest
