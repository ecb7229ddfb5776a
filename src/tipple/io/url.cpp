#include "tipple/io/url.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <memory>

#include "tipple/core/text.h"
#include "tipple/io/curl_library.h"

namespace tipple::io {

namespace {

struct UrlDeleter {
    void operator()(CURLU* url) const { curl().curl_url_cleanup(url); }
};
using UrlHandle = std::unique_ptr<CURLU, UrlDeleter>;

UrlHandle parse(const std::string& url) {
    UrlHandle handle(curl().curl_url());
    if (handle == nullptr || curl().curl_url_set(handle.get(), CURLUPART_URL, url.c_str(), CURLU_URLENCODE) != CURLUE_OK) return nullptr;
    return handle;
}

std::optional<std::string> part(const UrlHandle& url, CURLUPart which, unsigned flags = 0) {
    char* text = nullptr;
    if (curl().curl_url_get(url.get(), which, &text, flags) != CURLUE_OK) return std::nullopt;
    std::string copy(text);
    curl().curl_free(text);
    return copy;
}

void append_escape(std::string& out, unsigned char c) {
    constexpr std::string_view digits = "0123456789ABCDEF";
    out += '%';
    out += digits[c >> 4];
    out += digits[c & 15];
}

int hex_value(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}

/// Whether a parameter of this name is not for other eyes.
bool is_secret_name(std::string_view name) {
    static constexpr std::array<std::string_view, 16> names = {"api_key",  "apikey",        "api-key",  "key",           "token",         "access_token",  "access-token", "auth",
                                                               "secret",   "client_secret", "password", "refresh_token", "pwd",           "signature",     "sig",          "assertion"};
    // Of URLs that are signed: X-Amz-Signature, X-Amz-Security-Token, X-Goog-Credential.
    static constexpr std::array<std::string_view, 5> ends = {"signature", "token", "credential", "secret", "password"};
    const std::string text = lower(name);
    return std::find(names.begin(), names.end(), text) != names.end() || std::any_of(ends.begin(), ends.end(), [&](std::string_view end) { return text.ends_with(end); });
}

}  // namespace

bool is_http_url(std::string_view url) {
    const std::string start = lower(url.substr(0, 8));
    return start.starts_with("http://") || start.starts_with("https://");
}

std::optional<std::string> resolve_url(const std::string& base, const std::string& reference) {
    const UrlHandle url = parse(base);
    if (url == nullptr || curl().curl_url_set(url.get(), CURLUPART_URL, reference.c_str(), CURLU_URLENCODE) != CURLUE_OK) return std::nullopt;
    std::optional<std::string> resolved = part(url, CURLUPART_URL);
    if (!resolved || !is_http_url(*resolved)) return std::nullopt;
    return resolved;
}

std::string url_origin(const std::string& url) {
    const UrlHandle handle = parse(url);
    if (handle == nullptr || !is_http_url(url)) return {};
    return fmt::format("{}://{}:{}", lower(part(handle, CURLUPART_SCHEME).value_or("")), lower(part(handle, CURLUPART_HOST).value_or("")),
                       part(handle, CURLUPART_PORT, CURLU_DEFAULT_PORT).value_or(""));
}

std::pair<std::string, QueryParams> split_query(std::string_view url) {
    url = url.substr(0, url.find('#'));
    const std::size_t mark = url.find('?');
    QueryParams params;
    std::string_view query = mark == std::string_view::npos ? std::string_view() : url.substr(mark + 1);
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(one.size() + 1, query.size()));
        if (one.empty()) continue;
        const auto decode = [](std::string text) {
            std::replace(text.begin(), text.end(), '+', ' ');
            return percent_decode(text);
        };
        const std::size_t equals = one.find('=');
        params.emplace_back(decode(std::string(one.substr(0, equals))), equals == std::string_view::npos ? "" : decode(std::string(one.substr(equals + 1))));
    }
    return {std::string(url.substr(0, mark)), std::move(params)};
}

std::string with_query(std::string url, const QueryParams& params) {
    char mark = '?';
    for (const auto& [name, value] : params) {
        url += mark;
        url += percent_encode(name);
        url += '=';
        url += percent_encode(value);
        mark = '&';
    }
    return url;
}

std::string percent_encode(std::string_view text) {
    std::string out;
    for (const char c : text) {
        const bool is_plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '.' || c == '_' || c == '~';
        if (is_plain) {
            out += c;
        } else {
            append_escape(out, static_cast<unsigned char>(c));
        }
    }
    return out;
}

std::string percent_decode(std::string_view text) {
    std::string out;
    for (std::size_t i = 0; i < text.size(); ++i) {
        const int high = text[i] == '%' && i + 2 < text.size() ? hex_value(text[i + 1]) : -1;
        const int low = high >= 0 ? hex_value(text[i + 2]) : -1;
        if (low < 0) {
            out += text[i];
            continue;
        }
        out += static_cast<char>(high * 16 + low);
        i += 2;
    }
    return out;
}

std::string encode_unsafe(std::string_view text) {
    constexpr std::string_view unsafe = "\"<>\\^`{|} ";
    std::string out;
    for (const char c : text) {
        const auto byte = static_cast<unsigned char>(c);
        if (byte < 0x21 || byte > 0x7e || unsafe.find(c) != std::string_view::npos) {
            append_escape(out, byte);
        } else {
            out += c;
        }
    }
    return out;
}

std::string form_encode(const QueryParams& params) {
    std::string out;
    for (const auto& [name, value] : params) {
        if (!out.empty()) out += '&';
        out += percent_encode(name) + "=" + percent_encode(value);
    }
    for (std::size_t at = out.find("%20"); at != std::string::npos; at = out.find("%20", at)) out.replace(at, 3, "+");
    return out;
}

std::string mask_url_secrets(const std::string& url) {
    std::string masked = without_password(url);
    const std::size_t mark = masked.find('?');
    if (mark == std::string::npos) return masked;
    std::string out = masked.substr(0, mark + 1);
    std::string_view query = std::string_view(masked).substr(mark + 1);
    bool is_first = true;
    while (!query.empty()) {
        const std::string_view one = query.substr(0, query.find('&'));
        query.remove_prefix(std::min(one.size() + 1, query.size()));
        const std::string_view name = one.substr(0, one.find('='));
        if (!std::exchange(is_first, false)) out += '&';
        out += is_secret_name(percent_decode(name)) && name.size() < one.size() ? std::string(name) + "=***" : std::string(one);
    }
    return out;
}

}  // namespace tipple::io
