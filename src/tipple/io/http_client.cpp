#include "tipple/io/http_client.h"

#include <strings.h>

#include <algorithm>
#include <map>

#include "tipple/core/text.h"
#include "tipple/io/curl_library.h"
#include "tipple/io/url.h"

namespace tipple::io {

namespace {

using std::chrono::milliseconds;
using SteadyClock = std::chrono::steady_clock;

/// Of all headers of one answer.
constexpr std::size_t header_bytes_max = std::size_t{256} << 10;
/// Of the body of an answer that is no success, redirects among them: what follows is not read.
constexpr std::size_t refusal_bytes_max = std::size_t{256} << 10;
/// How long a request to stop may go unnoticed.
constexpr milliseconds stop_interval{200};

struct EasyDeleter {
    void operator()(CURL* handle) const { curl().curl_easy_cleanup(handle); }
};
struct ListDeleter {
    void operator()(curl_slist* list) const { curl().curl_slist_free_all(list); }
};

std::string without_line_end(std::string_view line) {
    while (line.ends_with('\n') || line.ends_with('\r')) line.remove_suffix(1);
    return std::string(line);
}

/// One request on its way.
struct Transfer {
    std::uint64_t id = 0;
    HttpRequest request;
    std::unique_ptr<CURL, EasyDeleter> handle;
    std::unique_ptr<curl_slist, ListDeleter> headers;
    char curl_error[CURL_ERROR_SIZE] = {};
    HttpResponse response;
    std::size_t header_bytes = 0;
    std::size_t body_bytes = 0;
    SteadyClock::time_point started;
    /// Received or, of the request's body, sent; the start when there is none.
    SteadyClock::time_point last_byte;
    curl_off_t bytes_sent = 0;
    bool has_bytes = false;
    /// What follows waits for `resume`.
    bool is_paused = false;
    bool is_pause_told = false;
    /// The body goes on, and nobody needs more of it.
    bool is_cut = false;
    /// Why our side ended it.
    std::optional<Error> error;
};

std::size_t take_header(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::string_view line(bytes, size * count);
    transfer.last_byte = SteadyClock::now();
    transfer.has_bytes = true;
    if (line.starts_with("HTTP/")) {
        // Another answer begins: one in between (100, 103), or that of a proxy.
        transfer.response.headers.clear();
        transfer.header_bytes = 0;
        const std::size_t status = line.find(' ');
        transfer.response.http_version = std::string(line.substr(5, status - 5));
        transfer.response.status = status == std::string_view::npos ? 0 : std::atoi(std::string(line.substr(status + 1, 3)).c_str());
        return line.size();
    }
    transfer.header_bytes += line.size();
    if (transfer.header_bytes > header_bytes_max) {
        transfer.error = Error(ErrorKind::remote, "the headers of the answer are larger than {}", format_bytes(header_bytes_max));
        return 0;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) return line.size();
    std::string value = without_line_end(line.substr(colon + 1));
    value.erase(0, std::min(value.find_first_not_of(" \t"), value.size()));
    while (value.ends_with(' ') || value.ends_with('\t')) value.pop_back();
    transfer.response.headers.push_back({std::string(line.substr(0, colon)), std::move(value)});
    return line.size();
}

std::size_t stream_body(Transfer& transfer, std::string_view piece) {
    // The library keeps this piece and asks no more for others.
    if (transfer.is_paused) return CURL_WRITEFUNC_PAUSE;
    try {
        transfer.is_paused = !transfer.request.on_body(transfer.response, piece);
        return piece.size();
    } catch (const Error& error) {
        transfer.error = error;
    } catch (const std::bad_alloc&) {
        transfer.error = Error(ErrorKind::local, "out of memory");
    }
    return 0;
}

std::size_t take_body(char* bytes, std::size_t size, std::size_t count, void* user) {
    auto& transfer = *static_cast<Transfer*>(user);
    const std::string_view piece(bytes, size * count);
    transfer.last_byte = SteadyClock::now();
    const bool is_refusal = transfer.response.status >= 300;
    if (transfer.request.on_body && !is_refusal) return stream_body(transfer, piece);
    transfer.body_bytes += piece.size();
    const std::size_t max = is_refusal ? std::min(refusal_bytes_max, transfer.request.response_bytes_max) : transfer.request.response_bytes_max;
    if (transfer.body_bytes > max) {
        // The beginning of a refusal says enough, and the rest of it may have no end.
        if (is_refusal) {
            transfer.is_cut = true;
            return 0;
        }
        transfer.error = Error(ErrorKind::data, "the answer is larger than {}", format_bytes(max));
        return 0;
    }
    try {
        transfer.response.body.append(piece);
    } catch (const std::bad_alloc&) {
        transfer.error = Error(ErrorKind::local, "out of memory");
        return 0;
    }
    return piece.size();
}

/// Of these methods servers want to know that no body follows; some refuse requests that do not say so.
bool sends_length(const HttpRequest& request) { return request.body || request.method == "POST" || request.method == "PUT" || request.method == "PATCH"; }

/// What may be done about a transfer that the library gave up; what is not listed is not known to be worth a second try.
ErrorKind kind_of(CURLcode code) {
    switch (code) {
        case CURLE_COULDNT_RESOLVE_HOST:
        case CURLE_COULDNT_RESOLVE_PROXY:
        case CURLE_COULDNT_CONNECT:
        case CURLE_OPERATION_TIMEDOUT:
        case CURLE_GOT_NOTHING:
        case CURLE_SEND_ERROR:
        case CURLE_RECV_ERROR:
        case CURLE_PARTIAL_FILE:
        case CURLE_HTTP2:
        case CURLE_HTTP2_STREAM:
        case CURLE_BAD_CONTENT_ENCODING:
            return ErrorKind::transient;
        case CURLE_URL_MALFORMAT:
        case CURLE_UNSUPPORTED_PROTOCOL:
        case CURLE_PEER_FAILED_VERIFICATION:
        case CURLE_SSL_CERTPROBLEM:
        case CURLE_SSL_CACERT_BADFILE:
            return ErrorKind::usage;
        case CURLE_OUT_OF_MEMORY:
            return ErrorKind::local;
        default:
            return ErrorKind::remote;
    }
}

const char* remedy_of(CURLcode code) {
    switch (code) {
        case CURLE_PEER_FAILED_VERIFICATION:
            return "; when the server's certificate is signed by one of your own, name it as the CA file";
        case CURLE_SSL_CACERT_BADFILE:
            return "; the CA file must be there and hold certificates in PEM form";
        case CURLE_SSL_CERTPROBLEM:
            return "; the client certificate and its key must be there in PEM form, with the right password";
        case CURLE_COULDNT_RESOLVE_HOST:
            return "; look at the host's name and at this machine's network";
        default:
            return "";
    }
}

Error error_of(const Transfer& transfer, CURLcode code) {
    if (transfer.error) return *transfer.error;
    const std::string text = transfer.curl_error[0] != '\0' ? transfer.curl_error : curl().curl_easy_strerror(code);
    return Error(kind_of(code), "{}{}", text, remedy_of(code));
}

class CurlClient final : public HttpClient {
public:
    explicit CurlClient(HttpClientOptions options) : options_(std::move(options)), multi_(curl().curl_multi_init()) {
        if (multi_ == nullptr) throw std::bad_alloc();
    }
    ~CurlClient() override {
        for (auto& [id, transfer] : transfers_) curl().curl_multi_remove_handle(multi_, transfer->handle.get());
        transfers_.clear();
        idle_handles_.clear();
        curl().curl_multi_cleanup(multi_);
    }
    CurlClient(const CurlClient&) = delete;
    CurlClient& operator=(const CurlClient&) = delete;

