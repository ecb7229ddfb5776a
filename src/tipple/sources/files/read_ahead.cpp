#include "tipple/sources/files/read_ahead.h"

#include <algorithm>
#include <cstring>
#include <deque>
#include <string>
#include <utility>

#include "tipple/core/error.h"

namespace tipple::sources::files {

namespace {

/// What is read at once.
constexpr std::size_t piece_bytes = std::size_t{256} << 10;

}  // namespace

/// A file of which the beginning has been read.
class ReadAhead::File final : public io::ReadFile {
public:
    explicit File(std::unique_ptr<io::ReadFile> file) : file_(std::move(file)) {}

    /// One piece more; its size, 0 at the end.
    std::size_t fetch() {
        std::string piece(piece_bytes, '\0');
        const std::size_t got = file_->read(piece.data(), piece.size());
        if (got == 0) {
            is_at_end_ = true;
            return 0;
        }
        piece.resize(got);
        piece.shrink_to_fit();
        pieces_.push_back(std::move(piece));
        bytes_ += got;
        return got;
    }
    std::uint64_t bytes() const { return bytes_; }

    std::size_t read(char* out, std::size_t length) override {
        if (pieces_.empty()) return is_at_end_ ? 0 : file_->read(out, length);
        const std::string& piece = pieces_.front();
        const std::size_t count = std::min(length, piece.size() - taken_);
        std::memcpy(out, piece.data() + taken_, count);
        taken_ += count;
        if (taken_ == piece.size()) {
            pieces_.pop_front();
            taken_ = 0;
        }
        return count;
    }
    void read_at(std::uint64_t offset, char* out, std::size_t length) override { file_->read_at(offset, out, length); }
    std::uint64_t size() const override { return file_->size(); }
    const std::string& path() const override { return file_->path(); }

private:
    std::unique_ptr<io::ReadFile> file_;
    std::deque<std::string> pieces_;
    std::size_t taken_ = 0;  ///< of the first piece
    std::uint64_t bytes_ = 0;
    bool is_at_end_ = false;
};

ReadAhead::ReadAhead(const Place& place, const FileList& files, Limits limits) : place_(place), files_(files), limits_(limits) {}
ReadAhead::~ReadAhead() = default;

void ReadAhead::fetch(const std::stop_token& stop) {
    const std::stop_callback forward(stop, [this] { finish(); });
    std::unique_lock lock(mutex_);
    while (true) {
        next_ = std::max(next_, turn_ + 1);
        if (is_finished_ || next_ >= files_.size()) return;
        if (waiting_.size() >= limits_.files || bytes_ >= limits_.bytes) {
            changed_.wait(lock);
            continue;
        }
        const std::size_t index = next_++;
        fetching_ = index;
        lock.unlock();
        try {
            fetch_one(index);
        } catch (const std::exception&) {
            // Whoever reads it meets the same, and says so. Nothing may pass, or who waits for this file would wait for ever.
        }
        lock.lock();
        fetching_.reset();
        changed_.notify_all();
    }
}

void ReadAhead::fetch_one(std::size_t index) {
    std::optional<io::ObjectInfo> info = place_.find(files_.file(index).key, cancel_.get_token());
    if (!info) return;
    auto file = std::make_unique<File>(place_.open_file(*info, cancel_.get_token()));
    while (wants_more(index, file->bytes()) && file->fetch() > 0) continue;
    const std::lock_guard lock(mutex_);
    bytes_ += file->bytes();
    waiting_.emplace(index, Waiting{.info = std::move(*info), .file = std::move(file)});
}

/// `bytes`: what has come of the file.
bool ReadAhead::wants_more(std::size_t index, std::uint64_t bytes) {
    const std::lock_guard lock(mutex_);
    return !is_finished_ && turn_ < index && bytes_ + bytes < limits_.bytes;
}

std::optional<ReadAhead::Fetched> ReadAhead::take(std::size_t index) {
    std::unique_lock lock(mutex_);
    turn_ = index;
    changed_.notify_all();
    changed_.wait(lock, [&] { return fetching_ != index; });
    std::optional<Fetched> fetched;
    if (const auto found = waiting_.find(index); found != waiting_.end()) {
        bytes_ -= found->second.file->bytes();
        fetched = Fetched{.info = std::move(found->second.info), .file = std::move(found->second.file)};
        waiting_.erase(found);
    }
    changed_.notify_all();
    return fetched;
}

void ReadAhead::finish() {
    {
        const std::lock_guard lock(mutex_);
        is_finished_ = true;
    }
    cancel_.request_stop();
    changed_.notify_all();
}

}  // namespace tipple::sources::files
