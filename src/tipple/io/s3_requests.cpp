#include "tipple/io/s3_requests.h"

#include <algorithm>
#include <array>

#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/io/s3_errors.h"

namespace tipple::io {

namespace {

std::string endpoint_of(const S3Options& options, const std::string& region) {
    if (!options.endpoint.empty()) return options.endpoint;
    return fmt::format("https://s3.{}.amazonaws.com{}", region, region.starts_with("cn-") ? ".cn" : "");
}

bool is_in_host(const S3Options& options) {
    if (options.style != BucketStyle::automatic) return options.style == BucketStyle::virtual_host;
    // A certificate for *.s3.region.amazonaws.com is not one for a.b.s3.
    return options.endpoint.empty() && options.bucket.find('.') == std::string::npos;
}

std::string base_url_of(const S3Options& options, const std::string& region) {
    std::string endpoint = endpoint_of(options, region);
    while (endpoint.ends_with('/')) endpoint.pop_back();
    if (!is_in_host(options)) return endpoint + "/" + percent_encode(options.bucket);
    const std::size_t host = endpoint.find("://") + 3;
    return endpoint.insert(host, options.bucket + ".");
}

/// Slashes stay.
std::string encode_key(std::string_view key) {
    std::string out;
    while (true) {
        const std::size_t slash = std::min(key.find('/'), key.size());
        out += percent_encode(key.substr(0, slash));
        if (slash == key.size()) return out;
        out += '/';
        key.remove_prefix(slash + 1);
    }
}

bool is_accepted(const S3Request& request, const HttpResponse& response) {
    return response.status < 300 || std::find(request.accepted.begin(), request.accepted.end(), response.status) != request.accepted.end();
}

/// Redirects are not followed: they say that the region is another one, for which the signature is different too.
HttpVerdict judge(const HttpResponse& response) {
    if (response.status >= 300 && response.status < 400) return HttpVerdict::accept;
    const S3Refusal refusal = parse_s3_refusal(response.body);
    if (refusal.code.empty()) return HttpVerdict::by_status;
    if (is_passing_code(refusal.code)) return HttpVerdict::retry;
    return refusal.code == "ExpiredToken" || refusal.code == "TokenRefreshRequired" ? HttpVerdict::renew : HttpVerdict::by_status;
}

}  // namespace

/// Signs requests with what the credentials are at the time of each attempt.
class S3Requests::Authorizer final : public HttpAuthorizer {
public:
    Authorizer(S3Credentials& credentials, SignatureScope scope, const Clock& clock) : credentials_(credentials), scope_(std::move(scope)), clock_(clock) {}

    void authorize(HttpRequest& request, const std::stop_token& stop) override {
        const std::optional<AccessKey> key = credentials_.key(stop);
        if (!key) return;
        set_header(request.headers, signed_header_name(scope_.dialect, "content-sha256"), to_hex(as_text(sha256(request.body.value_or("")))));
        sign_request(request, *key, scope_, clock_.now_us());
    }

