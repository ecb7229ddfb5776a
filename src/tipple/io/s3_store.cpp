#include "tipple/io/s3_store.h"

#include <charconv>

#include "tipple/io/http_headers.h"
#include "tipple/io/http_retry.h"
#include "tipple/io/s3_requests.h"
#include "tipple/io/s3_upload.h"

namespace tipple::io {

namespace {

class FixedCredentials final : public S3Credentials {
public:
    explicit FixedCredentials(std::optional<AccessKey> key) : key_(std::move(key)) {}
    std::optional<AccessKey> key(const std::stop_token&) override { return key_; }
    bool renew(const std::string&) override { return false; }

private:
    const std::optional<AccessKey> key_;
};

class S3Store final : public WritableObjectStore {
public:
    S3Store(S3Options options, std::shared_ptr<S3Credentials> credentials, const Clock& clock, Log log)
        : requests_(std::move(options), std::move(credentials), clock, std::move(log)) {}

    std::string url(std::string_view key) const override { return requests_.url(key); }

    void list(const std::string& prefix, std::stop_token stop, const std::function<bool(ObjectInfo)>& take) override {
        std::string token;
        do {
            S3Request request{.query = {{"encoding-type", "url"}, {"list-type", "2"}, {"prefix", prefix}}, .right = "s3:ListBucket"};
            if (!token.empty()) request.query.emplace_back("continuation-token", token);
            S3Page page = parse_page(requests_.send(std::move(request), stop).body);
            for (ObjectInfo& object : page.objects) {
                if (!take(std::move(object))) return;
            }
            if (page.next_token == token && !token.empty()) throw Error(ErrorKind::remote, "{}: the listing does not go on", url(prefix));
            token = std::move(page.next_token);
        } while (!token.empty());
    }

    std::optional<ObjectInfo> find(const std::string& key, std::stop_token stop) override {
        HttpResponse response = requests_.send({.method = "HEAD", .key = key, .accepted = {400, 403, 404}, .right = "s3:GetObject"}, stop);
        if (response.status == 400 || response.status == 403) {
            // A refused HEAD does not say why. GET does, and what passes, such as a token that has expired, is mended there.
            response = requests_.send({.key = key, .headers = {{"Range", "bytes=0-0"}}, .accepted = {404, 416}, .right = "s3:GetObject"}, stop);
            if (response.status != 404) response = requests_.send({.method = "HEAD", .key = key, .accepted = {404}, .right = "s3:GetObject"}, stop);
        }
        if (response.status == 404) {
            require_bucket(stop);
            return std::nullopt;
        }
        return object_of(key, response);
    }

    std::unique_ptr<ReadFile> open_read(const ObjectInfo& object, std::stop_token stop) override { return requests_.open(object, std::move(stop)); }

    bool put(const std::string& key, std::string_view bytes, PutCondition condition, std::stop_token stop) override {
        S3Request request{.method = "PUT", .key = key, .body = std::string(bytes), .right = "s3:PutObject"};
        if (condition == PutCondition::if_absent) {
            const bool is_google = requests_.options().dialect == SignatureDialect::google;
            request.headers.push_back(is_google ? HttpHeader{"x-goog-if-generation-match", "0"} : HttpHeader{"If-None-Match", "*"});
            request.accepted = {412};
        }
        return requests_.send(std::move(request), stop).status != 412;
    }

    std::unique_ptr<WriteFile> create(const std::string& key, std::stop_token stop) override { return begin_s3_upload(requests_, key, std::move(stop)); }

    void remove(const std::string& key, std::stop_token stop) override {
        requests_.send(delete_request(key), stop);
    }

    bool remove_once(const std::string& key) override { return requests_.send_once(delete_request(key)); }

private:
    static S3Request delete_request(const std::string& key) { return {.method = "DELETE", .key = key, .accepted = {404}, .right = "s3:DeleteObject"}; }

    S3Page parse_page(const std::string& body) const {
        try {
            return parse_s3_page(body);
        } catch (const Error& error) {
            throw error.with_context(url(""));
        }
    }

    /// Where no object is found, it is the bucket that may be missing. Whoever may not list learns nothing more.
    void require_bucket(const std::stop_token& stop) {
        requests_.send({.query = {{"list-type", "2"}, {"max-keys", "1"}}, .accepted = {403}, .right = "s3:ListBucket"}, stop);
    }

    ObjectInfo object_of(const std::string& key, const HttpResponse& response) const {
        ObjectInfo object{.key = key};
        const auto header = [&](std::string_view name) {
            const std::string* found = find_header(response.headers, name);
            return found != nullptr ? *found : std::string();
        };
        const std::string length = header("Content-Length");
        const auto [end, error] = std::from_chars(length.data(), length.data() + length.size(), object.size);
        if (error != std::errc() || end != length.data() + length.size()) throw Error(ErrorKind::remote, "{}: the store does not say how long it is", url(key));
        object.etag = without_quotes(header("ETag"));
        if (const std::optional<std::int64_t> modified_us = parse_http_date(header("Last-Modified"))) object.modified_ns = *modified_us * 1'000;
        return object;
    }

    S3Requests requests_;
};

}  // namespace

std::shared_ptr<S3Credentials> fixed_credentials(std::optional<AccessKey> key) { return std::make_shared<FixedCredentials>(std::move(key)); }

std::unique_ptr<WritableObjectStore> s3_store(S3Options options, std::shared_ptr<S3Credentials> credentials, const Clock& clock, Log log) {
    return std::make_unique<S3Store>(std::move(options), std::move(credentials), clock, std::move(log));
}

}  // namespace tipple::io
