#include "tipple/schema/merge_options.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

MergeOptions parse(const std::string& text) { return parse_merge_options(json::parse(text).as_object()); }

std::string error_of(const std::string& text) {
    try {
        parse(text);
    } catch (const Error& error) {
        return error.what();
    }
    return "";
}

TEST(MergeOptionsTest, ReadsTheObjectForm) {
    const MergeOptions options = parse(
        R"({"disposition": "merge", "strategy": "scd2", "validity_column_names": ["from", "to"], "active_record_timestamp": "9999-12-31",
            "boundary_timestamp": "2024-08-21T12:00:00+02:00", "row_version_column_name": "ver", "source_filter": "v < 10"})");
    EXPECT_EQ(options.strategy, MergeStrategy::scd2);
    EXPECT_EQ(options.valid_from_column, "from");
    EXPECT_EQ(options.valid_to_column, "to");
    EXPECT_EQ(options.row_version_column, "ver");
    EXPECT_EQ(options.source_filter, "v < 10");
    EXPECT_EQ(require_time_us("x", *options.boundary_timestamp), 1'724'234'400'000'000);
}

TEST(MergeOptionsTest, RefusesWhatMeansNothing) {
    EXPECT_NE(error_of(R"({"strategy": "upsertt"})").find("did you mean upsert?"), std::string::npos);
    EXPECT_NE(error_of(R"({"stratgy": "upsert"})").find("did you mean strategy?"), std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "insert-only", "source_filter": "a = 1"})").find("source_filter means nothing to the merge strategy insert-only"),
              std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "upsert", "destination_scope": "a = 1"})").find("only to delete-insert, scd2, cdc"), std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "delete-insert", "skip_unchanged_rows": true})").find("skip_unchanged_rows"), std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "scd2", "boundary_timestamp": "soon"})").find("boundary_timestamp: \"soon\" is not a point in time"), std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "scd2", "validity_column_names": ["a", "a"]})").find("cannot be both"), std::string::npos);
    EXPECT_NE(error_of(R"({"strategy": "scd2", "validity_column_names": ["a"]})").find("list of two names"), std::string::npos);
    EXPECT_NE(error_of(R"({"source_filter": "a = {table}"})").find("takes no placeholders"), std::string::npos);
    EXPECT_NE(error_of(R"({"destination_scope": "a = {x}"})").find("there are {table}, {staging_table}"), std::string::npos);
    EXPECT_NE(error_of(R"({"destination_scope": "a = '{'"})").find("a brace stands alone"), std::string::npos);
    EXPECT_EQ(error_of(R"({"destination_scope": "a = '{{}}' AND b = {staging_table}.b"})"), "");
}

class MergeHintsTest : public testing::Test {
protected:
    void set(const std::string& options) { set_merge_hints(table_, parse(options), *naming_); }

    std::shared_ptr<const NamingConvention> naming_ = NamingConvention::make("snake_case");
    Table table_{"t"};
};

TEST_F(MergeHintsTest, AreThoseOfTheReference) {
    set(R"({"strategy": "scd2", "boundary_timestamp": "2024-01-01"})");
    EXPECT_EQ(json::to_text(table_.properties()), R"({"x-merge-strategy":"scd2","x-boundary-timestamp":"2024-01-01"})");
    ASSERT_EQ(table_.columns().size(), 3U);
    EXPECT_EQ(json::to_text(table_.find("_dlt_valid_from")->hints()), R"({"data_type":"timestamp","nullable":true,"x-valid-from":true})");
    EXPECT_EQ(json::to_text(table_.find("_dlt_valid_to")->hints()),
              R"({"data_type":"timestamp","nullable":true,"x-valid-to":true,"x-active-record-timestamp":null})");
    EXPECT_EQ(json::to_text(table_.find("_dlt_id")->hints()), R"({"nullable":false,"x-row-version":true,"unique":false,"row_key":false})");
    // What later options do not say stays.
    set("{}");
    EXPECT_EQ(merge_strategy_of(table_), MergeStrategy::scd2);
}

TEST_F(MergeHintsTest, NormalizeNames) {
    set(R"({"strategy": "upsert", "skip_unchanged_rows": true, "row_version_column_name": "Ver No"})");
    EXPECT_EQ(json::to_text(table_.find("ver_no")->hints()), R"({"nullable":false,"x-row-version":true})");
    EXPECT_EQ(table_.find("_dlt_valid_from"), nullptr);
}

TEST_F(MergeHintsTest, MustSufficeForTheStrategy) {
    EXPECT_THROW(check_merge_hints(table_, MergeStrategy::upsert), Error);
    EXPECT_THROW(check_merge_hints(table_, MergeStrategy::scd2), Error);
    check_merge_hints(table_, MergeStrategy::delete_insert);
    for (const char* name : {"a", "b"}) {
        Column column(name, DataType::bigint, false);
        column.set_hint("primary_key", true);
        column.set_hint("dedup_sort", "desc");
        table_.set_column(std::move(column));
    }
    EXPECT_THROW(check_merge_hints(table_, MergeStrategy::upsert), Error);
    table_.find("b")->erase_hint("dedup_sort");
    check_merge_hints(table_, MergeStrategy::cdc);
    table_.set_property("x-merge-strategy", std::string("upsrt"));
    EXPECT_THROW(merge_strategy_of(table_), Error);
}

}  // namespace
}  // namespace tipple::schema
