#include "tipple/sources/sql/postgres/copy_decoder.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/copy_format.h"

namespace tipple::sources::sql::postgres {

using columns::ColumnBuilder;
using columns::int128;
using columns::uint128;
using schema::DataType;
using tipple::postgres::copy_signature;
using tipple::postgres::epoch_days;
using tipple::postgres::epoch_us;

namespace {

/// Decoded at once: small enough to be in the cache when the columns are walked over.
constexpr std::size_t enough_bytes = std::size_t{256} << 10;
constexpr std::size_t buffer_bytes = std::size_t{512} << 10;
constexpr std::size_t buffer_bytes_max = std::size_t{256} << 20;
/// Rows whose fields are noted at once, and fields in all.
constexpr std::size_t slice_rows_max = 4'096;
constexpr std::size_t slice_rows_min = 64;
constexpr std::size_t slice_fields = std::size_t{64} << 10;

constexpr std::size_t header_bytes = copy_signature.size() + 2 * sizeof(std::int32_t);
constexpr std::size_t uuid_bytes = 16;
constexpr std::size_t uuid_length = 36;

template <typename T>
T load(const char* bytes) {
    std::array<char, sizeof(T)> raw;
    std::memcpy(raw.data(), bytes, sizeof(T));
    if constexpr (std::endian::native == std::endian::little) std::reverse(raw.begin(), raw.end());
    return std::bit_cast<T>(raw);
}

constexpr std::array<uint128, 39> powers_of_ten() {
    std::array<uint128, 39> powers{};
    powers[0] = 1;
    for (std::size_t i = 1; i < powers.size(); ++i) powers[i] = powers[i - 1] * 10;
    return powers;
}
constexpr std::array<uint128, 39> powers = powers_of_ten();

/// Two digits of each byte.
constexpr std::array<char, 512> hex_pairs() {
    constexpr std::string_view digits = "0123456789abcdef";
    std::array<char, 512> pairs{};
    for (std::size_t i = 0; i < 256; ++i) {
        pairs[2 * i] = digits[i / 16];
        pairs[2 * i + 1] = digits[i % 16];
    }
    return pairs;
}
constexpr std::array<char, 512> hex = hex_pairs();

void write_uuid(const char* bytes, char* out) {
    for (std::size_t i = 0; i < uuid_bytes; ++i) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        std::memcpy(out, &hex[2 * static_cast<std::size_t>(static_cast<unsigned char>(bytes[i]))], 2);
        out += 2;
    }
}

}  // namespace

/// One column of the rows that were found.
struct CopyDecoder::Slice {
    const CopyColumn& column;
    const char* data;
    const std::uint32_t* fields;
    std::size_t rows;

    std::int32_t length(std::size_t row) const { return load<std::int32_t>(data + fields[row]); }
    const char* value(std::size_t row) const { return data + fields[row] + sizeof(std::int32_t); }
};

CopyDecoder::CopyDecoder(std::string what, std::vector<CopyColumn> columns, const CopyOptions& options)
    : what_(std::move(what)),
      columns_(std::move(columns)),
      options_(options),
      slice_rows_(std::clamp(slice_fields / std::max<std::size_t>(columns_.size(), 1), slice_rows_min, slice_rows_max)),
      buffer_(std::make_unique_for_overwrite<char[]>(buffer_bytes)),
      capacity_(buffer_bytes),
      fields_(slice_rows_ * columns_.size()),
      last_bytes_(columns_.size()) {
    TIPPLE_ASSERT(options_.batch_rows > 0);
    start_batch();
}

void CopyDecoder::refuse(const Slice& slice, std::size_t row, const std::string& why) const {
    throw Error(ErrorKind::data, "{}, column \"{}\", row {} of what was read: {}", what_, slice.column.name, rows_before_ + row + 1, why);
}

void CopyDecoder::fail_cut() const { throw Error(ErrorKind::remote, "{}: the server's data ended in the middle of a row", what_); }

void CopyDecoder::fail_form() const { throw Error(ErrorKind::remote, "{}: the server's data is not in the binary format of COPY that this program knows", what_); }

std::span<char> CopyDecoder::room() {
    if (begin_ > 0) {
        std::memmove(buffer_.get(), buffer_.get() + begin_, end_ - begin_);
        end_ -= begin_;
        begin_ = 0;
    }
    if (end_ == capacity_) {
        if (capacity_ >= buffer_bytes_max) throw Error(ErrorKind::data, "{}: a row is larger than {}", what_, format_bytes(buffer_bytes_max));
        auto larger = std::make_unique_for_overwrite<char[]>(2 * capacity_);
        std::memcpy(larger.get(), buffer_.get(), end_);
        buffer_ = std::move(larger);
        capacity_ *= 2;
    }
    return {buffer_.get() + end_, capacity_ - end_};
}

