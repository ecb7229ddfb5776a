#include "tipple/project/import_rest_api.h"

#include <algorithm>
#include <array>
#include <set>

#include "tipple/config/node.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::project {

namespace {

using json::Object;
using json::Value;

/// Members that become tables of their own lines instead of inline ones are those of resources; all else is short.
void append_toml(std::string& out, const Value& value) {
    if (value.is_object()) {
        const char* separator = "{ ";
        for (const json::Member& member : value.as_object()) {
            // TOML has no null. What is not there says the same.
            if (member.value.is_null()) continue;
            out += std::exchange(separator, ", ") + config::key_text({member.name}) + " = ";
            append_toml(out, member.value);
        }
        out += *separator == '{' ? "{}" : " }";
    } else if (value.is_array()) {
        const char* separator = "";
        out += '[';
        for (const Value& element : value.as_array()) {
            if (element.is_null()) continue;
            out += std::exchange(separator, ", ");
            append_toml(out, element);
        }
        out += ']';
    } else {
        json::append_text(out, value);
    }
}

void append_table(std::string& out, const std::vector<std::string>& path, const Object& table) {
    out += fmt::format("\n[{}]\n", config::key_text(path));
    for (const json::Member& member : table) {
        if (member.value.is_null()) continue;
        out += config::key_text({member.name}) + " = ";
        append_toml(out, member.value);
        out += '\n';
    }
}

/// Replaces all of one text by another.
void replace_all(std::string& text, std::string_view what, std::string_view by) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at + by.size())) text.replace(at, what.size(), by);
}

/// Parts of names of headers that carry secrets, in lower case.
constexpr std::array<std::string_view, 6> secret_words = {"auth", "cookie", "key", "password", "secret", "token"};

class Importer {
public:
    explicit Importer(std::string pipeline) : pipeline_(pipeline), secrets_table_(std::move(pipeline)) {}

    ImportedProject run(const Value& config) {
        if (!config.is_object() || config.as_object().find("client") == nullptr || config.as_object().find("resources") == nullptr) {
            throw Error(ErrorKind::usage, "this is no configuration of dlt's rest_api: an object with \"client\" and \"resources\" is expected");
        }
        refuse_unknown("the configuration", config.as_object(), {"client", "resources", "resource_defaults"});
        std::string& out = result_.text;
        out = fmt::format("# Made by tipple import rest-api. Try it with: tipple check {0}, then tipple run {0}\nversion = 1\n", pipeline_);
        append_table(out, {"connection", "warehouse"}, Object{{"uri", "warehouse.duckdb"}});
        append_table(out, {"pipeline", pipeline_}, Object{{"destination", "warehouse"}});
        append_table(out, {"pipeline", pipeline_, "source"}, client(*config.as_object().find("client")));
        if (const Value* defaults = config.as_object().find("resource_defaults"); defaults != nullptr && defaults->is_object()) {
            append_table(out, {"pipeline", pipeline_, "defaults"}, resource("resource_defaults", defaults->as_object()));
        }
        const Value& resources = *config.as_object().find("resources");
        if (!resources.is_array()) throw Error(ErrorKind::usage, "\"resources\" must be a list");
        for (const Value& one : resources.as_array()) add_resource(one);
        return std::move(result_);
    }

private:
    void problem(const std::string& place, const std::string& text) { result_.problems.push_back(place + ": " + text); }
    void note(const std::string& place, const std::string& text) { result_.notes.push_back(place + ": " + text); }

    void refuse_unknown(const std::string& place, const Object& object, const std::set<std::string>& known) {
        for (const json::Member& member : object) {
            if (!known.contains(member.name)) problem(place, fmt::format("\"{}\" has no counterpart; leave it out, or look at docs/guide/rest-api.md", excerpt(member.name)));
        }
    }

    Object client(const Value& value) {
        Object source{{"type", "rest_api"}};
        if (!value.is_object()) throw Error(ErrorKind::usage, "\"client\" must be an object");
        const Object& given = value.as_object();
        refuse_unknown("client", given, {"base_url", "headers", "auth", "paginator", "session"});
        if (const Value* base = given.find("base_url")) source.set("base_url", *base);
        if (const Value* headers = given.find("headers"); headers != nullptr && headers->is_object()) source.set("headers", without_secrets("client.headers", headers->as_object()));
        if (const Value* one = given.find("auth"); one != nullptr && !one->is_null()) source.set("auth", auth("client.auth", *one));
        if (const Value* one = given.find("paginator"); one != nullptr && !one->is_null()) source.set("paginator", paginator("client.paginator", *one));
        if (const Value* session = given.find("session"); session != nullptr && !session->is_null()) problem("client.session", "code cannot be carried over; there are timeout, retry, proxy and tls");
        return source;
    }

