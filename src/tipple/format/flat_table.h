#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <string_view>

namespace tipple::format {

class FlatTable;
class FlatVector;

/// A flatbuffer that may be any bytes. Tables and vectors point into it, so it stays where it is
/// while they are used. Everything below throws Error(corrupt) instead of reading outside of it.
///
/// Parts of a damaged buffer may overlap, so that a short one can describe work without end. What
/// is read is therefore counted, and more than a few times the buffer's size is refused.
class FlatBuffer {
public:
    explicit FlatBuffer(std::string_view bytes) : bytes_(bytes), reads_left_(bytes.size() * 4) {}
    FlatBuffer(const FlatBuffer&) = delete;
    FlatBuffer& operator=(const FlatBuffer&) = delete;

    FlatTable root();

private:
    friend class FlatTable;
    friend class FlatVector;

    template <typename T>
    T load(std::size_t position) const {
        T value;
        std::memcpy(&value, bytes_.data() + require(position, sizeof(T)), sizeof(T));
        return value;
    }
    /// `position`, once it is sure that `length` bytes are there.
    std::size_t require(std::size_t position, std::size_t length) const;
    /// Where the offset stored at `position` leads.
    std::size_t follow(std::size_t position) const;
    void spend(std::size_t bytes);

    std::string_view bytes_;
    std::size_t reads_left_;
};

class FlatTable {
public:
    FlatTable(FlatBuffer& buffer, std::size_t position);

    /// The member with this number in the schema's order, or `fallback` when it is left out.
    template <typename T>
    T scalar(int field, T fallback) const {
        const std::size_t at = find(field, sizeof(T));
        return at == 0 ? fallback : buffer_->load<T>(at);
    }
    std::optional<FlatTable> table(int field) const;
    /// Empty when it is left out.
    std::string_view text(int field) const;
    FlatVector vector(int field, std::size_t element_bytes) const;

private:
    /// Position of a member of `bytes` bytes, or 0.
    std::size_t find(int field, std::size_t bytes) const;

    FlatBuffer* buffer_;
    std::size_t position_;
    std::size_t bytes_ = 0;
    std::size_t vtable_ = 0;
    std::size_t vtable_bytes_ = 0;
};

class FlatVector {
public:
    FlatVector() = default;
    FlatVector(FlatBuffer& buffer, std::size_t position, std::size_t element_bytes);

    std::size_t size() const { return size_; }
    /// Of a vector of tables.
    FlatTable table(std::size_t index) const;
    /// A member of a vector of structs.
    template <typename T>
    T member(std::size_t index, std::size_t offset) const {
        return buffer_->load<T>(start_ + index * element_bytes_ + offset);
    }

private:
    FlatBuffer* buffer_ = nullptr;
    std::size_t start_ = 0;
    std::size_t size_ = 0;
    std::size_t element_bytes_ = 0;
};

}  // namespace tipple::format
