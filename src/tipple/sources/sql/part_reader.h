#pragma once

#include <functional>
#include <memory>
#include <vector>

#include "tipple/source/source.h"
#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql {

/// What is read by several connections.
struct PartsJob {
    /// Statements of the parts, in order.
    std::vector<Select> parts;
    std::size_t batch_rows = 0;
    std::size_t batch_bytes = 0;
    /// Of rows that wait, but for the next ones of the part whose turn it is.
    std::size_t waiting_bytes_max = 0;
};

/// Reads the parts of a table at the same time and hands over their rows in the order of the parts, on the calling thread. Each connection takes the next part that
/// nobody reads, and waits when too much waits already. False from `take` ends it. Throws Error.
void read_parts(const PartsJob& job, const std::vector<Database*>& connections, const extract::ResourceContext& context, const std::function<bool(Rows)>& take);

/// Bytes in memory, roughly for records.
std::size_t byte_size(const Rows& rows);
std::size_t row_count(const Rows& rows);

}  // namespace tipple::sources::sql