bool CopyDecoder::add(std::size_t bytes, const Take& take) {
    end_ += bytes;
    return end_ - begin_ < enough_bytes || decode(take);
}

void CopyDecoder::finish(const Take& take) {
    if (!decode(take)) return;
    if (!is_at_end_ || begin_ != end_) fail_cut();
    if (batch_.rows > 0) hand_over(take);
}

void CopyDecoder::read_header() {
    if (end_ - begin_ < header_bytes) return;
    const char* header = buffer_.get() + begin_;
    constexpr std::uint32_t critical_flags = 0xFFFF0000;
    const auto flags = load<std::uint32_t>(header + copy_signature.size());
    const auto extension = load<std::uint32_t>(header + copy_signature.size() + sizeof(std::int32_t));
    if (std::string_view(header, copy_signature.size()) != copy_signature || (flags & critical_flags) != 0 || extension != 0) fail_form();
    begin_ += header_bytes;
    has_header_ = true;
}

/// Notes whole rows from `begin_` on, which moves behind them; their number.
std::size_t CopyDecoder::find_rows() {
    const std::size_t rows_max = std::min(slice_rows_, options_.batch_rows - batch_.rows);
    const char* const data = buffer_.get();
    std::size_t rows = 0;
    while (rows < rows_max && !is_at_end_) {
        std::size_t at = begin_;
        if (end_ - at < sizeof(std::int16_t)) break;
        const auto count = load<std::int16_t>(data + at);
        at += sizeof(std::int16_t);
        if (count == -1) {
            begin_ = at;
            is_at_end_ = true;
            break;
        }
        if (static_cast<std::size_t>(count) != columns_.size()) fail_form();
        std::size_t column = 0;
        for (; column < columns_.size(); ++column) {
            if (end_ - at < sizeof(std::int32_t)) break;
            const auto length = load<std::int32_t>(data + at);
            fields_[column * slice_rows_ + rows] = static_cast<std::uint32_t>(at);
            at += sizeof(std::int32_t);
            const std::size_t bytes = length > 0 ? static_cast<std::size_t>(length) : 0;
            if (end_ - at < bytes) break;
            at += bytes;
        }
        if (column < columns_.size()) break;
        begin_ = at;
        ++rows;
    }
    return rows;
}

bool CopyDecoder::decode(const Take& take) {
    if (!has_header_) read_header();
    if (!has_header_) return true;
    while (true) {
        const std::size_t rows = find_rows();
        if (rows == 0) return true;
        for (std::size_t column = 0; column < columns_.size(); ++column) append(column, rows);
        batch_.rows += rows;
        rows_before_ += rows;
        if (batch_.rows < options_.batch_rows && batch_.byte_size() < options_.batch_bytes) continue;
        if (!hand_over(take)) return false;
    }
}

void CopyDecoder::start_batch() {
    batch_ = {};
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        batch_.names.push_back(columns_[i].name);
        // The next batch is likely as large as the one before.
        batch_.columns.emplace_back(columns_[i].type).reserve(last_rows_, last_bytes_[i] + last_bytes_[i] / 16);
    }
}

bool CopyDecoder::hand_over(const Take& take) {
    last_rows_ = batch_.rows;
    for (std::size_t i = 0; i < columns_.size(); ++i) {
        const columns::ColumnView view = batch_.columns[i].view();
        last_bytes_[i] = view.offsets == nullptr ? 0 : static_cast<std::size_t>(view.offsets[view.length]);
    }
    columns::Batch full = std::move(batch_);
    start_batch();
    return take(std::move(full));
}

// ---- values ----

/// Values under nulls are zero, so that equal tables give equal bytes.
template <typename Stored, typename Target, typename Convert>
void CopyDecoder::append_fixed(const Slice& slice, ColumnBuilder& builder, Convert convert) {
    std::uint8_t* out = builder.extend_values(slice.rows * sizeof(Target));
    std::size_t nulls = 0;
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        Target value{};
        if (length < 0) {
            if (nulls++ == 0) {
                validity_.resize(columns::bitmap_bytes(slice.rows));
                std::memset(validity_.data(), 0xFF, validity_.size());
            }
            columns::clear_bit(validity_.data(), row);
        } else {
            if (length != static_cast<std::int32_t>(sizeof(Stored))) fail_form();
            value = convert(load<Stored>(slice.value(row)), row);
        }
        std::memcpy(out + row * sizeof(Target), &value, sizeof(Target));
    }
    builder.finish_rows(slice.rows, nulls, validity_.data(), nullptr);
}

