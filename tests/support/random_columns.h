#pragma once

#include <algorithm>
#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include "tipple/columns/column.h"

namespace tipple::support {

using columns::ColumnBuilder;
using columns::ColumnType;
using columns::ColumnView;
using columns::Layout;
using schema::DataType;
using Random = std::mt19937_64;

/// One of each type a column can have.
inline const std::vector<ColumnType>& every_column_type() {
    static const std::vector<ColumnType> types = {
        {.type = DataType::text},
        {.type = DataType::bigint},
        {.type = DataType::double_},
        {.type = DataType::bool_},
        {.type = DataType::timestamp},
        {.type = DataType::timestamp, .timezone = false},
        {.type = DataType::date},
        {.type = DataType::time},
        {.type = DataType::decimal, .precision = 38, .scale = 9},
        {.type = DataType::decimal, .precision = 5, .scale = 5},
        {.type = DataType::wei, .precision = 38},
        {.type = DataType::binary},
        {.type = DataType::json},
    };
    return types;
}

/// Between 0 and `max`.
inline std::size_t pick(Random& random, std::size_t max) {
    return random() % (max + 1);
}

inline void append_random_text(ColumnBuilder& builder, Random& random) {
    if (builder.type().type == DataType::json) {
        builder.append_text("{\"n\":" + std::to_string(random() % 1000) + "}");
        return;
    }
    std::string text;
    const std::size_t length = pick(random, 4) == 0 ? pick(random, 300) : pick(random, 20);
    const bool is_binary = builder.type().type == DataType::binary;
    while (text.size() < length) {
        if (is_binary) {
            text += static_cast<char>(random());
        } else {
            text += pick(random, 10) == 0
                        ? "é🚀"
                        : std::string(1, static_cast<char>('a' + pick(random, 25)));
        }
    }
    builder.append_text(text);
}

inline void append_random_value(ColumnBuilder& builder, Random& random) {
    const bool is_small = pick(random, 1) == 0;
    switch (builder.layout()) {
        case Layout::bits:
            builder.append_bool((random() & 1) != 0);
            break;
        case Layout::int32:
            builder.append_int32(static_cast<std::int32_t>(pick(random, 40'000)) - 10'000);
            break;
        case Layout::int64:
            if (builder.type().type == DataType::time) {
                builder.append_int64(static_cast<std::int64_t>(random() % 86'400'000'000));
            } else {
                const auto value = static_cast<std::int64_t>(random() >> (is_small ? 45 : 8));
                builder.append_int64((random() & 1) != 0 ? value : -value);
            }
            break;
        case Layout::float64:
            builder.append_double(static_cast<double>(static_cast<std::int64_t>(random())) / 1024);
            break;
        case Layout::decimal: {
            columns::int128 value = static_cast<std::int64_t>(random() >> 12);
            if (!is_small) value *= 1'000'000;
            if (builder.type().precision < 10) value %= 100'000;
            builder.append_int128((random() & 1) != 0 ? value : -value);
            break;
        }
        case Layout::bytes:
            append_random_text(builder, random);
            break;
    }
}

enum class Nulls { none, some, all };

inline ColumnBuilder random_column(const ColumnType& type, std::size_t rows, Nulls nulls,
                                   Random& random) {
    ColumnBuilder builder(type);
    for (std::size_t i = 0; i < rows; ++i) {
        if (nulls == Nulls::all || (nulls == Nulls::some && pick(random, 3) == 0)) {
            builder.append_null();
        } else {
            append_random_value(builder, random);
        }
    }
    return builder;
}

/// The bytes of one value, empty for null; to compare values of any type.
inline std::string value_bytes(const ColumnView& view, std::size_t row) {
    if (view.is_null(row)) return "null";
    switch (columns::layout_of(view.type.type)) {
        case Layout::bits:
            return view.boolean(row) ? "+1" : "+0";
        case Layout::bytes:
            return "+" + std::string(view.text(row));
        case Layout::int32:
            return "+" + std::to_string(view.value<std::int32_t>(row));
        default: {
            const std::size_t width = columns::value_width(columns::layout_of(view.type.type));
            const std::size_t at = view.is_constant ? 0 : row;
            return "+" +
                   std::string(reinterpret_cast<const char*>(view.values) + at * width, width);
        }
    }
}

/// Empty when both columns have the same type and values, else where they first differ.
inline std::string difference(const ColumnView& a, const ColumnView& b) {
    if (!(a.type == b.type)) return "types differ";
    if (a.length != b.length)
        return "lengths are " + std::to_string(a.length) + " and " + std::to_string(b.length);
    std::size_t nulls = 0;
    for (std::size_t row = 0; row < a.length; ++row) {
        if (value_bytes(a, row) != value_bytes(b, row))
            return "row " + std::to_string(row) + " differs";
        nulls += a.is_null(row) ? 1 : 0;
    }
    if ((!a.is_constant && a.null_count != nulls) || (!b.is_constant && b.null_count != nulls))
        return "null counts differ";
    return "";
}

}  // namespace tipple::support