    Value secret(const std::string& name) const { return fmt::format("${{secret:{}.{}}}", secrets_table_, name); }

    /// Headers whose names say that their values are secret become references.
    Object without_secrets(const std::string& place, const Object& headers) {
        Object result;
        for (const json::Member& header : headers) {
            std::string name = lower(header.name);
            std::replace(name.begin(), name.end(), '-', '_');
            const bool is_secret = std::any_of(secret_words.begin(), secret_words.end(), [&](std::string_view word) { return name.find(word) != std::string::npos; });
            if (is_secret) note(place, fmt::format("put the value of \"{}\" into .tipple/secrets.toml, table [{}], as \"{}\"", header.name, secrets_table_, name));
            result.set(header.name, is_secret ? secret(name) : header.value);
        }
        return result;
    }

    Value auth(const std::string& place, const Value& value) {
        if (!value.is_object()) {
            problem(place, "only a type is given; name its fields");
            return "none";
        }
        const Object& given = value.as_object();
        const Value* type = given.find("type");
        std::string kind = type != nullptr && type->is_text() ? type->as_text() : "bearer";
        if (kind == "http_basic") kind = "basic";
        const std::set<std::string> kinds = {"bearer", "basic", "api_key", "oauth2_client_credentials"};
        if (!kinds.contains(kind)) problem(place, fmt::format("the type \"{}\" is code; there are {}", excerpt(kind), "bearer, basic, api_key, oauth2_client_credentials, oauth2_refresh_token, jwt_bearer"));
        static constexpr std::array<std::string_view, 8> secrets = {"token", "password", "api_key", "client_secret", "access_token", "username", "refresh_token", "private_key"};
        Object auth{{"type", kind}};
        for (const json::Member& member : given) {
            if (member.name == "type") continue;
            if (member.name == "access_token") {
                note(place, "\"access_token\" is left out: a token is asked for in any case");
            } else if (std::find(secrets.begin(), secrets.end(), member.name) != secrets.end()) {
                auth.set(member.name, secret(member.name));
            } else if (member.name == "access_token_url") {
                auth.set("token_url", member.value);
            } else if (member.name == "access_token_request_data") {
                auth.set("request_data", member.value);
            } else if (member.name == "default_token_expiration") {
                auth.set("token_lifetime", member.value);
            } else if (member.name == "session") {
                problem(place, "\"session\" is code");
            } else {
                auth.set(member.name, member.value);
            }
        }
        note(place, fmt::format("put its secrets into .tipple/secrets.toml, table [{}]", secrets_table_));
        return auth;
    }

    Value paginator(const std::string& place, const Value& value) {
        if (value.is_text()) return value.as_text() == "json_response" ? Value("json_link") : value;
        if (!value.is_object()) {
            problem(place, "is code");
            return "auto";
        }
        Object result;
        for (const json::Member& member : value.as_object()) {
            if (member.value.is_null()) continue;
            const bool is_old = member.name == "type" && member.value == Value("json_response");
            result.set(member.name, is_old ? Value("json_link") : member.value);
        }
        if (result.find("type") == nullptr) problem(place, "\"type\" is missing");
        return result;
    }

    /// Placeholders in all texts. `parent` gets the resource that they name.
    Value converted(const std::string& place, const Value& value, std::string& parent) {
        if (value.is_object()) {
            Object object;
            for (const json::Member& member : value.as_object()) object.set(member.name, converted(place, member.value, parent));
            return object;
        }
        if (value.is_array()) {
            json::Array list;
            for (const Value& element : value.as_array()) list.push_back(converted(place, element, parent));
            return list;
        }
        return value.is_text() ? Value(converted_text(place, value.as_text(), parent)) : value;
    }

    std::string converted_text(const std::string& place, std::string text, std::string& parent) {
        constexpr std::string_view resources = "{resources.";
        for (std::size_t at = text.find(resources); at != std::string::npos; at = text.find(resources)) {
            const std::size_t dot = text.find('.', at + resources.size());
            const std::size_t end = text.find('}', at);
            if (dot == std::string::npos || end == std::string::npos || dot > end) {
                problem(place, fmt::format("the placeholder in \"{}\" cannot be read", excerpt(text)));
                break;
            }
            const std::string name = text.substr(at + resources.size(), dot - at - resources.size());
            if (!parent.empty() && parent != name) problem(place, fmt::format("has two parents, \"{}\" and \"{}\"", parent, name));
            parent = name;
            text.replace(at, dot - at, "{parent");
        }
        for (const char* name : {"start_value", "last_value", "initial_value"}) replace_all(text, fmt::format("{{incremental.{}}}", name), "{cursor.start}");
        replace_all(text, "{incremental.end_value}", "{cursor.end}");
        if (text.find("{incremental.") != std::string::npos) problem(place, fmt::format("\"{}\": of a cursor there are start and end", excerpt(text)));
        replace_all(text, "{{", "{");
        replace_all(text, "}}", "}");
        return text;
    }

