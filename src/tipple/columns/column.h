#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/buffer.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/schema.h"

/// Columns in memory, laid out exactly as Arrow arrays: validity bitmap, int32 offsets, values.
namespace tipple::columns {

using schema::DataType;
__extension__ typedef __int128 int128;
__extension__ typedef unsigned __int128 uint128;

/// What the values of a column are. Two columns with equal types have equal Arrow types.
struct ColumnType {
    DataType type = DataType::text;
    int precision = 0;      ///< decimal: digits, 1 to 38
    int scale = 0;          ///< decimal: digits behind the point
    bool timezone = true;   ///< timestamp: UTC point in time, or wall clock
    // Of timestamps and dates, the greatest number and its negative mean that they are infinite, as in the engine.
    bool operator==(const ColumnType&) const = default;
};

/// The type of a complete schema column; decimals without hints are (38, 9), wei (38, 0).
ColumnType column_type(const schema::Column& column);

/// How values lie in the values buffer.
enum class Layout : std::uint8_t {
    bits,    ///< bool
    int32,   ///< date
    int64,   ///< bigint, timestamp, time
    float64,
    decimal,  ///< decimal, wei: 128-bit
    bytes,   ///< text, json, binary: offsets and bytes
};
Layout layout_of(DataType type);
/// Bytes of one value; 0 for bits and bytes.
std::size_t value_width(Layout layout);

/// Nanoseconds of one time beyond its microseconds, which are all that a column has room for.
struct Fraction {
    std::size_t row = 0;
    std::int16_t ns = 0;  ///< 1 to 999
};

/// Borrowed buffers of one column. Valid as long as their owner is not changed.
struct ColumnView {
    ColumnType type;
    std::size_t length = 0;
    std::size_t null_count = 0;
    /// A constant column holds its one value at index 0 and means it for every row. Never null.
    bool is_constant = false;
    const std::uint8_t* validity = nullptr;  ///< nullptr when there are no nulls
    const std::int32_t* offsets = nullptr;   ///< Layout::bytes: length + 1 of them, the first 0
    const std::uint8_t* values = nullptr;
    /// Of times: the values that the source had more exactly, by row. They go as far as to whoever decides about them, and are never loaded.
    std::span<const Fraction> fractions = {};

    bool is_null(std::size_t row) const { return validity != nullptr && !get_bit(validity, row); }
    std::string_view text(std::size_t row) const {
        const std::size_t at = is_constant ? 0 : row;
        return {reinterpret_cast<const char*>(values) + offsets[at],
                static_cast<std::size_t>(offsets[at + 1] - offsets[at])};
    }
    template <typename T>
    T value(std::size_t row) const {
        T result;
        std::memcpy(&result, values + sizeof(T) * (is_constant ? 0 : row), sizeof(T));
        return result;
    }
    /// Of `fractions`; 0 where there is none.
    std::int16_t nanoseconds(std::size_t row) const;
    bool boolean(std::size_t row) const { return get_bit(values, is_constant ? 0 : row); }
    /// Bytes of all buffers.
    std::size_t byte_size() const;
};

/// Builds one column value by value, and holds it afterwards. Not thread-safe.
///
/// Appends are inline and check nothing but capacity; the caller appends what fits the type. Rows that were left out are padded with
/// nulls by `pad_to`.
class ColumnBuilder {
public:
    explicit ColumnBuilder(ColumnType type);

    const ColumnType& type() const { return type_; }
    Layout layout() const { return layout_; }
    std::size_t length() const { return length_; }
    std::size_t null_count() const { return null_count_; }

    void append_null() { append_nulls(1); }
    void append_nulls(std::size_t count);
    void pad_to(std::size_t length) {
        if (length > length_) append_nulls(length - length_);
    }

