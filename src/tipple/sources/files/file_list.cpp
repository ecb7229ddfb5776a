#include "tipple/sources/files/file_list.h"

#include <algorithm>
#include <cstring>
#include <tuple>

namespace tipple::sources::files {

namespace {

constexpr std::size_t text_block_bytes = std::size_t{256} << 10;

}  // namespace

const char* FileList::keep(std::string_view key, std::string_view etag) {
    const std::size_t size = key.size() + etag.size();
    if (size > text_left_ || texts_.empty()) {
        text_left_ = std::max(size, text_block_bytes);
        texts_.push_back(std::make_unique<char[]>(text_left_));
    }
    text_left_ -= size;
    char* text = texts_.back().get() + text_left_;
    std::memcpy(text, key.data(), key.size());
    std::memcpy(text + key.size(), etag.data(), etag.size());
    return text;
}

void FileList::add(const io::ObjectInfo& file, std::int64_t replaces_us) {
    items_.push_back({.text = keep(file.key, file.etag),
                      .key_size = static_cast<std::uint32_t>(file.key.size()),
                      .etag_size = static_cast<std::uint32_t>(file.etag.size()),
                      .size = file.size,
                      .modified_ns = file.modified_ns,
                      .replaces_us = replaces_us,
                      .has_size = file.has_size});
    bytes_ += file.size;
}

io::ObjectInfo FileList::file(std::size_t index) const {
    const Item& item = items_[index];
    return {.key = std::string(item.key()),
            .size = item.size,
            .modified_ns = item.modified_ns,
            .etag = std::string(item.text + item.key_size, item.etag_size),
            .has_size = item.has_size};
}

void FileList::sort(Order order) {
    std::sort(items_.begin(), items_.end(), [&](const Item& a, const Item& b) {
        if (order == Order::modified && a.modified_ns != b.modified_ns) return a.modified_ns < b.modified_ns;
        return a.key() < b.key();
    });
}

void FileList::truncate(std::size_t count) {
    for (std::size_t i = count; i < items_.size(); ++i) bytes_ -= items_[i].size;
    if (count < items_.size()) items_.erase(items_.begin() + static_cast<std::ptrdiff_t>(count), items_.end());
}

std::size_t FileList::count_within(std::uint64_t bytes) const {
    std::uint64_t sum = 0;
    for (std::size_t i = 0; i < items_.size(); ++i) {
        sum += items_[i].size;
        if (sum > bytes) return std::max<std::size_t>(i, 1);
    }
    return items_.size();
}

}  // namespace tipple::sources::files
