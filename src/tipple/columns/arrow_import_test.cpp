#include "tipple/columns/arrow_import.h"

#include <gtest/gtest.h>

#include <array>
#include <cerrno>

#include "tipple/columns/value_at.h"
#include "tipple/schema/coerce.h"

namespace tipple::columns {

namespace {

/// One column of four rows, of which row 2 is null, behind one row that is cut off.
struct Column {
    template <typename T>
    Column(const char* format, const std::array<T, 5>& values) : Column(format) {
        bytes.assign(reinterpret_cast<const char*>(values.data()), sizeof(values));
        buffers = {&valid, bytes.data(), nullptr};
    }
    Column(const char* format, const std::string& packed) : Column(format) {
        bytes = packed;
        buffers = {&valid, bytes.data(), nullptr};
    }
    template <typename Offset>
    Column(const char* format, const std::array<Offset, 6>& offsets, std::string text) : Column(format) {
        bytes.assign(reinterpret_cast<const char*>(offsets.data()), sizeof(offsets));
        data = std::move(text);
        buffers = {&valid, bytes.data(), data.data()};
        field_array.n_buffers = 3;
    }

    Batch import() { return import_array(&schema, &array); }
    /// The values as text.
    std::string texts() {
        const Batch batch = import();
        std::string out;
        for (std::size_t row = 0; row < batch.rows; ++row) {
            const schema::Value value = value_at(batch.columns.at(0).view(), row);
            out += (out.empty() ? "" : " ") + (value.is_null() ? std::string("-") : schema::coerce(DataType::text, value)->as<std::string>());
        }
        return out;
    }

