#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "tipple/core/error.h"

namespace tipple::normalize {

/// A row id as text, without allocation.
class RowId {
public:
    /// Room enough for ColumnBuilder::append_short_text.
    static constexpr std::size_t length_max = 32;
    std::string_view text() const { return {text_, length_}; }
    const char* data() const { return text_; }
    std::size_t size() const { return length_; }

private:
    friend class RowIdMaker;
    char text_[length_max] = {};
    std::size_t length_ = 0;
};

/// Makes row ids: a prefix drawn once per package, the page's number and the row's place among all rows that come of the page. So no two
/// rows of a package share an id, whatever their tables, an id does not depend on the number of workers, a page that is shredded again gives the same ids, and ids that follow one another share most of
/// their characters, which is what a column store compresses well (random ids were measured at a third of a load's time and half of the
/// file). Ids of one table sort like its rows.
class RowIdMaker {
public:
    static constexpr std::size_t prefix_length = 8;
    /// `prefix`: `prefix_length` characters. Throws Error(usage) when `page` is beyond 16.7 million.
    RowIdMaker(std::string_view prefix, std::uint64_t page) {
        TIPPLE_ASSERT(prefix.size() == prefix_length);
        std::memcpy(start_.text_, prefix.data(), prefix_length);
        if (page >= (std::uint64_t{1} << 24)) {
            throw Error(ErrorKind::usage, "one load cannot hold more than {} pages; load the input in parts",
                        std::uint64_t{1} << 24);
        }
        append(start_.text_ + prefix_length, page, page_digits);
        start_.length_ = prefix_length + page_digits;
    }

    /// What all ids of the page begin with.
    std::string prefix() const { return std::string(start_.text()); }

    void make(std::uint64_t row, RowId& id) const {
        id = start_;
        // Longer numbers have more digits, and the lengths differ, so no two rows share an id.
        const std::size_t digits = row < (std::uint64_t{1} << 18) ? 3 : 6;
        append(id.text_ + id.length_, row, digits);
        id.length_ += digits;
    }

private:
    static constexpr std::size_t page_digits = 4;
    static void append(char* out, std::uint64_t number, std::size_t digits) {
        // The base64 characters in the order of their codes.
        static constexpr char alphabet[] = "+/0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz";
        for (std::size_t i = digits; i-- > 0; number >>= 6) out[i] = alphabet[number & 63];
    }

    RowId start_;
};

}  // namespace tipple::normalize