void CopyDecoder::append_bools(const Slice& slice, ColumnBuilder& builder) {
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length < 0) {
            builder.append_null();
        } else {
            if (length != 1) fail_form();
            builder.append_bool(*slice.value(row) != 0);
        }
    }
}

/// `skipped`: bytes at the start of each value that are not part of it.
void CopyDecoder::append_bytes(const Slice& slice, ColumnBuilder& builder, std::size_t skipped) {
    offsets_.resize(slice.rows + 1);
    offsets_[0] = 0;
    std::size_t nulls = 0;
    std::size_t bytes = 0;
    validity_.resize(columns::bitmap_bytes(slice.rows));
    std::memset(validity_.data(), 0xFF, validity_.size());
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length < 0) {
            ++nulls;
            columns::clear_bit(validity_.data(), row);
        } else {
            if (static_cast<std::size_t>(length) < skipped) fail_form();
            bytes += static_cast<std::size_t>(length) - skipped;
        }
        offsets_[row + 1] = static_cast<std::int32_t>(bytes);
    }
    std::uint8_t* out = builder.extend_values(bytes);
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const auto length = static_cast<std::size_t>(offsets_[row + 1] - offsets_[row]);
        if (length > 0) std::memcpy(out + offsets_[row], slice.value(row) + skipped, length);
    }
    builder.finish_rows(slice.rows, nulls, validity_.data(), offsets_.data());
}

void CopyDecoder::append_uuids(const Slice& slice, ColumnBuilder& builder) {
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length < 0) {
            builder.append_null();
            continue;
        }
        if (length != static_cast<std::int32_t>(uuid_bytes)) fail_form();
        write_uuid(slice.value(row), builder.begin_text(uuid_length));
        builder.end_text(uuid_length);
    }
}

int128 CopyDecoder::numeric(const Slice& slice, std::size_t row, const char* field, std::size_t bytes) const {
    constexpr std::size_t header = 4 * sizeof(std::int16_t);
    constexpr std::uint16_t negative = 0x4000;
    constexpr int group_digits = 4;
    constexpr std::uint64_t group_base = 10'000;
    if (bytes < header) fail_form();
    auto groups = static_cast<int>(load<std::uint16_t>(field));
    const int weight = load<std::int16_t>(field + 2);
    const auto sign = load<std::uint16_t>(field + 4);
    if (bytes != header + 2 * static_cast<std::size_t>(groups)) fail_form();
    const columns::ColumnType& type = slice.column.type;
    constexpr std::string_view remedy =
        "; the option numeric = \"text\" or \"decimal(PRECISION,SCALE)\" of the source (--option numeric=text) says what numbers without digits in their type become; else cast it in a query, "
        "or leave such rows out by `where`";
    if (sign != 0 && sign != negative) refuse(slice, row, fmt::format("it is {}, which no decimal can be{}", sign == 0xC000 ? "NaN" : "infinite", remedy));
    const auto group = [&](int i) { return static_cast<std::uint64_t>(load<std::uint16_t>(field + header + 2 * static_cast<std::size_t>(i))); };
    while (groups > 0 && group(groups - 1) == 0) --groups;
    if (groups == 0) return 0;
    // What the last group is to be multiplied with, as a power of ten.
    const int shift = group_digits * (weight - groups + 1) + type.scale;
    const auto refuse_fraction = [&] { refuse(slice, row, fmt::format("it has more than {} digits behind the point{}", type.scale, remedy)); };
    const auto refuse_length = [&] { refuse(slice, row, fmt::format("it has more digits than decimal({},{}) holds{}", type.precision, type.scale, remedy)); };
    if (shift <= -group_digits) refuse_fraction();
    const int whole_groups = shift < 0 ? groups - 1 : groups;
    constexpr int groups_of_64_bits = 4;
    uint128 value = 0;
    if (whole_groups <= groups_of_64_bits) {
        std::uint64_t small = 0;
        for (int i = 0; i < whole_groups; ++i) small = small * group_base + group(i);
        value = small;
    } else {
        for (int i = 0; i < whole_groups; ++i) {
            if (value >= powers[powers.size() - 1 - group_digits]) refuse_length();
            value = value * group_base + group(i);
        }
    }
    int left = shift;
    if (shift < 0) {
        // A part of the last group.
        const auto divisor = static_cast<std::uint64_t>(powers[static_cast<std::size_t>(-shift)]);
        const std::uint64_t last = group(groups - 1);
        if (last % divisor != 0) refuse_fraction();
        left = group_digits + shift;
        if (value >= powers[powers.size() - 1 - static_cast<std::size_t>(left)]) refuse_length();
        value = value * powers[static_cast<std::size_t>(left)] + last / divisor;
        left = 0;
    }
    if (left >= static_cast<int>(powers.size()) || value >= powers[powers.size() - 1 - static_cast<std::size_t>(left)]) refuse_length();
    value *= powers[static_cast<std::size_t>(left)];
    if (value >= powers[static_cast<std::size_t>(type.precision)]) refuse_length();
    return sign == negative ? -static_cast<int128>(value) : static_cast<int128>(value);
}

