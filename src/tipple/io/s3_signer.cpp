#include "tipple/io/s3_signer.h"

#include <algorithm>
#include <ctime>
#include <map>

#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"

namespace tipple::io {

namespace {

struct Words {
    std::string_view algorithm;
    std::string_view key_prefix;
    std::string_view scope_end;
    std::string_view header_prefix;
};

Words words_of(SignatureDialect dialect) {
    if (dialect == SignatureDialect::google) return {"GOOG4-HMAC-SHA256", "GOOG4", "goog4_request", "x-goog-"};
    return {"AWS4-HMAC-SHA256", "AWS4", "aws4_request", "x-amz-"};
}

std::string hash_of(std::string_view bytes) { return to_hex(as_text(sha256(bytes))); }

/// `20150830T123600Z`
std::string date_text(std::int64_t now_us) {
    const std::time_t seconds = now_us / 1'000'000;
    std::tm time{};
    gmtime_r(&seconds, &time);
    return fmt::format("{:04}{:02}{:02}T{:02}{:02}{:02}Z", time.tm_year + 1900, time.tm_mon + 1, time.tm_mday, time.tm_hour, time.tm_min, time.tm_sec);
}

/// Without spaces at both ends, and with one where there are several.
std::string canonical_value(std::string_view value) {
    std::string out;
    bool is_between = false;
    for (const char c : value) {
        if (c == ' ' || c == '\t' || c == '\r' || c == '\n') {
            is_between = !out.empty();
            continue;
        }
        if (std::exchange(is_between, false)) out += ' ';
        out += c;
    }
    return out;
}

std::string canonical_query(std::string_view query) {
    std::vector<std::pair<std::string, std::string>> params;
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(one.size() + 1, query.size()));
        if (one.empty()) continue;
        const std::size_t equals = std::min(one.find('='), one.size());
        const std::string_view value = one.substr(std::min(equals + 1, one.size()));
        params.emplace_back(percent_encode(percent_decode(one.substr(0, equals))), percent_encode(percent_decode(value)));
    }
    std::sort(params.begin(), params.end());
    std::vector<std::string> pairs;
    for (const auto& [name, value] : params) pairs.push_back(name + "=" + value);
    return join(pairs, "&");
}

struct UrlParts {
    std::string host;  ///< with its port, unless that is the scheme's own
    std::string path;
    std::string query;
};

UrlParts parts_of(std::string_view url) {
    const bool is_secure = lower(url.substr(0, 8)) == "https://";
    url.remove_prefix(is_secure ? 8 : 7);
    url = url.substr(0, url.find('#'));
    const std::size_t authority_end = std::min(url.find_first_of("/?"), url.size());
    std::string_view authority = url.substr(0, authority_end);
    if (const std::size_t at = authority.rfind('@'); at != std::string_view::npos) authority.remove_prefix(at + 1);
    const std::string_view own_port = is_secure ? ":443" : ":80";
    if (authority.ends_with(own_port)) authority.remove_suffix(own_port.size());
    const std::string_view rest = url.substr(authority_end);
    const std::size_t mark = std::min(rest.find('?'), rest.size());
    const std::string_view path = rest.substr(0, mark);
    return {.host = std::string(authority), .path = path.empty() ? "/" : std::string(path), .query = std::string(rest.substr(std::min(mark + 1, rest.size())))};
}

}  // namespace

std::string signed_header_name(SignatureDialect dialect, std::string_view name) { return fmt::format("{}{}", words_of(dialect).header_prefix, name); }

void sign_request(HttpRequest& request, const AccessKey& key, const SignatureScope& scope, std::int64_t now_us) {
    const Words words = words_of(scope.dialect);
    const std::string date = date_text(now_us);
    set_header(request.headers, signed_header_name(scope.dialect, "date"), date);
    if (!key.session_token.empty()) set_header(request.headers, signed_header_name(scope.dialect, "security-token"), key.session_token);

    const UrlParts url = parts_of(request.url);
    std::map<std::string, std::string> headers = {{"host", url.host}};
    for (const HttpHeader& header : request.headers) {
        std::string& value = headers[lower(header.name)];
        if (!value.empty()) value += ',';
        value += canonical_value(header.value);
    }
    std::string canonical_headers;
    std::vector<std::string> names;
    for (const auto& [name, value] : headers) {
        canonical_headers += name + ":" + value + "\n";
        names.push_back(name);
    }
    const std::string signed_headers = join(names, ";");
    const std::string* body_hash = find_header(request.headers, signed_header_name(scope.dialect, "content-sha256"));
    const std::string canonical = fmt::format("{}\n{}\n{}\n{}\n{}\n{}", request.method, url.path, canonical_query(url.query), canonical_headers, signed_headers,
                                              body_hash != nullptr ? *body_hash : hash_of(request.body.value_or("")));

    const std::string day = date.substr(0, 8);
    const std::string full_scope = fmt::format("{}/{}/{}/{}", day, scope.region, scope.service, words.scope_end);
    const std::string to_sign = fmt::format("{}\n{}\n{}\n{}", words.algorithm, date, full_scope, hash_of(canonical));
    std::array<std::uint8_t, 32> signing_key = hmac_sha256(fmt::format("{}{}", words.key_prefix, key.secret), day);
    for (const std::string_view part : {std::string_view(scope.region), std::string_view(scope.service), words.scope_end}) {
        signing_key = hmac_sha256(as_text(signing_key), part);
    }
    set_header(request.headers, "Authorization",
               fmt::format("{} Credential={}/{}, SignedHeaders={}, Signature={}", words.algorithm, key.id, full_scope, signed_headers,
                           to_hex(as_text(hmac_sha256(as_text(signing_key), to_sign)))));
}

}  // namespace tipple::io
