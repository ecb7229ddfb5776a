#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "tipple/core/log.h"
#include "tipple/destination/sql_session.h"
#include "tipple/engine/engine.h"

namespace tipple::destinations::duckdb {

/// Where a dataset is.
struct Place {
    std::string path;  ///< canonical
    std::string dataset;
    std::chrono::milliseconds lock_timeout{0};
    std::stop_token stop;  ///< ends the wait for the lock
};

struct SessionOptions {
    engine::AttachMode mode = engine::AttachMode::read_only;
    engine::EngineOptions engine;
    engine::FileLayout layout;
};

/// A database file that is open, and the statements about one dataset in it. The file is let go of
/// by `close` or the destructor; the latter does not tell when that fails.
class Session final : public destination::SqlSession {
public:
    /// Waits up to the lock timeout for a file that somebody else holds, then throws Error(locked)
    /// naming the holder.
    Session(const Place& place, const SessionOptions& options, const Log& log);

    engine::Engine& engine() { return engine_; }
    /// What the file is called in SQL: its name without ending, as other programs call it too.
    const std::string& database() const { return database_; }

    std::uint64_t execute(std::string_view sql, std::stop_token stop = {}) override { return engine_.execute(sql, stop); }
    std::uint64_t execute_with(std::string_view sql, std::string_view text) override { return engine_.execute_with(sql, text); }
    std::vector<destination::QueryRow> query(std::string_view sql) override { return engine_.query(sql).rows; }
    void read_numbers(std::string_view sql, std::stop_token stop, const std::function<void(std::int64_t number)>& take) override;
    bool has_dataset() override;
    /// Whether the database has no table and no view, in any schema.
    bool is_empty();
    destination::Catalog read_catalog() override;
    std::size_t block_bytes();
    /// Columns of the table of the file, in whatever dataset, that has most.
    std::size_t widest_table();
    void close() { engine_.detach(database_); }

private:
    /// Whether the file's storage version has that compression.
    bool holds_zstd();

    std::string database_;
    engine::Engine engine_;
};

}  // namespace tipple::destinations::duckdb