void CopyDecoder::append_numerics(const Slice& slice, ColumnBuilder& builder) {
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length < 0) {
            builder.append_null();
        } else {
            builder.append_int128(numeric(slice, row, slice.value(row), static_cast<std::size_t>(length)));
        }
    }
}

void CopyDecoder::append_times(const Slice& slice, ColumnBuilder& builder) {
    constexpr std::int64_t greatest = std::numeric_limits<std::int64_t>::max();
    constexpr std::int64_t least = std::numeric_limits<std::int64_t>::min();
    const auto is_infinite = [](std::int64_t value) { return value == greatest || value == least; };
    const auto convert = [&](std::int64_t value, std::size_t row) {
        if (is_infinite(value)) {
            if (options_.infinity == Infinity::refuse) refuse(slice, row, "it is infinite; the option infinity = \"keep\" or \"null\" says what becomes of that");
            return value > 0 ? greatest : -greatest;
        }
        if (value > greatest - 1 - epoch_us) refuse(slice, row, "it lies behind the year 294246, which is as far as timestamps go here");
        return value + epoch_us;
    };
    if (options_.infinity != Infinity::null) return append_fixed<std::int64_t, std::int64_t>(slice, builder, convert);
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length >= 0 && length != static_cast<std::int32_t>(sizeof(std::int64_t))) fail_form();
        if (length < 0 || is_infinite(load<std::int64_t>(slice.value(row)))) {
            builder.append_null();
        } else {
            builder.append_int64(convert(load<std::int64_t>(slice.value(row)), row));
        }
    }
}

void CopyDecoder::append_dates(const Slice& slice, ColumnBuilder& builder) {
    constexpr std::int32_t greatest = std::numeric_limits<std::int32_t>::max();
    constexpr std::int32_t least = std::numeric_limits<std::int32_t>::min();
    const auto is_infinite = [](std::int32_t value) { return value == greatest || value == least; };
    for (std::size_t row = 0; row < slice.rows; ++row) {
        const std::int32_t length = slice.length(row);
        if (length >= 0 && length != static_cast<std::int32_t>(sizeof(std::int32_t))) fail_form();
        const std::int32_t value = length < 0 ? 0 : load<std::int32_t>(slice.value(row));
        if (length >= 0 && is_infinite(value) && options_.infinity == Infinity::refuse) {
            refuse(slice, row, "it is infinite; the option infinity = \"keep\" or \"null\" says what becomes of that");
        }
        if (length < 0 || (is_infinite(value) && options_.infinity == Infinity::null)) {
            builder.append_null();
        } else if (is_infinite(value)) {
            builder.append_int32(value > 0 ? greatest : -greatest);
        } else {
            builder.append_int32(value + epoch_days);
        }
    }
}

void CopyDecoder::append(std::size_t column, std::size_t rows) {
    const Slice slice{.column = columns_[column], .data = buffer_.get(), .fields = fields_.data() + column * slice_rows_, .rows = rows};
    ColumnBuilder& builder = batch_.columns[column];
    const auto as_int64 = [](auto value, std::size_t) { return static_cast<std::int64_t>(value); };
    const auto as_double = [](auto value, std::size_t) { return static_cast<double>(value); };
    switch (slice.column.wire) {
        case Wire::boolean:
            return append_bools(slice, builder);
        case Wire::int2:
            return append_fixed<std::int16_t, std::int64_t>(slice, builder, as_int64);
        case Wire::int4:
            return append_fixed<std::int32_t, std::int64_t>(slice, builder, as_int64);
        case Wire::int8:
        case Wire::time:
            return append_fixed<std::int64_t, std::int64_t>(slice, builder, as_int64);
        case Wire::uint4:
            return append_fixed<std::uint32_t, std::int64_t>(slice, builder, as_int64);
        case Wire::float4:
            return append_fixed<float, double>(slice, builder, as_double);
        case Wire::float8:
            return append_fixed<double, double>(slice, builder, as_double);
        case Wire::numeric:
            return append_numerics(slice, builder);
        case Wire::bytes:
        case Wire::text:
        case Wire::json:
            return append_bytes(slice, builder, 0);
        case Wire::jsonb:
            return append_bytes(slice, builder, 1);
        case Wire::uuid:
            return append_uuids(slice, builder);
        case Wire::date:
            return append_dates(slice, builder);
        case Wire::timestamp:
            return append_times(slice, builder);
    }
}

}  // namespace tipple::sources::sql::postgres
