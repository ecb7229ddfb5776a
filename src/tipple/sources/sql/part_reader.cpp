#include "tipple/sources/sql/part_reader.h"

#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>

namespace tipple::sources::sql {

namespace {

/// A record's cost where nobody counts: as the pipeline takes it.
constexpr std::size_t record_bytes = 1'000;

/// Parts between those who read them and the one who takes their rows.
class PartBoard {
public:
    PartBoard(std::size_t parts, std::size_t waiting_bytes_max) : parts_(parts), waiting_bytes_max_(waiting_bytes_max) {}

    /// A part that nobody reads yet; nothing when there is none, or no more is wanted.
    std::optional<std::size_t> claim() {
        const std::lock_guard lock(mutex_);
        if (is_over_ || claimed_ == parts_.size()) return std::nullopt;
        return claimed_++;
    }

    /// Waits while too much waits already, but for the rows that are wanted next. False when no more is wanted.
    bool put(std::size_t part, Rows rows, const std::stop_token& stop) {
        const std::size_t bytes = byte_size(rows);
        std::unique_lock lock(mutex_);
        changed_.wait(lock, stop, [&] { return is_over_ || (part == head_ && parts_[part].rows.empty()) || waiting_bytes_ + bytes <= waiting_bytes_max_; });
        if (is_over_ || stop.stop_requested()) return false;
        waiting_bytes_ += bytes;
        parts_[part].rows.push_back(std::move(rows));
        changed_.notify_all();
        return true;
    }

    void end(std::size_t part) {
        const std::lock_guard lock(mutex_);
        parts_[part].is_ended = true;
        changed_.notify_all();
    }

    /// The next rows in the order of the parts; nothing at the end, or when it was stopped.
    std::optional<Rows> take(const std::stop_token& stop) {
        std::unique_lock lock(mutex_);
        while (head_ < parts_.size()) {
            Part& part = parts_[head_];
            changed_.wait(lock, stop, [&] { return part.is_ended || !part.rows.empty(); });
            if (stop.stop_requested()) return std::nullopt;
            if (!part.rows.empty()) {
                Rows rows = std::move(part.rows.front());
                part.rows.pop_front();
                waiting_bytes_ -= byte_size(rows);
                changed_.notify_all();
                return rows;
            }
            ++head_;
            changed_.notify_all();
        }
        return std::nullopt;
    }

    void finish() {
        const std::lock_guard lock(mutex_);
        is_over_ = true;
        changed_.notify_all();
    }

private:
    struct Part {
        std::deque<Rows> rows;
        bool is_ended = false;
    };

    std::mutex mutex_;
    std::condition_variable_any changed_;
    std::vector<Part> parts_;
    const std::size_t waiting_bytes_max_;
    std::size_t waiting_bytes_ = 0;
    std::size_t claimed_ = 0;
    std::size_t head_ = 0;
    bool is_over_ = false;
};

}  // namespace

std::size_t byte_size(const Rows& rows) {
    const auto* batch = std::get_if<columns::Batch>(&rows);
    return batch != nullptr ? batch->byte_size() : std::get<std::vector<schema::Value>>(rows).size() * record_bytes;
}

std::size_t row_count(const Rows& rows) {
    const auto* batch = std::get_if<columns::Batch>(&rows);
    return batch != nullptr ? batch->rows : std::get<std::vector<schema::Value>>(rows).size();
}

void read_parts(const PartsJob& job, const std::vector<Database*>& connections, const extract::ResourceContext& context, const std::function<bool(Rows)>& take) {
    PartBoard board(job.parts.size(), job.waiting_bytes_max);
    std::vector<extract::Task> tasks;
    tasks.push_back([&](const std::stop_token& stop) {
        while (std::optional<Rows> rows = board.take(stop)) {
            if (!take(*std::move(rows))) break;
        }
        board.finish();
    });
    for (Database* connection : connections) {
        tasks.push_back([&, connection](const std::stop_token& stop) {
            while (const std::optional<std::size_t> part = board.claim()) {
                connection->read(job.parts[*part], job.batch_rows, job.batch_bytes, stop, [&](Rows rows) { return board.put(*part, std::move(rows), stop); });
                board.end(*part);
            }
        });
    }
    context.run_together(std::move(tasks));
    if (context.stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
}

}  // namespace tipple::sources::sql
