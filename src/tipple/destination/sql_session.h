#pragma once

#include <cstdint>
#include <functional>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/sql.h"

namespace tipple::destination {

/// A store with SQL that is open, and one dataset in it: what the parts of a load that such stores share ask of one.
class SqlSession {
public:
    SqlSession(SqlWriter sql, std::string dataset) : sql_(std::move(sql)), dataset_(std::move(dataset)) {}
    SqlSession(const SqlSession&) = delete;
    SqlSession& operator=(const SqlSession&) = delete;
    virtual ~SqlSession() = default;

    const SqlWriter& sql() const { return sql_; }
    const NameRule& names() const { return sql_.dialect().names; }
    const std::string& dataset() const { return dataset_; }

    /// Runs one statement; the number of rows it changed. A stop request interrupts it with Error(cancelled).
    virtual std::uint64_t execute(std::string_view sql, std::stop_token stop = {}) = 0;
    /// Runs one statement in which `$1` stands for this text, which may be megabytes: it is no part of what has to be parsed.
    virtual std::uint64_t execute_with(std::string_view sql, std::string_view text) = 0;
    /// All rows of a statement that has few.
    virtual std::vector<QueryRow> query(std::string_view sql) = 0;
    /// Hands every row of a statement with one column of whole numbers to `take`; they may be many.
    virtual void read_numbers(std::string_view sql, std::stop_token stop, const std::function<void(std::int64_t number)>& take) = 0;
    virtual bool has_dataset() = 0;
    virtual Catalog read_catalog() = 0;

    /// The first value of the first row, or nothing when it is NULL or there is no row.
    std::optional<std::string> query_value(std::string_view sql);
    /// The same as a whole number.
    std::optional<std::int64_t> query_int(std::string_view sql);
    bool has_rows(std::string_view table);

protected:
    /// For a store that knows only once it is open how it writes.
    void set_sql(SqlWriter sql) { sql_ = std::move(sql); }

private:
    SqlWriter sql_;
    std::string dataset_;
};

}  // namespace tipple::destination
