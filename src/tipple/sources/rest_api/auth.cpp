#include "tipple/sources/rest_api/auth.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/random.h"
#include "tipple/core/signature.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"

namespace tipple::sources::rest {

namespace {

constexpr std::int64_t us_per_second = 1'000'000;
/// A token is renewed so long before it ends, or after half of its time: it could end on the way.
constexpr std::int64_t token_reserve_us = 10 * us_per_second;

std::string to_base64_url(std::string_view bytes) {
    std::string text = to_base64(bytes, Base64Padding::none);
    std::replace(text.begin(), text.end(), '+', '-');
    std::replace(text.begin(), text.end(), '/', '_');
    return text;
}

/// The same header or parameter with every request.
class FixedAuthorizer final : public io::HttpAuthorizer {
public:
    FixedAuthorizer(std::string name, std::string value, AuthSpec::Location location) : name_(std::move(name)), value_(std::move(value)), location_(location) {}

    void authorize(io::HttpRequest& request, const std::stop_token&) override {
        if (location_ == AuthSpec::Location::header) {
            io::set_header(request.headers, name_, value_);
            return;
        }
        // A link of the server may carry the key already.
        auto [url, params] = io::split_query(request.url);
        std::erase_if(params, [&](const auto& param) { return param.first == name_; });
        params.emplace_back(name_, value_);
        request.url = io::with_query(std::move(url), params);
    }

private:
    std::string name_;
    std::string value_;
    AuthSpec::Location location_;
};

/// A bearer token that another server gives.
class TokenAuthorizer final : public io::HttpAuthorizer {
public:
    TokenAuthorizer(const AuthSpec& spec, AuthContext context) : spec_(spec), context_(context), refresh_token_(spec.refresh_token) {}

    void authorize(io::HttpRequest& request, const std::stop_token& stop) override {
        if (token_.empty() || context_.clock.now_us() >= renew_us_) fetch(stop);
        io::set_header(request.headers, "Authorization", "Bearer " + token_);
    }

    bool renew(const io::HttpRequest& request) override {
        const std::string* sent = io::find_header(request.headers, "Authorization");
        // Another request may have renewed it already.
        if (sent != nullptr && *sent == "Bearer " + token_) token_.clear();
        return true;
    }

private:
    io::QueryParams form() {
        io::QueryParams params;
        const auto add = [&](const char* name, const std::string& value) {
            if (!value.empty()) params.emplace_back(name, value);
        };
        if (spec_.kind == AuthSpec::Kind::jwt_bearer) {
            add("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
            const std::string assertion = make_jwt_assertion(spec_, context_.clock.now_us());
            context_.redactor.add(assertion);
            add("assertion", assertion);
        } else {
            add("client_id", spec_.client_id);
            add("client_secret", spec_.client_secret);
            add("grant_type", spec_.kind == AuthSpec::Kind::refresh_token ? "refresh_token" : "client_credentials");
            add("refresh_token", refresh_token_);
            add("scope", spec_.scope);
        }
        for (const auto& [name, value] : spec_.request_data) {
            std::erase_if(params, [&](const auto& param) { return param.first == name; });
            params.emplace_back(name, value);
        }
        return params;
    }

    void fetch(const std::stop_token& stop) {
        io::HttpCall call{.request = {.method = "POST", .url = spec_.token_url, .response_bytes_max = std::size_t{1} << 20}};
        call.request.headers = {{"Content-Type", "application/x-www-form-urlencoded"}, {"Accept", "application/json"}};
        call.request.body = io::form_encode(form());
        const io::HttpExchange exchange = context_.session.send(std::move(call), stop);
        if (exchange.error) throw exchange.error->with_context("asking for a token");
        const std::string place = context_.redactor.redact_url(exchange.url);
        if (exchange.response.status >= 300) {
            const bool may_pass = exchange.response.status >= 500 || exchange.response.status == 429;
            throw Error(may_pass ? ErrorKind::transient : ErrorKind::usage, "{} gives no token: status {}: {}", place, exchange.response.status,
                        excerpt(context_.redactor.redact(exchange.response.body), 300));
        }
        read(exchange.response.body, place);
    }

    void read(const std::string& body, const std::string& place) {
        json::Value answer;
        const json::Value* token = json::try_parse(body, answer) && answer.is_object() ? answer.as_object().find("access_token") : nullptr;
        if (token == nullptr || !token->is_text() || token->as_text().empty()) throw Error(ErrorKind::remote, "{} answered without an \"access_token\"", place);
        token_ = token->as_text();
        context_.redactor.add(token_);
        const json::Value* lifetime = answer.as_object().find("expires_in");
        const double seconds = lifetime != nullptr && lifetime->is_number() ? lifetime->as_double() : static_cast<double>(spec_.token_lifetime.count());
        const std::int64_t lifetime_us = static_cast<std::int64_t>(std::clamp(seconds, 0.0, 1e9)) * us_per_second;
        renew_us_ = context_.clock.now_us() + lifetime_us - std::min(token_reserve_us, lifetime_us / 2);
        const json::Value* refresh = answer.as_object().find("refresh_token");
        if (refresh != nullptr && refresh->is_text() && spec_.kind == AuthSpec::Kind::refresh_token) {
            refresh_token_ = refresh->as_text();
            context_.redactor.add(refresh_token_);
        }
    }

    AuthSpec spec_;
    AuthContext context_;
    std::string refresh_token_;
    std::string token_;
    std::int64_t renew_us_ = 0;
};

}  // namespace

std::string make_jwt_assertion(const AuthSpec& spec, std::int64_t now_us) {
    constexpr std::int64_t lifetime_seconds = 3'600;
    const std::int64_t now = now_us / us_per_second;
    json::Object claims{{"iss", spec.client_id}, {"sub", spec.client_id}, {"aud", spec.audience}, {"iat", now}, {"exp", now + lifetime_seconds}, {"jti", to_hex(random_bytes(16))}};
    if (!spec.scope.empty()) claims.set("scope", spec.scope);
    const std::string signed_part = to_base64_url(R"({"alg":"RS256","typ":"JWT"})") + "." + to_base64_url(json::to_text(claims));
    return signed_part + "." + to_base64_url(sign_rs256(signed_part, spec.private_key, spec.private_key_password));
}

std::unique_ptr<io::HttpAuthorizer> make_authorizer(const AuthSpec& spec, AuthContext context) {
    using Kind = AuthSpec::Kind;
    switch (spec.kind) {
        case Kind::none:
            return nullptr;
        case Kind::bearer:
            return std::make_unique<FixedAuthorizer>("Authorization", "Bearer " + spec.token, AuthSpec::Location::header);
        case Kind::basic:
            return std::make_unique<FixedAuthorizer>("Authorization", "Basic " + to_base64(spec.username + ":" + spec.password), AuthSpec::Location::header);
        case Kind::api_key:
            return std::make_unique<FixedAuthorizer>(spec.name, spec.token, spec.location);
        case Kind::client_credentials:
        case Kind::refresh_token:
        case Kind::jwt_bearer:
            return std::make_unique<TokenAuthorizer>(spec, context);
    }
    return nullptr;
}

}  // namespace tipple::sources::rest
