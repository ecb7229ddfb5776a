#pragma once

#include <stop_token>
#include <string>
#include <vector>

#include "tipple/postgres/connection.h"
#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql::postgres {

struct SplitQuery {
    const TableInfo& table;
    std::string by;  ///< a column; empty = by where rows lie, where the server can do that
    std::size_t parts = 1;
};

/// See Database::split.
std::vector<std::string> split_table(tipple::postgres::Connection& connection, const SplitQuery& query, const std::stop_token& stop);

}  // namespace tipple::sources::sql::postgres
