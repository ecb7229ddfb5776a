#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/http_client.h"
#include "tipple/io/http_retry.h"

namespace tipple::io {

/// Replaces secrets in texts that people see. A value that is handed around.
class Redactor {
public:
    /// Texts of fewer than four characters are no secrets: they occur by chance.
    void add(std::string secret);
    /// The text with `***` for each secret, however it is written in a URL or in JSON.
    std::string redact(std::string text) const;
    std::string redact_url(const std::string& url) const;
    /// Whether the URL gives a secret away. Of fewer than eight characters one may be there by chance.
    bool is_in_url(const std::string& url) const;

private:
    std::vector<std::string> forms_;      ///< of all secrets, longer ones first
    std::vector<std::string> url_forms_;  ///< of those that are long enough for `is_in_url`
};

/// Adds what a server wants to know of who asks. Sent to allowed origins only. One thread.
class HttpAuthorizer {
public:
    virtual ~HttpAuthorizer() = default;
    virtual void authorize(HttpRequest& request, const std::stop_token& stop) = 0;
    /// The server did not accept what `request`, which has lost its body, was sent with. True when another try has something new to show.
    virtual bool renew(const HttpRequest& /*request*/) { return false; }
};

struct HttpSessionOptions {
    RetryOptions retry;
    RateLimit rate_limit;
    int redirects_max = 10;
    /// Where headers and authorization go, as url_origin writes them; others get neither.
    std::vector<std::string> allowed_origins;
};

/// What a caller thinks of an answer.
enum class HttpVerdict {
    by_status,
    accept,
    retry,
    renew,  ///< as 401: the authorizer may have something new to show, once
};

/// One request as its sender means it.
struct HttpCall {
    HttpRequest request;
    /// nullptr = none. Outlives the call.
    HttpAuthorizer* authorizer = nullptr;
    /// Instead of what the status alone says.
    std::function<HttpVerdict(const HttpResponse&)> judge = {};
    /// Changes the request before each attempt and redirect, before it is authorized: one whose body is streamed asks for the rest.
    std::function<void(HttpRequest&)> on_attempt = {};
    /// Asked after an attempt that did not get through. True when it has done so much that all attempts are granted anew.
    std::function<bool()> has_progress = {};
};

/// What became of it. An answer of any status that is not worth another try is no error.
struct HttpExchange {
    std::uint64_t id = 0;
    /// As it was sent last: behind redirects.
    std::string url;
    HttpResponse response;
    std::optional<Error> error;
    int attempts = 0;
};

/// Requests with all that a polite and stubborn client does: waits for limits, tries again with full jitter or when the server says so, follows
/// redirects, renews a token once, and keeps credentials from other hosts. Several calls at a time, on the calling thread.
class HttpSession {
public:
    /// What is borrowed outlives the session. `chance` gives numbers from 0 to 1.
    HttpSession(HttpClient& client, HttpSessionOptions options, const Clock& clock, std::function<double()> chance, const Redactor& redactor, Log log);

    /// Returns the call's number.
    std::uint64_t submit(HttpCall call);
    /// The next call that has ended; there must be one. Throws Error(cancelled).
    HttpExchange wait(const std::stop_token& stop);
    /// The same, but nothing as soon as an `on_body` wants no more, or after a second.
    std::optional<HttpExchange> wait_or_pause(const std::stop_token& stop);
    /// The call's `on_body` takes more.
    void resume(std::uint64_t id) { client_.resume(id); }
    void abandon(std::uint64_t id);
    std::uint64_t requests_sent() const { return requests_sent_; }
    std::uint64_t bytes_received() const { return bytes_received_; }

    /// One call, alone.
    HttpExchange send(HttpCall call, const std::stop_token& stop);

    /// Chances of this machine's generator.
    static std::function<double()> random_chance();

private:
    struct Call {
        HttpCall call;  ///< without its body
        std::string url;
        std::string method;
        std::optional<std::string> body;
        /// As sent, with credentials and without its body.
        HttpRequest sent;
        int attempts = 0;
        int redirects = 0;
        bool is_renewed = false;
        bool is_in_flight = false;
        std::int64_t not_before_ns = 0;
    };

    void start_due(const std::stop_token& stop);
    void start(std::uint64_t id, Call& call, const std::stop_token& stop);
    std::int64_t next_start_ns() const;
    std::optional<HttpExchange> take(HttpOutcome outcome);
    std::optional<HttpExchange> take_failure(std::uint64_t id, Call& call, HttpOutcome outcome);
    bool follow(Call& call, const HttpResponse& response);
    bool retry(Call& call, const HttpResponse& response, const char* why);
    HttpExchange finish(std::uint64_t id, HttpOutcome outcome);
    bool is_allowed(const std::string& url) const;
    void check_body(const std::string& method, const std::string& url) const;
    void check_url(const std::string& url) const;
    void log_answer(const Call& call, const HttpOutcome& outcome) const;

    HttpClient& client_;
    HttpSessionOptions options_;
    const Clock& clock_;
    std::function<double()> chance_;
    const Redactor& redactor_;
    Log log_;
    RateLimiter limiter_;
    std::map<std::uint64_t, Call> calls_;
    std::uint64_t next_id_ = 0;
    std::uint64_t requests_sent_ = 0;
    std::uint64_t bytes_received_ = 0;
};

}  // namespace tipple::io
