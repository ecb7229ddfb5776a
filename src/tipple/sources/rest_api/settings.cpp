#include "tipple/sources/rest_api/settings.h"

#include <algorithm>
#include <map>
#include <set>

#include "tipple/config/table_reader.h"
#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"
#include "tipple/sources/rest_api/settings_parts.h"

namespace tipple::sources::rest {

using config::Node;
using config::Problems;
using config::TableReader;

namespace {

/// What the settings hold that nobody may see.
void collect_secrets(const Node& node, io::Redactor& redactor) {
    if (node.is_secret && node.is_scalar()) {
        const std::string text = config::scalar_text(node);
        redactor.add(text);
        // "Bearer abc": the last word is what is secret.
        if (const std::size_t space = text.rfind(' '); space != std::string::npos) redactor.add(text.substr(space + 1));
    }
    for (const auto& [name, member] : node.members) collect_secrets(member, redactor);
    for (const Node& item : node.items) collect_secrets(item, redactor);
}

void collect_secrets(const AuthSpec& auth, io::Redactor& redactor) {
    for (const std::string* secret : {&auth.token, &auth.password, &auth.client_secret, &auth.refresh_token, &auth.private_key, &auth.private_key_password}) redactor.add(*secret);
    // As it is sent: an answer may repeat what it was asked with.
    if (auth.kind == AuthSpec::Kind::basic) redactor.add(to_base64(auth.username + ":" + auth.password));
}

std::chrono::milliseconds milliseconds_of(double seconds) { return std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3)); }

class ApiReader {
public:
    ApiReader(const extract::SourceContext& context, Problems& problems) : context_(context), problems_(problems) {}

    ApiSettings read() {
        TableReader reader(context_.settings, "source \"rest_api\"", problems_);
        ApiSettings api;
        read_server(reader, api);
        if (const Node* auth = reader.find("auth")) api.auth = read_auth(*auth, problems_);
        if (const Node* paginator = reader.find("paginator")) api.paginator = read_paginator(*paginator, problems_);
        if (const Node* rules = reader.find("on_response")) api.rules = read_rules(*rules, problems_);
        read_pace(reader, api);
        read_client(reader, api);
        collect_secrets(context_.settings, api.redactor);
        collect_secrets(api.auth, api.redactor);
        for (const extract::ResourceDefinition& resource : context_.resources) {
            api.resources.push_back(read_resource(resource, api));
            collect_secrets(resource.settings, api.redactor);
            if (api.resources.back().auth) collect_secrets(*api.resources.back().auth, api.redactor);
        }
        if (api.resources.empty()) problems_.add(context_.settings.place, "source \"rest_api\" has no resources; one is a table [pipeline.NAME.resources.RESOURCE] with a path");
        sort_by_parents(api);
        return api;
    }

private:
    void read_server(TableReader& reader, ApiSettings& api) {
        api.base_url = reader.text("base_url").value_or("");
        if (!api.base_url.empty() && io::url_origin(api.base_url).empty()) {
            reader.problem("base_url", fmt::format("\"base_url\" must be a URL such as \"https://api.example.com/v1\", not \"{}\"", io::mask_url_secrets(api.base_url)));
        }
        if (!api.base_url.empty()) api.session.allowed_origins.push_back(io::url_origin(api.base_url));
        for (const std::string& host : reader.texts("allow_hosts").value_or(std::vector<std::string>())) {
            const std::string url = io::is_http_url(host) ? host : "https://" + host;
            if (io::url_origin(url).empty()) reader.problem("allow_hosts", fmt::format("\"{}\" is neither a host nor a URL", excerpt(host)));
            api.session.allowed_origins.push_back(io::url_origin(url));
        }
        if (const Node* headers = reader.find("headers")) {
            TableReader table(*headers, "\"headers\"", problems_);
            for (const auto& [name, value] : headers->members) {
                check_header(name, value, problems_);
                api.headers.emplace_back(name, config::scalar_text(value));
            }
        }
    }

    void read_pace(TableReader& reader, ApiSettings& api) {
        if (const std::optional<std::string> limit = reader.text("rate_limit")) {
            const std::optional<io::RateLimit> parsed = io::parse_rate_limit(*limit);
            if (!parsed) reader.problem("rate_limit", fmt::format("\"rate_limit\" must be requests per time, such as \"10/s\" or \"5000/h\", not \"{}\"", excerpt(*limit)));
            api.session.rate_limit = parsed.value_or(io::RateLimit());
        }
        api.concurrency = static_cast<std::size_t>(std::min<std::int64_t>(reader.integer("concurrency", 1).value_or(1), concurrency_max));
        api.session.redirects_max = static_cast<int>(std::min<std::int64_t>(reader.integer("max_redirects").value_or(10), 100));
        api.response_bytes_max = reader.size("max_response").value_or(api.response_bytes_max);
        if (const Node* retry = reader.find("retry")) api.session.retry = read_retry(*retry, problems_);
    }

