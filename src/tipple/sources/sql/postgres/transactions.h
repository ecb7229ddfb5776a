#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include "tipple/postgres/connection.h"

namespace tipple::sources::sql::postgres {

struct OldestStart {
    /// No transaction of this database that is open, or begins from now on, has taken an earlier time. Microseconds since 1970.
    std::int64_t us = 0;
    /// The process of which that is not known; empty = it holds for all.
    std::string unclear;
};

/// Looks at when the transactions of all sessions began, for which it needs pg_read_all_stats. A session that has just taken its time and does not show it yet
/// is looked at again, for at most `patience`.
OldestStart find_oldest_start(tipple::postgres::Connection& connection, std::chrono::milliseconds patience, const std::stop_token& stop);

}  // namespace tipple::sources::sql::postgres
