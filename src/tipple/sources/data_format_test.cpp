#include "tipple/sources/data_format.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::sources {
namespace {

std::string detected(std::string_view head, std::string_view name = "data", bool is_all = true) {
    try {
        return std::string(to_text(detect_data_format(head, is_all, name)));
    } catch (const Error& error) {
        EXPECT_EQ(to_text(error.kind()), std::string("usage"));
        return error.what();
    }
}

TEST(DataFormat, IsToldByTheContent) {
    EXPECT_EQ(detected("{\"a\": 1}\n{\"a\": 2}\n"), "jsonl");
    EXPECT_EQ(detected("{\"a\": 1}\n"), "jsonl");
    EXPECT_EQ(detected("{\"a\": 1} {\"a\": 2}"), "json");
    EXPECT_EQ(detected("[{\"a\": 1}]"), "json");
    EXPECT_EQ(detected("[{\"a\": 1}]\n"), "json");
    EXPECT_EQ(detected("[\n  {\"a\": 1}\n]"), "json");
    EXPECT_EQ(detected("{\n  \"a\": 1\n}\n"), "json");
    EXPECT_EQ(detected("\n\n  {\"a\": \"}\"}\n{\"a\": 2}"), "jsonl");
    EXPECT_EQ(detected("[1, 2]\n[3, 4]\n"), "jsonl");
    // A list that goes on behind the first line, whatever that line ends with.
    EXPECT_EQ(detected("[{\"a\": 1}\n, {\"a\": 2}\n]\n"), "json");
    EXPECT_EQ(detected("[{\"a\": [1]\n}]\n"), "json");
    EXPECT_EQ(detected("{\"a\": {\"b\": 1}\n}\n{\"a\": 2}\n"), "json");
    EXPECT_EQ(detected("PAR1...."), "parquet");
    EXPECT_EQ(detected("a,b\n1,2\n"), "csv");
    EXPECT_EQ(detected("a;b\n1;2\n"), "csv");
    EXPECT_EQ(detected("a\tb,c\n"), "tsv");
    EXPECT_EQ(detected("a,b\r\n1,2\r\n"), "csv");
}

TEST(DataFormat, TheNameDecidesOnlyWhereTheContentDoesNot) {
    EXPECT_EQ(detected("{\"a\": 1}\n{\"a\": 2}\n", "x.csv"), "jsonl");
    EXPECT_EQ(detected("[{\"a\": 1}]", "x.jsonl"), "json");
    EXPECT_EQ(detected("one\ntwo\n", "x.csv"), "csv");
    EXPECT_EQ(detected("a,b\n", "x.TSV.gz"), "tsv");
    EXPECT_EQ(detected("", "x.csv"), "csv");
    EXPECT_EQ(detected("  \n", "x"), "jsonl");
}

TEST(DataFormat, ABrokenFirstLineDoesNotMakeLinesADocument) {
    EXPECT_EQ(detected("{\"a\": 1\n{\"a\": 2}\n", "x.jsonl"), "jsonl");
    EXPECT_EQ(detected("{\"a\": [\n1]}\n{\"a\": 2}\n", "x.jsonl"), "json");
    // A line longer than the head.
    EXPECT_EQ(detected("{\"a\": \"xxxx", "x.jsonl", false), "jsonl");
    EXPECT_EQ(detected("{\"a\": \"xxxx", "x", false), "json");
}

TEST(DataFormat, WhatCannotBeToldIsAnError) {
    EXPECT_TRUE(detected("nothing of that kind\n").find("--format") != std::string::npos);
    EXPECT_TRUE(detected("a,\xff\n").find("--format") != std::string::npos);
    EXPECT_TRUE(detected(std::string("{\0\"\0", 4)).find("--encoding utf-16le") != std::string::npos);
    EXPECT_TRUE(detected(std::string("\0i\0d", 4)).find("--encoding utf-16be") != std::string::npos);
    EXPECT_TRUE(detected("PK\x03\x04...").find("zip archive") != std::string::npos);
    EXPECT_TRUE(detected("a,b\n", "x.parquet").find("does not begin like a Parquet file") !=
                std::string::npos);
    EXPECT_THROW(require_data_format("xml"), Error);
    EXPECT_EQ(require_data_format("NDJSON"), DataFormat::json_lines);
}

TEST(FileStem, IsTheNameWithoutFoldersAndEndings) {
    EXPECT_EQ(file_stem("/data/orders.jsonl.gz"), "orders");
    EXPECT_EQ(file_stem("orders.2024.csv"), "orders.2024");
    EXPECT_EQ(file_stem("a.b/orders"), "orders");
    EXPECT_EQ(file_stem("events-*.jsonl"), "events");
    EXPECT_EQ(file_stem("*.json"), "data");
    EXPECT_EQ(file_stem(".jsonl"), ".jsonl");
    EXPECT_EQ(file_stem("notes.txt"), "notes");
    EXPECT_EQ(file_stem("model.bin"), "model.bin");
    EXPECT_EQ(format_ending("x/a.JSONL.zst"), "jsonl");
    EXPECT_EQ(format_ending("x.y/a"), "");
}

}  // namespace
}  // namespace tipple::sources