    void read_client(TableReader& reader, ApiSettings& api) {
        io::HttpClientOptions& client = api.client;
        const Node* timeout = reader.find("timeout");
        if (timeout != nullptr && timeout->is_table()) {
            TableReader times(*timeout, "\"timeout\"", problems_);
            const auto set = [&](const char* name, std::chrono::milliseconds& time) {
                if (const std::optional<double> seconds = read_duration(times, name)) time = milliseconds_of(*seconds);
            };
            set("connect", client.connect_timeout);
            set("first_byte", client.first_byte_timeout);
            set("idle", client.idle_timeout);
            set("total", client.total_timeout);
            times.refuse_others();
        } else if (const std::optional<double> seconds = read_duration(reader, "timeout")) {
            client.connect_timeout = client.first_byte_timeout = client.idle_timeout = milliseconds_of(*seconds);
        }
        client.proxy = reader.text("proxy");
        if (const Node* tls = reader.find("tls")) {
            TableReader files(*tls, "\"tls\"", problems_);
            client.ca_file = files.text("ca_file").value_or("");
            client.certificate_file = files.text("certificate_file").value_or("");
            client.key_file = files.text("key_file").value_or("");
            client.key_password = files.text("key_password").value_or("");
            files.refuse_others();
        }
    }

    ResourceSettings read_resource(const extract::ResourceDefinition& definition, const ApiSettings& api) {
        const std::string what = fmt::format("resource \"{}\"", definition.name);
        TableReader reader(definition.settings, what, problems_);
        ResourceSettings resource{.name = definition.name, .is_loaded = definition.is_enabled};
        resource.parent = reader.text("parent").value_or("");
        resource.method = reader.text("method").value_or("GET");
        std::transform(resource.method.begin(), resource.method.end(), resource.method.begin(), [](unsigned char c) { return static_cast<char>(std::toupper(c)); });
        read_path(reader, definition, api, resource);
        read_request(reader, resource);
        if (const std::optional<std::string> select = reader.text("select")) {
            guarded(reader, "select", [&] { resource.select = json::Path::parse(*select, json::Path::Dialect::full); });
        }
        if (const Node* paginator = reader.find("paginator")) resource.paginator = read_paginator(*paginator, problems_);
        if (const Node* auth = reader.find("auth")) resource.auth = read_auth(*auth, problems_);
        if (const Node* rules = reader.find("on_response")) resource.rules = read_rules(*rules, problems_);
        resource.rules.insert(resource.rules.end(), api.rules.begin(), api.rules.end());
        if (const Node* steps = reader.find("steps")) resource.steps = extract::read_steps(*steps, what, json::Path::Dialect::full, problems_);
        if (const std::optional<std::string> where = reader.text("where")) {
            guarded(reader, "where", [&] { resource.where = std::make_shared<const extract::Condition>(extract::Condition::parse(*where, "where")); });
        }
        if (const std::optional<std::int64_t> records = reader.integer("limit")) resource.records_max = static_cast<std::uint64_t>(*records);
        resource.pages_max = static_cast<std::uint64_t>(reader.integer("max_pages", 1).value_or(0));
        resource.on_null = reader.one_of<OnNull>("on_null", {{"fail", OnNull::fail}, {"skip", OnNull::skip}}).value_or(OnNull::fail);
        resource.failed_parents_max = static_cast<std::uint64_t>(reader.integer("max_failed_parents").value_or(0));
        read_newest(definition.settings, resource);
        read_include(reader, resource);
        check_single_entity(resource);
        check_parent_use(reader, resource);
        read_parent_key(definition, resource);
        return resource;
    }

    template <typename Read>
    void guarded(TableReader& reader, const char* key, Read&& read) {
        try {
            read();
        } catch (const Error& error) {
            reader.problem(key, error.what());
        }
    }

    void read_path(TableReader& reader, const extract::ResourceDefinition& definition, const ApiSettings& api, ResourceSettings& resource) {
        resource.path_text = reader.text("path").value_or(definition.name);
        if (api.base_url.empty() && !io::is_http_url(resource.path_text)) {
            reader.problem("path", fmt::format("\"path\" is \"{}\", and the source has no \"base_url\" that it could begin with", excerpt(resource.path_text)));
        }
        guarded(reader, "path", [&] { resource.path = Template::parse(resource.path_text); });
    }

