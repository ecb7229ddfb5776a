#pragma once

#include <condition_variable>
#include <cstddef>
#include <mutex>
#include <stop_token>

namespace tipple {

/// A number of bytes that holders share. Thread-safe.
///
/// Whoever holds the oldest unfinished work may always `take` more (it is what frees memory in the end); everyone else
/// waits in `acquire`. So the total may exceed the budget by the needs of one holder, and it never deadlocks.
class MemoryBudget {
public:
    explicit MemoryBudget(std::size_t limit_bytes) : limit_(limit_bytes) {}

    /// Waits until `bytes` fit, or nothing at all is held. False when `stop` was requested.
    bool acquire(std::size_t bytes, std::stop_token stop);
    /// Takes without waiting.
    void take(std::size_t bytes);
    void release(std::size_t bytes);

    std::size_t limit() const { return limit_; }
    std::size_t held() const;
    std::size_t peak() const;

private:
    const std::size_t limit_;
    mutable std::mutex mutex_;
    std::condition_variable_any released_;
    std::size_t held_ = 0;
    std::size_t peak_ = 0;
};

/// Bytes of a budget held by one owner; given back on destruction. Moves, never copies.
class MemoryHold {
public:
    MemoryHold() = default;
    /// Adopts `bytes` that were acquired or taken before.
    MemoryHold(MemoryBudget& budget, std::size_t bytes) : budget_(&budget), bytes_(bytes) {}
    MemoryHold(MemoryHold&& other) noexcept;
    MemoryHold& operator=(MemoryHold&& other) noexcept;
    ~MemoryHold() { reset(); }

    /// Changes what is held without waiting.
    void resize(std::size_t bytes);
    void reset();
    std::size_t bytes() const { return bytes_; }

private:
    MemoryBudget* budget_ = nullptr;
    std::size_t bytes_ = 0;
};

}  // namespace tipple
