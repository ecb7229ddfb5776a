#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/core/error.h"

namespace tipple::io {

/// One line of a request's or answer's head.
struct HttpHeader {
    std::string name;
    std::string value;
    bool operator==(const HttpHeader&) const = default;
};
using HttpHeaders = std::vector<HttpHeader>;

/// The value of the first header of that name, whatever its case; nullptr when there is none. Valid until the headers change.
const std::string* find_header(const HttpHeaders& headers, std::string_view name);
/// Replaces all headers of that name by one.
void set_header(HttpHeaders& headers, std::string_view name, std::string value);

struct HttpResponse {
    int status = 0;
    HttpHeaders headers = {};
    std::string body = {};
    /// As they came over the wire, headers and body.
    std::uint64_t bytes_received = 0;
    double seconds = 0;
    /// `1.1` or `2`.
    std::string http_version = {};
};

struct HttpRequest {
    std::string method = "GET";
    std::string url;
    HttpHeaders headers = {};
    /// Nothing = none is sent.
    std::optional<std::string> body = {};
    /// A larger body, decompressed, ends the transfer with Error(data); one that is streamed may have any size.
    std::size_t response_bytes_max = std::size_t{64} << 20;
    /// False = no compressed body is asked for, and one that comes all the same stays as it is.
    bool decompresses = true;
    /// Streams: takes the body of an answer with a status below 300 piece by piece, instead of `HttpResponse::body`. The head is complete by then. False
    /// keeps back what follows, so that it is not even read from the connection, until `HttpClient::resume`. What it throws ends the transfer.
    std::function<bool(const HttpResponse& head, std::string_view piece)> on_body = {};
};

/// How one transfer ended: with an answer of any status, or an error. A kind transient is only what is known to be worth a second try.
struct HttpOutcome {
    std::uint64_t id = 0;
    HttpResponse response = {};
    std::optional<Error> error = {};
};

/// Sends requests, several at a time, all on the calling thread. Follows no redirect and repeats nothing. One thread.
class HttpClient {
public:
    virtual ~HttpClient() = default;
    /// Begins a transfer; `id` is the caller's own. Throws Error(usage) for a URL that is none, or not of http or https.
    virtual void start(std::uint64_t id, const HttpRequest& request) = 0;
    /// The next transfer that has ended; nothing when none has for so long, or an `on_body` wants no more. Time in which nobody waits does not count
    /// against a transfer. Throws Error(cancelled).
    virtual std::optional<HttpOutcome> wait(std::chrono::milliseconds at_most, const std::stop_token& stop) = 0;
    /// The transfer's `on_body` takes more.
    virtual void resume(std::uint64_t id) = 0;
    /// Ends a transfer without an outcome. Fine when it is none.
    virtual void abandon(std::uint64_t id) = 0;
};

struct HttpClientOptions {
    std::chrono::milliseconds connect_timeout{10'000};
    std::chrono::milliseconds first_byte_timeout{60'000};  ///< from the start of the transfer
    std::chrono::milliseconds idle_timeout{60'000};        ///< between two pieces of an answer
    std::chrono::milliseconds total_timeout{3'600'000};
    /// `http://host:port`, `socks5h://…`; nothing = as HTTPS_PROXY, HTTP_PROXY, ALL_PROXY and NO_PROXY say, empty = none.
    std::optional<std::string> proxy = {};
    /// Certificates that sign servers' ones, in PEM; empty = those of the system.
    std::string ca_file = {};
    /// What a server may ask for, in PEM; empty = none.
    std::string certificate_file = {};
    std::string key_file = {};
    std::string key_password = {};
    std::string user_agent = "tipple";
};

/// Speaks HTTP/1.1 and HTTP/2, keeps connections, and takes answers compressed.
std::unique_ptr<HttpClient> make_http_client(HttpClientOptions options);

}  // namespace tipple::io