    void add_resource(const Value& value) {
        if (value.is_text()) {
            std::string name = value.as_text();
            append_table(result_.text, {"pipeline", pipeline_, "resources", name}, Object{{"path", name}});
            return;
        }
        const Value* name = value.is_object() ? value.as_object().find("name") : nullptr;
        if (name == nullptr || !name->is_text()) {
            problem("resources", fmt::format("{} has no name, or is code", excerpt(json::to_text(value))));
            return;
        }
        append_table(result_.text, {"pipeline", pipeline_, "resources", name->as_text()}, resource(name->as_text(), value.as_object()));
    }

    /// `place` is its name.
    Object resource(const std::string& place, const Object& given) {
        secrets_table_ = fmt::format("{}.{}", pipeline_, place);
        Object result;
        std::string parent;
        std::optional<Object> cursor;
        static const std::array<std::pair<const char*, const char*>, 5> renamed = {
            {{"table_name", "table"}, {"primary_key", "primary_key"}, {"merge_key", "merge_key"}, {"max_table_nesting", "max_nesting"}, {"schema_contract", "contract"}}};
        for (const auto& [from, to] : renamed) {
            if (const Value* value = given.find(from); value != nullptr && !value->is_null()) result.set(to, *value);
        }
        if (const Value* selected = given.find("selected"); selected != nullptr && *selected == Value(false)) result.set("enabled", false);
        if (const Value* disposition = given.find("write_disposition"); disposition != nullptr && !disposition->is_null()) result.set("disposition", *disposition);
        if (const Value* include = given.find("include_from_parent"); include != nullptr && !include->is_null()) result.set("include", *include);
        if (const Value* columns = given.find("columns"); columns != nullptr && columns->is_object()) result.set("columns", *columns);
        if (const Value* columns = given.find("columns"); columns != nullptr && columns->is_array()) problem(place, "\"columns\" is a list; write it as a table by name");
        if (given.find("parallelized") != nullptr) note(place, "\"parallelized\": give the source a \"concurrency\"");
        if (const Value* steps = given.find("processing_steps"); steps != nullptr && !steps->is_null()) problem(place, "\"processing_steps\" are code; write them as \"steps\"");
        refuse_unknown(place, given,
                       {"name", "endpoint", "table_name", "primary_key", "merge_key", "max_table_nesting", "schema_contract", "selected", "write_disposition", "include_from_parent", "columns",
                        "parallelized", "processing_steps"});
        const Value* endpoint = given.find("endpoint");
        if (endpoint != nullptr && endpoint->is_text()) {
            result.set("path", converted(place, *endpoint, parent));
        } else if (endpoint != nullptr && endpoint->is_object()) {
            add_endpoint(place, endpoint->as_object(), result, parent, cursor);
        }
        if (cursor) result.set("cursor", *std::move(cursor));
        if (!parent.empty()) result.set("parent", parent);
        return result;
    }

    void add_endpoint(const std::string& place, const Object& endpoint, Object& result, std::string& parent, std::optional<Object>& cursor) {
        refuse_unknown(place + ".endpoint", endpoint,
                       {"path", "method", "params", "json", "data", "headers", "paginator", "data_selector", "auth", "incremental", "response_actions"});
        Object params;
        std::string path;
        if (const Value* given = endpoint.find("path"); given != nullptr && given->is_text()) path = given->as_text();
        if (const Value* given = endpoint.find("params"); given != nullptr && given->is_object()) {
            for (const json::Member& member : given->as_object()) add_param(place, member, path, params, parent, cursor);
        }
        if (!path.empty()) result.set("path", converted_text(place, path, parent));
        if (const Value* headers = endpoint.find("headers"); headers != nullptr && headers->is_object()) {
            result.set("headers", converted(place, without_secrets(place + ".headers", headers->as_object()), parent));
        }
        for (const char* key : {"method", "json"}) {
            if (const Value* value = endpoint.find(key); value != nullptr && !value->is_null()) result.set(key, converted(place, *value, parent));
        }
        if (const Value* data = endpoint.find("data"); data != nullptr && !data->is_null()) {
            result.set(data->is_text() ? "body" : "form", converted(place, *data, parent));
            if (data->is_array()) problem(place, "\"data\" is a list of pairs; write it as a table, \"form\"");
        }
        if (const Value* value = endpoint.find("data_selector"); value != nullptr && !value->is_null()) result.set("select", *value);
        if (const Value* value = endpoint.find("paginator"); value != nullptr && !value->is_null()) result.set("paginator", paginator(place + ".paginator", *value));
        if (const Value* value = endpoint.find("auth")) result.set("auth", value->is_null() ? Value("none") : auth(place + ".auth", *value));
        if (const Value* value = endpoint.find("incremental"); value != nullptr && value->is_object()) add_cursor(place, value->as_object(), params, cursor);
        if (!params.empty()) result.set("params", std::move(params));
        if (const Value* value = endpoint.find("response_actions"); value != nullptr && !value->is_null()) result.set("on_response", rules(place, *value));
    }

