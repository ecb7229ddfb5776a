#include "tipple/io/http_pool.h"

namespace tipple::io {

HttpPool::HttpPool(HttpPoolOptions options, const Clock& clock, Log log) : options_(std::move(options)), clock_(clock), log_(std::move(log)) {}

HttpPool::Lease HttpPool::borrow() {
    {
        const std::lock_guard lock(mutex_);
        if (!idle_.empty()) {
            std::unique_ptr<Connection> connection = std::move(idle_.back());
            idle_.pop_back();
            return {*this, std::move(connection)};
        }
    }
    auto connection = std::make_unique<Connection>();
    connection->client = make_http_client(options_.client);
    connection->session = std::make_unique<HttpSession>(*connection->client, options_.session, clock_, HttpSession::random_chance(), redactor_, log_);
    return {*this, std::move(connection)};
}

void HttpPool::give_back(std::unique_ptr<Connection> connection) {
    const std::lock_guard lock(mutex_);
    idle_.push_back(std::move(connection));
}

}  // namespace tipple::io
