#pragma once

#include <fmt/format.h>

#include <chrono>
#include <optional>
#include <stdexcept>
#include <string>
#include <utility>

namespace tipple {

/// What the pipeline, and a person, may do about an error. The front end maps each to one exit code.
enum class ErrorKind {
    usage,      ///< The user must change configuration or input.
    data,       ///< A record cannot be loaded as it is; the message names table, column and record.
    transient,  ///< Worth retrying, after `retry_after` when the other side named one.
    remote,     ///< The other system refused for good.
    local,      ///< This machine: disk full, permission, memory.
    corrupt,    ///< Our own files are not what we wrote.
    locked,     ///< Another run or process holds what this one needs.
    conflict,   ///< Another run changed what this one built on; only reading everything again helps.
    cancelled,  ///< Stopped on request (signal, timeout); what was committed stays, the rest can be run again.
};

/// "usage", "data", ... as written in logs and run records.
const char* to_text(ErrorKind kind);

/// Whether the same step may succeed at another time, with nothing changed but the machine or the other side.
bool can_succeed_later(ErrorKind kind);

/// Ends the current job, run or command. The message says what happened, to what, and what to do.
class Error : public std::runtime_error {
public:
    template <typename... Args>
    explicit Error(ErrorKind kind, fmt::format_string<Args...> format, Args&&... args)
        : std::runtime_error(fmt::format(format, std::forward<Args>(args)...)), kind_(kind) {}

    ErrorKind kind() const { return kind_; }

    /// How long the other side asked us to wait, when it did.
    std::optional<std::chrono::milliseconds> retry_after() const { return retry_after_; }
    Error& set_retry_after(std::chrono::milliseconds delay) {
        retry_after_ = delay;
        return *this;
    }

    /// The same error with `context` in front of its message ("package 17…, table orders: …").
    Error with_context(const std::string& context) const;

private:
    ErrorKind kind_;
    std::optional<std::chrono::milliseconds> retry_after_;
};

/// A defect of tipple itself. Only front ends catch it; nothing commits by itself, so it is safe to unwind.
class Bug : public std::logic_error {
public:
    using std::logic_error::logic_error;
};

/// Throws the Bug of a failed assertion; see TIPPLE_ASSERT.
[[noreturn]] void throw_bug(const char* condition, const char* file, int line);

/// The message of an errno value, e.g. "No space left on device".
std::string errno_text(int error_number);

}  // namespace tipple

/// On in every build. Never put a side effect into the condition.
#define TIPPLE_ASSERT(condition) \
    ((condition) ? static_cast<void>(0) : ::tipple::throw_bug(#condition, __FILE__, __LINE__))
