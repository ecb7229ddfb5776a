#include "tipple/sources/origin_columns.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::sources {
namespace {

using Values = std::vector<std::pair<std::string, std::optional<std::string>>>;

TEST(OriginColumns, FoldersAreDecoded) {
    EXPECT_EQ(folder_values("/data/year=2024/month=05/x.csv"), (Values{{"year", "2024"}, {"month", "05"}}));
    EXPECT_EQ(folder_values("s3://b/a%20b=c%2Fd%/x=/=y/z=1"), (Values{{"a b", "c/d%"}, {"x", ""}}));
    EXPECT_EQ(folder_values("k=__HIVE_DEFAULT_PARTITION__/f"), (Values{{"k", std::nullopt}}));
    EXPECT_EQ(folder_values("k=a=b/f"), (Values{{"k", "a=b"}}));
}

TEST(OriginColumns, TypesOfFoldersHoldTheirValues) {
    const OriginOptions options{.has_folders = true, .folder_types = {{"declared", {.kind = csv::Kind::text}}}};
    const auto types = find_folder_types({{.url = "year=2024/month=05/day=2024-01-02/zip=00501/declared=1/none=__HIVE_DEFAULT_PARTITION__/f"},
                                          {.url = "year=2025/month=12/day=2024-01-03/zip=10001/declared=2/none=__HIVE_DEFAULT_PARTITION__/f"}},
                                         options);
    EXPECT_EQ(types.at("year").kind, csv::Kind::bigint);
    EXPECT_EQ(types.at("month").kind, csv::Kind::bigint);
    EXPECT_EQ(types.at("day").kind, csv::Kind::date);
    EXPECT_EQ(types.at("zip").kind, csv::Kind::text);
    EXPECT_EQ(types.at("declared").kind, csv::Kind::text);
}

TEST(OriginColumns, ValuesOfAContent) {
    const OriginOptions options{.has_file = true, .has_line = true, .has_modified = true, .has_folders = true};
    const ContentOrigin content{.url = "s3://b/month=05/region=eu/none=__HIVE_DEFAULT_PARTITION__/x.csv", .modified_ns = 1'000'001'999};
    const auto columns = make_origin_columns(content, options, find_folder_types({content}, options));
    ASSERT_EQ(columns->constants.size(), 4U);
    EXPECT_EQ(columns->constants[0].first, "month");
    EXPECT_EQ(columns->constants[0].second.as<std::int64_t>(), 5);
    EXPECT_EQ(columns->constants[1].first, "region");
    EXPECT_EQ(columns->constants[1].second.as<std::string>(), "eu");
    EXPECT_EQ(columns->constants[2].first, "_source_file");
    EXPECT_EQ(columns->constants[2].second.as<std::string>(), content.url);
    EXPECT_EQ(columns->constants[3].second.as<schema::Timestamp>().us, 1'000'001);
    EXPECT_EQ(columns->place, "_source_line");
    EXPECT_EQ(make_origin_columns(content, {}, {}), nullptr);
}

TEST(OriginColumns, WrongOptionsAreRefused) {
    config::Options given;
    given.set("metadata", "_source_flie");
    try {
        parse_origin_options(given);
        FAIL();
    } catch (const Error& error) {
        EXPECT_NE(std::string(error.what()).find("did you mean \"_source_file\"?"), std::string::npos) << error.what();
    }
    const OriginOptions options{.has_folders = true, .folder_types = {{"year", {.kind = csv::Kind::bigint}}}};
    EXPECT_THROW(make_origin_columns({.url = "year=x/f"}, options, options.folder_types), Error);
}

TEST(OriginColumns, AColumnTheFileHasItselfIsAnError) {
    extract::OriginColumns origin;
    origin.constants.emplace_back("year", schema::Value(std::int64_t{2024}));
    columns::Batch batch;
    batch.names = {"year"};
    batch.columns.emplace_back(columns::ColumnType{});
    EXPECT_THROW(append_origin_columns(origin, [](std::size_t) { return 1; }, "x.csv", batch), Error);
}

}  // namespace
}  // namespace tipple::sources
