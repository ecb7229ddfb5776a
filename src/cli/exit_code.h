#pragma once

#include "tipple/core/error.h"

namespace tipple::cli {

inline constexpr int exit_done = 0;
inline constexpr int exit_bug = 1;
/// Finished, but something was left out as the user allowed.
inline constexpr int exit_partial = 7;
/// `schema diff --exit-code`: there are differences.
inline constexpr int exit_changes = 8;
/// Stopped in order because its time was up.
inline constexpr int exit_timeout = 124;
inline constexpr int exit_interrupted = 130;
inline constexpr int exit_terminated = 143;

/// One per kind of error; docs/guide/exit-codes.md.
int to_exit_code(ErrorKind kind);

}  // namespace tipple::cli
