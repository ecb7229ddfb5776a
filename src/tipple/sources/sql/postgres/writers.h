#pragma once

#include <chrono>
#include <set>
#include <stop_token>
#include <string>

#include "tipple/postgres/connection.h"

namespace tipple::sources::sql::postgres {

/// Who writes to a table now, told by locks: whoever inserts into a table locks it before its defaults are evaluated, and holds the lock until the
/// transaction has ended for all others. A writer is a virtual transaction; every user may see them.
class Writers {
public:
    Writers(tipple::postgres::Connection& connection, std::string table_oid) : connection_(connection), table_oid_(std::move(table_oid)) {}

    /// Of the table, what it is a part of, and its parts.
    std::set<std::string> read(const std::stop_token& stop) const;
    /// Whether one of `then` may still be among `now`. A transaction that is prepared has another name from then on: it may be any.
    static bool may_include(const std::set<std::string>& now, const std::set<std::string>& then);
    /// Those of `then` that have not ended within `patience`.
    std::set<std::string> wait_for(std::set<std::string> then, std::chrono::milliseconds patience, const std::stop_token& stop) const;
    /// One of them, for people.
    std::string describe(const std::set<std::string>& writers, const std::stop_token& stop) const;

private:
    tipple::postgres::Connection& connection_;
    std::string table_oid_;
};

}  // namespace tipple::sources::sql::postgres
