#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tipple/io/http_session.h"

namespace tipple::io {

/// What all connections of a pool have in common.
struct HttpPoolOptions {
    HttpClientOptions client;
    HttpSessionOptions session;
};

/// Sessions for as many threads as ask at a time, each with a client of its own, which keeps its connections for whoever comes next. Thread-safe.
class HttpPool {
    struct Connection {
        std::unique_ptr<HttpClient> client;
        std::unique_ptr<HttpSession> session;
    };

public:
    /// `clock` outlives the pool.
    HttpPool(HttpPoolOptions options, const Clock& clock, Log log);

    /// One session, until destruction. Whoever leaves a call in it abandons that first.
    class Lease {
    public:
        Lease(HttpPool& pool, std::unique_ptr<Connection> connection) : pool_(&pool), connection_(std::move(connection)) {}
        Lease(Lease&&) = default;
        Lease& operator=(Lease&&) = delete;
        ~Lease() {
            if (connection_ != nullptr) pool_->give_back(std::move(connection_));
        }
        HttpSession& session() { return *connection_->session; }

    private:
        HttpPool* pool_;
        std::unique_ptr<Connection> connection_;
    };
    Lease borrow();

private:
    void give_back(std::unique_ptr<Connection> connection);

    const HttpPoolOptions options_;
    const Clock& clock_;
    const Log log_;
    const Redactor redactor_;
    std::mutex mutex_;
    std::vector<std::unique_ptr<Connection>> idle_;
};

}  // namespace tipple::io
