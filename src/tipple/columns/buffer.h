#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <memory>
#include <utility>

namespace tipple::columns {

/// Growable bytes, aligned to 64 as Arrow asks. New bytes are not initialised. Moves, never copies.
class Buffer {
public:
    static constexpr std::size_t alignment = 64;

    Buffer() = default;
    Buffer(Buffer&& other) noexcept
        : data_(std::exchange(other.data_, nullptr)),
          size_(std::exchange(other.size_, 0)),
          capacity_(std::exchange(other.capacity_, 0)),
          owner_(std::move(other.owner_)) {}
    Buffer& operator=(Buffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(owner_, other.owner_);
        return *this;
    }
    ~Buffer();
    /// Bytes of somebody else, which are there as long as `owner` and are never written: growing copies them, so the capacity is 0.
    static Buffer borrow(const std::uint8_t* data, std::size_t size, std::shared_ptr<const void> owner);

    std::uint8_t* data() { return data_; }
    const std::uint8_t* data() const { return data_; }
    std::size_t size() const { return size_; }
    std::size_t capacity() const { return capacity_; }
    bool empty() const { return size_ == 0; }

    /// Room for `bytes` in all, at least doubling when there are bytes that grow.
    void reserve(std::size_t bytes) {
        if (bytes > capacity_) grow(bytes);
    }
    /// Sets the size; new bytes are not initialised.
    void resize(std::size_t bytes) {
        reserve(bytes);
        size_ = bytes;
    }
    /// Sets the size; new bytes are zero.
    void resize_zeroed(std::size_t bytes) {
        const std::size_t old = size_;
        resize(bytes);
        if (bytes > old) std::memset(data_ + old, 0, bytes - old);
    }
    /// Appends `bytes` uninitialised bytes and returns where they start. Valid until the buffer grows again.
    std::uint8_t* extend(std::size_t bytes) {
        const std::size_t old = size_;
        resize(old + bytes);
        return data_ + old;
    }
    void append(const void* bytes, std::size_t count) {
        if (count > 0) std::memcpy(extend(count), bytes, count);
    }
    template <typename T>
    void push(T value) {
        static_assert(std::is_trivially_copyable_v<T>);
        std::memcpy(extend(sizeof(T)), &value, sizeof(T));
    }
    template <typename T>
    const T* as() const {
        return reinterpret_cast<const T*>(data_);
    }
    template <typename T>
    T* as() {
        return reinterpret_cast<T*>(data_);
    }

    /// Size 0; keeps the memory.
    void clear() { size_ = 0; }
    /// Gives the memory back.
    void reset() { Buffer().swap(*this); }
    void swap(Buffer& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        std::swap(capacity_, other.capacity_);
        std::swap(owner_, other.owner_);
    }

private:
    void grow(std::size_t bytes);

    std::uint8_t* data_ = nullptr;
    std::size_t size_ = 0;
    std::size_t capacity_ = 0;
    std::shared_ptr<const void> owner_;  ///< of bytes that are borrowed
};

/// Bitmaps as Arrow has them: bit `index` is bit `index & 7` of byte `index >> 3`. The caller sees to it that the byte is there.
inline bool get_bit(const std::uint8_t* bits, std::size_t index) {
    return ((bits[index >> 3] >> (index & 7)) & 1) != 0;
}
inline void set_bit(std::uint8_t* bits, std::size_t index) {
    bits[index >> 3] = static_cast<std::uint8_t>(bits[index >> 3] | (1U << (index & 7)));
}
inline void clear_bit(std::uint8_t* bits, std::size_t index) {
    bits[index >> 3] = static_cast<std::uint8_t>(bits[index >> 3] & ~(1U << (index & 7)));
}
inline std::size_t bitmap_bytes(std::size_t bits) { return (bits + 7) / 8; }

/// Set bits among the `count` ones from `from` on.
std::size_t count_set_bits(const std::uint8_t* bits, std::size_t from, std::size_t count);
/// Copies `count` bits to position `to` of `target`, which has room; bits of `target` before `to` stay.
void copy_bits(const std::uint8_t* source, std::size_t from, std::uint8_t* target, std::size_t to, std::size_t count);

}  // namespace tipple::columns
