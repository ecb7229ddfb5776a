#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <string_view>
#include <vector>

#include "tipple/io/object_store.h"
#include "tipple/sources/files/settings.h"

namespace tipple::sources::files {

/// Files of a listing, of which there may be millions: their names lie one behind the other.
class FileList {
public:
    /// `replaces_us`: when the load was made whose rows of an earlier version go; 0 = none.
    void add(const io::ObjectInfo& file, std::int64_t replaces_us = 0);
    std::size_t size() const { return items_.size(); }
    std::uint64_t bytes() const { return bytes_; }
    io::ObjectInfo file(std::size_t index) const;
    std::int64_t replaces_us(std::size_t index) const { return items_[index].replaces_us; }

    void sort(Order order);
    /// Those from `count` on go.
    void truncate(std::size_t count);
    /// How many from the start hold no more than `bytes` together; at least one, when there is any.
    std::size_t count_within(std::uint64_t bytes) const;

private:
    struct Item {
        const char* text = nullptr;  ///< the key, then the tag
        std::uint32_t key_size = 0;
        std::uint32_t etag_size = 0;
        std::uint64_t size = 0;
        std::int64_t modified_ns = 0;
        std::int64_t replaces_us = 0;
        bool has_size = true;
        std::string_view key() const { return {text, key_size}; }
    };
    const char* keep(std::string_view key, std::string_view etag);

    std::deque<Item> items_;
    std::vector<std::unique_ptr<char[]>> texts_;
    std::size_t text_left_ = 0;
    std::uint64_t bytes_ = 0;
};

}  // namespace tipple::sources::files
