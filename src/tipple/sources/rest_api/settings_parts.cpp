#include "tipple/sources/rest_api/settings_parts.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"

namespace tipple::sources::rest {

using config::Node;
using config::Problems;
using config::TableReader;

namespace {

using PaginatorKind = PaginatorSpec::Kind;
using AuthKind = AuthSpec::Kind;

const std::vector<std::pair<std::string, PaginatorKind>> paginator_kinds = {
    {"auto", PaginatorKind::automatic},       {"single_page", PaginatorKind::single_page},     {"json_link", PaginatorKind::json_link},
    {"header_link", PaginatorKind::header_link}, {"header_cursor", PaginatorKind::header_cursor}, {"cursor", PaginatorKind::cursor},
    {"offset", PaginatorKind::offset},        {"page_number", PaginatorKind::page_number}};

const std::vector<std::pair<std::string, AuthKind>> auth_kinds = {
    {"none", AuthKind::none},       {"bearer", AuthKind::bearer},
    {"basic", AuthKind::basic},     {"http_basic", AuthKind::basic},
    {"api_key", AuthKind::api_key}, {"oauth2_client_credentials", AuthKind::client_credentials},
    {"oauth2_refresh_token", AuthKind::refresh_token}, {"jwt_bearer", AuthKind::jwt_bearer}};

/// A text that is one of the kinds stands for a table with nothing but that.
Node as_table(const Node& node) {
    if (node.kind != Node::Kind::text) return node;
    Node table{.place = node.place};
    table["type"] = node;
    return table;
}

std::optional<json::Path> read_path(TableReader& reader, const char* name, const char* otherwise = nullptr) {
    const std::optional<std::string> text = reader.text(name);
    if (!text && otherwise == nullptr) return std::nullopt;
    try {
        return json::Path::parse(text.value_or(otherwise != nullptr ? otherwise : ""), json::Path::Dialect::full);
    } catch (const Error& error) {
        reader.problem(name, error.what());
        return json::Path();
    }
}

/// `NAME_param`, else `NAME_body_path`, else the default parameter.
std::string read_place(TableReader& reader, const std::string& name, bool& is_in_body) {
    const std::optional<std::string> param = reader.text(name + "_param");
    const std::optional<std::string> body = reader.text(name + "_body_path");
    if (param && body) reader.problem(name + "_param", fmt::format("\"{0}_param\" and \"{0}_body_path\" exclude each other", name));
    if ((param && param->empty()) || (body && body->empty())) reader.problem(name + (param ? "_param" : "_body_path"), "a name is missing");
    is_in_body = body.has_value();
    return body ? *body : param.value_or(name);
}

void read_ranges(TableReader& reader, PaginatorSpec& spec) {
    spec.has_more_path = read_path(reader, "has_more_path");
    spec.needs_total = reader.table().find("total_path") != nullptr;
    spec.total_path = read_path(reader, "total_path", "total");
    spec.stops_after_empty_page = reader.boolean("stop_after_empty_page").value_or(true);
}

void read_offset(TableReader& reader, PaginatorSpec& spec) {
    const std::optional<std::int64_t> limit = reader.integer("limit", 1);
    if (!limit && reader.table().find("limit") == nullptr) reader.problem("limit", "\"limit\" is missing: how many records a page has");
    spec.limit = limit.value_or(1);
    spec.first = reader.integer("offset").value_or(0);
    spec.param = read_place(reader, "offset", spec.is_in_body);
    spec.limit_param = read_place(reader, "limit", spec.is_limit_in_body);
    spec.maximum = reader.integer("maximum_offset");
    read_ranges(reader, spec);
}

void read_page_number(TableReader& reader, PaginatorSpec& spec) {
    spec.base = reader.integer("base_page").value_or(0);
    spec.first = reader.integer("page").value_or(spec.base);
    spec.param = read_place(reader, "page", spec.is_in_body);
    spec.maximum = reader.integer("maximum_page");
    read_ranges(reader, spec);
}

std::string required(TableReader& reader, const char* name, const char* what) {
    const std::optional<std::string> text = reader.text(name);
    if (!text && reader.table().find(name) == nullptr) reader.problem(name, fmt::format("\"{}\" is missing: {}", name, what));
    if (text && text->empty()) reader.problem(name, fmt::format("\"{}\" is empty: {}", name, what));
    return text.value_or("");
}

void read_token_request(TableReader& reader, AuthSpec& auth, Problems& problems) {
    const char* key = reader.table().find("token_url") != nullptr ? "token_url" : "access_token_url";
    auth.token_url = required(reader, key, "where tokens are asked for");
    if (!auth.token_url.empty() && io::url_origin(auth.token_url).empty()) reader.problem(key, fmt::format("\"{}\" must be a URL", key));
    auth.client_id = reader.text("client_id").value_or("");
    auth.client_secret = reader.text("client_secret").value_or("");
    auth.scope = reader.text("scope").value_or("");
    if (const std::optional<double> seconds = read_duration(reader, "token_lifetime")) auth.token_lifetime = std::chrono::seconds(static_cast<std::int64_t>(*seconds));
    if (const Node* data = reader.find("request_data")) {
        TableReader form(*data, "\"request_data\"", problems);
        for (const auto& [name, value] : data->members) auth.request_data.emplace_back(name, config::scalar_text(value));
    }
}

}  // namespace

PaginatorSpec read_paginator(const Node& node, Problems& problems) {
    const Node table = as_table(node);
    TableReader reader(table, "\"paginator\"", problems);
    PaginatorSpec spec;
    if (table.is_table() && table.find("type") == nullptr) reader.problem("type", "\"type\" is missing: how pages follow each other");
    spec.kind = reader.one_of("type", paginator_kinds).value_or(PaginatorKind::automatic);
    switch (spec.kind) {
        case PaginatorKind::automatic:
        case PaginatorKind::single_page:
            break;
        case PaginatorKind::json_link:
            spec.next_path = *read_path(reader, "next_url_path", "next");
            break;
        case PaginatorKind::header_link:
            spec.header_key = reader.text("links_next_key").value_or("next");
            break;
        case PaginatorKind::header_cursor:
            spec.header_key = reader.text("cursor_key").value_or("next");
            spec.param = reader.text("cursor_param").value_or("cursor");
            break;
        case PaginatorKind::cursor:
            spec.next_path = *read_path(reader, "cursor_path", "cursors.next");
            spec.param = read_place(reader, "cursor", spec.is_in_body);
            spec.has_more_path = read_path(reader, "has_more_path");
            spec.stops_after_empty_page = reader.boolean("stop_after_empty_page").value_or(false);
            break;
        case PaginatorKind::offset:
            read_offset(reader, spec);
            break;
        case PaginatorKind::page_number:
            read_page_number(reader, spec);
            break;
    }
    const bool is_known = reader.table().find("type") != nullptr;
    if (is_known && table.is_table()) reader.refuse_others();
    return spec;
}

AuthSpec read_auth(const Node& node, Problems& problems) {
    const Node table = as_table(node);
    TableReader reader(table, "\"auth\"", problems);
    AuthSpec auth;
    auth.kind = reader.one_of("type", auth_kinds).value_or(AuthKind::bearer);
    switch (auth.kind) {
        case AuthKind::none:
            break;
        case AuthKind::bearer:
            auth.token = required(reader, "token", "what is sent as \"Authorization: Bearer\"");
            break;
        case AuthKind::basic:
            auth.username = required(reader, "username", "who asks");
            auth.password = reader.text("password").value_or("");
            break;
        case AuthKind::api_key:
            auth.name = reader.text("name").value_or("Authorization");
            auth.token = required(reader, "api_key", "the key itself");
            auth.location = reader
                                .one_of<AuthSpec::Location>("location", {{"header", AuthSpec::Location::header}, {"query", AuthSpec::Location::query}, {"param", AuthSpec::Location::query}})
                                .value_or(AuthSpec::Location::header);
            break;
        case AuthKind::client_credentials:
            read_token_request(reader, auth, problems);
            break;
        case AuthKind::refresh_token:
            read_token_request(reader, auth, problems);
            auth.refresh_token = required(reader, "refresh_token", "what new tokens are asked for with");
            break;
        case AuthKind::jwt_bearer:
            read_token_request(reader, auth, problems);
            auth.private_key = required(reader, "private_key", "the key in PEM form, as in \"${file:key.pem}\"");
            auth.private_key_password = reader.text("private_key_password").value_or("");
            auth.audience = reader.text("audience").value_or(auth.token_url);
            break;
    }
    if (table.is_table()) reader.refuse_others();
    return auth;
}

std::vector<ResponseRule> read_rules(const Node& node, Problems& problems) {
    using Action = ResponseRule::Action;
    std::vector<ResponseRule> rules;
    if (!node.is_list()) problems.add(node.place, "\"on_response\" is a list such as [{ status = [404], do = \"skip\" }]");
    for (const Node& item : node.items) {
        TableReader reader(item, "\"on_response\"", problems);
        ResponseRule rule;
        const auto add_status = [&](const Node& status) {
            const bool is_status = status.kind == Node::Kind::integer && status.value.as_int() >= 100 && status.value.as_int() <= 599;
            if (is_status) rule.statuses.push_back(static_cast<int>(status.value.as_int()));
            if (!is_status) problems.add(status.place, "\"status\" is a number from 100 to 599, or a list of them");
        };
        if (const Node* status = reader.find("status")) {
            if (!status->is_list()) add_status(*status);
            for (const Node& one : status->items) add_status(one);
        }
        rule.content = reader.text("content");
        const std::optional<Action> action =
            reader.one_of<Action>("do", {{"skip", Action::skip}, {"stop", Action::stop}, {"retry", Action::retry}, {"fail", Action::fail}, {"empty", Action::empty}});
        if (!action && reader.table().find("do") == nullptr) reader.problem("do", "\"do\" is missing: skip, stop, retry, fail or empty");
        rule.action = action.value_or(Action::fail);
        if (item.find("status") == nullptr && !rule.content) reader.problem("status", "\"status\" or \"content\" is missing: which answers are meant");
        reader.refuse_others();
        rules.push_back(std::move(rule));
    }
    return rules;
}

io::RetryOptions read_retry(const Node& node, Problems& problems) {
    io::RetryOptions options;
    TableReader reader(node, "\"retry\"", problems);
    options.attempts = static_cast<int>(std::min<std::int64_t>(reader.integer("attempts", 1).value_or(options.attempts), 1'000));
    const auto set = [&](const char* name, std::chrono::milliseconds& time) {
        if (const std::optional<double> seconds = read_duration(reader, name)) time = std::chrono::milliseconds(static_cast<std::int64_t>(*seconds * 1e3));
    };
    set("base", options.base);
    set("max", options.max);
    set("retry_after_max", options.retry_after_max);
    if (const Node* statuses = reader.find("statuses")) {
        for (const Node& status : statuses->items) {
            if (status.kind == Node::Kind::integer) options.statuses.push_back(static_cast<int>(status.value.as_int()));
        }
        if (options.statuses.empty() || options.statuses.size() != statuses->items.size()) reader.problem("statuses", "\"statuses\" is a list of numbers such as [429, 503]");
    }
    if (const std::optional<std::vector<std::string>> methods = reader.texts("methods")) options.methods = *methods;
    reader.refuse_others();
    return options;
}

std::optional<double> read_duration(TableReader& reader, const char* name) {
    const Node* node = reader.find(name);
    if (node == nullptr) return std::nullopt;
    if (node->kind == Node::Kind::integer || node->kind == Node::Kind::number) return std::max(0.0, node->value.as_double());
    std::string text = node->is_scalar() ? config::scalar_text(*node) : "";
    const bool is_milliseconds = text.ends_with("ms");
    if (is_milliseconds) text.erase(text.size() - 2, 1);
    std::optional<double> seconds = parse_duration_seconds(text);
    if (seconds && is_milliseconds) *seconds /= 1e3;
    if (!seconds) reader.problem(name, fmt::format("\"{}\" must be a time such as \"500ms\", \"30s\" or \"5m\"", name));
    return seconds;
}

void check_header(const std::string& name, const Node& value, Problems& problems) {
    const bool is_name = !name.empty() && name.find_first_of(" \t\r\n:") == std::string::npos;
    if (!is_name) problems.add(value.place, fmt::format("\"{}\" is no name of a header", excerpt(name)));
    if (!value.is_scalar()) {
        problems.add(value.place, fmt::format("header \"{}\" must be text", excerpt(name)));
    } else if (config::scalar_text(value).find_first_of("\r\n") != std::string::npos) {
        problems.add(value.place, fmt::format("header \"{}\" must be one line", excerpt(name)));
    }
}

}  // namespace tipple::sources::rest
