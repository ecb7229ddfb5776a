#pragma once

#include <httplib.h>

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <utility>
#include <vector>

namespace tipple::support {

struct SeenRequest {
    std::string method;
    std::string target;  ///< path and query, as they were sent
    std::string path;
    std::multimap<std::string, std::string> params;  ///< decoded
    std::string body;
    std::map<std::string, std::string> headers;  ///< names in lower case
    int number = 0;                              ///< from 1

    std::string param(const std::string& name) const {
        const auto found = params.find(name);
        return found == params.end() ? "" : found->second;
    }
    std::string header(const std::string& name) const {
        const auto found = headers.find(name);
        return found == headers.end() ? "" : found->second;
    }
};

struct Answer {
    std::string body;
    int status = 200;
    std::vector<std::pair<std::string, std::string>> headers = {};
    /// Closes the connection behind the body, of which it says that it is twice as long.
    bool breaks = false;
    /// Closes the connection after so many bytes of the body, which is taken to be the range that was asked for.
    std::optional<std::size_t> breaks_after = {};
    /// The body is sent whole, whatever range was asked for; else the server cuts it.
    bool ignores_range = false;
};

/// An HTTP server on a free port of the loopback interface, on threads of its own.
class HttpServer {
public:
    explicit HttpServer(std::function<Answer(const SeenRequest&)> handler) : handler_(std::move(handler)) {
        server_.set_tcp_nodelay(true);
        // Stopping waits for connections that might be used again.
        server_.set_keep_alive_timeout(1);
        const auto handle = [this](const httplib::Request& request, httplib::Response& response) { answer(request, response); };
        server_.Get(".*", handle).Post(".*", handle).Put(".*", handle).Patch(".*", handle).Delete(".*", handle);
        port_ = server_.bind_to_any_port("127.0.0.1");
        thread_ = std::thread([this] { server_.listen_after_bind(); });
        while (!server_.is_running()) std::this_thread::yield();
    }
    ~HttpServer() {
        server_.stop();
        thread_.join();
    }
    HttpServer(const HttpServer&) = delete;
    HttpServer& operator=(const HttpServer&) = delete;

    std::string url() const { return "http://127.0.0.1:" + std::to_string(port_); }
    int port() const { return port_; }
    std::vector<SeenRequest> seen() const {
        const std::lock_guard lock(mutex_);
        return seen_;
    }
    std::vector<std::string> targets() const {
        std::vector<std::string> targets;
        for (const SeenRequest& request : seen()) targets.push_back(request.target);
        return targets;
    }

private:
    void answer(const httplib::Request& request, httplib::Response& response) {
        SeenRequest seen{.method = request.method, .target = request.target, .path = request.path, .params = {request.params.begin(), request.params.end()}, .body = request.body};
        for (const auto& [name, value] : request.headers) {
            std::string lower = name;
            for (char& c : lower) c = static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
            seen.headers[lower] = value;
        }
        {
            const std::lock_guard lock(mutex_);
            seen.number = static_cast<int>(seen_.size()) + 1;
            seen_.push_back(seen);
        }
        const Answer answer = handler_(seen);
        response.status = answer.status;
        for (const auto& [name, value] : answer.headers) response.set_header(name, value);
        // Of its own accord the library cuts refusals too.
        if (answer.breaks || answer.breaks_after || answer.ignores_range || answer.status >= 300) const_cast<httplib::Request&>(request).ranges.clear();
        if (!request.ranges.empty()) response.status = 206;
        if (!answer.breaks && !answer.breaks_after) return response.set_content(answer.body, "application/json");
        const std::size_t length = answer.breaks ? answer.body.size() * 2 : answer.body.size();
        const std::string sent = answer.body.substr(0, answer.breaks_after.value_or(std::string::npos));
        response.set_content_provider(length, "application/json", [sent](std::size_t offset, std::size_t, httplib::DataSink& sink) {
            if (offset == 0) sink.write(sent.data(), sent.size());
            return false;
        });
    }

    std::function<Answer(const SeenRequest&)> handler_;
    httplib::Server server_;
    int port_ = 0;
    std::thread thread_;
    mutable std::mutex mutex_;
    std::vector<SeenRequest> seen_;
};

}  // namespace tipple::support
