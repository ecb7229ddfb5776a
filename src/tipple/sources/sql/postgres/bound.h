#pragma once

#include <chrono>
#include <stop_token>

#include "tipple/postgres/connection.h"
#include "tipple/sources/sql/database.h"

/// Up to where a cursor can be read so that nothing is lost that commits late. Why it holds is in docs/internals/late-commits.md.
namespace tipple::sources::sql::postgres {

/// How long others are waited for: writers of a table with a cursor of numbers, and sessions that do not show yet what they do.
inline constexpr std::chrono::milliseconds writers_patience{2'000};

/// See Database::bound. Outside of transactions: what others do is to be seen as it is now.
CursorBound find_bound(tipple::postgres::Connection& connection, const CursorQuery& query, std::chrono::milliseconds patience, const std::stop_token& stop);

}  // namespace tipple::sources::sql::postgres
