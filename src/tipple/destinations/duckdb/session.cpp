#include "tipple/destinations/duckdb/session.h"

#include <cstdio>
#include <thread>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destinations/duckdb/types.h"

namespace tipple::destinations::duckdb {

namespace {

/// Between two attempts to open a file that somebody else holds.
constexpr std::chrono::milliseconds lock_poll_interval{50};

constexpr std::size_t numbers_batch_rows = 100'000;

/// The engine's own databases keep their names, and a name that is also the dataset's would make
/// `name.table` mean two things.
std::string database_name(const Place& place) {
    std::string name = io::file_name(place.path);
    if (const std::size_t dot = name.rfind('.'); dot != std::string::npos && dot > 0)
        name.resize(dot);
    const std::string key = name_rule.key(name);
    if (key == "memory" || key == "system" || key == "temp" || key == name_rule.key(place.dataset))
        name += "_db";
    return name;
}

void attach(engine::Engine& engine, const Place& place, const std::string& name,
            const SessionOptions& options, const Log& log) {
    const auto start = std::chrono::steady_clock::now();
    bool is_waiting = false;
    while (true) {
        try {
            return engine.attach(place.path, name, options.mode, options.layout);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::locked) throw;
            if (place.stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
            const auto waited = std::chrono::steady_clock::now() - start;
            if (waited >= place.lock_timeout) {
                throw Error(ErrorKind::locked, "{} (waited {}; --lock-timeout sets how long)",
                            error.what(),
                            format_seconds(std::chrono::duration<double>(waited).count()));
            }
            if (!std::exchange(is_waiting, true)) log.info("waiting: {}", error.what());
        }
        std::this_thread::sleep_for(lock_poll_interval);
    }
}

}  // namespace

Session::Session(const Place& place, const SessionOptions& options, const Log& log)
    : SqlSession(destination::SqlWriter(dialect(), engine::quote_identifier(database_name(place)) + "." + engine::quote_identifier(place.dataset)),
                 place.dataset),
      database_(database_name(place)),
      engine_(options.engine) {
    attach(engine_, place, database_, options, log);
    if (!holds_zstd()) return;
    destination::SqlDialect storing = dialect();
    storing.column_storage = id_storage;
    set_sql(destination::SqlWriter(storing, engine::quote_identifier(database_) + "." + engine::quote_identifier(dataset())));
}

bool Session::holds_zstd() {
    const std::string version =
        query_value(fmt::format("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = {}", engine::quote_literal(database_))).value_or("");
    // v1.2.0+: that version, or any that came after it.
    int major = 0;
    int minor = 0;
    return std::sscanf(version.c_str(), "v%d.%d", &major, &minor) == 2 && (major > 1 || (major == 1 && minor >= 2));
}

bool Session::has_dataset() {
    return engine_
        .query_value(fmt::format("SELECT '1' FROM duckdb_schemas() WHERE database_name = {} AND "
                                 "lower(schema_name) = lower({})",
                                 engine::quote_literal(database_), engine::quote_literal(dataset())))
        .has_value();
}

void Session::read_numbers(std::string_view sql, std::stop_token stop, const std::function<void(std::int64_t number)>& take) {
    engine_.read(sql, numbers_batch_rows, stop, [&](columns::Batch batch) {
        const columns::BatchView view = batch.view();
        for (std::size_t row = 0; row < view.rows; ++row) take(view.columns[0].value<std::int64_t>(row));
        return true;
    });
}

bool Session::is_empty() {
    const std::string name = engine::quote_literal(database_);
    return !engine_
                .query_value(fmt::format("SELECT '1' FROM duckdb_tables() WHERE database_name = {0} UNION ALL SELECT '1' FROM duckdb_views() WHERE database_name = {0} AND NOT internal",
                                         name))
                .has_value();
}

std::size_t Session::block_bytes() {
    const auto bytes = query_int(
        fmt::format("SELECT CAST(block_size AS VARCHAR) FROM pragma_database_size() WHERE database_name = {}",
                    engine::quote_literal(database_)));
    return static_cast<std::size_t>(bytes.value());
}

std::size_t Session::widest_table() {
    const auto columns = query_int(fmt::format("SELECT CAST(coalesce(max(column_count), 0) AS VARCHAR) FROM duckdb_tables() WHERE database_name = {}", engine::quote_literal(database_)));
    return static_cast<std::size_t>(columns.value());
}

destination::Catalog Session::read_catalog() {
    const engine::Result result = engine_.query(fmt::format(
        "SELECT table_name, column_name, data_type, CAST(is_nullable AS VARCHAR) FROM duckdb_columns() WHERE "
        "database_name = {} AND"
        " lower(schema_name) = lower({}) AND NOT internal ORDER BY table_name, column_index",
        engine::quote_literal(database_), engine::quote_literal(dataset())));
    destination::Catalog catalog;
    for (const auto& row : result.rows) {
        catalog.tables[row[0].value_or("")].push_back({.name = row[1].value_or(""),
                                                       .type = row[2].value_or(""),
                                                       .is_nullable = row[3] != "false"});
    }
    return catalog;
}

}  // namespace tipple::destinations::duckdb
