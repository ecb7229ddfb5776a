#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/destinations/filesystem/date_parts.h"
#include "tipple/destinations/filesystem/file_format.h"
#include "tipple/destinations/filesystem/layout.h"

namespace tipple::destinations::filesystem {
namespace {

std::string refusal(std::string_view layout) {
    try {
        Layout{layout};
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return {};
}

bool has(const std::string& text, std::string_view part) { return text.find(part) != std::string::npos; }

const FileName orders{.schema = "shop", .table = "orders", .load_id = "1795404633.634409", .file_id = "0000000012", .ending = "jsonl.gz"};

TEST(Layout, NamesAreReadBack) {
    for (const char* text : {"{table_name}/{load_id}.{file_id}.{ext}", "{table_name}/{YYYY}/{MM}/{load_id}.{file_id}.{ext}", "{schema_name}/{table_name}/{load_id}_{file_id}.{ext}",
                             "{table_name}_{load_id}-{file_id}.{ext}", "lake/{table_name}/day={curr_date}/{file_id}.{load_id}.{ext}",
                             "{table_name}/{timestamp_ms}-{dddd}/{load_id}.{file_id}.{ext}"}) {
        for (const char* table : {"orders", "orders__lines", "a.b", "größe"}) {
            for (const char* ending : {"jsonl", "jsonl.gz", "csv.zst", "parquet"}) {
                FileName name = orders;
                name.table = table;
                name.ending = ending;
                const Layout layout(text);
                const std::string path = layout.path(name);
                const std::optional<FileName> found = layout.parse(path);
                ASSERT_TRUE(found) << path;
                EXPECT_EQ(found->table, table) << path;
                EXPECT_EQ(found->load_id, name.load_id) << path;
                EXPECT_EQ(found->file_id, name.file_id) << path;
                EXPECT_EQ(found->ending, ending) << path;
            }
        }
    }
}

TEST(Layout, NamesThatCouldNotBeReadBackAreRefused) {
    // "orders-2026-11-29" may be of a table "orders-2026-11" and a date "29".
    EXPECT_THROW(Layout("{table_name}-{curr_date}/{load_id}.{file_id}.{ext}").path(orders), Error);
    const Layout dots("{table_name}.{load_id}.{file_id}.{ext}");
    const std::optional<FileName> found = dots.parse(dots.path(orders));
    ASSERT_TRUE(found);
    EXPECT_EQ(found->table, "orders");
    EXPECT_EQ(found->load_id, orders.load_id);
}

TEST(Layout, ReadsNamesOfTheReference) {
    const std::optional<FileName> found = Layout(Layout::default_text).parse("t__c/1795404798.9364138.096487c086.jsonl.gz");
    ASSERT_TRUE(found);
    EXPECT_EQ(found->table, "t__c");
    EXPECT_EQ(found->load_id, "1795404798.9364138");
    EXPECT_EQ(found->file_id, "096487c086");
}

TEST(Layout, OtherNamesAreNone) {
    const Layout layout(Layout::default_text);
    for (const char* path : {"t/notes.txt", "1.0.abc.jsonl", "t/1.0.abc.json", "t/x/1.0.abc.jsonl", "t/1.0.2.abc.jsonl", "t/1.0..jsonl", "t/1.0.abc.jsonl.bz2"}) {
        EXPECT_FALSE(layout.parse(path)) << path;
    }
}

TEST(Layout, WhatIsWrongIsSaid) {
    EXPECT_TRUE(has(refusal("{table_name}/{load_di}.{file_id}.{ext}"), "did you mean {load_id}?"));
    EXPECT_TRUE(has(refusal("{table_name}/{file_id}.{ext}"), "{load_id} is missing"));
    EXPECT_TRUE(has(refusal("{load_id}/{table_name}/{file_id}.{ext}"), "only {schema_name} may stand before {table_name}"));
    EXPECT_TRUE(has(refusal("{table_name}{load_id}.{file_id}.{ext}"), "something must stand behind {table_name}"));
    EXPECT_TRUE(has(refusal("{table_name}/{load_id}{file_id}.{ext}"), "something must stand between {load_id} and {file_id}"));
    EXPECT_TRUE(has(refusal("{table_name}/{load_id}.{file_id}.{file_id}.{ext}"), "{file_id} is there twice"));
    EXPECT_TRUE(has(refusal("../{table_name}/{load_id}.{file_id}.{ext}"), "must not lead out"));
    EXPECT_TRUE(has(refusal("/{table_name}/{load_id}.{file_id}.{ext}"), "no \"/\" at its start"));
    EXPECT_TRUE(has(refusal("{table_name/{load_id}.{file_id}.{ext}"), "there is no placeholder"));
    EXPECT_TRUE(has(refusal("{table_name}/{load_id}.{file_id}.{ext"), "without its \"}\""));
}

TEST(Layout, ANameThatIsNoPartOfAPathIsRefused) {
    const Layout layout(Layout::default_text);
    for (const char* table : {"a/b", "..", "."}) {
        FileName name = orders;
        name.table = table;
        EXPECT_THROW(layout.path(name), Error) << table;
    }
}

/// As the reference has them.
TEST(DateParts, AreThoseOfTheReference) {
    constexpr std::int64_t monday_us = 1'795'404'633'063'409;
    constexpr std::int64_t sunday_us = 1'707'004'805'100'000;
    const std::map<std::string_view, std::pair<const char*, const char*>> expected = {
        {"D", {"23", "4"}},        {"DD", {"23", "04"}},      {"H", {"3", "0"}},           {"HH", {"03", "00"}},        {"M", {"11", "2"}},
        {"MM", {"11", "02"}},      {"MMM", {"nov", "feb"}},   {"MMMM", {"november", "february"}}, {"Q", {"4", "1"}},    {"S", {"0", "1"}},
        {"SS", {"06", "10"}},      {"SSS", {"063", "100"}},   {"SSSS", {"0634", "1000"}},  {"Y", {"2026", "2024"}},     {"YY", {"26", "24"}},
        {"YYYY", {"2026", "2024"}}, {"curr_date", {"2026-11-23", "2024-02-04"}}, {"d", {"1", "0"}}, {"dd", {"mo", "su"}}, {"ddd", {"mon", "sun"}},
        {"dddd", {"monday", "sunday"}}, {"m", {"30", "0"}},   {"mm", {"30", "00"}},        {"s", {"33", "5"}},          {"ss", {"33", "05"}},
        {"timestamp", {"1795404633", "1707004805"}}, {"load_package_timestamp", {"1795404633", "1707004805"}},
        {"timestamp_ms", {"1795404633063", "1707004805100"}}, {"load_package_timestamp_ms", {"1795404633063", "1707004805100"}}};
    for (const std::string_view name : date_part_names()) {
        ASSERT_TRUE(expected.contains(name)) << name;
        EXPECT_EQ(date_part(name, monday_us), expected.at(name).first) << name;
        EXPECT_EQ(date_part(name, sunday_us), expected.at(name).second) << name;
    }
    EXPECT_EQ(date_part_names().size(), expected.size());
}

TEST(FileFormat, NamesAndEndings) {
    EXPECT_EQ(require_file_format("jsonl", "").ending(), "jsonl.gz");
    EXPECT_EQ(require_file_format("jsonl", "none").ending(), "jsonl");
    EXPECT_EQ(require_file_format("csv", "zstd").ending(), "csv.zst");
    EXPECT_EQ(require_file_format("parquet", "").ending(), "parquet");
    EXPECT_EQ(require_file_format("parquet", "snappy").ending(), "parquet");
    EXPECT_THROW(require_file_format("json", ""), Error);
    EXPECT_THROW(require_file_format("jsonl", "snappy"), Error);
    EXPECT_THROW(require_file_format("parquet", "lz4"), Error);
}

}  // namespace
}  // namespace tipple::destinations::filesystem