    void start(std::uint64_t id, const HttpRequest& request) override {
        if (!is_http_url(request.url)) throw Error(ErrorKind::usage, "\"{}\" is no URL of http or https", mask_url_secrets(request.url));
        auto transfer = std::make_unique<Transfer>();
        transfer->id = id;
        transfer->request = request;
        transfer->handle = take_handle();
        set_options(*transfer);
        transfer->started = transfer->last_byte = SteadyClock::now();
        if (transfers_.empty()) last_wait_ = transfer->started;
        const CURLMcode code = curl().curl_multi_add_handle(multi_, transfer->handle.get());
        if (code != CURLM_OK) throw Error(ErrorKind::local, "a transfer cannot be started: {}", curl().curl_multi_strerror(code));
        transfers_.emplace(id, std::move(transfer));
        // So that the request leaves now, even if the caller has other things to do before it waits.
        perform();
    }

    std::optional<HttpOutcome> wait(milliseconds at_most, const std::stop_token& stop) override {
        const SteadyClock::time_point end = SteadyClock::now() + at_most;
        shift_timers();
        while (true) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            perform();
            if (std::optional<HttpOutcome> outcome = take_finished()) return outcome;
            const SteadyClock::time_point now = last_wait_ = SteadyClock::now();
            if (std::optional<HttpOutcome> outcome = take_overdue(now)) return outcome;
            if (now >= end || has_new_pause()) return std::nullopt;
            const auto left = std::chrono::ceil<milliseconds>(end - now);
            const CURLMcode code = curl().curl_multi_poll(multi_, nullptr, 0, static_cast<int>(std::min(left, stop_interval).count()), nullptr);
            if (code != CURLM_OK) throw Error(ErrorKind::local, "waiting for answers failed: {}", curl().curl_multi_strerror(code));
        }
    }

