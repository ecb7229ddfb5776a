#include "tipple/sources/rest_api/options.h"

namespace tipple::sources::rest {

using config::OptionKind;

std::vector<config::OptionSpec> source_option_specs() {
    return {
        {.name = "base_url", .summary = "What the paths of resources begin with: \"https://api.example.com/v1\"."},
        {.name = "headers", .summary = "Sent with every request: { Accept = \"application/json\" }."},
        {.name = "auth", .summary = "type = bearer (token), basic (username, password), api_key (name, api_key, location = header or query), oauth2_client_credentials (token_url, client_id, "
                                    "client_secret, scope, request_data), oauth2_refresh_token (the same and refresh_token), jwt_bearer (token_url, client_id, private_key, scope, audience), or none."},
        {.name = "paginator", .summary = "type = auto, single_page, json_link (next_url_path), header_link (links_next_key), header_cursor (cursor_key, cursor_param), cursor (cursor_path, cursor_param or "
                                         "cursor_body_path, has_more_path, stop_after_empty_page), offset (limit, offset, offset_param, limit_param, total_path, maximum_offset, ...), "
                                         "page_number (base_page, page, page_param, total_path, maximum_page, ...)."},
        {.name = "on_response", .summary = "What is done with some answers: [{ status = [404], do = \"skip\" }], do = skip, stop, retry, fail or empty; content = \"text\" looks into the body."},
        {.name = "allow_hosts", .summary = "Besides that of base_url, the hosts that get headers and credentials."},
        {.name = "rate_limit", .summary = "Requests per time: \"10/s\", \"5000/h\". What servers say of their limits is heeded in any case."},
        {.name = "concurrency", .summary = "Requests in flight at a time.", .kind = OptionKind::integer, .default_value = "1"},
        {.name = "timeout", .summary = "\"60s\", or { connect = \"10s\", first_byte = \"60s\", idle = \"60s\", total = \"1h\" }."},
        {.name = "retry", .summary = "{ attempts = 5, base = \"1s\", max = \"60s\", retry_after_max = \"1h\", statuses = [...], methods = [\"GET\"] }."},
        {.name = "max_redirects", .summary = "Redirects that are followed for one request.", .kind = OptionKind::integer, .default_value = "10"},
        {.name = "max_response", .summary = "A larger answer is an error.", .kind = OptionKind::size, .default_value = "64MiB"},
        {.name = "proxy", .summary = "URL of a proxy; the environment's (HTTPS_PROXY, NO_PROXY, ...) when not given, none when empty.", .kind = OptionKind::text},
        {.name = "tls", .summary = "{ ca_file = \"...\", certificate_file = \"...\", key_file = \"...\", key_password = \"...\" }, all in PEM form."},
    };
}

std::vector<config::OptionSpec> resource_option_specs() {
    return {
        {.name = "path", .summary = "Behind base_url, or a whole URL; the resource's name when not given. {parent.id} is taken from the parent's record."},
        {.name = "method", .summary = "GET, POST, ...", .default_value = "GET"},
        {.name = "params", .summary = "Of the URL: { per_page = 100, since = \"{cursor.start|iso}\" }."},
        {.name = "headers", .summary = "On top of the source's."},
        {.name = "json", .summary = "The body, as a table."},
        {.name = "form", .summary = "The body, as a form."},
        {.name = "body", .summary = "The body, as text."},
        {.name = "select", .summary = "Where records are in the answer: \"data.items\", \"$\" for all of it; found out when not given."},
        {.name = "paginator", .summary = "Instead of the source's."},
        {.name = "auth", .summary = "Instead of the source's; \"none\" for none."},
        {.name = "parent", .summary = "The resource for each record of which this one is read."},
        {.name = "include", .summary = "Fields of the parent's record that are put into each record: [\"id\"] becomes _parent_id."},
        {.name = "on_response", .summary = "Before the source's."},
        {.name = "on_null", .summary = "When a parent has no value for the path: fail, or skip it.", .default_value = "fail"},
        {.name = "max_pages", .summary = "Pages that are read at most, of each parent.", .kind = OptionKind::integer},
        {.name = "max_failed_parents", .summary = "Parents whose requests may fail for good; they are left out and reported.", .kind = OptionKind::integer, .default_value = "0"},
        {.name = "steps", .summary = "What is done to records: [{ filter = \"status == \\\"open\\\"\" }, { explode = \"lines\" }, { keep = [...] }, { drop = [...] }, { rename = {...} }, { set = {...} }, { mask = [...] }]."},
    };
}

}  // namespace tipple::sources::rest
