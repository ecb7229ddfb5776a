#include "tipple/format/flat_table.h"

#include "tipple/core/error.h"

namespace tipple::format {

namespace {

[[noreturn]] void fail(const char* what) {
    throw Error(ErrorKind::corrupt, "damaged Arrow metadata: {}", what);
}

}  // namespace

std::size_t FlatBuffer::require(std::size_t position, std::size_t length) const {
    if (position > bytes_.size() || bytes_.size() - position < length) {
        fail("an offset leads outside of it");
    }
    return position;
}

std::size_t FlatBuffer::follow(std::size_t position) const {
    const auto offset = load<std::uint32_t>(position);
    if (offset == 0) fail("an offset is zero");
    return position + offset;
}

void FlatBuffer::spend(std::size_t bytes) {
    if (bytes > reads_left_) fail("its parts overlap");
    reads_left_ -= bytes;
}

FlatTable FlatBuffer::root() {
    return {*this, follow(0)};
}

FlatTable::FlatTable(FlatBuffer& buffer, std::size_t position)
    : buffer_(&buffer), position_(position) {
    buffer.spend(4);
    const std::int64_t vtable =
        static_cast<std::int64_t>(position) - buffer.load<std::int32_t>(position);
    if (vtable < 0) fail("a table begins before it");
    vtable_ = static_cast<std::size_t>(vtable);
    vtable_bytes_ = buffer.load<std::uint16_t>(vtable_);
    bytes_ = buffer.load<std::uint16_t>(vtable_ + 2);
    if (vtable_bytes_ < 4) fail("a table's description is too short");
    buffer.require(vtable_, vtable_bytes_);
    buffer.require(position_, bytes_);
}

std::size_t FlatTable::find(int field, std::size_t bytes) const {
    const std::size_t slot = 4 + 2 * static_cast<std::size_t>(field);
    if (slot + 2 > vtable_bytes_) return 0;
    const std::size_t offset = buffer_->load<std::uint16_t>(vtable_ + slot);
    if (offset == 0) return 0;
    if (offset < 4 || offset + bytes > bytes_) fail("a member leads outside of its table");
    return position_ + offset;
}

std::optional<FlatTable> FlatTable::table(int field) const {
    const std::size_t at = find(field, 4);
    if (at == 0) return std::nullopt;
    return FlatTable(*buffer_, buffer_->follow(at));
}

std::string_view FlatTable::text(int field) const {
    const std::size_t at = find(field, 4);
    if (at == 0) return {};
    const std::size_t position = buffer_->follow(at);
    const std::size_t length = buffer_->load<std::uint32_t>(position);
    buffer_->spend(length);
    return buffer_->bytes_.substr(buffer_->require(position + 4, length), length);
}

FlatVector FlatTable::vector(int field, std::size_t element_bytes) const {
    const std::size_t at = find(field, 4);
    if (at == 0) return {};
    return {*buffer_, buffer_->follow(at), element_bytes};
}

FlatVector::FlatVector(FlatBuffer& buffer, std::size_t position, std::size_t element_bytes)
    : buffer_(&buffer),
      start_(position + 4),
      size_(buffer.load<std::uint32_t>(position)),
      element_bytes_(element_bytes) {
    // 32 bits times a small size: no overflow in 64.
    buffer.require(start_, size_ * element_bytes);
    buffer.spend(size_ * element_bytes);
}

FlatTable FlatVector::table(std::size_t index) const {
    return {*buffer_, buffer_->follow(start_ + index * element_bytes_)};
}

}  // namespace tipple::format