    void resume(std::uint64_t id) override {
        const auto found = transfers_.find(id);
        if (found == transfers_.end() || !found->second->is_paused) return;
        Transfer& transfer = *found->second;
        transfer.is_paused = transfer.is_pause_told = false;
        transfer.last_byte = SteadyClock::now();
        // What was kept back may be taken here and now.
        const CURLcode code = curl().curl_easy_pause(transfer.handle.get(), CURLPAUSE_CONT);
        if (code != CURLE_OK && !transfer.error) transfer.error = error_of(transfer, code);
    }

    void abandon(std::uint64_t id) override {
        const auto found = transfers_.find(id);
        if (found != transfers_.end()) release(found);
    }

private:
    using Transfers = std::map<std::uint64_t, std::unique_ptr<Transfer>>;

    std::unique_ptr<CURL, EasyDeleter> take_handle() {
        if (!idle_handles_.empty()) {
            std::unique_ptr<CURL, EasyDeleter> handle = std::move(idle_handles_.back());
            idle_handles_.pop_back();
            curl().curl_easy_reset(handle.get());
            return handle;
        }
        std::unique_ptr<CURL, EasyDeleter> handle(curl().curl_easy_init());
        if (handle == nullptr) throw std::bad_alloc();
        return handle;
    }

    template <typename Value>
    static void set(Transfer& transfer, CURLoption option, Value value) {
        const CURLcode code = curl().curl_easy_setopt(transfer.handle.get(), option, value);
        if (code != CURLE_OK) throw Error(ErrorKind::usage, "the HTTP library refuses a setting: {}", curl().curl_easy_strerror(code));
    }

