#pragma once

#include <memory>
#include <mutex>
#include <vector>

#include "tipple/columns/column.h"

namespace tipple::columns {

/// Batches that nobody needs any more, whose memory is used again: where large batches follow each other, taking it anew costs page faults, and what the
/// allocator keeps of the old ones grows with their number. Thread-safe.
class SpareBatches {
public:
    /// Keeps the batch, unless enough of them wait or `close` was called.
    void give(std::unique_ptr<Batch> batch);

    /// One that was given, as it was given; nothing when there is none.
    std::unique_ptr<Batch> take();

    /// Frees all and keeps none from now on.
    void close();

private:
    /// A thread takes one while it still holds one, and rarely while another does, too: more would be kept for nothing.
    static constexpr std::size_t most = 1;

    std::mutex mutex_;
    std::vector<std::unique_ptr<Batch>> batches_;
    bool is_closed_ = false;
};

}  // namespace tipple::columns
