#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "tipple/core/error.h"

namespace tipple::postgres {

/// What a server says of a statement that failed.
struct Failure {
    std::string state;  ///< SQLSTATE; empty when the connection is gone
    std::string message;
    std::string detail;
    std::string hint;
    std::string column;
    std::string context;  ///< where the server was, one place a line

    /// The number of the row, from 1 on, that a COPY had come to; nothing when it was none.
    std::optional<std::uint64_t> copied_row() const;
};

/// What may be done about it. Only what is known to pass by itself is transient.
ErrorKind kind_of(const Failure& failure);

/// For a statement.
Error statement_error(const Failure& failure);

/// For a connection that was not made. `message`: libpq's, which has no secrets. `place`: where to, for people.
Error connection_error(std::string_view message, const std::string& place);

}  // namespace tipple::postgres
