#include "tipple/postgres/failure.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>

#include "tipple/core/text.h"

namespace tipple::postgres {

namespace {

constexpr std::size_t message_length_max = 1'000;

bool is_one_of(std::string_view state, std::initializer_list<std::string_view> states) {
    return std::find(states.begin(), states.end(), state) != states.end();
}

/// A part of a message of libpq, a server or a pooler about a connection, and what it means.
struct Cause {
    std::string_view part;
    ErrorKind kind;
    std::string_view remedy;
};

constexpr std::string_view unknown_project =
    "the pooler does not know this project: copy the URL from the project's page \"Connect\". The user must be postgres.<project reference>, the host the pooler's of just this "
    "project, and the project must not be paused (restore it on its page)";

/// The first that is found counts, so what says more comes first.
constexpr std::array<Cause, 42> causes = {{
    {"password authentication failed", ErrorKind::usage,
     "user or password is wrong. Special characters of a password in a URL are written %XX; or leave it out of the URL and set PGPASSWORD or ~/.pgpass"},
    {"no password supplied", ErrorKind::usage, "a password is needed: give it in the URL, in PGPASSWORD or in ~/.pgpass"},
    {"Tenant or user not found", ErrorKind::usage, unknown_project},
    {"tenant/user", ErrorKind::usage, unknown_project},
    {"endpoint has been disabled", ErrorKind::remote, "the project is paused: enable it at the hoster, then run again"},
    {"endpoint is disabled", ErrorKind::remote, "the project is paused: enable it at the hoster, then run again"},
    {"has been suspended", ErrorKind::remote, "the project is paused: resume it at the hoster, then run again"},
    {"compute time quota", ErrorKind::remote, "the hoster gives the project no more computing time: raise its plan there, or wait until the quota begins anew"},
    {"no encryption", ErrorKind::usage, "the server wants TLS, or does not let this user in from here: add ?sslmode=require to the URL"},
    {"SSL off", ErrorKind::usage, "the server wants TLS, or does not let this user in from here: add ?sslmode=require to the URL"},
    {"SSL connection is required", ErrorKind::usage, "the server wants TLS: add ?sslmode=require to the URL"},
    {"does not support SSL", ErrorKind::usage, "the server has no TLS, but sslmode asks for it: take sslmode out of the URL, or set it to prefer"},
    {"certificate verify failed", ErrorKind::usage,
     "the server's certificate is not signed by a known authority: give that authority's certificate by sslrootcert=FILE"},
    {"root certificate file", ErrorKind::usage, "sslmode asks for the authority's certificate: give it by sslrootcert=FILE"},
    {"no pg_hba.conf entry", ErrorKind::usage, "the server does not let this user into this database from this address: it needs an entry in pg_hba.conf"},
    {"unsupported startup parameter", ErrorKind::usage, "poolers take no options at the start: take options=... out of the URL"},
    {"is not permitted to log in", ErrorKind::usage, "the role cannot log in: use another user, or ALTER ROLE ... LOGIN"},
    {"too many clients", ErrorKind::transient, "all connections are taken: close others, or use the hoster's pooler"},
    {"remaining connection slots", ErrorKind::transient, "all connections are taken: close others, or use the hoster's pooler"},
    {"too many connections", ErrorKind::transient, "all connections are taken: close others, or use the hoster's pooler"},
    {"no more connections allowed", ErrorKind::transient, "all connections of the pooler are taken: close others, or raise its max_client_conn"},
    {"ax client connections reached", ErrorKind::transient, "all connections of the pooler are taken: close others, or raise its limit"},
    {"MaxClientsInSessionMode", ErrorKind::transient,
     "all connections of the pooler's session mode are taken: use its transaction mode (Supabase: port 6543)"},
    {"the database system is", ErrorKind::transient, "the server is starting or stopping: run again when it is up"},
    {"definition of service", ErrorKind::usage, "the service file has no such service: correct its name, or say by PGSERVICEFILE which file it is in"},
    {"service file", ErrorKind::usage, "there is no such service file: correct PGSERVICEFILE"},
    {" value: \"", ErrorKind::usage, "correct this parameter of the URL"},
    {"invalid port number", ErrorKind::usage, "correct the port in the URL"},
    {"invalid integer value", ErrorKind::usage, "correct this parameter of the URL"},
    {"could not match", ErrorKind::usage, "give one port for all hosts, or one for each"},
    {"invalid response to SSL negotiation", ErrorKind::usage, "what answers there is no Postgres server: check host and port"},
    {"expected authentication request", ErrorKind::usage, "what answers there is no Postgres server: check host and port"},
    {"running locally", ErrorKind::transient, "nothing listens at that socket: check its folder (host) and the port, and whether the server is running"},
    {"session is ", ErrorKind::usage, "no host of the URL is what target_session_attrs asks for: give the primary's host too, or another target_session_attrs"},
    {"server is not in hot standby mode", ErrorKind::usage, "no host of the URL is a standby, which target_session_attrs asks for: give its host too, or another target_session_attrs"},
    {"server is in hot standby mode", ErrorKind::usage, "no host of the URL is a primary, which target_session_attrs asks for: give its host too, or another target_session_attrs"},
    {"Connection refused", ErrorKind::transient, "nothing listens there: check host and port, and whether the server is running"},
    {"timeout expired", ErrorKind::transient, "nothing answered in time: check host, port and firewalls"},
    {"server closed the connection unexpectedly", ErrorKind::transient, "the server went away while the connection was made"},
    {"Connection reset by peer", ErrorKind::transient, "the server, or something on the way to it, cut the connection while it was made"},
    {"Connection timed out", ErrorKind::transient, "nothing answered in time: check host, port and firewalls"},
    {"role \"", ErrorKind::usage, "there is no such user: correct the URL or create the role"},
}};

bool contains(std::string_view text, std::string_view part) { return text.find(part) != std::string_view::npos; }

/// Whether there is an address such as 2a05:d014::1 in it.
bool has_ipv6_address(std::string_view text) {
    std::ptrdiff_t colons = 0;
    for (const char c : text) {
        if (c == ':') {
            if (++colons == 2) return true;
        } else if (std::isxdigit(static_cast<unsigned char>(c)) == 0) {
            colons = 0;
        }
    }
    return false;
}

bool is_unreachable(std::string_view text) {
    return contains(text, "Network is unreachable") || contains(text, "No route to host") || contains(text, "Cannot assign requested address");
}

/// Where a URL cannot work from this machine. Of several addresses that were tried, each has a line.
std::string_view network_remedy(std::string_view message, std::string_view place) {
    bool has_unreachable_four = false;
    bool has_unreachable_six = false;
    bool has_other = false;
    for (std::string_view rest = message; !rest.empty();) {
        const std::string_view line = rest.substr(0, rest.find('\n'));
        rest.remove_prefix(std::min(line.size() + 1, rest.size()));
        if (!contains(line, "failed: ")) continue;
        bool& kind = !is_unreachable(line) ? has_other : has_ipv6_address(line) ? has_unreachable_six : has_unreachable_four;
        kind = true;
    }
    if (has_unreachable_six && !has_unreachable_four && !has_other) {
        return "the host has an IPv6 address only, and this network has no IPv6: use an address with IPv4, such as the hoster's pooler (Supabase: the "
               "pooler's URL of the project's page \"Connect\")";
    }
    if ((has_unreachable_four || has_unreachable_six) && !has_other) return "this machine has no way to that network: check network and VPN";
    const bool is_unknown = contains(message, "could not translate host name") || contains(message, "Name or service not known");
    if (is_unknown && contains(place, ".supabase.co")) {
        return "there is no such host: the project's reference is wrong, or the project is paused or deleted (restore it on the project's page), or it has "
               "IPv6 only (use the pooler's URL)";
    }
    if (is_unknown) return "there is no such host: check its name";
    return "";
}

std::string one_line(std::string_view text) {
    std::string line(text.substr(0, text.find_last_not_of(" \n") + 1));
    std::replace(line.begin(), line.end(), '\n', ' ');
    line.erase(std::remove(line.begin(), line.end(), '\t'), line.end());
    return excerpt(line, message_length_max);
}

}  // namespace

std::optional<std::uint64_t> Failure::copied_row() const {
    // "COPY orders, line 3", "COPY orders, line 3, column id": the last line, behind those of triggers that ran.
    constexpr std::string_view start = "COPY ";
    constexpr std::string_view number = ", line ";
    const std::size_t copy = context.starts_with(start) ? 0 : context.rfind("\nCOPY ");
    if (copy == std::string::npos) return std::nullopt;
    const std::size_t at = context.rfind(number);
    if (at == std::string::npos || at < copy) return std::nullopt;
    std::uint64_t row = 0;
    const char* digits = context.data() + at + number.size();
    const auto [end, error] = std::from_chars(digits, context.data() + context.size(), row);
    return error == std::errc() && row > 0 ? std::optional(row) : std::nullopt;
}

ErrorKind kind_of(const Failure& failure) {
    const std::string& state = failure.state;
    // The connection is gone.
    if (state.empty() || state.starts_with("08")) return ErrorKind::transient;
    if (is_one_of(state, {"57P01", "57P02", "57P03", "40001", "40P01", "53300"})) return ErrorKind::transient;
    // Somebody made the same schema, table or column at the same time: the next attempt finds it.
    if (is_one_of(state, {"42P06", "42P07", "42701"}) || (state == "23505" && contains(failure.message, "\"pg_"))) return ErrorKind::transient;
    if (state == "55P03") return ErrorKind::locked;
    if (state.starts_with("22") || state.starts_with("23")) return ErrorKind::data;
    if (state.starts_with("42") || state.starts_with("28") || state.starts_with("3D") || state.starts_with("3F")) return ErrorKind::usage;
    return ErrorKind::remote;
}

Error statement_error(const Failure& failure) {
    std::string text = failure.message;
    if (!failure.detail.empty()) text += ": " + failure.detail;
    if (!failure.hint.empty()) text += " (" + failure.hint + ")";
    if (failure.state == "55P03") {
        text = "another process holds what is needed: " + text + "; --lock-timeout sets how long to wait";
    } else if (failure.state == "42501") {
        text += ": grant it, or use another user";
    } else if (failure.state == "22021" && !contains(failure.message, "0x00")) {
        text += ": correct the data, or leave the column out";
    } else if (failure.state == "22P05" || failure.state == "22021") {
        text += ": Postgres stores no NUL character (U+0000) in text or JSON; correct the data";
    } else if (failure.state == "40001" && contains(failure.message, "recovery")) {
        text += ": a standby ends reads that what comes from its primary would wait for. Set hot_standby_feedback = on or a larger max_standby_streaming_delay there, or "
                "read from the primary";
    } else if (contains(failure.message, "mode during recovery")) {
        text += ": the server is a standby, which takes no changes. Give the host of its primary, or both with ?target_session_attrs=read-write";
    } else if (failure.state == "57014" && contains(failure.message, "timeout")) {
        text += ": it is set for the user, the database or by the pooler; raise it there";
    }
    const std::string state = failure.state.empty() ? "" : fmt::format(" [{}]", failure.state);
    return Error(kind_of(failure), "Postgres: {}{}", excerpt(text, message_length_max), state);
}

Error connection_error(std::string_view message, const std::string& place) {
    const std::string line = one_line(message);
    if (const std::string_view remedy = network_remedy(message, place); !remedy.empty()) {
        return Error(ErrorKind::usage, "no connection to {}: {} ({})", place, remedy, line);
    }
    if (contains(message, "database \"") && contains(message, "does not exist")) {
        return Error(ErrorKind::usage, "no connection to {}: there is no such database: correct the URL, or create it with CREATE DATABASE ({})", place, line);
    }
    for (const Cause& cause : causes) {
        if (contains(message, cause.part)) return Error(cause.kind, "no connection to {}: {} ({})", place, cause.remedy, line);
    }
    return Error(ErrorKind::remote, "no connection to {}: {}", place, line);
}

}  // namespace tipple::postgres
