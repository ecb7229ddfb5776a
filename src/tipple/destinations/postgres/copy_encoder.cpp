#include "tipple/destinations/postgres/copy_encoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/refused_rows.h"
#include "tipple/postgres/copy_format.h"

namespace tipple::destinations::postgres {

using columns::ColumnView;
using columns::int128;
using columns::uint128;
using tipple::postgres::copy_signature;
using tipple::postgres::epoch_days;
using tipple::postgres::epoch_us;

namespace {

/// Sent at once. Larger ones were not faster.
constexpr std::size_t buffer_bytes = std::size_t{256} << 10;
/// Numbers go in groups of four decimal digits.
constexpr int group_digits = 4;
constexpr std::uint32_t group_base = 10'000;
/// Groups of a 128-bit number with any scale, and the most bytes that a field of fixed width takes.
constexpr std::size_t groups_max = 12;
constexpr std::size_t field_bytes_max = 4 + 8 + 2 * groups_max;

template <typename T>
T big_endian(T value) {
    if constexpr (std::endian::native == std::endian::big) return value;
    auto bytes = std::bit_cast<std::array<char, sizeof(T)>>(value);
    std::reverse(bytes.begin(), bytes.end());
    return std::bit_cast<T>(bytes);
}

template <typename T>
void append_number(std::string& out, T value) {
    const T swapped = big_endian(value);
    out.append(reinterpret_cast<const char*>(&swapped), sizeof(swapped));
}

bool is_text_wire(Wire wire) { return wire == Wire::bytes || wire == Wire::jsonb; }

int hex_digit(char c) {
    if (c >= '0' && c <= '9') return c - '0';
    const char small = static_cast<char>(c | 0x20);
    return small >= 'a' && small <= 'f' ? small - 'a' + 10 : -1;
}

/// The groups of four digits of |value| / 10^scale, the most significant first.
struct Groups {
    std::array<std::uint16_t, groups_max> digits{};
    std::size_t count = 0;
    int weight = -1;  ///< of the first, as a power of the base
};

Groups groups_of(uint128 value, int scale) {
    std::array<std::uint16_t, groups_max> reversed{};
    std::size_t count = 0;
    // The last group of the fraction may be a part of one.
    const int odd = scale % group_digits;
    if (odd > 0) {
        std::uint32_t divisor = 1;
        for (int i = 0; i < odd; ++i) divisor *= 10;
        reversed[count++] = static_cast<std::uint16_t>(static_cast<std::uint32_t>(value % divisor) * (group_base / divisor));
        value /= divisor;
    }
    while (value > std::numeric_limits<std::uint64_t>::max()) {
        reversed[count++] = static_cast<std::uint16_t>(value % group_base);
        value /= group_base;
    }
    for (auto small = static_cast<std::uint64_t>(value); small > 0; small /= group_base) {
        reversed[count++] = static_cast<std::uint16_t>(small % group_base);
    }
    Groups groups;
    groups.count = count;
    groups.weight = static_cast<int>(count) - (scale + group_digits - 1) / group_digits - 1;
    std::reverse_copy(reversed.begin(), reversed.begin() + static_cast<std::ptrdiff_t>(count), groups.digits.begin());
    return groups;
}

}  // namespace

CopyField constant_field(const destination::Constant& constant) {
    CopyField field{.name = constant.column, .source = CopyField::Source::constant};
    if (const auto* text = std::get_if<std::string>(&constant.value)) {
        append_number(field.constant, static_cast<std::int32_t>(text->size()));
        field.constant += *text;
    } else if (const auto* time_us = std::get_if<std::int64_t>(&constant.value)) {
        append_number(field.constant, std::int32_t{sizeof(std::int64_t)});
        append_number(field.constant, *time_us - epoch_us);
    } else {
        append_number(field.constant, std::int32_t{-1});
    }
    return field;
}

CopyEncoder::CopyEncoder(std::string table, std::vector<CopyField> fields) : table_(std::move(table)), fields_(std::move(fields)) {
    TIPPLE_ASSERT(fields_.size() <= static_cast<std::size_t>(std::numeric_limits<std::int16_t>::max()));
    fixed_bytes_ = sizeof(std::int16_t);
    for (const CopyField& field : fields_) fixed_bytes_ += field_bytes_max + field.constant.size();
    reserve(copy_signature.size() + 2 * sizeof(std::int32_t));
    put(copy_signature.data(), copy_signature.size());
    put_number(std::int32_t{0});  // flags
    put_number(std::int32_t{0});  // bytes of a longer header
}

void CopyEncoder::reserve(std::size_t bytes) {
    if (buffer_.size() - size_ < bytes) buffer_.resize(std::max(size_ + bytes, buffer_bytes + buffer_bytes / 4));
}

void CopyEncoder::put(const void* bytes, std::size_t count) {
    if (count > 0) std::memcpy(buffer_.data() + size_, bytes, count);
    size_ += count;
}

template <typename T>
void CopyEncoder::put_number(T value) {
    const T swapped = big_endian(value);
    put(&swapped, sizeof(swapped));
}

void CopyEncoder::put_null() { put_number(std::int32_t{-1}); }

void CopyEncoder::refuse(const CopyField& field, std::string_view what) const {
    throw Error(ErrorKind::data, "table \"{}\", column \"{}\", row {} of the load: {}. Nothing was loaded: correct the data\n  row: {}", table_, field.name,
                first_position_ + next_row_ + 1, what, destination::describe_row(batch_, next_row_));
}

void CopyEncoder::check_text(const CopyField& field) const {
    const ColumnView& column = batch_.columns[field.column];
    const std::size_t values = column.is_constant ? 1 : column.length;
    const std::size_t bytes = values == 0 ? 0 : static_cast<std::size_t>(column.offsets[values]);
    // Without any text there may be no buffer.
    if (bytes == 0 || std::memchr(column.values, 0, bytes) == nullptr) return;
    for (std::size_t row = 0; row < batch_.rows; ++row) {
        if (column.is_null(row) || column.text(row).find('\0') == std::string_view::npos) continue;
        throw Error(ErrorKind::data,
                    "table \"{}\", column \"{}\", row {} of the load: Postgres cannot store text with a NUL character (U+0000). Nothing was loaded: "
                    "correct the data, or declare the column binary\n  row: {}",
                    table_, field.name, first_position_ + row + 1, destination::describe_row(batch_, row));
    }
}

void CopyEncoder::start_batch(const columns::BatchView& rows, std::uint64_t position) {
    batch_ = rows;
    first_position_ = position;
    next_row_ = 0;
    for (const CopyField& field : fields_) {
        const bool is_text = field.source == CopyField::Source::column && is_text_wire(field.wire);
        if (is_text && batch_.columns[field.column].type.type != schema::DataType::binary) check_text(field);
    }
}

std::size_t CopyEncoder::bytes_of(std::size_t row) const {
    std::size_t bytes = fixed_bytes_;
    for (const CopyField& field : fields_) {
        if (field.source == CopyField::Source::column && is_text_wire(field.wire)) bytes += batch_.columns[field.column].text(row).size();
    }
    return bytes;
}

bool CopyEncoder::write_rows(const destination::DroppedRows* dropped) {
    for (; next_row_ < batch_.rows; ++next_row_) {
        if (dropped != nullptr && dropped->contains(first_position_ + next_row_)) continue;
        if (size_ >= buffer_bytes) return true;
        reserve(bytes_of(next_row_));
        put_number(static_cast<std::int16_t>(fields_.size()));
        for (const CopyField& field : fields_) {
            switch (field.source) {
                case CopyField::Source::constant:
                    put(field.constant.data(), field.constant.size());
                    break;
                case CopyField::Source::position:
                    put_number(std::int32_t{sizeof(std::int64_t)});
                    put_number(static_cast<std::int64_t>(first_position_ + next_row_));
                    break;
                case CopyField::Source::column:
                    if (const ColumnView& column = batch_.columns[field.column]; column.is_null(next_row_)) {
                        put_null();
                    } else {
                        put_value(field, column, next_row_);
                    }
            }
        }
    }
    return false;
}

void CopyEncoder::write_end() {
    reserve(sizeof(std::int16_t));
    put_number(std::int16_t{-1});
}

void CopyEncoder::put_whole(const CopyField& field, std::int64_t value) {
    const auto put_as = [&]<typename T>(T) {
        if (value < std::numeric_limits<T>::min() || value > std::numeric_limits<T>::max()) {
            refuse(field, fmt::format("{} does not fit a column of {} bits", value, 8 * sizeof(T)));
        }
        put_number(std::int32_t{sizeof(T)});
        put_number(static_cast<T>(value));
    };
    if (field.wire == Wire::int2) {
        put_as(std::int16_t{});
    } else if (field.wire == Wire::int4) {
        put_as(std::int32_t{});
    } else {
        put_as(std::int64_t{});
    }
}

/// The greatest value and its negative are infinite in columns; Postgres has the greatest and the least one for it.
template <typename T>
T CopyEncoder::since_2000(const CopyField& field, T value, T epoch) const {
    constexpr T infinity = std::numeric_limits<T>::max();
    if (value == infinity) return infinity;
    if (value == -infinity) return std::numeric_limits<T>::min();
    if (value <= std::numeric_limits<T>::min() + epoch) refuse(field, "the time lies before the year 4713 BC, which is as far back as Postgres goes");
    return value - epoch;
}

void CopyEncoder::put_numeric(int128 value, int scale) {
    constexpr std::uint16_t negative = 0x4000;
    const Groups groups = groups_of(value < 0 ? -static_cast<uint128>(value) : static_cast<uint128>(value), scale);
    put_number(static_cast<std::int32_t>(8 + 2 * groups.count));
    put_number(static_cast<std::int16_t>(groups.count));
    put_number(static_cast<std::int16_t>(groups.weight));
    put_number(value < 0 ? negative : std::uint16_t{0});
    put_number(static_cast<std::int16_t>(scale));
    for (std::size_t i = 0; i < groups.count; ++i) put_number(groups.digits[i]);
}

void CopyEncoder::put_uuid(const CopyField& field, std::string_view text) {
    std::array<char, 16> bytes{};
    std::size_t digits = 0;
    for (const char c : text) {
        if (c == '-' || c == '{' || c == '}') continue;
        const int digit = hex_digit(c);
        if (digit < 0 || digits == 2 * bytes.size()) digits = 2 * bytes.size() + 1;
        if (digits > 2 * bytes.size()) break;
        bytes[digits / 2] = static_cast<char>(bytes[digits / 2] << 4 | digit);
        ++digits;
    }
    if (digits != 2 * bytes.size()) refuse(field, fmt::format("\"{}\" is no UUID", excerpt(text)));
    put_number(static_cast<std::int32_t>(bytes.size()));
    put(bytes.data(), bytes.size());
}

void CopyEncoder::put_value(const CopyField& field, const ColumnView& column, std::size_t row) {
    switch (field.wire) {
        case Wire::bytes: {
            const std::string_view text = column.text(row);
            put_number(static_cast<std::int32_t>(text.size()));
            return put(text.data(), text.size());
        }
        case Wire::jsonb: {
            constexpr char version = 1;
            const std::string_view text = column.text(row);
            put_number(static_cast<std::int32_t>(text.size() + 1));
            put(&version, 1);
            return put(text.data(), text.size());
        }
        case Wire::uuid:
            return put_uuid(field, column.text(row));
        case Wire::int2:
        case Wire::int4:
        case Wire::int8:
            return put_whole(field, column.value<std::int64_t>(row));
        case Wire::whole_numeric:
            return put_numeric(column.value<std::int64_t>(row), 0);
        case Wire::numeric:
            return put_numeric(column.value<int128>(row), column.type.scale);
        case Wire::float8:
            put_number(std::int32_t{sizeof(double)});
            return put_number(column.value<double>(row));
        case Wire::boolean:
            put_number(std::int32_t{1});
            return put_number(static_cast<char>(column.boolean(row) ? 1 : 0));
        case Wire::timestamp:
            put_number(std::int32_t{sizeof(std::int64_t)});
            return put_number(since_2000(field, column.value<std::int64_t>(row), epoch_us));
        case Wire::date:
            put_number(std::int32_t{sizeof(std::int32_t)});
            return put_number(since_2000(field, column.value<std::int32_t>(row), epoch_days));
        case Wire::time:
            put_number(std::int32_t{sizeof(std::int64_t)});
            return put_number(column.value<std::int64_t>(row));
    }
}

}  // namespace tipple::destinations::postgres