    void set_options(Transfer& transfer) const {
        const HttpRequest& request = transfer.request;
        set(transfer, CURLOPT_URL, request.url.c_str());
        set(transfer, CURLOPT_PROTOCOLS_STR, "http,https");
        set(transfer, CURLOPT_FOLLOWLOCATION, 0L);
        set(transfer, CURLOPT_NOSIGNAL, 1L);
        // A name that is still being looked up is left behind when the transfer ends; otherwise its end would wait for the answer.
        set(transfer, CURLOPT_QUICK_EXIT, 1L);
        set(transfer, CURLOPT_HTTP_VERSION, static_cast<long>(CURL_HTTP_VERSION_2TLS));
        set(transfer, CURLOPT_PIPEWAIT, 1L);
        if (request.keeps_dots) set(transfer, CURLOPT_PATH_AS_IS, 1L);
        if (request.decompresses) set(transfer, CURLOPT_ACCEPT_ENCODING, "");
        set(transfer, CURLOPT_USERAGENT, options_.user_agent.c_str());
        set(transfer, CURLOPT_CONNECTTIMEOUT_MS, static_cast<long>(options_.connect_timeout.count()));
        set(transfer, CURLOPT_ERRORBUFFER, transfer.curl_error);
        set(transfer, CURLOPT_HEADERFUNCTION, &take_header);
        set(transfer, CURLOPT_HEADERDATA, &transfer);
        set(transfer, CURLOPT_WRITEFUNCTION, &take_body);
        set(transfer, CURLOPT_WRITEDATA, &transfer);
        set(transfer, CURLOPT_PRIVATE, &transfer);
        set_method(transfer);
        set_connection(transfer);
        curl_slist* list = nullptr;
        const auto append = [&](const std::string& line) {
            if (line.find_first_of(std::string_view("\r\n\0", 3)) != std::string::npos) {
                throw Error(ErrorKind::data, "header \"{}\" has a line break in its value, which would end it", line.substr(0, line.find(':')));
            }
            curl_slist* longer = curl().curl_slist_append(list, line.c_str());
            if (longer == nullptr) throw std::bad_alloc();
            list = longer;
            if (transfer.headers == nullptr) transfer.headers.reset(list);
        };
        // No form is meant where nobody says so, and nobody waits for a permission to send.
        if (sends_length(request) && find_header(request.headers, "Content-Type") == nullptr) append("Content-Type:");
        if (request.body) append("Expect:");
        for (const HttpHeader& header : request.headers) append(header.value.empty() ? header.name + ";" : header.name + ": " + header.value);
        set(transfer, CURLOPT_HTTPHEADER, transfer.headers.get());
    }

    static void set_method(Transfer& transfer) {
        const HttpRequest& request = transfer.request;
        if (request.method == "HEAD") set(transfer, CURLOPT_NOBODY, 1L);
        if (sends_length(request)) {
            set(transfer, CURLOPT_POST, 1L);
            set(transfer, CURLOPT_POSTFIELDS, request.body ? request.body->data() : "");
            set(transfer, CURLOPT_POSTFIELDSIZE_LARGE, static_cast<curl_off_t>(request.body ? request.body->size() : 0));
        }
        set(transfer, CURLOPT_CUSTOMREQUEST, request.method.c_str());
    }

    void set_connection(Transfer& transfer) const {
        if (options_.proxy) set(transfer, CURLOPT_PROXY, options_.proxy->c_str());
        if (!options_.ca_file.empty()) set(transfer, CURLOPT_CAINFO, options_.ca_file.c_str());
        if (options_.certificate_file.empty()) return;
        set(transfer, CURLOPT_SSLCERT, options_.certificate_file.c_str());
        set(transfer, CURLOPT_SSLKEY, (options_.key_file.empty() ? options_.certificate_file : options_.key_file).c_str());
        if (!options_.key_password.empty()) set(transfer, CURLOPT_KEYPASSWD, options_.key_password.c_str());
    }

    void perform() {
        int running = 0;
        const CURLMcode code = curl().curl_multi_perform(multi_, &running);
        if (code != CURLM_OK) throw Error(ErrorKind::local, "the HTTP library failed: {}", curl().curl_multi_strerror(code));
    }

    /// While the caller was busy, what came waited in the kernel: no transfer is to blame.
    void shift_timers() {
        const SteadyClock::time_point now = SteadyClock::now();
        const SteadyClock::duration gap = now - last_wait_;
        last_wait_ = now;
        if (gap < stop_interval) return;
        for (auto& [id, transfer] : transfers_) {
            transfer->started += gap;
            transfer->last_byte += gap;
        }
    }

    std::optional<HttpOutcome> take_finished() {
        int left = 0;
        while (const CURLMsg* message = curl().curl_multi_info_read(multi_, &left)) {
            if (message->msg != CURLMSG_DONE) continue;
            const CURLcode code = message->data.result;
            char* user = nullptr;
            curl().curl_easy_getinfo(message->easy_handle, CURLINFO_PRIVATE, &user);
            Transfer& transfer = *reinterpret_cast<Transfer*>(user);
            std::optional<Error> error;
            if (code != CURLE_OK && !transfer.is_cut) error = error_of(transfer, code);
            return finish(transfer, std::move(error));
        }
        return std::nullopt;
    }

