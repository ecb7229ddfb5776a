#include "tipple/columns/spare_batches.h"

#include <utility>

namespace tipple::columns {

void SpareBatches::give(std::unique_ptr<Batch> batch) {
    const std::scoped_lock lock(mutex_);
    if (!is_closed_ && batches_.size() < most) batches_.push_back(std::move(batch));
}

std::unique_ptr<Batch> SpareBatches::take() {
    const std::scoped_lock lock(mutex_);
    if (batches_.empty()) return nullptr;
    std::unique_ptr<Batch> batch = std::move(batches_.back());
    batches_.pop_back();
    return batch;
}

void SpareBatches::close() {
    const std::scoped_lock lock(mutex_);
    is_closed_ = true;
    batches_.clear();
}

}  // namespace tipple::columns
