#include "tipple/columns/buffer.h"

#include <algorithm>
#include <bit>
#include <cstdlib>
#include <new>

namespace tipple::columns {

Buffer::~Buffer() {
    if (owner_ == nullptr) std::free(data_);
}

Buffer Buffer::borrow(const std::uint8_t* data, std::size_t size, std::shared_ptr<const void> owner) {
    Buffer buffer;
    // Whoever writes asks for room first, and gets a copy.
    buffer.data_ = const_cast<std::uint8_t*>(data);
    buffer.size_ = size;
    buffer.owner_ = std::move(owner);
    return buffer;
}

void Buffer::grow(std::size_t bytes) {
    std::size_t wanted = size_ == 0 ? bytes : std::max(bytes, capacity_ * 2);
    wanted = std::max<std::size_t>((wanted + alignment - 1) / alignment * alignment, 256);
    auto* data = static_cast<std::uint8_t*>(std::aligned_alloc(alignment, wanted));
    if (data == nullptr) throw std::bad_alloc();
    if (size_ > 0) std::memcpy(data, data_, size_);
    if (owner_ == nullptr) std::free(data_);
    owner_.reset();
    data_ = data;
    capacity_ = wanted;
}

std::size_t count_set_bits(const std::uint8_t* bits, std::size_t from, std::size_t count) {
    std::size_t set = 0;
    std::size_t i = from;
    const std::size_t end = from + count;
    while (i < end && (i & 7) != 0) set += get_bit(bits, i++) ? 1 : 0;
    for (; i + 64 <= end; i += 64) {
        std::uint64_t word = 0;
        std::memcpy(&word, bits + i / 8, 8);
        set += static_cast<std::size_t>(std::popcount(word));
    }
    while (i < end) set += get_bit(bits, i++) ? 1 : 0;
    return set;
}

void copy_bits(const std::uint8_t* source, std::size_t from, std::uint8_t* target, std::size_t to, std::size_t count) {
    std::size_t i = 0;
    for (; i < count && ((to + i) & 7) != 0; ++i) {
        get_bit(source, from + i) ? set_bit(target, to + i) : clear_bit(target, to + i);
    }
    const std::size_t shift = (from + i) & 7;
    const std::uint8_t* in = source + (from + i) / 8;
    std::uint8_t* out = target + (to + i) / 8;
    if (shift == 0) {
        const std::size_t bytes = (count - i) / 8;
        std::memcpy(out, in, bytes);
        i += bytes * 8;
    } else {
        for (; i + 8 <= count; i += 8, ++in, ++out) {
            *out = static_cast<std::uint8_t>((in[0] >> shift) | (in[1] << (8 - shift)));
        }
    }
    for (; i < count; ++i) {
        get_bit(source, from + i) ? set_bit(target, to + i) : clear_bit(target, to + i);
    }
}

}  // namespace tipple::columns