    void read_request(TableReader& reader, ResourceSettings& resource) {
        if (const Node* params = reader.find("params")) {
            TableReader table(*params, "\"params\"", problems_);
            guarded(reader, "params", [&] {
                for (const auto& [name, value] : params->members) resource.params.emplace_back(name, ValueTemplate::parse(config::to_json(value)));
            });
        }
        if (const Node* headers = reader.find("headers")) {
            TableReader table(*headers, "\"headers\"", problems_);
            guarded(reader, "headers", [&] {
                for (const auto& [name, value] : headers->members) {
                    check_header(name, value, problems_);
                    resource.headers.emplace_back(name, Template::parse(config::scalar_text(value)));
                }
            });
        }
        int bodies = 0;
        if (const Node* json = reader.find("json")) {
            ++bodies;
            guarded(reader, "json", [&] { resource.json = ValueTemplate::parse(config::to_json(*json)); });
        }
        if (const Node* form = reader.find("form")) {
            ++bodies;
            TableReader table(*form, "\"form\"", problems_);
            guarded(reader, "form", [&] { resource.form = ValueTemplate::parse(config::to_json(*form)); });
        }
        if (const std::optional<std::string> body = reader.text("body")) {
            ++bodies;
            guarded(reader, "body", [&] { resource.body = Template::parse(*body); });
        }
        if (bodies > 1) reader.problem("json", "a request has one body: give one of \"json\", \"form\" and \"body\"");
    }

    void read_parent_key(const extract::ResourceDefinition& definition, ResourceSettings& resource) {
        const Node* cursor = definition.settings.find("cursor");
        const Node* scope = cursor != nullptr ? cursor->find("scope") : nullptr;
        if (scope == nullptr || scope->value != json::Value("parent") || resource.parent.empty()) return;
        const auto parent = std::find_if(context_.resources.begin(), context_.resources.end(), [&](const auto& other) { return other.name == resource.parent; });
        const Node* key = parent != context_.resources.end() ? parent->settings.find("primary_key") : nullptr;
        const auto add = [&](const Node& column) {
            if (column.is_scalar()) resource.parent_key.push_back(json::Path::of_keys({config::scalar_text(column)}).text());
        };
        if (key == nullptr) {
            resource.parent_key = resource.request_paths();
            // What is included changes while the parent stays who it is.
            if (resource.parent_key.empty() && !resource.include.empty()) {
                problems_.add(scope->place, fmt::format("resource \"{}\": each parent has a cursor of its own (scope = \"parent\"), and nothing tells them apart: give resource \"{}\" a "
                                                        "\"primary_key\", or use a field of it in the request, as in path = \"{}/{{parent.id}}/{}\"",
                                                        resource.name, resource.parent, resource.parent, resource.name));
            }
        } else if (key->is_list()) {
            std::for_each(key->items.begin(), key->items.end(), add);
        } else {
            add(*key);
        }
    }

    static void read_newest(const Node& settings, ResourceSettings& resource) {
        const Node* disposition = settings.find("disposition");
        const bool is_merged = settings.find("strategy") != nullptr || (disposition != nullptr && disposition->value == json::Value("merge"));
        const Node* cursor = settings.find("cursor");
        const Node* columns = settings.find("columns");
        const bool is_said = columns != nullptr && json::to_text(config::to_json(*columns)).find("dedup_sort") != std::string::npos;
        if (!is_merged || cursor == nullptr || is_said) return;
        const Node* field = cursor->is_table() ? cursor->find("field") : cursor;
        const Node* function = cursor->find("function");
        if (field == nullptr || field->kind != Node::Kind::text || field->value.as_text().find_first_of(".[") != std::string::npos) return;
        resource.newest_field = field->value.as_text();
        resource.newest_is_least = function != nullptr && function->value == json::Value("min");
    }

    void read_include(TableReader& reader, ResourceSettings& resource) {
        const std::optional<std::vector<std::string>> fields = reader.texts("include");
        if (!fields) return;
        if (resource.parent.empty()) reader.problem("include", "\"include\" takes fields of the parent's records, and there is no \"parent\"");
        for (const std::string& field : *fields) {
            guarded(reader, "include", [&] { json::Path::parse(field, json::Path::Dialect::full); });
            std::string name = fmt::format("_{}_{}", resource.parent, field);
            std::replace(name.begin(), name.end(), '.', '_');
            resource.include.push_back({field, std::move(name)});
        }
    }

