#include "tipple/io/http_read_file.h"

#include <algorithm>
#include <cstring>

#include "tipple/io/http_transfer.h"

namespace tipple::io {

namespace {

/// What is kept of an object while whoever reads it is slower than the network.
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;

class HttpReadFile final : public ReadFile {
public:
    HttpReadFile(HttpPool& pool, HttpObject object, std::stop_token stop) : pool_(pool), object_(std::move(object)), stop_(std::move(stop)) {}

    std::size_t read(char* out, std::size_t length) override {
        if (!transfer_) {
            transfer_.emplace(pool_, object_, 0, HttpTransfer::to_the_end, [this](std::string_view piece) {
                buffer_ += piece;
                return buffer_.size() < buffer_bytes;
            });
        }
        if (taken_ == buffer_.size()) {
            buffer_.clear();
            taken_ = 0;
            while (buffer_.empty() && transfer_->advance(stop_)) continue;
        }
        const std::size_t count = std::min(length, buffer_.size() - taken_);
        std::memcpy(out, buffer_.data() + taken_, count);
        taken_ += count;
        return count;
    }

    void read_at(std::uint64_t offset, char* out, std::size_t length) override {
        if (length == 0) return;
        std::size_t filled = 0;
        HttpTransfer transfer(pool_, object_, offset, offset + length, [&](std::string_view piece) {
            std::memcpy(out + filled, piece.data(), piece.size());
            filled += piece.size();
            return true;
        });
        while (filled < length && transfer.advance(stop_)) continue;
        if (filled < length) throw Error(ErrorKind::corrupt, "{} ends after {} bytes, expected at least {}", object_.name, offset + filled, offset + length);
    }

    std::uint64_t size() const override { return object_.size.value_or(0); }
    const std::string& path() const override { return object_.name; }

private:
    HttpPool& pool_;
    const HttpObject object_;
    const std::stop_token stop_;
    std::string buffer_;
    std::size_t taken_ = 0;
    std::optional<HttpTransfer> transfer_;
};

}  // namespace

std::unique_ptr<ReadFile> open_http_file(HttpPool& pool, HttpObject object, std::stop_token stop) {
    return std::make_unique<HttpReadFile>(pool, std::move(object), std::move(stop));
}

}  // namespace tipple::io