    /// Another thread may have a new key by now: that of the request was refused.
    bool renew(const HttpRequest& request) override {
        const std::string* token = find_header(request.headers, signed_header_name(scope_.dialect, "security-token"));
        return token != nullptr && credentials_.renew(*token);
    }

private:
    S3Credentials& credentials_;
    const SignatureScope scope_;
    const Clock& clock_;
};

S3Requests::S3Requests(S3Options options, std::shared_ptr<S3Credentials> credentials, const Clock& clock, Log log)
    : options_(std::move(options)), credentials_(std::move(credentials)), clock_(clock), log_(std::move(log)), route_(make_route(options_.region)) {}

S3Requests::~S3Requests() = default;

std::string S3Requests::url(std::string_view key) const { return fmt::format("{}://{}/{}", options_.scheme, options_.bucket, key); }

std::shared_ptr<S3Requests::Route> S3Requests::make_route(const std::string& region) const {
    auto route = std::make_shared<Route>();
    route->region = region;
    route->base_url = base_url_of(options_, region);
    const std::string origin = url_origin(route->base_url);
    if (origin.empty()) throw Error(ErrorKind::usage, "\"{}\" is no endpoint: it must be http:// or https:// and a host", mask_url_secrets(options_.endpoint));
    route->pool = std::make_unique<HttpPool>(HttpPoolOptions{.client = options_.client, .session = {.retry = options_.retry, .allowed_origins = {origin}}}, clock_, log_);
    const bool is_google = options_.dialect == SignatureDialect::google;
    route->authorizer =
        std::make_unique<Authorizer>(*credentials_, SignatureScope{.region = region, .service = is_google ? "storage" : "s3", .dialect = options_.dialect}, clock_);
    return route;
}

std::shared_ptr<S3Requests::Route> S3Requests::route() const {
    const std::lock_guard lock(mutex_);
    return route_;
}

void S3Requests::set_route(std::shared_ptr<Route> route) {
    const std::lock_guard lock(mutex_);
    route_ = std::move(route);
}

HttpRequest S3Requests::http_request(const Route& route, const S3Request& request) const {
    return {.method = request.method,
            .url = with_query(fmt::format("{}/{}", route.base_url, encode_key(request.key)), request.query),
            .headers = request.headers,
            .body = request.body,
            .decompresses = false,
            .keeps_dots = true};
}

/// Empty when it is no other one.
std::string S3Requests::other_region(const HttpResponse& response, const Route& route) const {
    constexpr std::array<int, 4> statuses = {301, 307, 400, 403};
    if (std::find(statuses.begin(), statuses.end(), response.status) == statuses.end()) return {};
    const std::string* header = find_header(response.headers, "x-amz-bucket-region");
    const std::string region = header != nullptr ? *header : parse_s3_refusal(response.body).region;
    return region == route.region ? std::string() : region;
}

HttpResponse S3Requests::send(S3Request request, const std::stop_token& stop) {
    for (bool is_moved = false;; is_moved = true) {
        const std::shared_ptr<Route> way = route();
        HttpPool::Lease lease = way->pool->borrow();
        HttpExchange exchange = lease.session().send({.request = http_request(*way, request),
                                                      .authorizer = way->authorizer.get(),
                                                      .judge = judge},
                                                     stop);
        if (exchange.error) throw exchange.error->with_context(url(request.key));
        HttpResponse& response = exchange.response;
        const std::string region = is_moved ? std::string() : other_region(response, *way);
        if (!region.empty()) {
            log_.info("bucket \"{}\" is in region {}, not {}", options_.bucket, region, way->region);
            set_route(make_route(region));
            continue;
        }
        if (is_accepted(request, response)) return std::move(response);
        throw error_of(request, response, *way, stop);
    }
}

bool S3Requests::send_once(const S3Request& request) {
    const std::shared_ptr<Route> way = route();
    HttpPool::Lease lease = way->pool->borrow();
    HttpSession& session = lease.session();
    const std::uint64_t call =
        session.submit({.request = http_request(*way, request), .authorizer = way->authorizer.get(), .judge = [](const HttpResponse&) { return HttpVerdict::accept; }});
    std::optional<HttpExchange> exchange;
    try {
        exchange = session.wait_or_pause({});
    } catch (...) {
        session.abandon(call);
        throw;
    }
    session.abandon(call);
    return exchange && !exchange->error && is_accepted(request, exchange->response);
}

std::unique_ptr<ReadFile> S3Requests::open(const ObjectInfo& object, std::stop_token stop) {
    const std::shared_ptr<Route> way = route();
    const S3Request request{.key = object.key, .right = "s3:GetObject"};
    return open_http_file(*way->pool,
                          {.name = url(object.key),
                           .size = object.has_size ? std::optional(object.size) : std::nullopt,
                           .etag = object.etag,
                           .request = http_request(*way, request),
                           .authorizer = way->authorizer.get(),
                           .error_of = [this, way, request, stop](const HttpResponse& response) { return error_of(request, response, *way, stop); },
                           .judge = judge},
                          stop);
}

Error S3Requests::error_of(const S3Request& request, const HttpResponse& response, const Route& route, const std::stop_token& stop) const {
    const std::optional<AccessKey> key = credentials_->key(stop);
    return s3_error({.url = url(request.key),
                     .bucket = options_.bucket,
                     .endpoint = endpoint_of(options_, route.region),
                     .region = route.region,
                     .method = request.method,
                     .right = request.right,
                     .access_key_id = key ? key->id : ""},
                    response);
}

}  // namespace tipple::io