    /// A path that ends with what tells one thing from others leads to that one thing.
    static void check_single_entity(ResourceSettings& resource) {
        std::string_view path = resource.path_text;
        path = path.substr(0, path.find('?'));
        while (path.ends_with('/')) path.remove_suffix(1);
        const std::string_view last = path.substr(path.rfind('/') == std::string_view::npos ? 0 : path.rfind('/') + 1);
        if (!Template::parse(last).uses(Placeholder::Root::parent)) return;
        if (!resource.select) resource.select = json::Path();
        if (!resource.paginator) resource.paginator = PaginatorSpec{.kind = PaginatorSpec::Kind::single_page};
    }

    void check_parent_use(TableReader& reader, const ResourceSettings& resource) {
        const bool is_used = !resource.parent_paths().empty();
        if (is_used && resource.parent.empty()) reader.problem("path", fmt::format("\"{{parent.{}}}\" is used, and there is no \"parent\"", resource.parent_paths().front()));
        if (!is_used && !resource.parent.empty()) reader.problem("parent", fmt::format("\"parent\" is given, but nothing of the request depends on it; use it as in path = \"{}/{{parent.id}}/{}\"", resource.parent, resource.name));
    }

    /// Throws away nothing: when parents lead nowhere or in a circle, that is a problem.
    void sort_by_parents(ApiSettings& api) {
        std::vector<std::string> names;
        for (const ResourceSettings& resource : api.resources) names.push_back(resource.name);
        std::vector<ResourceSettings> sorted;
        std::set<std::string> done;
        while (sorted.size() < api.resources.size()) {
            const std::size_t before = sorted.size();
            for (ResourceSettings& resource : api.resources) {
                if (done.contains(resource.name) || (!resource.parent.empty() && !done.contains(resource.parent))) continue;
                done.insert(resource.name);
                sorted.push_back(resource);
            }
            if (sorted.size() > before) continue;
            for (std::size_t i = 0; i < api.resources.size(); ++i) {
                if (!done.contains(names[i])) add_parent_problem(i, api.resources[i], names);
            }
            return;
        }
        api.resources = std::move(sorted);
    }

    void add_parent_problem(std::size_t number, const ResourceSettings& resource, const std::vector<std::string>& names) {
        const Node& settings = context_.resources[number].settings;
        const Node* parent = settings.find("parent");
        const config::Place& place = parent != nullptr ? parent->place : settings.place;
        if (std::find(names.begin(), names.end(), resource.parent) != names.end()) {
            problems_.add(place, fmt::format("resource \"{}\": its parents lead back to itself, or to a parent that is not there", resource.name));
            return;
        }
        problems_.add(place, fmt::format("resource \"{}\": there is no resource \"{}\"; {}", resource.name, excerpt(resource.parent),
                                         suggestion(resource.parent, names)));
    }

    static constexpr std::int64_t concurrency_max = 256;

    const extract::SourceContext& context_;
    Problems& problems_;
};

}  // namespace

bool ResponseRule::matches(const io::HttpResponse& response) const {
    if (!statuses.empty() && std::find(statuses.begin(), statuses.end(), response.status) == statuses.end()) return false;
    return !content || response.body.find(*content) != std::string::npos;
}

std::vector<std::string> ResourceSettings::request_paths() const {
    std::vector<std::string> paths;
    path.collect_parent_paths(paths);
    for (const auto& [key, value] : params) value.collect_parent_paths(paths);
    for (const auto& [key, value] : headers) value.collect_parent_paths(paths);
    if (json) json->collect_parent_paths(paths);
    if (form) form->collect_parent_paths(paths);
    if (body) body->collect_parent_paths(paths);
    return paths;
}

std::vector<std::string> ResourceSettings::parent_paths() const {
    std::vector<std::string> paths = request_paths();
    const auto add = [&](const std::string& one) {
        if (std::find(paths.begin(), paths.end(), one) == paths.end()) paths.push_back(one);
    };
    for (const IncludedField& field : include) add(field.path);
    std::for_each(parent_key.begin(), parent_key.end(), add);
    return paths;
}

const ResourceSettings& ApiSettings::find(const std::string& name) const {
    const auto found = std::find_if(resources.begin(), resources.end(), [&](const ResourceSettings& resource) { return resource.name == name; });
    TIPPLE_ASSERT(found != resources.end());
    return *found;
}

ApiSettings read_settings(const extract::SourceContext& context) {
    Problems problems;
    ApiSettings settings = ApiReader(context, problems).read();
    problems.throw_if_any();
    return settings;
}

}  // namespace tipple::sources::rest
