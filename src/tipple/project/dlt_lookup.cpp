#include "tipple/project/dlt_lookup.h"

#include <algorithm>
#include <array>
#include <memory>
#include <utility>

#include "tipple/config/dlt_settings.h"
#include "tipple/core/error.h"
#include "tipple/io/url.h"

namespace tipple::project {

using config::Node;
using config::OptionKind;

namespace {

constexpr std::string_view scheme_end = "://";

/// What dlt keeps beside the credentials of a destination, not among them.
bool is_beside_credentials(std::string_view name) { return name == credentials_key || name == "bucket_url" || name == "layout"; }

/// As dlt writes them, three slashes lead to a relative path.
std::string own_url(const std::string& url) {
    constexpr std::string_view relative = "duckdb:///";
    const bool is_relative = url.starts_with(relative) && !url.starts_with("duckdb:////");
    return is_relative ? url.substr(relative.size()) : url;
}

/// dlt's settings under some sections.
class DltLookup {
public:
    DltLookup(std::shared_ptr<const config::DltSettings> settings, const Project& project, std::vector<std::string> sections, std::string last_section, std::string pipeline)
        : settings_(std::move(settings)),
          project_(&project),
          sections_(std::move(sections)),
          last_section_(std::move(last_section)),
          pipeline_(std::move(pipeline)) {}

    std::optional<OtherSetting> operator()(const std::string& name, OptionKind kind) const {
        if (name == credentials_key) {
            std::optional<OtherSetting> url = find(name, kind);
            return url ? url : url_of_parts();
        }
        std::optional<OtherSetting> found = find(name, kind);
        return found ? found : in_query(name);
    }

private:
    std::optional<config::DltValue> find_value(const std::string& name, OptionKind kind) const {
        config::DltField field{.key = name, .is_secret = kind == OptionKind::secret, .sections = sections_};
        field.is_whole = name == credentials_key;
        if (!is_beside_credentials(name)) field.last_section = last_section_;
        return settings_->find(field, pipeline_);
    }

    std::optional<OtherSetting> find(const std::string& name, OptionKind kind) const {
        const std::optional<config::DltValue> found = find_value(name, kind);
        if (!found || (name == credentials_key && !found->node.is_scalar())) return std::nullopt;
        OtherSetting setting{.value = config::dlt_text(found->node), .place = found->node.place, .key = found->key};
        if (name == credentials_key) setting.value = own_url(setting.value);
        if (name == "password") setting.value = std::string(config::dlt_stripped(setting.value));
        if (kind == OptionKind::path) setting.value = project_->in_folder(setting.value);
        if (kind == OptionKind::boolean) {
            if (const std::optional<bool> value = config::dlt_boolean(found->node)) setting.value = *value ? "true" : "false";
        }
        if (kind == OptionKind::integer) {
            if (const std::optional<std::int64_t> value = config::dlt_integer(found->node)) setting.value = std::to_string(*value);
        }
        return setting;
    }

    /// The parameters of the connection, as a table or JSON, and the setting that holds them.
    std::optional<std::pair<json::Object, config::DltValue>> query() const {
        std::optional<config::DltValue> found = find_value("query", OptionKind::text);
        if (!found) return std::nullopt;
        json::Value value = config::to_json(found->node);
        if (value.is_text()) value = json::parse(value.as_text());
        if (!value.is_object()) throw Error(ErrorKind::usage, "{}: {} must be a table of parameters, or an object of JSON", found->node.place.text(), found->key);
        return std::pair(value.as_object(), *std::move(found));
    }

    static std::string text_of(const json::Value& value) { return value.is_text() ? value.as_text() : json::to_text(value); }

    /// A URL has all its parameters with it; else they may be in the table.
    std::optional<OtherSetting> in_query(const std::string& name) const {
        if (last_section_ != credentials_key || is_beside_credentials(name)) return std::nullopt;
        const auto parameters = query();
        if (!parameters || find(credentials_key, OptionKind::secret)) return std::nullopt;
        const json::Value* value = parameters->first.find(name);
        if (value == nullptr) return std::nullopt;
        return OtherSetting{.value = text_of(*value), .place = parameters->second.node.place, .key = parameters->second.key + "." + name};
    }

