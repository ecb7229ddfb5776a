#include "tipple/io/http_session.h"

#include <algorithm>
#include <array>
#include <cstring>

#include "tipple/core/random.h"
#include "tipple/core/text.h"
#include "tipple/io/rate_limit_headers.h"
#include "tipple/io/url.h"

namespace tipple::io {

namespace {

using std::chrono::milliseconds;

/// How long the client waits at most while nothing is due.
constexpr milliseconds wait_max{1'000};
constexpr std::size_t secret_length_min = 4;
constexpr std::size_t url_secret_length_min = 8;

void replace_all(std::string& text, const std::string& what) {
    for (std::size_t at = text.find(what); at != std::string::npos; at = text.find(what, at)) text.replace(at, what.size(), "***");
}

/// What JSON makes of a text, without the quotes. Some writers mark slashes too.
std::string json_escaped(const std::string& text, bool marks_slashes) {
    std::string out;
    for (const char c : text) {
        if (c == '"' || c == '\\' || (c == '/' && marks_slashes)) out += '\\';
        if (c == '\n') {
            out += "\\n";
        } else {
            out += c;
        }
    }
    return out;
}

/// Characters beyond ASCII as `\u00e4`, as some writers of JSON have them.
std::string ascii_escaped(const std::string& text) {
    if (!is_valid_utf8(text)) return text;
    std::string out;
    for (std::size_t i = 0; i < text.size();) {
        const auto first = static_cast<unsigned char>(text[i]);
        const std::size_t length = first < 0x80 ? 1 : first < 0xE0 ? 2 : first < 0xF0 ? 3 : 4;
        std::uint32_t code = length == 1 ? first : first & (0xFFU >> (length + 1));
        for (std::size_t k = 1; k < length; ++k) code = (code << 6) | (static_cast<unsigned char>(text[i + k]) & 0x3FU);
        i += length;
        if (code < 0x80) {
            out += static_cast<char>(code);
        } else if (code < 0x10000) {
            out += fmt::format("\\u{:04x}", code);
        } else {
            out += fmt::format("\\u{:04x}\\u{:04x}", 0xD800 + ((code - 0x10000) >> 10), 0xDC00 + ((code - 0x10000) & 0x3FFU));
        }
    }
    return out;
}

/// The ways in which a secret is written: as it is, in URLs, in forms, in JSON, and in JSON that a server repeats as a text.
std::vector<std::string> forms_of(const std::string& secret) {
    const std::string form = form_encode({{secret, ""}});
    std::vector<std::string> forms = {secret, percent_encode(secret), form.substr(0, form.size() - 1)};
    for (const bool marks_slashes : {false, true}) {
        const std::string once = json_escaped(secret, marks_slashes);
        const std::string twice = json_escaped(once, marks_slashes);
        forms.insert(forms.end(), {once, twice, ascii_escaped(once), ascii_escaped(twice), json_escaped(ascii_escaped(once), marks_slashes)});
    }
    return forms;
}

double seconds_of(milliseconds time) { return static_cast<double>(time.count()) / 1e3; }

/// Some servers say 403 when a limit is used up, as they do of what is forbidden for good; their headers tell the one from the other.
bool refuses_for_limit(const HttpResponse& response, std::int64_t now_us) {
    if (response.status == 429) return true;
    return response.status == 403 && (retry_after_of(response.headers, now_us) || exhausted_for(response.headers, now_us));
}

}  // namespace

void Redactor::add(std::string secret) {
    if (secret.size() < secret_length_min) return;
    for (std::string& form : forms_of(secret)) {
        if (std::find(forms_.begin(), forms_.end(), form) != forms_.end()) continue;
        if (secret.size() >= url_secret_length_min) url_forms_.push_back(form);
        forms_.push_back(std::move(form));
    }
    // A secret that is part of another one must not leave the rest of that standing.
    std::sort(forms_.begin(), forms_.end(), [](const auto& a, const auto& b) { return a.size() > b.size(); });
}

std::string Redactor::redact(std::string text) const {
    for (const std::string& form : forms_) replace_all(text, form);
    return text;
}

bool Redactor::is_in_url(const std::string& url) const {
    return std::any_of(url_forms_.begin(), url_forms_.end(), [&](const std::string& form) { return url.find(form) != std::string::npos; });
}

std::string Redactor::redact_url(const std::string& url) const { return redact(mask_url_secrets(url)); }

HttpSession::HttpSession(HttpClient& client, HttpSessionOptions options, const Clock& clock, std::function<double()> chance, const Redactor& redactor, Log log)
    : client_(client), options_(std::move(options)), clock_(clock), chance_(std::move(chance)), redactor_(redactor), log_(std::move(log)), limiter_(options_.rate_limit) {}

std::function<double()> HttpSession::random_chance() {
    return [] {
        std::uint32_t number = 0;
        const std::string bytes = random_bytes(sizeof(number));
        std::memcpy(&number, bytes.data(), sizeof(number));
        return static_cast<double>(number) / 4294967296.0;
    };
}

/// Like any header, a body may hold what is meant for the configured hosts alone.
void HttpSession::check_body(const std::string& method, const std::string& url) const {
    if (is_allowed(url)) return;
    throw Error(ErrorKind::usage, "a {} request with a body leads to {}, which is not among the hosts of this API. Name that host in allow_hosts to send it there", method,
                redactor_.redact_url(url));
}

/// Nor may a URL tell what is meant for them: one of a redirect or of a next page often repeats the parameters it was asked with.
void HttpSession::check_url(const std::string& url) const {
    if (is_allowed(url) || !redactor_.is_in_url(url)) return;
    throw Error(ErrorKind::usage, "a request with a secret in its URL leads to {}, which is not among the hosts of this API. Name that host in allow_hosts to send it there",
                redactor_.redact_url(url));
}

std::uint64_t HttpSession::submit(HttpCall call) {
    check_url(call.request.url);
    if (call.request.body) check_body(call.request.method, call.request.url);
    const std::uint64_t id = next_id_++;
    Call& entry = calls_[id];
    entry.url = call.request.url;
    entry.method = call.request.method;
    entry.body = std::exchange(call.request.body, std::nullopt);
    entry.call = std::move(call);
    entry.not_before_ns = clock_.steady_ns();
    return id;
}

void HttpSession::abandon(std::uint64_t id) {
    client_.abandon(id);
    calls_.erase(id);
}

HttpExchange HttpSession::send(HttpCall call, const std::stop_token& stop) {
    TIPPLE_ASSERT(calls_.empty());
    const std::uint64_t id = submit(std::move(call));
    try {
        return wait(stop);
    } catch (...) {
        abandon(id);
        throw;
    }
}

bool HttpSession::is_allowed(const std::string& url) const {
    const std::string origin = url_origin(url);
    return std::find(options_.allowed_origins.begin(), options_.allowed_origins.end(), origin) != options_.allowed_origins.end();
}

void HttpSession::start(std::uint64_t id, Call& call, const std::stop_token& stop) {
    call.sent = call.call.request;
    call.sent.url = call.url;
    call.sent.method = call.method;
    call.sent.body = call.body;
    if (call.call.on_attempt) call.call.on_attempt(call.sent);
    if (is_allowed(call.url)) {
        if (call.call.authorizer != nullptr) call.call.authorizer->authorize(call.sent, stop);
    } else {
        // Any header may be a credential; these are not.
        static constexpr std::array<std::string_view, 7> plain = {"accept", "content-type", "user-agent", "range", "if-range", "if-match", "if-unmodified-since"};
        std::erase_if(call.sent.headers, [](const HttpHeader& header) { return std::find(plain.begin(), plain.end(), lower(header.name)) == plain.end(); });
    }
    ++call.attempts;
    ++requests_sent_;
    call.is_in_flight = true;
    limiter_.take(clock_.steady_ns());
    client_.start(id, call.sent);
    // The client has its own, and parts of an upload are large.
    call.sent.body.reset();
}

/// In the order in which they were submitted.
void HttpSession::start_due(const std::stop_token& stop) {
    for (auto& [id, call] : calls_) {
        const std::int64_t now = clock_.steady_ns();
        if (call.is_in_flight || call.not_before_ns > now) continue;
        if (limiter_.next_ns(now) > now) return;
        start(id, call, stop);
    }
}

std::int64_t HttpSession::next_start_ns() const {
    std::int64_t next = INT64_MAX;
    for (const auto& [id, call] : calls_) {
        if (!call.is_in_flight) next = std::min(next, call.not_before_ns);
    }
    return next;
}

HttpExchange HttpSession::wait(const std::stop_token& stop) {
    while (true) {
        if (std::optional<HttpExchange> exchange = wait_or_pause(stop)) return *std::move(exchange);
    }
}

std::optional<HttpExchange> HttpSession::wait_or_pause(const std::stop_token& stop) {
    TIPPLE_ASSERT(!calls_.empty());
    while (true) {
        start_due(stop);
        const std::int64_t now = clock_.steady_ns();
        milliseconds at_most = wait_max;
        if (const std::int64_t next = next_start_ns(); next != INT64_MAX) {
            const std::int64_t due = std::max(next, limiter_.next_ns(now));
            at_most = std::min(at_most, std::chrono::ceil<milliseconds>(std::chrono::nanoseconds(std::max<std::int64_t>(due - now, 0))));
        }
        std::optional<HttpOutcome> outcome = client_.wait(at_most, stop);
        // The time is over, or a body waits: the caller sees which.
        if (!outcome) return std::nullopt;
        if (std::optional<HttpExchange> exchange = take(*std::move(outcome))) return exchange;
    }
}

void HttpSession::log_answer(const Call& call, const HttpOutcome& outcome) const {
    if (!log_.enabled(LogLevel::info)) return;
    const std::string what = outcome.error ? std::string("failed: ") + outcome.error->what() : std::to_string(outcome.response.status);
    log_.info("{} {} {} {:.3f} s {} attempt {}", call.method, redactor_.redact_url(call.sent.url), redactor_.redact(what), outcome.response.seconds,
              format_bytes(outcome.response.bytes_received), call.attempts);
}

std::optional<HttpExchange> HttpSession::take(HttpOutcome outcome) {
    Call& call = calls_.at(outcome.id);
    call.is_in_flight = false;
    bytes_received_ += outcome.response.bytes_received;
    log_answer(call, outcome);
    if (outcome.error) return take_failure(outcome.id, call, std::move(outcome));
    const HttpResponse& response = outcome.response;
    if (const std::optional<milliseconds> hold = exhausted_for(response.headers, clock_.now_us()); hold && *hold <= options_.retry.retry_after_max) {
        if (hold->count() > 0) log_.info("the server says that its limit is used up; waiting for {:.1f} s", seconds_of(*hold));
        limiter_.hold(*hold, clock_.steady_ns());
    }
    try {
        const HttpVerdict verdict = call.call.judge ? call.call.judge(response) : HttpVerdict::by_status;
        if (verdict == HttpVerdict::accept) return finish(outcome.id, std::move(outcome));
        if (follow(call, response)) return std::nullopt;
        const bool is_unauthorized = response.status == 401 || verdict == HttpVerdict::renew;
        const bool may_renew = is_unauthorized && call.call.authorizer != nullptr && !call.is_renewed && is_allowed(call.url);
        if (may_renew && call.call.authorizer->renew(call.sent)) {
            call.is_renewed = true;
            log_.info("the token was refused; another one is asked for");
            return std::nullopt;
        }
        const bool is_refusal = refuses_for_limit(response, clock_.now_us());
        const bool is_safe = options_.retry.retries_method(call.method) || is_refusal;
        const bool is_passing = options_.retry.retries_status(response.status) || (is_refusal && options_.retry.statuses.empty());
        const bool is_asked = verdict == HttpVerdict::retry || (is_passing && is_safe);
        if (is_asked && retry(call, response, "the answer was a refusal")) return std::nullopt;
    } catch (const Error& error) {
        outcome.error = error;
    }
    return finish(outcome.id, std::move(outcome));
}

std::optional<HttpExchange> HttpSession::take_failure(std::uint64_t id, Call& call, HttpOutcome outcome) {
    const bool is_transient = outcome.error->kind() == ErrorKind::transient;
    if (is_transient && options_.retry.retries_method(call.method) && retry(call, {}, "the transfer failed")) return std::nullopt;
    const std::string after = call.attempts > 1 ? fmt::format(" (after {} attempts)", call.attempts) : "";
    outcome.error = Error(outcome.error->kind(), "{} {}: {}{}", call.method, redactor_.redact_url(call.url), redactor_.redact(outcome.error->what()), after);
    return finish(id, std::move(outcome));
}

/// True when the call goes on elsewhere.
bool HttpSession::follow(Call& call, const HttpResponse& response) {
    constexpr std::array<int, 5> statuses = {301, 302, 303, 307, 308};
    if (std::find(statuses.begin(), statuses.end(), response.status) == statuses.end()) return false;
    const std::string* location = find_header(response.headers, "Location");
    if (location == nullptr) return false;
    const std::optional<std::string> target = resolve_url(call.url, *location);
    if (!target) throw Error(ErrorKind::remote, "{}: is redirected to \"{}\", which is no URL of http or https", redactor_.redact_url(call.url), redactor_.redact_url(*location));
    if (++call.redirects > options_.redirects_max) {
        throw Error(ErrorKind::remote, "{}: more than {} redirects, the last one to {}", redactor_.redact_url(call.call.request.url), options_.redirects_max,
                    redactor_.redact_url(*target));
    }
    const bool becomes_get = response.status == 303 || (response.status <= 302 && call.method == "POST");
    if (becomes_get && call.method != "HEAD") {
        call.method = "GET";
        call.body.reset();
    }
    if (call.body) check_body(call.method, *target);
    check_url(*target);
    call.url = *target;
    // A redirect is part of the attempt that met it.
    --call.attempts;
    return true;
}

/// True when there is another attempt, which then waits for its time.
bool HttpSession::retry(Call& call, const HttpResponse& response, const char* why) {
    if (call.call.has_progress && call.call.has_progress()) {
        call.attempts = 0;
        call.is_renewed = false;
    }
    if (call.attempts >= options_.retry.attempts) return false;
    milliseconds delay = retry_delay(options_.retry, std::max(call.attempts, 1), chance_());
    const std::int64_t now = clock_.steady_ns();
    const bool is_refusal = refuses_for_limit(response, clock_.now_us());
    std::optional<milliseconds> asked = retry_after_of(response.headers, clock_.now_us());
    if (!asked && is_refusal) asked = exhausted_for(response.headers, clock_.now_us(), true);
    if (asked) {
        if (*asked > options_.retry.retry_after_max) {
            log_.warning("{}: the server asks for a wait of {:.0f} s, longer than retry_after_max allows", redactor_.redact_url(call.url), seconds_of(*asked));
            return false;
        }
        delay = *asked;
        // Others would meet the same answer.
        if (is_refusal || response.status == 503) limiter_.hold(*asked, now);
    }
    log_.info("{}: {}, next attempt in {:.1f} s", redactor_.redact_url(call.url), why, seconds_of(delay));
    call.not_before_ns = now + std::chrono::nanoseconds(delay).count();
    return true;
}

HttpExchange HttpSession::finish(std::uint64_t id, HttpOutcome outcome) {
    const Call& call = calls_.at(id);
    HttpExchange exchange{.id = id, .url = call.url, .response = std::move(outcome.response), .error = std::move(outcome.error), .attempts = call.attempts};
    calls_.erase(id);
    return exchange;
}

}  // namespace tipple::io