    void add_param(const std::string& place, const json::Member& param, std::string& path, Object& params, std::string& parent, std::optional<Object>& cursor) {
        const std::string braces = "{" + param.name + "}";
        const Value* type = param.value.is_object() ? param.value.as_object().find("type") : nullptr;
        if (type != nullptr && *type == Value("resolve")) {
            const Value* resource = param.value.as_object().find("resource");
            const Value* field = param.value.as_object().find("field");
            if (resource == nullptr || field == nullptr || !resource->is_text() || !field->is_text()) return problem(place, fmt::format("param \"{}\" names no resource and field", param.name));
            parent = resource->as_text();
            replace_all(path, braces, "{parent." + field->as_text() + "}");
        } else if (type != nullptr && *type == Value("incremental")) {
            add_cursor(place, param.value.as_object(), params, cursor);
            params.set(param.name, "{cursor.start}");
        } else if (path.find(braces) != std::string::npos && !param.value.is_object()) {
            replace_all(path, braces, param.value.is_text() ? param.value.as_text() : json::to_text(param.value));
        } else if (!param.value.is_null()) {
            params.set(param.name, converted(place, param.value, parent));
        }
    }

    void add_cursor(const std::string& place, const Object& given, Object& params, std::optional<Object>& cursor) {
        static const std::array<std::pair<const char*, const char*>, 8> renamed = {{{"cursor_path", "field"},
                                                                                    {"initial_value", "start"},
                                                                                    {"end_value", "end"},
                                                                                    {"last_value_func", "function"},
                                                                                    {"row_order", "order"},
                                                                                    {"lag", "lag"},
                                                                                    {"on_cursor_value_missing", "on_missing"},
                                                                                    {"primary_key", "primary_key"}}};
        cursor.emplace();
        for (const auto& [from, to] : renamed) {
            if (const Value* value = given.find(from); value != nullptr && !value->is_null()) cursor->set(to, *value);
        }
        const auto is_open = [&](const char* name, bool otherwise) {
            const Value* value = given.find(name);
            return value == nullptr || !value->is_text() ? otherwise : value->as_text() == "open";
        };
        if (given.find("range_start") != nullptr || given.find("range_end") != nullptr) {
            cursor->set("range", std::string(is_open("range_start", false) ? "(" : "[") + (is_open("range_end", true) ? ")" : "]"));
        }
        for (const auto& [name, placeholder] : {std::pair("start_param", "{cursor.start}"), std::pair("end_param", "{cursor.end}")}) {
            if (const Value* param = given.find(name); param != nullptr && param->is_text()) params.set(param->as_text(), placeholder);
        }
        for (const char* code : {"convert", "transform"}) {
            if (const Value* value = given.find(code); value != nullptr && !value->is_null()) {
                problem(place, fmt::format("\"{}\" is code; use a filter, as in {{cursor.start|epoch}}, {{cursor.start|iso}} or {{cursor.start|date:%Y-%m-%d}}", code));
            }
        }
        refuse_unknown(place + ".incremental", given,
                       {"type", "cursor_path", "initial_value", "end_value", "last_value_func", "row_order", "lag", "on_cursor_value_missing", "primary_key", "range_start", "range_end", "start_param",
                        "end_param", "convert", "transform", "allow_external_schedulers"});
    }

    Value rules(const std::string& place, const Value& value) {
        json::Array rules;
        if (!value.is_array()) return rules;
        for (const Value& one : value.as_array()) {
            const Value* action = one.is_object() ? one.as_object().find("action") : nullptr;
            if (action == nullptr || *action != Value("ignore")) {
                problem(place, "a response action is code; there are skip, stop, retry, fail and empty");
                continue;
            }
            Object rule;
            if (const Value* status = one.as_object().find("status_code"); status != nullptr && !status->is_null()) rule.set("status", json::Array{*status});
            if (const Value* content = one.as_object().find("content"); content != nullptr && !content->is_null()) rule.set("content", *content);
            rule.set("do", "skip");
            rules.emplace_back(std::move(rule));
        }
        return rules;
    }

    std::string pipeline_;
    /// Where the secrets of what is converted belong: those of the client, or of one resource.
    std::string secrets_table_;
    ImportedProject result_;
};

}  // namespace

ImportedProject import_dlt_rest_api(const Value& config, const std::string& pipeline) { return Importer(pipeline).run(config); }

}  // namespace tipple::project
