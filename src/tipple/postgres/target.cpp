#include "tipple/postgres/target.h"


#include <algorithm>
#include <array>
#include <cctype>
#include <map>
#include <memory>
#include <optional>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/libpq_library.h"

namespace tipple::postgres {

namespace {

constexpr std::string_view default_port = "5432";
/// Seconds, as dlt has it.
constexpr std::string_view connect_timeout = "15";

/// Parameters that other clients take out of the URLs that hosters hand out, and that mean nothing here.
constexpr std::array<std::string_view, 6> foreign_parameters = {"pgbouncer", "connection_limit",     "pool_timeout",
                                                               "supa",      "statement_cache_size", "prepareThreshold"};

using Parameters = std::map<std::string, std::string, std::less<>>;

std::string text_of(const Parameters& parameters, std::string_view keyword, std::string_view missing = "") {
    const auto found = parameters.find(keyword);
    return found == parameters.end() || found->second.empty() ? std::string(missing) : found->second;
}

struct FreeConninfo {
    void operator()(PQconninfoOption* options) const { libpq().PQconninfoFree(options); }
};

void add_all(const PQconninfoOption* options, Parameters& parameters) {
    for (const PQconninfoOption* option = options; option != nullptr && option->keyword != nullptr; ++option) {
        if (option->val != nullptr) parameters[option->keyword] = option->val;
    }
}

[[noreturn]] void fail_unclear() {
    throw Error(ErrorKind::usage,
                "the Postgres URL cannot be understood; its form is postgresql://user:password@host:port/database?sslmode=require, where special "
                "characters of user and password are written %XX (@ is %40, / is %2F, : is %3A)");
}

Parameters parse_url(const std::string& url) {
    char* raw_message = nullptr;
    const std::unique_ptr<PQconninfoOption, FreeConninfo> options(libpq().PQconninfoParse(url.c_str(), &raw_message));
    const std::unique_ptr<char, void (*)(void*)> message(raw_message, libpq().PQfreemem);
    if (options == nullptr) {
        // libpq's message may quote any part of the URL, a piece of the password too; only this one names a parameter.
        constexpr std::string_view unknown = "invalid URI query parameter: ";
        const std::string_view text = message != nullptr ? message.get() : "";
        if (const std::size_t at = text.find(unknown); at != std::string_view::npos) {
            throw Error(ErrorKind::usage, "the Postgres URL has a parameter that libpq does not know: {}; take it out", excerpt(text.substr(at + unknown.size())));
        }
        fail_unclear();
    }
    Parameters parameters;
    add_all(options.get(), parameters);
    return parameters;
}

/// What libpq would fill in by itself.
Parameters environment() {
    const std::unique_ptr<PQconninfoOption, FreeConninfo> options(libpq().PQconndefaults());
    Parameters parameters;
    add_all(options.get(), parameters);
    return parameters;
}

std::vector<std::string> split(std::string_view text, char separator) {
    std::vector<std::string> parts;
    while (true) {
        const std::size_t end = text.find(separator);
        parts.emplace_back(text.substr(0, end));
        if (end == std::string_view::npos) return parts;
        text.remove_prefix(end + 1);
    }
}

/// `host:port,host:port`; a socket's folder stands as it is.
std::string place(const Parameters& known) {
    const std::vector<std::string> hosts = split(text_of(known, "host", text_of(known, "hostaddr", "localhost")), ',');
    const std::vector<std::string> ports = split(text_of(known, "port", default_port), ',');
    std::vector<std::string> places;
    for (std::size_t i = 0; i < hosts.size(); ++i) {
        const std::string& port = ports.size() == hosts.size() ? ports[i] : ports[0];
        places.push_back(fmt::format("{}:{}", lower(hosts[i]), port.empty() ? default_port : port));
    }
    return join(places, ",");
}

/// Where a URL was cut at the wrong place, the port may be a piece of the password, which nobody is to see.
void check_ports(const Parameters& known) {
    const std::string ports = text_of(known, "port", default_port);
    if (!std::all_of(ports.begin(), ports.end(), [](unsigned char c) { return std::isdigit(c) != 0 || c == ','; })) fail_unclear();
}

bool is_supabase_pooler(std::string_view host) { return host.ends_with(".pooler.supabase.com"); }

void check_pooler_user(const Parameters& known) {
    const std::string host = lower(text_of(known, "host"));
    const std::string user = text_of(known, "user");
    if (!is_supabase_pooler(host) || user.find('.') != std::string::npos) return;
    throw Error(ErrorKind::usage,
                "{} is a pooler of Supabase, which tells projects apart by the user: it must be {}.<project reference>, not {}; copy the URL from the "
                "project's page \"Connect\"",
                host, user.empty() ? "postgres" : user, user.empty() ? "missing" : user);
}

/// Characters that end a user or password in a URL, unless they are encoded.
bool must_be_encoded(char c) { return std::string_view("/?#[]@ \"<>\\^`{|}").find(c) != std::string_view::npos || static_cast<unsigned char>(c) < 0x20; }

std::string encoded(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const auto is_digit = [&](std::size_t at) { return at < text.size() && std::isxdigit(static_cast<unsigned char>(text[at])) != 0; };
        const bool is_stray_percent = text[i] == '%' && !(is_digit(i + 1) && is_digit(i + 2));
        if (must_be_encoded(text[i]) || is_stray_percent) {
            out += fmt::format("%{:02X}", static_cast<unsigned char>(text[i]));
        } else {
            out += text[i];
        }
    }
    return out;
}

/// `user:password` at the start of what follows `://`; nothing when there is none. A password may have any character, so it ends at the last
/// `@` in front of the parameters.
std::optional<std::string_view> user_info(std::string_view rest) {
    const std::size_t at = rest.substr(0, rest.find('?')).rfind('@');
    if (at == std::string_view::npos) return std::nullopt;
    const std::string_view info = rest.substr(0, at);
    const std::size_t slash = info.find('/');
    if (slash == std::string_view::npos) return info;
    // With a `/` in it this may as well be `host:port/data@base`.
    const std::size_t colon = info.find(':');
    if (colon == std::string_view::npos || colon > slash) return std::nullopt;
    const std::string_view port = info.substr(colon + 1, slash - colon - 1);
    const bool is_port = std::all_of(port.begin(), port.end(), [](unsigned char c) { return std::isdigit(c) != 0; });
    return is_port ? std::nullopt : std::optional(info);
}

std::string without_foreign_parameters(std::string_view rest) {
    const std::size_t question = rest.find('?');
    if (question == std::string_view::npos) return std::string(rest);
    std::vector<std::string> kept;
    for (const std::string& parameter : split(rest.substr(question + 1), '&')) {
        const std::string name = parameter.substr(0, parameter.find('='));
        if (std::find(foreign_parameters.begin(), foreign_parameters.end(), name) == foreign_parameters.end()) kept.push_back(parameter);
    }
    return std::string(rest.substr(0, question)) + (kept.empty() ? "" : "?" + join(kept, "&"));
}

}  // namespace