    std::string bytes;
    std::string data;
    std::uint8_t valid = 0b10111;
    std::array<const void*, 3> buffers{};
    ArrowSchema field_schema{};
    ArrowArray field_array{};
    ArrowSchema* schemas = &field_schema;
    ArrowArray* arrays = &field_array;
    ArrowSchema schema{};
    ArrowArray array{};
    bool is_released = false;
    const void* no_buffer = nullptr;

private:
    explicit Column(const char* format) {
        field_schema = {.format = format, .name = "c", .release = [](ArrowSchema* own) { own->release = nullptr; }};
        field_array = {.length = 4, .null_count = 1, .offset = 1, .n_buffers = 2, .buffers = buffers.data(), .release = [](ArrowArray* own) { own->release = nullptr; }};
        schema = {.format = "+s", .n_children = 1, .children = &schemas, .release = [](ArrowSchema* own) { own->release = nullptr; }};
        array = {.length = 4,
                 .n_buffers = 1,
                 .n_children = 1,
                 .buffers = &no_buffer,
                 .children = &arrays,
                 .release =
                     [](ArrowArray* own) {
                         *static_cast<bool*>(own->private_data) = true;
                         own->release = nullptr;
                     },
                 .private_data = &is_released};
    }
};

TEST(ArrowImportTest, IntegersOfAllWidths) {
    EXPECT_EQ(Column("c", std::array<std::int8_t, 5>{0, -1, 2, 9, 4}).texts(), "-1 2 - 4");
    EXPECT_EQ(Column("C", std::array<std::uint8_t, 5>{0, 255, 2, 9, 4}).texts(), "255 2 - 4");
    EXPECT_EQ(Column("s", std::array<std::int16_t, 5>{0, -300, 2, 9, 4}).texts(), "-300 2 - 4");
    EXPECT_EQ(Column("S", std::array<std::uint16_t, 5>{0, 65'535, 2, 9, 4}).texts(), "65535 2 - 4");
    EXPECT_EQ(Column("i", std::array<std::int32_t, 5>{0, -70'000, 2, 9, 4}).texts(), "-70000 2 - 4");
    EXPECT_EQ(Column("I", std::array<std::uint32_t, 5>{0, 4'000'000'000, 2, 9, 4}).texts(), "4000000000 2 - 4");
    EXPECT_EQ(Column("l", std::array<std::int64_t, 5>{0, -5'000'000'000, 2, 9, 4}).texts(), "-5000000000 2 - 4");
    EXPECT_EQ(Column("L", std::array<std::uint64_t, 5>{0, 18'446'744'073'709'551'615U, 2, 9, 4}).texts(), "18446744073709551615 2 - 4");
}

TEST(ArrowImportTest, OtherNumbersAndBools) {
    EXPECT_EQ(Column("f", std::array<float, 5>{0, 1.5F, 2, 9, 4}).texts(), "1.5 2.0 - 4.0");
    EXPECT_EQ(Column("g", std::array<double, 5>{0, -1.25, 2, 9, 4}).texts(), "-1.25 2.0 - 4.0");
    EXPECT_EQ(Column("d:10,2", std::array<int128, 5>{0, -150, 2, 9, 12'345}).texts(), "-1.50 0.02 - 123.45");
    EXPECT_EQ(Column("b", std::string("\x12", 1)).texts(), "True False - True");
}

TEST(ArrowImportTest, TimesOfAllUnits) {
    EXPECT_EQ(Column("tdD", std::array<std::int32_t, 5>{0, 1, -1, 9, 365}).texts(), "1970-01-02 1969-12-31 - 1971-01-01");
    EXPECT_EQ(Column("tdm", std::array<std::int64_t, 5>{0, 86'400'000, -1, 9, 0}).texts(), "1970-01-02 1969-12-31 - 1970-01-01");
    EXPECT_EQ(Column("ttm", std::array<std::int32_t, 5>{0, 1'500, 0, 9, 1}).texts(), "00:00:01.500000 00:00:00 - 00:00:00.001000");
    EXPECT_EQ(Column("tss:UTC", std::array<std::int64_t, 5>{0, 1, -1, 9, 60}).texts(), "1970-01-01T00:00:01+00:00 1969-12-31T23:59:59+00:00 - 1970-01-01T00:01:00+00:00");
    EXPECT_EQ(Column("tsn:", std::array<std::int64_t, 5>{0, 1'999, -1, 9, 0}).texts(), "1970-01-01T00:00:00.000001 1969-12-31T23:59:59.999999 - 1970-01-01T00:00:00");
    EXPECT_EQ(Column("ttn", std::array<std::int64_t, 5>{0, 1'999, 0, 9, 1'000}).texts(), "00:00:00.000001 00:00:00 - 00:00:00.000001");
    EXPECT_THROW(Column("tss:", std::array<std::int64_t, 5>{0, INT64_MAX, 0, 0, 0}).import(), Error);
}

TEST(ArrowImportTest, NanosecondsAreKeptBesideTheColumn) {
    for (const char* format : {"tsn:", "tsn:UTC", "ttn"}) {
        const Batch batch = Column(format, std::array<std::int64_t, 5>{7, 1'999, 2'000, 9, 5}).import();
        const ColumnView view = batch.columns.at(0).view();
        ASSERT_EQ(view.fractions.size(), 2U) << format;
        EXPECT_EQ(view.nanoseconds(0), 999);
        EXPECT_EQ(view.nanoseconds(1), 0);
        EXPECT_EQ(view.nanoseconds(3), 5);
    }
}

TEST(ArrowImportTest, TextsAndBytes) {
    EXPECT_EQ(Column("u", std::array<std::int32_t, 6>{0, 2, 3, 3, 3, 5}, "xxabc").texts(), "a  - bc");
    EXPECT_EQ(Column("U", std::array<std::int64_t, 6>{0, 2, 3, 3, 3, 5}, "xxabc").texts(), "a  - bc");
    EXPECT_EQ(Column("z", std::array<std::int32_t, 6>{0, 2, 3, 3, 3, 5}, "xxabc").import().columns[0].type().type, DataType::binary);
}

TEST(ArrowImportTest, WhatLiesAsOursDoesIsNotCopied) {
    Column numbers("l", std::array<std::int64_t, 5>{0, 1, 2, 9, 4});
    {
        const Batch batch = numbers.import();
        EXPECT_EQ(static_cast<const void*>(batch.columns[0].view().values), numbers.bytes.data() + 8);
        EXPECT_FALSE(numbers.is_released);
    }
    EXPECT_TRUE(numbers.is_released);

    Column texts("u", std::array<std::int32_t, 6>{0, 2, 3, 3, 3, 5}, "xxabc");
    Batch batch = texts.import();
    EXPECT_EQ(static_cast<const void*>(batch.columns[0].view().values), texts.data.data() + 2);
    // Whoever goes on writing gets memory of his own.
    batch.columns[0].append_text("more");
    EXPECT_EQ(batch.columns[0].view().text(4), "more");
    EXPECT_EQ(texts.data, "xxabc");
    EXPECT_TRUE(texts.is_released);
}

TEST(ArrowImportTest, DictionariesAreResolved) {
    Column indexes("c", std::array<std::int8_t, 5>{0, 1, 0, 9, 1});
    const std::array<std::int32_t, 3> offsets = {0, 1, 3};
    const std::string text = "abb";
    std::array<const void*, 3> buffers = {nullptr, offsets.data(), text.data()};
    ArrowSchema schema{.format = "u"};
    ArrowArray array{.length = 2, .n_buffers = 3, .buffers = buffers.data()};
    indexes.field_schema.dictionary = &schema;
    indexes.field_array.dictionary = &array;
    EXPECT_EQ(indexes.texts(), "bb a - bb");
}

TEST(ArrowImportTest, OtherTypesAreRefusedByName) {
    Column nested("+l", std::array<std::int32_t, 5>{});
    try {
        nested.import();
        ADD_FAILURE();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("field \"c\" of an Arrow array has the format \"+l\""), std::string::npos) << error.what();
    }
    EXPECT_TRUE(nested.is_released);
}

TEST(ArrowImportTest, StreamsGiveAllTheirArrays) {
    int left = 3;
    ArrowArrayStream stream;
    export_stream({.fields = {{.name = "n", .type = {.type = DataType::bigint}}},
                   .constants = {""},
                   .next =
                       [&]() -> std::unique_ptr<Batch> {
                           if (left == 1) throw Error(ErrorKind::data, "no more");
                           auto batch = std::make_unique<Batch>();
                           batch->rows = 1;
                           batch->names = {"n"};
                           batch->columns.emplace_back(ColumnType{.type = DataType::bigint});
                           batch->columns[0].append_int64(left--);
                           return batch;
                       }},
                  &stream);
    StreamReader reader(&stream);
    EXPECT_EQ(stream.release, nullptr);
    const std::optional<Batch> first = reader.next();
    const std::optional<Batch> second = reader.next();
    EXPECT_EQ(first->columns[0].view().value<std::int64_t>(0), 3);
    EXPECT_EQ(second->columns[0].view().value<std::int64_t>(0), 2);
    EXPECT_THROW(reader.next(), Error);
}

}  // namespace
}  // namespace tipple::columns
