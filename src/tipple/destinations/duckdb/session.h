#pragma once

#include <chrono>
#include <stop_token>
#include <string>

#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/sql.h"
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
    std::size_t block_bytes = 0;  ///< of a file that is created
};

/// A database file that is open, and the statements about one dataset in it. The file is let go of
/// by `close` or the destructor; the latter does not tell when that fails.
class Session {
public:
    /// Waits up to the lock timeout for a file that somebody else holds, then throws Error(locked)
    /// naming the holder.
    Session(const Place& place, const SessionOptions& options, const Log& log);

    engine::Engine& engine() { return engine_; }
    const destination::SqlWriter& sql() const { return sql_; }
    /// What the file is called in SQL: its name without ending, as other programs call it too.
    const std::string& database() const { return database_; }
    const std::string& dataset() const { return dataset_; }

    bool has_dataset();
    bool has_rows(const std::string& table);
    destination::Catalog read_catalog();
    std::size_t block_bytes();
    /// A whole number, or nothing when NULL or no row.
    std::optional<std::int64_t> query_int(std::string_view sql);
    void close() { engine_.detach(database_); }

private:
    /// Whether the file's storage version has that compression.
    bool holds_zstd();

    std::string database_;
    std::string dataset_;
    destination::SqlWriter sql_;
    engine::Engine engine_;
};

inline constexpr destination::NameRule name_rule{.is_case_sensitive = false};

}  // namespace tipple::destinations::duckdb