    bool has_new_pause() {
        return std::any_of(transfers_.begin(), transfers_.end(), [](auto& entry) { return entry.second->is_paused && !std::exchange(entry.second->is_pause_told, true); });
    }

    /// While a body leaves, nobody can expect an answer.
    static void note_sent(Transfer& transfer, SteadyClock::time_point now) {
        curl_off_t bytes = 0;
        curl().curl_easy_getinfo(transfer.handle.get(), CURLINFO_SIZE_UPLOAD_T, &bytes);
        if (bytes > std::exchange(transfer.bytes_sent, bytes)) transfer.last_byte = now;
    }

    std::optional<HttpOutcome> take_overdue(SteadyClock::time_point now) {
        for (auto& [id, transfer] : transfers_) {
            if (transfer->request.body) note_sent(*transfer, now);
            const auto seconds = [](milliseconds time) { return static_cast<double>(time.count()) / 1e3; };
            std::optional<Error> error = transfer->error;
            if (error || transfer->is_paused) {
                // Whoever takes the body decides how long that lasts.
            } else if (!transfer->has_bytes && now - transfer->last_byte > options_.first_byte_timeout) {
                error = Error(ErrorKind::transient, "no answer within {} s", seconds(options_.first_byte_timeout));
            } else if (transfer->has_bytes && now - transfer->last_byte > options_.idle_timeout) {
                error = Error(ErrorKind::transient, "the answer stopped, and nothing came for {} s", seconds(options_.idle_timeout));
            } else if (now - transfer->started > options_.total_timeout) {
                error = Error(ErrorKind::transient, "the answer was not complete within {} s", seconds(options_.total_timeout));
            }
            if (error) return finish(*transfer, std::move(error));
        }
        return std::nullopt;
    }

    HttpOutcome finish(Transfer& transfer, std::optional<Error> error) {
        HttpOutcome outcome{.id = transfer.id, .response = std::move(transfer.response), .error = std::move(error)};
        CURL* handle = transfer.handle.get();
        long headers = 0;
        curl_off_t body = 0;
        curl().curl_easy_getinfo(handle, CURLINFO_HEADER_SIZE, &headers);
        curl().curl_easy_getinfo(handle, CURLINFO_SIZE_DOWNLOAD_T, &body);
        outcome.response.bytes_received = static_cast<std::uint64_t>(headers) + static_cast<std::uint64_t>(body);
        outcome.response.seconds = std::chrono::duration<double>(SteadyClock::now() - transfer.started).count();
        release(transfers_.find(transfer.id));
        return outcome;
    }

    void release(Transfers::iterator place) {
        curl().curl_multi_remove_handle(multi_, place->second->handle.get());
        idle_handles_.push_back(std::move(place->second->handle));
        transfers_.erase(place);
    }

    HttpClientOptions options_;
    CURLM* multi_;
    Transfers transfers_;
    std::vector<std::unique_ptr<CURL, EasyDeleter>> idle_handles_;
    SteadyClock::time_point last_wait_ = SteadyClock::now();
};

}  // namespace

const std::string* find_header(const HttpHeaders& headers, std::string_view name) {
    const auto found = std::find_if(headers.begin(), headers.end(), [&](const HttpHeader& header) {
        return header.name.size() == name.size() && strncasecmp(header.name.data(), name.data(), name.size()) == 0;
    });
    return found == headers.end() ? nullptr : &found->value;
}

void set_header(HttpHeaders& headers, std::string_view name, std::string value) {
    std::erase_if(headers, [&](const HttpHeader& header) { return find_header({header}, name) != nullptr; });
    headers.push_back({std::string(name), std::move(value)});
}

std::unique_ptr<HttpClient> make_http_client(HttpClientOptions options) { return std::make_unique<CurlClient>(std::move(options)); }

}  // namespace tipple::io