    /// The URL of a table that names the driver.
    std::optional<OtherSetting> url_of_parts() const {
        if (last_section_ != credentials_key) return std::nullopt;
        std::optional<OtherSetting> driver = find("drivername", OptionKind::text);
        if (!driver) return std::nullopt;
        const auto part = [&](const char* name, OptionKind kind) {
            const std::optional<OtherSetting> found = find(name, kind);
            return found ? found->value : std::string();
        };
        const std::string database = part("database", OptionKind::text);
        const bool is_file = driver->value.starts_with("sqlite") || driver->value.starts_with("duckdb");
        std::string url = driver->value + std::string(scheme_end);
        if (is_file) {
            url += "/" + database;
        } else {
            const std::string host = part("host", OptionKind::text);
            const std::string port = part("port", OptionKind::integer);
            const std::string user = part("username", OptionKind::text);
            const std::string password = part("password", OptionKind::secret);
            if (!user.empty() || !password.empty()) url += io::percent_encode(user) + (password.empty() ? "" : ":" + io::percent_encode(password)) + "@";
            const bool is_address = host.find(':') != std::string::npos && !host.starts_with('[');
            url += is_address ? "[" + host + "]" : host.starts_with('/') ? io::percent_encode(host) : host;
            if (!port.empty()) url += ":" + port;
            if (!database.empty()) url += "/" + io::percent_encode(database);
        }
        if (const auto parameters = query(); parameters && !is_file) {
            char separator = '?';
            for (const auto& [name, value] : parameters->first) {
                url += separator + io::percent_encode(name) + "=" + io::percent_encode(text_of(value));
                separator = '&';
            }
        }
        driver->value = own_url(url);
        driver->is_of_parts = true;
        return driver;
    }

    std::shared_ptr<const config::DltSettings> settings_;
    const Project* project_;
    std::vector<std::string> sections_;
    std::string last_section_;
    std::string pipeline_;
};

std::shared_ptr<const config::DltSettings> read_settings(io::FileSystem& files, const Project& project) {
    return std::make_shared<const config::DltSettings>(config::DltSettings::read(files, project.dlt_places(), project.environment()));
}

/// What dlt calls a source of ours.
std::string dlt_name_of(const std::string& kind) { return kind == "sql" ? "sql_database" : kind == "files" ? "filesystem" : kind; }

/// The options that a URL says; names of parameters are those of libpq, or options.
std::vector<std::string> options_in(std::string_view url) {
    std::vector<std::string> options;
    const std::size_t scheme = url.find(scheme_end);
    if (scheme == std::string_view::npos) return options;
    std::string_view rest = url.substr(scheme + scheme_end.size());
    const std::size_t question = rest.find('?');
    if (question != std::string_view::npos) {
        for (const auto& parameter : io::split_query(url).second) {
            const std::string& name = parameter.first;
            options.push_back(name == "user" ? "username" : name == "dbname" ? "database" : name);
        }
        rest = rest.substr(0, question);
    }
    // A password may have any character, so it ends at the last @.
    if (const std::size_t at = rest.rfind('@'); at != std::string_view::npos) {
        const std::string_view user = rest.substr(0, at);
        if (!user.empty() && !user.starts_with(':')) options.emplace_back("username");
        if (user.find(':') != std::string_view::npos) options.emplace_back("password");
        rest.remove_prefix(at + 1);
    }
    const std::size_t slash = rest.find('/');
    if (slash != std::string_view::npos && slash + 1 < rest.size()) options.emplace_back("database");
    std::string_view host = rest.substr(0, slash);
    const std::size_t port = host.rfind(':');
    if (port != std::string_view::npos && host.find(']', port) == std::string_view::npos) {
        options.emplace_back("port");
        host = host.substr(0, port);
    }
    if (!host.empty()) options.emplace_back("host");
    return options;
}

}  // namespace

OtherSettings dlt_settings_of(io::FileSystem& files, const Project& project, std::vector<std::string> sections, const std::string& last_section,
                              const std::string& pipeline) {
    return DltLookup(read_settings(files, project), project, std::move(sections), last_section, pipeline);
}

std::vector<OtherSettings> dlt_settings_of_source(io::FileSystem& files, const Project& project, const std::string& kind, const std::string& pipeline) {
    std::vector<OtherSettings> list;
    const auto settings = read_settings(files, project);
    const auto add = [&](const std::string& name, const std::string& last_section) {
        list.push_back(DltLookup(settings, project, {"sources", name, name}, last_section, pipeline));
    };
    const std::string name = dlt_name_of(kind);
    if (name != kind) {
        add(name, credentials_key);
        add(name, "");
    }
    add(kind, "");
    return list;
}

std::optional<OtherSetting> find_other(const OtherSettings& others, const config::OptionSpec& spec) {
    std::optional<OtherSetting> found = others(spec.name, spec.kind);
    if (!found && !spec.reference_name.empty()) found = others(spec.reference_name, spec.kind);
    return found;
}

std::vector<std::string> dlt_sections_of(const Node& node) {
    std::vector<std::string> sections = {"destination"};
    const Node* type = node.is_table() ? node.find("type") : nullptr;
    if (type != nullptr && type->kind == Node::Kind::text) sections.push_back(type->value.as_text());
    return sections;
}

bool is_said_by_url(std::string_view url, UrlWriter writer, std::string_view option) {
    if (url.find(scheme_end) == std::string_view::npos) return false;
    constexpr std::array<std::string_view, 4> of_place = {"host", "port", "database", "username"};
    if (writer == UrlWriter::project && std::find(of_place.begin(), of_place.end(), option) != of_place.end()) return true;
    const std::vector<std::string> options = options_in(url);
    return std::find(options.begin(), options.end(), option) != options.end();
}

}  // namespace tipple::project