std::string_view Target::parameter(std::string_view keyword) const {
    for (const auto& [name, value] : parameters) {
        if (name == keyword) return value;
    }
    return {};
}

std::string repair_url(std::string_view url) {
    const std::size_t scheme = url.find("://");
    if (scheme == std::string_view::npos) return std::string(url);
    std::string_view rest = url.substr(scheme + 3);
    std::string repaired = "postgresql://";
    if (const std::optional<std::string_view> info = user_info(rest)) {
        repaired += encoded(*info) + "@";
        rest.remove_prefix(info->size() + 1);
    }
    return repaired + without_foreign_parameters(rest);
}

Target parse_target(const config::Options& options) {
    Parameters given;
    if (const auto url = options.find("url")) given = parse_url(repair_url(*url));
    constexpr std::array<std::pair<std::string_view, std::string_view>, 6> parts = {
        {{"host", "host"}, {"port", "port"}, {"database", "dbname"}, {"username", "user"}, {"password", "password"}, {"sslmode", "sslmode"}}};
    for (const auto& [option, keyword] : parts) {
        if (const auto value = options.find(option)) given[std::string(keyword)] = *value;
    }
    Parameters known = environment();
    for (const auto& [keyword, value] : given) known[keyword] = value;
    check_ports(known);
    check_pooler_user(known);

    Target target;
    const std::string service = text_of(known, "service");
    const std::string user = text_of(known, "user");
    std::string database = text_of(known, "dbname", user);
    // Behind that pooler every project has the same host and database.
    const std::size_t dot = is_supabase_pooler(lower(text_of(known, "host"))) ? user.find('.') : std::string::npos;
    if (dot != std::string::npos) database += user.substr(dot);
    target.description = fmt::format("postgresql://{}/{}", place(known), database);
    if (!service.empty()) target.description = fmt::format("{} (service {})", target.description, service);
    target.identity = target.description;
    given.try_emplace("connect_timeout", connect_timeout);
    given.try_emplace("fallback_application_name", "tipple");
    // What is read and sent is UTF-8, whatever the database or the environment says.
    given["client_encoding"] = "UTF8";
    for (auto& [keyword, value] : given) target.parameters.emplace_back(keyword, std::move(value));
    return target;
}

}  // namespace tipple::postgres
