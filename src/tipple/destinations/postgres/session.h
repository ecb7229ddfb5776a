#pragma once

#include <chrono>
#include <string>

#include "tipple/destination/sql_session.h"
#include "tipple/postgres/connection.h"

namespace tipple::destinations::postgres {

using tipple::postgres::Connection;
using tipple::postgres::Failure;
using tipple::postgres::ResultType;
using tipple::postgres::Target;

/// Which pipeline's loads into which dataset.
struct Place {
    Target target;
    std::string dataset;
    std::string pipeline;
    std::chrono::milliseconds lock_timeout{0};
    std::stop_token stop;  ///< ends waits early
};

/// A connection with one transaction at a time, and the statements about one dataset in it.
class Session final : public destination::SqlSession {
public:
    /// Connects. `place`: where to; outlives it.
    explicit Session(const Place& place);

    Connection& connection() { return connection_; }
    const Connection& connection() const { return connection_; }

    /// Begins a transaction that changes nothing and sees one state of the database. Like `begin_write`, it waits for locks as long as the place says.
    void begin_read();
    void begin_write();
    /// Waits for a load of the same pipeline and dataset that has not ended, or whose commit is in doubt; none begins until this transaction ends.
    void lock_pipeline();
    /// The same for whoever makes dataset and system tables.
    void lock_dataset();
    /// Locks tables against readers too, for the moment in which they change. While somebody else uses them, it lets go and tries again, so that nobody
    /// queues behind it. Throws Error(locked) when the lock timeout is over.
    void lock_exclusively(const std::vector<std::string>& tables);
    void commit() { connection_.commit(); }

    std::uint64_t execute(std::string_view sql, std::stop_token stop = {}) override { return connection_.execute(sql, stop); }
    std::uint64_t execute_with(std::string_view sql, std::string_view text) override { return connection_.execute_with(sql, text); }
    std::vector<destination::QueryRow> query(std::string_view sql) override;
    void read_numbers(std::string_view sql, std::stop_token stop, const std::function<void(std::int64_t number)>& take) override;
    bool has_dataset() override;
    destination::Catalog read_catalog() override;
    /// What the server calls types.
    std::vector<std::string> type_names(const std::vector<ResultType>& types);

private:
    void begin(std::string_view mode);
    std::int64_t lock_timeout_ms() const;
    void lock(std::string_view what);

    const Place& place_;
    Connection connection_;
};

}  // namespace tipple::destinations::postgres
