#pragma once

#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "tipple/io/http_read_file.h"
#include "tipple/io/s3_store.h"
#include "tipple/io/s3_xml.h"
#include "tipple/io/url.h"

namespace tipple::io {

/// One request to a bucket.
struct S3Request {
    std::string method = "GET";
    std::string key;  ///< empty = the bucket itself
    QueryParams query = {};
    HttpHeaders headers = {};
    std::optional<std::string> body = {};
    /// Answers besides those below 300 that the caller knows what to do about.
    std::vector<int> accepted = {};
    /// The right that it needs, for people.
    std::string right;
};

/// Sends requests to one bucket: signed, to where the bucket really is, as often as makes sense. Thread-safe.
class S3Requests {
public:
    S3Requests(S3Options options, std::shared_ptr<S3Credentials> credentials, const Clock& clock, Log log);
    ~S3Requests();

    /// Throws Error for an answer that is neither a success nor accepted.
    HttpResponse send(S3Request request, const std::stop_token& stop);
    /// One attempt, which nobody waits for longer than about a second. False when the answer is none that `send` would return. Throws Error when it cannot be
    /// signed.
    bool send_once(const S3Request& request);
    std::unique_ptr<ReadFile> open(const ObjectInfo& object, std::stop_token stop);
    /// `s3://bucket/key`
    std::string url(std::string_view key) const;
    const S3Options& options() const { return options_; }

private:
    class Authorizer;
    /// How the bucket is reached; another one takes its place when the bucket turns out to be in another region.
    struct Route {
        std::string region;
        std::string base_url;  ///< that keys are appended to, behind a slash
        std::unique_ptr<HttpPool> pool;
        std::unique_ptr<Authorizer> authorizer;
    };

    std::shared_ptr<Route> make_route(const std::string& region) const;
    std::shared_ptr<Route> route() const;
    void set_route(std::shared_ptr<Route> route);
    HttpRequest http_request(const Route& route, const S3Request& request) const;
    std::string other_region(const HttpResponse& response, const Route& route) const;
    Error error_of(const S3Request& request, const HttpResponse& response, const Route& route, const std::stop_token& stop) const;

    const S3Options options_;
    const std::shared_ptr<S3Credentials> credentials_;
    const Clock& clock_;
    const Log log_;
    mutable std::mutex mutex_;
    std::shared_ptr<Route> route_;
};

}  // namespace tipple::io
