#include "tipple/engine/vector_reader.h"

#include <limits>

#include "tipple/engine/types.h"

namespace tipple::engine {

using columns::ColumnBuilder;
using columns::int128;

struct VectorReader::Slice {
    const std::uint8_t* data = nullptr;
    idx_t from = 0;
    idx_t rows = 0;
    std::size_t null_count = 0;
    const std::uint8_t* validity = nullptr;  ///< starts at bit 0; nullptr when there are no nulls

    bool is_null(idx_t row) const {
        return validity != nullptr && !columns::get_bit(validity, row);
    }
    template <typename T>
    const T* values() const {
        return reinterpret_cast<const T*>(data) + from;
    }
};

VectorReader::VectorReader(std::string name, duckdb_logical_type type)
    : name_(std::move(name)), id_(duckdb_get_type_id(type)) {
    if (id_ == DUCKDB_TYPE_DECIMAL) decimal_storage_ = duckdb_decimal_internal_type(type);
}

void VectorReader::fail_out_of_range(const char* what) const {
    throw Error(ErrorKind::data,
                "column \"{}\" holds a value that does not fit {}; cast it in the query", name_,
                what);
}

namespace {

__extension__ typedef unsigned __int128 uint128;

constexpr int128 power_of_ten_38() {
    int128 value = 1;
    for (int i = 0; i < 38; ++i) value *= 10;
    return value;
}

int128 to_int128(duckdb_hugeint value) {
    return static_cast<int128>(
        (static_cast<uint128>(static_cast<std::uint64_t>(value.upper)) << 64) | value.lower);
}

/// The engine's marks for plus and minus infinity, in 64-bit and in 32-bit values.
template <typename T>
bool is_infinite(T value) {
    return value == std::numeric_limits<T>::max() || value == -std::numeric_limits<T>::max();
}

}  // namespace

/// Values under nulls are zeroed, so that equal tables give equal bytes.
template <typename Stored, typename Target, typename Convert>
void VectorReader::append_fixed(const Slice& slice, ColumnBuilder& column, Convert convert) {
    const Stored* values = slice.values<Stored>();
    std::uint8_t* out = column.extend_values(slice.rows * sizeof(Target));
    for (idx_t row = 0; row < slice.rows; ++row) {
        const Target value = slice.is_null(row) ? Target{} : convert(values[row]);
        std::memcpy(out + row * sizeof(Target), &value, sizeof(Target));
    }
    column.finish_rows(slice.rows, slice.null_count, slice.validity, nullptr);
}

void VectorReader::append_texts(const Slice& slice, ColumnBuilder& column) {
    // The library's accessors take a non-const pointer although they only read.
    auto* values = const_cast<duckdb_string_t*>(slice.values<duckdb_string_t>());
    for (idx_t row = 0; row < slice.rows; ++row) {
        if (slice.is_null(row)) {
            column.append_null();
        } else {
            column.append_text(
                {duckdb_string_t_data(&values[row]), duckdb_string_t_length(values[row])});
        }
    }
}

void VectorReader::append(duckdb_vector vector, idx_t from, idx_t rows, ColumnBuilder& column) {
    Slice slice{.data = static_cast<const std::uint8_t*>(duckdb_vector_get_data(vector)),
                .from = from,
                .rows = rows};
    if (const auto* words = duckdb_vector_get_validity(vector)) {
        // The engine's bitmap has Arrow's bit order, in 64-bit words of a little-endian machine.
        const auto* bits = reinterpret_cast<const std::uint8_t*>(words);
        slice.null_count = rows - columns::count_set_bits(bits, from, rows);
        if (slice.null_count > 0) {
            validity_.clear();
            validity_.resize_zeroed(columns::bitmap_bytes(rows));
            columns::copy_bits(bits, from, validity_.data(), 0, rows);
            slice.validity = validity_.data();
        }
    }
    append_values(slice, column);
}

bool VectorReader::append_integers(const Slice& slice, ColumnBuilder& column) {
    const auto same = [](auto value) { return static_cast<std::int64_t>(value); };
    switch (id_) {
        case DUCKDB_TYPE_TINYINT:
            append_fixed<std::int8_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_SMALLINT:
            append_fixed<std::int16_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_INTEGER:
            append_fixed<std::int32_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_UTINYINT:
            append_fixed<std::uint8_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_USMALLINT:
            append_fixed<std::uint16_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_UINTEGER:
            append_fixed<std::uint32_t, std::int64_t>(slice, column, same);
            return true;
        case DUCKDB_TYPE_BIGINT:
        case DUCKDB_TYPE_TIME:
        case DUCKDB_TYPE_TIMESTAMP:
        case DUCKDB_TYPE_TIMESTAMP_TZ:
            append_fixed<std::int64_t, std::int64_t>(slice, column, same);
            return true;
        default:
            return false;
    }
}

bool VectorReader::append_decimals(const Slice& slice, ColumnBuilder& column) {
    const auto same = [](auto value) { return static_cast<int128>(value); };
    switch (id_ == DUCKDB_TYPE_DECIMAL ? decimal_storage_ : id_) {
        case DUCKDB_TYPE_SMALLINT:
            append_fixed<std::int16_t, int128>(slice, column, same);
            return true;
        case DUCKDB_TYPE_INTEGER:
            append_fixed<std::int32_t, int128>(slice, column, same);
            return true;
        case DUCKDB_TYPE_BIGINT:
            append_fixed<std::int64_t, int128>(slice, column, same);
            return true;
        case DUCKDB_TYPE_UBIGINT:
            append_fixed<std::uint64_t, int128>(slice, column, same);
            return true;
        case DUCKDB_TYPE_HUGEINT:
            append_fixed<duckdb_hugeint, int128>(slice, column, [this](duckdb_hugeint value) {
                const int128 number = to_int128(value);
                const bool fits = number < power_of_ten_38() && number > -power_of_ten_38();
                if (!fits && id_ != DUCKDB_TYPE_DECIMAL) fail_out_of_range("decimal(38,0)");
                return number;
            });
            return true;
        case DUCKDB_TYPE_UHUGEINT:
            append_fixed<duckdb_uhugeint, int128>(slice, column, [this](duckdb_uhugeint value) {
                const uint128 number = (static_cast<uint128>(value.upper) << 64) | value.lower;
                if (number >= static_cast<uint128>(power_of_ten_38()))
                    fail_out_of_range("decimal(38,0)");
                return static_cast<int128>(number);
            });
            return true;
        default:
            return false;
    }
}

void VectorReader::append_nanoseconds(const Slice& slice, ColumnBuilder& column) {
    const auto* values = slice.values<std::int64_t>();
    std::uint8_t* out = column.extend_values(slice.rows * sizeof(std::int64_t));
    for (idx_t row = 0; row < slice.rows; ++row) {
        std::int64_t us = slice.is_null(row) ? 0 : values[row];
        if (!is_infinite(us)) {
            const std::int64_t value = us;
            us = value / 1000 - (value % 1000 < 0 ? 1 : 0);
            if (const std::int64_t ns = value - us * 1000; ns != 0) {
                column.mark_fraction(column.length() + row, static_cast<std::int16_t>(ns));
            }
        }
        std::memcpy(out + row * sizeof(us), &us, sizeof(us));
    }
    column.finish_rows(slice.rows, slice.null_count, slice.validity, nullptr);
}

bool VectorReader::append_other_units(const Slice& slice, ColumnBuilder& column) {
    const auto widen = [this](std::int64_t value, std::int64_t factor) {
        std::int64_t us = value;
        if (!is_infinite(value) && __builtin_mul_overflow(value, factor, &us)) {
            fail_out_of_range("a timestamp in microseconds");
        }
        return us;
    };
    if (id_ == timestamp_tz_ns) {
        append_nanoseconds(slice, column);
        return true;
    }
    switch (id_) {
        case DUCKDB_TYPE_TIMESTAMP_S:
            append_fixed<std::int64_t, std::int64_t>(
                slice, column, [&](std::int64_t value) { return widen(value, 1'000'000); });
            return true;
        case DUCKDB_TYPE_TIMESTAMP_MS:
            append_fixed<std::int64_t, std::int64_t>(
                slice, column, [&](std::int64_t value) { return widen(value, 1'000); });
            return true;
        case DUCKDB_TYPE_TIMESTAMP_NS:
        case DUCKDB_TYPE_TIME_NS:
            append_nanoseconds(slice, column);
            return true;
        default:
            return false;
    }
}

void VectorReader::append_values(const Slice& slice, ColumnBuilder& column) {
    switch (column.layout()) {
        case columns::Layout::bits:
            for (idx_t row = 0; row < slice.rows; ++row) {
                slice.is_null(row) ? column.append_null()
                                   : column.append_bool(slice.values<bool>()[row]);
            }
            return;
        case columns::Layout::int32:
            return append_fixed<std::int32_t, std::int32_t>(slice, column,
                                                            [](std::int32_t days) { return days; });
        case columns::Layout::float64:
            if (id_ == DUCKDB_TYPE_DOUBLE) {
                return append_fixed<double, double>(slice, column,
                                                    [](double value) { return value; });
            }
            return append_fixed<float, double>(
                slice, column, [](float value) { return static_cast<double>(value); });
        case columns::Layout::bytes:
            return append_texts(slice, column);
        case columns::Layout::int64:
            if (append_integers(slice, column) || append_other_units(slice, column)) return;
            break;
        case columns::Layout::decimal:
            if (append_decimals(slice, column)) return;
            break;
    }
    throw Error(ErrorKind::usage,
                "column \"{}\" has a type that cannot be read; cast it in the query", name_);
}

}  // namespace tipple::engine
