#include "tipple/io/http_store.h"

#include <algorithm>
#include <array>
#include <ctime>

#include "tipple/core/text.h"
#include "tipple/io/http_headers.h"
#include "tipple/io/http_read_file.h"
#include "tipple/io/http_retry.h"
#include "tipple/io/url.h"

namespace tipple::io {

namespace {

std::string header_of(const HttpResponse& response, std::string_view name) {
    const std::string* found = find_header(response.headers, name);
    return found != nullptr ? *found : std::string();
}

/// Of the whole object; nothing when the answer does not say, or talks of something else.
std::optional<std::uint64_t> size_of(const HttpResponse& response) {
    if (!header_of(response, "Content-Encoding").empty()) return std::nullopt;
    // Of these, the length is that of a part, or of a message.
    if (response.status != 206 && response.status != 416) return content_length_of(response);
    const std::optional<ContentRange> range = content_range_of(response);
    return range ? range->size : std::nullopt;
}

std::string http_date(std::int64_t modified_ns) {
    const std::time_t seconds = modified_ns / 1'000'000'000;
    std::tm time{};
    gmtime_r(&seconds, &time);
    std::array<char, 64> text{};
    return {text.data(), std::strftime(text.data(), text.size(), "%a, %d %b %Y %H:%M:%S GMT", &time)};
}

class HttpStore final : public ObjectStore {
public:
    HttpStore(HttpClientOptions options, const Clock& clock, Log log)
        : pool_({.client = std::move(options), .session = {.retry = {.base = std::chrono::milliseconds(500)}}}, clock, std::move(log)) {}

    std::string url(std::string_view key) const override { return mask_url_secrets(std::string(key)); }

    void list(const std::string& prefix, std::stop_token, const std::function<bool(ObjectInfo)>&) override {
        throw Error(ErrorKind::usage, "{}: a server of HTTP has no listing, so that patterns and folders mean nothing there: name each file by its URL", url(prefix));
    }

    std::optional<ObjectInfo> find(const std::string& key, std::stop_token stop) override {
        HttpResponse response = send({.method = "HEAD", .url = key, .decompresses = false}, key, stop);
        // Some servers know no HEAD, and say so in many ways.
        constexpr std::array<int, 6> unknown = {400, 403, 404, 405, 501, 503};
        const bool is_unknown = std::find(unknown.begin(), unknown.end(), response.status) != unknown.end();
        // And some say that nothing is there of what they do not send.
        if (is_unknown || (response.status < 300 && size_of(response) == 0)) response = first_byte(key, stop);
        if (response.status == 404 || response.status == 410) return std::nullopt;
        if (response.status >= 300 && response.status != 416) throw error_of(key, response);
        return object_of(key, response);
    }

    std::unique_ptr<ReadFile> open_read(const ObjectInfo& object, std::stop_token stop) override {
        HttpObject version{.name = url(object.key), .request = {.url = object.key}, .error_of = [this, key = object.key](const HttpResponse& response) { return error_of(key, response); }};
        if (object.has_size) version.size = object.size;
        if (!object.etag.empty() && !is_weak_etag(object.etag)) {
            version.etag = object.etag;
        } else if (object.modified_ns != 0) {
            version.last_modified = http_date(object.modified_ns);
        }
        return open_http_file(pool_, std::move(version), std::move(stop));
    }

private:
    HttpResponse send(HttpRequest request, const std::string& key, const std::stop_token& stop) {
        HttpPool::Lease lease = pool_.borrow();
        HttpExchange exchange = lease.session().send({.request = std::move(request)}, stop);
        if (exchange.error) throw exchange.error->with_context(url(key));
        return std::move(exchange.response);
    }

    /// The head of the answer to a request for one byte; a server that knows no ranges is not listened to any further.
    HttpResponse first_byte(const std::string& key, const std::stop_token& stop) {
        HttpPool::Lease lease = pool_.borrow();
        std::optional<HttpResponse> head;
        HttpRequest request{.url = key, .headers = {{"Range", "bytes=0-0"}}, .decompresses = false};
        request.on_body = [&](const HttpResponse& answer, std::string_view) {
            head = answer;
            return false;
        };
        const std::uint64_t call = lease.session().submit({.request = std::move(request)});
        try {
            std::optional<HttpExchange> exchange;
            while (!head && !exchange) exchange = lease.session().wait_or_pause(stop);
            if (!exchange) {
                lease.session().abandon(call);
            } else if (exchange->error) {
                throw exchange->error->with_context(url(key));
            }
            return head ? *std::move(head) : std::move(exchange->response);
        } catch (...) {
            lease.session().abandon(call);
            throw;
        }
    }

    static ObjectInfo object_of(const std::string& key, const HttpResponse& response) {
        ObjectInfo object{.key = key};
        const std::optional<std::uint64_t> size = size_of(response);
        object.has_size = size.has_value();
        object.size = size.value_or(0);
        object.etag = without_quotes(header_of(response, "ETag"));
        if (const std::optional<std::int64_t> modified_us = parse_http_date(header_of(response, "Last-Modified"))) object.modified_ns = *modified_us * 1'000;
        return object;
    }

    Error error_of(const std::string& key, const HttpResponse& response) const {
        const int status = response.status;
        if (status == 404 || status == 410) return Error(ErrorKind::usage, "there is nothing at {}", url(key));
        if (status == 401 || status == 403) {
            return Error(ErrorKind::usage, "{}: the server lets nobody have it who does not say who he is ({}): a URL may hold user and password, or a signature", url(key), status);
        }
        const bool is_passing = status == 429 || (status >= 500 && status != 501 && status != 505);
        return Error(is_passing ? ErrorKind::transient : ErrorKind::remote, "{} is answered by {} {}", url(key), status, excerpt(response.body, 200));
    }

    HttpPool pool_;
};

}  // namespace

std::unique_ptr<ObjectStore> http_store(HttpClientOptions options, const Clock& clock, Log log) {
    return std::make_unique<HttpStore>(std::move(options), clock, std::move(log));
}

}  // namespace tipple::io
