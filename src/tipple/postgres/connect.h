#pragma once

#include <stop_token>

#include "tipple/postgres/target.h"

// Private to the module.
struct pg_conn;

namespace tipple::postgres {

/// Makes a connection as PQconnectdbParams does, one server and one address of it after the other, each with its `connect_timeout`, but a request to stop wakes the wait
/// and throws Error(cancelled). A look-up of a name that goes on then is left behind, on a thread of its own. `target`: where to. Throws Error that says what keeps the connection from being made.
/// The caller ends what is returned by PQfinish.
pg_conn* connect(const Target& target, const std::stop_token& stop);

}  // namespace tipple::postgres
