#include "tipple/core/memory_budget.h"

#include <algorithm>
#include <utility>

#include "tipple/core/error.h"

namespace tipple {

bool MemoryBudget::acquire(std::size_t bytes, std::stop_token stop) {
    std::unique_lock lock(mutex_);
    released_.wait(lock, stop, [&] { return held_ == 0 || held_ + bytes <= limit_; });
    if (stop.stop_requested()) return false;
    held_ += bytes;
    peak_ = std::max(peak_, held_);
    return true;
}

void MemoryBudget::take(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    held_ += bytes;
    peak_ = std::max(peak_, held_);
}

void MemoryBudget::release(std::size_t bytes) {
    const std::lock_guard lock(mutex_);
    TIPPLE_ASSERT(held_ >= bytes);
    held_ -= bytes;
    released_.notify_all();
}

std::size_t MemoryBudget::held() const {
    const std::lock_guard lock(mutex_);
    return held_;
}

std::size_t MemoryBudget::peak() const {
    const std::lock_guard lock(mutex_);
    return peak_;
}

MemoryHold::MemoryHold(MemoryHold&& other) noexcept
    : budget_(std::exchange(other.budget_, nullptr)), bytes_(std::exchange(other.bytes_, 0)) {}

MemoryHold& MemoryHold::operator=(MemoryHold&& other) noexcept {
    if (this != &other) {
        reset();
        budget_ = std::exchange(other.budget_, nullptr);
        bytes_ = std::exchange(other.bytes_, 0);
    }
    return *this;
}

void MemoryHold::resize(std::size_t bytes) {
    TIPPLE_ASSERT(budget_ != nullptr);
    if (bytes > bytes_) budget_->take(bytes - bytes_);
    if (bytes < bytes_) budget_->release(bytes_ - bytes);
    bytes_ = bytes;
}

void MemoryHold::reset() {
    if (budget_ != nullptr && bytes_ > 0) budget_->release(bytes_);
    budget_ = nullptr;
    bytes_ = 0;
}

}  // namespace tipple
