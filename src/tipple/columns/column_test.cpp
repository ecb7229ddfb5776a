#include "tipple/columns/column.h"

#include <optional>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tipple::columns {
namespace {

using Random = std::mt19937_64;
/// What a column should hold, as text.
using Model = std::vector<std::optional<std::string>>;

std::string shown(int128 value) {
    return std::to_string(static_cast<std::int64_t>(value >> 64)) + ":" +
           std::to_string(static_cast<std::uint64_t>(value));
}

std::string shown(const ColumnView& view, std::size_t row) {
    switch (layout_of(view.type.type)) {
        case Layout::bits:
            return view.boolean(row) ? "true" : "false";
        case Layout::int32:
            return std::to_string(view.value<std::int32_t>(row));
        case Layout::int64:
            return std::to_string(view.value<std::int64_t>(row));
        case Layout::float64:
            return std::to_string(view.value<double>(row));
        case Layout::decimal:
            return shown(view.value<int128>(row));
        case Layout::bytes:
            return std::string(view.text(row));
    }
    return {};
}

void append_random(ColumnBuilder& builder, Model& model, Random& random) {
    const auto number = static_cast<std::int64_t>(random());
    switch (builder.layout()) {
        case Layout::bits:
            builder.append_bool((number & 1) != 0);
            model.emplace_back((number & 1) != 0 ? "true" : "false");
            break;
        case Layout::int32:
            builder.append_int32(static_cast<std::int32_t>(number));
            model.emplace_back(std::to_string(static_cast<std::int32_t>(number)));
            break;
        case Layout::int64:
            builder.append_int64(number);
            model.emplace_back(std::to_string(number));
            break;
        case Layout::float64:
            builder.append_double(static_cast<double>(number));
            model.emplace_back(std::to_string(static_cast<double>(number)));
            break;
        case Layout::decimal:
            builder.append_int128(static_cast<int128>(number) * number);
            model.emplace_back(shown(static_cast<int128>(number) * number));
            break;
        case Layout::bytes: {
            // Longer than a buffer's first size, now and then.
            const std::string text(random() % (random() % 8 == 0 ? 600 : 12),
                                   static_cast<char>('a' + random() % 26));
            builder.append_text(text);
            model.emplace_back(text);
        }
    }
}

void expect_equal(const ColumnBuilder& builder, const Model& model) {
    const ColumnView view = builder.view();
    ASSERT_EQ(view.length, model.size());
    std::size_t nulls = 0;
    for (std::size_t row = 0; row < model.size(); ++row) {
        ASSERT_EQ(view.is_null(row), !model[row]) << row;
        nulls += model[row] ? 0 : 1;
        if (model[row]) {
            ASSERT_EQ(shown(view, row), *model[row]) << row;
        }
    }
    EXPECT_EQ(view.null_count, nulls);
    // Arrow: no bitmap where there are no nulls.
    EXPECT_EQ(view.validity == nullptr, nulls == 0);
}

class EveryTypeTest : public testing::TestWithParam<DataType> {};

/// Long random histories of everything a builder can be told, compared with a plain list.
TEST_P(EveryTypeTest, HoldsWhatWasAppended) {
    for (std::uint64_t seed = 0; seed < 20; ++seed) {
        SCOPED_TRACE(seed);
        Random random(seed);
        ColumnBuilder builder({.type = GetParam(), .precision = 38});
        Model model;
        for (int step = 0; step < 120; ++step) {
            switch (random() % 12) {
                case 0: {
                    const std::size_t count = random() % 20;
                    builder.append_nulls(count);
                    model.resize(model.size() + count);
                    break;
                }
                case 1: {
                    const std::size_t length = random() % (model.size() + 1);
                    builder.truncate(length);
                    model.resize(length);
                    break;
                }
                case 2: {
                    ColumnBuilder other(builder.type());
                    Model other_model;
                    for (std::size_t i = random() % 40; i-- > 0;) {
                        if (random() % 3 == 0) {
                            other.append_null();
                            other_model.emplace_back();
                        } else {
                            append_random(other, other_model, random);
                        }
                    }
                    const std::size_t from = random() % (other_model.size() + 1);
                    const std::size_t count = random() % (other_model.size() - from + 1);
                    builder.append_rows(other.view(), from, count);
                    const auto first = other_model.begin() + static_cast<std::ptrdiff_t>(from);
                    model.insert(model.end(), first, first + static_cast<std::ptrdiff_t>(count));
                    break;
                }
                case 3:
                    builder.pad_to(model.size() + 3);
                    model.resize(model.size() + 3);
                    break;
                case 4:
                    if (random() % 4 != 0) break;
                    builder.clear();
                    model.clear();
                    break;
                default:
                    append_random(builder, model, random);
            }
        }
        expect_equal(builder, model);
    }
}

INSTANTIATE_TEST_SUITE_P(Types, EveryTypeTest,
                         testing::Values(DataType::bool_, DataType::date, DataType::bigint,
                                         DataType::double_, DataType::decimal, DataType::text,
                                         DataType::binary));

TEST(ColumnType, IsThatOfTheSchema) {
    const auto type_of = [](json::Object hints) {
        return column_type(schema::Column("c", std::move(hints)));
    };
    EXPECT_EQ(type_of({{"data_type", "decimal"}}),
              (ColumnType{.type = DataType::decimal, .precision = 38, .scale = 9}));
    EXPECT_EQ(type_of({{"data_type", "decimal"}, {"precision", 10}, {"scale", 2}}),
              (ColumnType{.type = DataType::decimal, .precision = 10, .scale = 2}));
    EXPECT_EQ(type_of({{"data_type", "wei"}}),
              (ColumnType{.type = DataType::wei, .precision = 38}));
    EXPECT_FALSE(type_of({{"data_type", "timestamp"}, {"timezone", false}}).timezone);
    // What has no meaning for a type does not make it another one.
    EXPECT_EQ(type_of({{"data_type", "bigint"}, {"precision", 16}}),
              type_of({{"data_type", "bigint"}}));
    EXPECT_THROW(type_of({{"nullable", true}}), Bug);
}

TEST(ConstantText, MeansItsTextForEveryRow) {
    const ConstantText constant(DataType::text, "load");
    const ColumnView view = constant.view(1'000'000);
    EXPECT_EQ(view.length, 1'000'000U);
    EXPECT_EQ(view.text(999'999), "load");
    EXPECT_FALSE(view.is_null(5));
    EXPECT_LT(view.byte_size(), 100U);
}

TEST(ColumnBuilder, TextIsProducedInPlace) {
    ColumnBuilder builder({.type = DataType::text});
    char* out = builder.begin_text(4);
    std::memcpy(out, "four", 4);
    out = builder.extend_text(4, 1'000);
    std::memset(out + 4, 'x', 996);
    builder.end_text(1'000);
    builder.append_text("next");
    EXPECT_EQ(builder.view().text(0), "four" + std::string(996, 'x'));
    EXPECT_EQ(builder.view().text(1), "next");
}

TEST(ColumnBuilder, ReadersFillBuffersThemselves) {
    ColumnBuilder builder({.type = DataType::text});
    builder.append_text("a");
    // Offsets of a slice need not start at 0.
    const std::int32_t offsets[] = {7, 9, 9, 12};
    const std::uint8_t validity = 0b101;
    std::memcpy(builder.extend_values(5), "bcdef", 5);
    builder.finish_rows(3, 1, &validity, offsets);
    expect_equal(builder, {"a", "bc", std::nullopt, "def"});
    // Offsets that do not fit the bytes are a bug, not a read beyond them.
    std::memcpy(builder.extend_values(1), "x", 1);
    EXPECT_THROW(builder.finish_rows(3, 0, nullptr, offsets), Bug);
}

TEST(ColumnBuilder, FractionsFollowTheirRows) {
    const auto of = [](const ColumnBuilder& column) {
        std::string text;
        for (const Fraction& fraction : column.view().fractions) text += fmt::format("{}:{} ", fraction.row, fraction.ns);
        return text;
    };
    ColumnBuilder column({.type = DataType::time});
    for (std::int16_t row = 0; row < 6; ++row) {
        if (row % 2 == 1) column.mark_fraction(column.length(), static_cast<std::int16_t>(100 + row));
        column.append_int64(row);
    }
    EXPECT_EQ(of(column), "1:101 3:103 5:105 ");
    ColumnBuilder part({.type = DataType::time});
    part.append_null();
    part.append_rows(column.view(), 2, 3);
    part.append_rows(column.view(), 1, 1);
    EXPECT_EQ(of(part), "2:103 4:101 ");
    EXPECT_EQ(part.view().nanoseconds(4), 101);
    EXPECT_EQ(part.view().nanoseconds(3), 0);
    column.truncate(3);
    EXPECT_EQ(of(column), "1:101 ");
    column.clear();
    EXPECT_EQ(of(column), "");
}

TEST(ColumnBuilder, TimesAreCutTowardsThePast) {
    ColumnBuilder column({.type = DataType::timestamp});
    for (const std::int64_t ns : {std::int64_t{1'001}, std::int64_t{2'000}, std::int64_t{-1}, std::int64_t{-2'000}, INT64_MIN, INT64_MAX}) column.append_nanoseconds(ns);
    column.append_time(5, 6);
    column.append_time(7, 0);
    const ColumnView view = column.view();
    std::string text;
    for (std::size_t row = 0; row < view.length; ++row) text += fmt::format("{}+{} ", view.value<std::int64_t>(row), view.nanoseconds(row));
    EXPECT_EQ(text, "1+1 2+0 -1+999 -2+0 -9223372036854776+192 9223372036854775+807 5+6 7+0 ");
    EXPECT_EQ(view.fractions.size(), 5U);
}

TEST(ColumnBuilder, OffsetsEndAtTwoGigabytes) {
    ColumnBuilder builder({.type = DataType::binary});
    const std::int32_t offsets[] = {0, 0};
    // Nothing is written there, so the pages are never touched.
    builder.extend_values(limits::text_buffer_bytes_max + 1);
    EXPECT_THROW(builder.finish_rows(1, 0, nullptr, offsets), Error);
}

TEST(Batch, CountsItsBytes) {
    Batch batch{.rows = 3, .names = {"a", "b"}, .columns = {}};
    batch.columns.emplace_back(ColumnType{.type = DataType::bigint});
    batch.columns.emplace_back(ColumnType{.type = DataType::text});
    for (int i = 0; i < 3; ++i) batch.columns[0].append_int64(i);
    batch.columns[1].append_text("abc");
    batch.columns[1].append_nulls(2);
    EXPECT_EQ(batch.byte_size(), 3 * 8U + (4 * 4U + 3 + 1));
    EXPECT_EQ(batch.view().names[1], "b");
}

}  // namespace
}  // namespace tipple::columns
