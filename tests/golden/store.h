#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/config/option_spec.h"

namespace tipple::golden {

/// A place that cases load into, seen past tipple: what is there is asked of the store's own library.
class Store {
public:
    struct Column {
        std::string name;
        std::string type;  ///< as DuckDB names it, which is how the cases have it
        bool is_nullable = true;
    };
    using Row = std::vector<std::optional<std::string>>;

    virtual ~Store() = default;
    /// The kind of destination, and its options.
    virtual std::string destination() const = 0;
    virtual config::Options options() const = 0;
    /// As a case begins there is nothing.
    virtual void clear() = 0;
    /// Lets go of what `query` holds; before tipple or `execute` come again.
    virtual void close() {}
    virtual void execute(const std::string& sql) = 0;
    virtual std::vector<Row> query(const std::string& sql) = 0;
    virtual std::vector<Column> columns(const std::string& dataset, const std::string& table) = 0;
    /// The SQL for a column's value in the form of the cases.
    virtual std::string value_sql(const Column& column) const = 0;

    std::vector<std::string> tables(const std::string& dataset);
    static std::string quoted(const std::string& dataset, const std::string& table);
};

/// A database file in `folder`.
std::unique_ptr<Store> duckdb_store(const std::string& folder);

/// A dataset of files in `folder`, or in the bucket that the environment variable TIPPLE_TEST_S3 names.
std::unique_ptr<Store> filesystem_store(const std::string& folder);

/// The database that the environment variable TIPPLE_TEST_POSTGRES names. All that is in it goes.
std::unique_ptr<Store> postgres_store();

/// The SQL of DuckDB for a column's value in the form of the cases.
std::string duckdb_value_sql(const Store::Column& column);

std::string quote_identifier(std::string_view name);
std::string quote_literal(std::string_view text);

}  // namespace tipple::golden