    void append_int64(std::int64_t value) { append_fixed(value); }
    void append_int32(std::int32_t value) { append_fixed(value); }
    void append_double(double value) { append_fixed(value); }
    void append_int128(int128 value) { append_fixed(value); }
    /// Microseconds of a time, and the nanoseconds beyond them, 0 to 999.
    void append_time(std::int64_t us, std::int16_t ns) {
        if (ns != 0) mark_fraction(length_, ns);
        append_int64(us);
    }
    /// The same of a time in nanoseconds.
    void append_nanoseconds(std::int64_t ns) {
        append_time(schema::civil::floor_div(ns, 1'000), static_cast<std::int16_t>(schema::civil::floor_mod(ns, 1'000)));
    }
    void append_bool(bool value) {
        if ((length_ & 7) == 0) values_.push<std::uint8_t>(0);
        if (value) set_bit(values_.data(), length_);
        mark_valid();
    }
    void append_text(std::string_view text) {
        char* out = begin_text(text.size());
        if (!text.empty()) std::memcpy(out, text.data(), text.size());
        end_text(text.size());
    }
    /// Short text whose first 32 bytes can be read whatever its length: one copy of a fixed size.
    void append_short_text(const char* text, std::size_t length) {
        std::memcpy(begin_text(32), text, 32);
        end_text(length);
    }
    /// Two steps for text that is produced in place: room for `length_max` bytes, then its real length. Sixteen more bytes may be
    /// overwritten in between.
    char* begin_text(std::size_t length_max) {
        const std::size_t used = values_.size();
        values_.reserve(used + length_max + 16);
        return reinterpret_cast<char*>(values_.data()) + used;
    }
    /// More room for the text that was begun, of which `kept` bytes are there already.
    char* extend_text(std::size_t kept, std::size_t length_max) {
        const std::size_t used = values_.size();
        values_.resize(used + kept);
        values_.reserve(used + length_max + 16);
        values_.resize(used);
        return reinterpret_cast<char*>(values_.data()) + used;
    }
    void end_text(std::size_t length) {
        const std::size_t end = values_.size() + length;
        if (end > limits::text_buffer_bytes_max) fail_too_long();
        values_.resize(end);
        offsets_.push(static_cast<std::int32_t>(end));
        mark_valid();
    }

    /// Room for `rows` rows in all and, for Layout::bytes, `text_bytes` bytes of text in all, so that appending them moves nothing.
    void reserve(std::size_t rows, std::size_t text_bytes);

    /// Appends `rows` rows of another column of the same type from `from` on.
    void append_rows(const ColumnView& source, std::size_t from, std::size_t rows);

    /// For readers that fill buffers themselves, in this order: values (bytes of `rows` values, or the text bytes) into what
    /// `extend_values` returns, then `finish_rows`. `offsets`: rows + 1 of them for Layout::bytes, else nullptr; `validity` nullptr when
    /// there are no nulls. Not for Layout::bits, which goes through `append_bits`.
    std::uint8_t* extend_values(std::size_t bytes) { return values_.extend(bytes); }
    void finish_rows(std::size_t rows, std::size_t null_count, const std::uint8_t* validity, const std::int32_t* offsets);
    /// Instead of `extend_values`, in a column without rows: values that stay where they are, as long as `owner`.
    void borrow_values(const std::uint8_t* values, std::size_t bytes, std::shared_ptr<const void> owner) {
        values_ = Buffer::borrow(values, bytes, std::move(owner));
    }
    void append_bits(std::size_t rows, std::size_t null_count, const std::uint8_t* validity, const std::uint8_t* bits);

    /// The value of `row`, which comes after all rows that were marked before, had `ns` nanoseconds more than are kept, 1 to 999.
    void mark_fraction(std::size_t row, std::int16_t ns) { fractions_.push_back({row, ns}); }

    /// Forgets the rows from `length` on.
    void truncate(std::size_t length);
    /// No rows; keeps the memory.
    void clear();

    ColumnView view() const;
    /// Bytes allocated.
    std::size_t capacity_bytes() const {
        return validity_.capacity() + offsets_.capacity() + values_.capacity();
    }

private:
    template <typename T>
    void append_fixed(T value) {
        values_.push(value);
        mark_valid();
    }
    void mark_valid() {
        if (!validity_.empty()) {
            if ((length_ & 7) == 0) validity_.push<std::uint8_t>(0);
            set_bit(validity_.data(), length_);
        }
        ++length_;
    }
    /// Makes the bitmap of a column that had no null so far.
    void start_validity();
    void extend_validity(std::size_t rows, const std::uint8_t* validity, std::size_t from);
    [[noreturn]] void fail_too_long() const;

    ColumnType type_;
    Layout layout_;
    std::size_t width_;
    std::size_t length_ = 0;
    std::size_t null_count_ = 0;
    Buffer validity_;  ///< empty while there are no nulls
    Buffer offsets_;
    Buffer values_;
    std::vector<Fraction> fractions_;
};

/// A column that says the same text in every row.
class ConstantText {
public:
    ConstantText(DataType type, std::string text);
    ColumnView view(std::size_t rows) const;
    const std::string& text() const { return text_; }

private:
    DataType type_;
    std::string text_;
    std::int32_t offsets_[2];
};

/// Borrowed columns of equal length.
struct BatchView {
    std::size_t rows = 0;
    std::vector<std::string_view> names;
    std::vector<ColumnView> columns;
};

/// Owned columns of equal length: what moves between threads.
struct Batch {
    std::size_t rows = 0;
    std::vector<std::string> names;
    std::vector<ColumnBuilder> columns;

    BatchView view() const;
    std::size_t byte_size() const;
};

}  // namespace tipple::columns
