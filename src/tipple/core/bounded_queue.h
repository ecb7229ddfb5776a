#pragma once

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <stop_token>
#include <utility>

#include "tipple/core/error.h"

namespace tipple {

/// Hands values from producers to consumers; a full queue blocks producers, which is the back-pressure of a run.
/// All calls are thread-safe. A stop request wakes every waiter.
template <typename T>
class BoundedQueue {
public:
    explicit BoundedQueue(std::size_t capacity) : capacity_(capacity) {
        TIPPLE_ASSERT(capacity > 0);
    }

    /// Waits for room. False when the queue was closed or `stop` requested; `value` is then dropped.
    bool push(T value, std::stop_token stop) {
        std::unique_lock lock(mutex_);
        not_full_.wait(lock, stop, [&] { return closed_ || values_.size() < capacity_; });
        if (closed_ || stop.stop_requested()) return false;
        values_.push_back(std::move(value));
        not_empty_.notify_one();
        return true;
    }

    /// Waits for a value. Empty when the queue is closed and drained, or `stop` requested.
    std::optional<T> pop(std::stop_token stop) {
        std::unique_lock lock(mutex_);
        not_empty_.wait(lock, stop, [&] { return closed_ || !values_.empty(); });
        if (stop.stop_requested() || values_.empty()) return std::nullopt;
        std::optional<T> value(std::move(values_.front()));
        values_.pop_front();
        not_full_.notify_one();
        return value;
    }

    /// No more pushes; consumers drain what is there.
    void close() {
        const std::lock_guard lock(mutex_);
        closed_ = true;
        not_empty_.notify_all();
        not_full_.notify_all();
    }

    std::size_t capacity() const { return capacity_; }

private:
    const std::size_t capacity_;
    std::mutex mutex_;
    std::condition_variable_any not_empty_;
    std::condition_variable_any not_full_;
    std::deque<T> values_;
    bool closed_ = false;
};

}  // namespace tipple
