#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/destinations/postgres/copy_encoder.h"
#include "tipple/destinations/postgres/types.h"

namespace tipple::destinations::postgres {
namespace {

using columns::ColumnType;
using columns::int128;
using schema::DataType;

TEST(PostgresTypes, TakesOnlyWhatStaysTheSame) {
    const std::pair<const char*, const char*> kept[] = {
        {"bigint", "smallint"},
        {"bigint", "numeric"},
        {"character varying", "text"},
        {"character varying", "uuid"},
        {"jsonb", "json"},
        {"numeric(38,9)", "numeric"},
        {"numeric(38,9)", "numeric(20,9)"},
        {"numeric(156,78)", "numeric(38,0)"},
        {"timestamp(3) with time zone", "timestamp with time zone"},
    };
    for (const auto& [from, to] : kept) EXPECT_TRUE(keeps_values(from, to)) << from << " -> " << to;
    const std::pair<const char*, const char*> changed[] = {
        {"double precision", "real"},
        {"bigint", "double precision"},
        {"numeric(38,9)", "numeric(38,2)"},
        {"timestamp with time zone", "timestamp without time zone"},
        {"timestamp with time zone", "timestamp(3) with time zone"},
        {"character varying", "name"},
        {"boolean", "integer"},
    };
    for (const auto& [from, to] : changed) EXPECT_FALSE(keeps_values(from, to)) << from << " -> " << to;
}

/// One value as COPY sends it, in hexadecimal digits: what stands behind the header and the row's number of fields.
template <typename Append>
std::string encoded(const ColumnType& type, const char* target, Append append) {
    columns::Batch batch{.rows = 1, .names = {"c"}, .columns = {}};
    append(batch.columns.emplace_back(type));
    CopyEncoder encoder("t", {{.name = "c", .wire = find_wire(type, target).value()}});
    encoder.start_batch(batch.view(), 0);
    EXPECT_FALSE(encoder.write_rows(nullptr));
    return to_hex(encoder.written().substr(11 + 4 + 4 + 2));
}

std::string encoded_decimal(int128 value, int scale) {
    return encoded({.type = DataType::decimal, .precision = 38, .scale = scale}, "numeric", [&](auto& column) { column.append_int128(value); });
}

TEST(PostgresCopy, WritesNumericInGroupsOfFourDigits) {
    // Length, number of groups, weight of the first, sign, scale, groups.
    EXPECT_EQ(encoded_decimal(0, 0), "00000008"
                                     "0000ffff00000000");
    EXPECT_EQ(encoded_decimal(12345, 0), "0000000c"
                                         "0002000100000000"
                                         "00010929");
    EXPECT_EQ(encoded_decimal(-15, 1), "0000000c"
                                       "0002000040000001"
                                       "00011388");
    EXPECT_EQ(encoded_decimal(100'000, 9), "0000000e"
                                           "0003ffff00000009"
                                           "000100000000");
    int128 largest = 1;
    for (int i = 0; i < 38; ++i) largest *= 10;
    EXPECT_EQ(encoded_decimal(largest - 1, 38), "0000001c"
                                                "000affff00000026"
                                                "270f270f270f270f270f270f270f270f270f26ac");
}

TEST(PostgresCopy, CountsTimeFrom2000) {
    const ColumnType type{.type = DataType::timestamp};
    EXPECT_EQ(encoded(type, "timestamp with time zone", [](auto& column) { column.append_int64(946'684'800'000'001); }), "000000080000000000000001");
    EXPECT_EQ(encoded({.type = DataType::date}, "date", [](auto& column) { column.append_int32(10'956); }), "00000004ffffffff");
}

TEST(PostgresCopy, WhatIsInfiniteStaysInfinite) {
    constexpr std::int64_t infinity = std::numeric_limits<std::int64_t>::max();
    constexpr std::int32_t infinite_day = std::numeric_limits<std::int32_t>::max();
    const ColumnType type{.type = DataType::timestamp};
    EXPECT_EQ(encoded(type, "timestamp with time zone", [](auto& column) { column.append_int64(infinity); }), "000000087fffffffffffffff");
    EXPECT_EQ(encoded(type, "timestamp with time zone", [](auto& column) { column.append_int64(-infinity); }), "000000088000000000000000");
    EXPECT_THROW(encoded(type, "timestamp with time zone", [](auto& column) { column.append_int64(-infinity + 1); }), Error);
    EXPECT_EQ(encoded({.type = DataType::date}, "date", [](auto& column) { column.append_int32(infinite_day); }), "000000047fffffff");
    EXPECT_EQ(encoded({.type = DataType::date}, "date", [](auto& column) { column.append_int32(-infinite_day); }), "0000000480000000");
}

TEST(PostgresCopy, RefusesWhatDoesNotFit) {
    const ColumnType number{.type = DataType::bigint};
    EXPECT_EQ(encoded(number, "smallint", [](auto& column) { column.append_int64(-32'768); }), "000000028000");
    EXPECT_THROW(encoded(number, "smallint", [](auto& column) { column.append_int64(32'768); }), Error);
    const ColumnType text{.type = DataType::text};
    EXPECT_THROW(encoded(text, "uuid", [](auto& column) { column.append_text("c0ffee00-0000-4000-8000-00000000000"); }), Error);
    EXPECT_THROW(encoded(text, "text", [](auto& column) { column.append_text(std::string_view("a\0b", 3)); }), Error);
    EXPECT_EQ(encoded(text, "jsonb", [](auto& column) { column.append_text("{}"); }), "00000003017b7d");
}

TEST(PostgresCopy, LeavesOutDroppedRows) {
    columns::Batch batch{.rows = 3, .names = {"c"}, .columns = {}};
    columns::ColumnBuilder& column = batch.columns.emplace_back(ColumnType{.type = DataType::bool_});
    for (const bool value : {true, false, true}) column.append_bool(value);
    destination::DroppedRows dropped;
    dropped.resize(6);
    dropped.add(4);
    CopyEncoder encoder("t", {{.name = "c", .wire = Wire::boolean}, {.name = "position", .source = CopyField::Source::position}});
    encoder.clear();
    encoder.start_batch(batch.view(), 3);
    EXPECT_FALSE(encoder.write_rows(&dropped));
    encoder.write_end();
    EXPECT_EQ(to_hex(encoder.written()),
              "00020000000101000000080000000000000003"
              "00020000000101000000080000000000000005"
              "ffff");
}

}  // namespace
}  // namespace tipple::destinations::postgres
