#include "tipple/sources/csv_values.h"

#include <gtest/gtest.h>

#include <cmath>

namespace tipple::sources {
namespace {

using columns::ColumnBuilder;

struct Outcome {
    std::optional<std::string> misfit;
    ColumnBuilder values;
};

Outcome append(CsvType type, const std::vector<std::string>& texts) {
    ColumnBuilder source({.type = schema::DataType::text});
    for (const std::string& text : texts) source.append_text(text);
    Outcome outcome{.misfit = {}, .values = ColumnBuilder(column_type(type))};
    outcome.misfit = append_csv_values(source.view(), type, outcome.values);
    return outcome;
}

void expect_misfits(CsvType type, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) EXPECT_EQ(append(type, {text}).misfit, text);
}

std::int64_t value_of(CsvType type, const std::string& text) {
    const Outcome outcome = append(type, {text});
    EXPECT_FALSE(outcome.misfit) << text;
    return type == CsvType::date ? outcome.values.view().value<std::int32_t>(0) : outcome.values.view().value<std::int64_t>(0);
}

TEST(CsvValues, WholeNumbers) {
    EXPECT_EQ(value_of(CsvType::bigint, "0"), 0);
    EXPECT_EQ(value_of(CsvType::bigint, " -42 "), -42);
    EXPECT_EQ(value_of(CsvType::bigint, "9223372036854775807"), INT64_MAX);
    EXPECT_EQ(value_of(CsvType::bigint, "-9223372036854775808"), INT64_MIN);
    expect_misfits(CsvType::bigint, {"1.5", "007", "-0", "-", "+1", "1_000", "1e3", "9223372036854775808", "x", "1 2"});
}

TEST(CsvValues, EmptyIsNull) {
    const Outcome outcome = append(CsvType::bigint, {"1", "", "  ", "2"});
    EXPECT_FALSE(outcome.misfit);
    EXPECT_EQ(outcome.values.length(), 4U);
    EXPECT_EQ(outcome.values.null_count(), 2U);
}

TEST(CsvValues, TheFirstMisfitIsNamed) { EXPECT_EQ(append(CsvType::bigint, {"1", "a", "b"}).misfit, "a"); }

TEST(CsvValues, Doubles) {
    const Outcome outcome = append(CsvType::float64, {"1.5", "-2e3", "+.5", "inf", "9007199254740992"});
    ASSERT_FALSE(outcome.misfit);
    EXPECT_EQ(outcome.values.view().value<double>(0), 1.5);
    EXPECT_EQ(outcome.values.view().value<double>(1), -2000);
    EXPECT_EQ(outcome.values.view().value<double>(2), 0.5);
    EXPECT_TRUE(std::isinf(outcome.values.view().value<double>(3)));
    expect_misfits(CsvType::float64, {"1e400", "1,5", "9007199254740993", "12345678901234567890", "x"});
}

TEST(CsvValues, Booleans) {
    const Outcome outcome = append(CsvType::boolean, {"true", "FALSE", "True"});
    ASSERT_FALSE(outcome.misfit);
    EXPECT_TRUE(outcome.values.view().boolean(0));
    EXPECT_FALSE(outcome.values.view().boolean(1));
    EXPECT_TRUE(outcome.values.view().boolean(2));
    expect_misfits(CsvType::boolean, {"1", "t", "yes", "truth"});
}

TEST(CsvValues, DatesAndTimes) {
    EXPECT_EQ(value_of(CsvType::date, "1970-01-02"), 1);
    EXPECT_EQ(value_of(CsvType::date, "1970/1/3"), 2);
    expect_misfits(CsvType::date, {"2024-01-02 10:11:12", "2023-02-29", "2024-13-01", "2024-01/02", "24-01-02", "0000-01-01", "2024-01"});
    EXPECT_EQ(value_of(CsvType::time, "00:00:01.5"), 1'500'000);
    expect_misfits(CsvType::time, {"2024-01-02 10:11:12", "24:00:00", "10:60", "10:11:12.1234567", "10:11:12+02"});
    EXPECT_EQ(value_of(CsvType::timestamp, "1970-01-02"), 86'400'000'000);
    EXPECT_EQ(value_of(CsvType::timestamp, "1970-01-01 00:00:01.000001"), 1'000'001);
    EXPECT_EQ(value_of(CsvType::timestamp, "1970-01-01T00:00:01.0000010"), 1'000'001);
    expect_misfits(CsvType::timestamp, {"2024-01-02T10:11:12Z", "2024-01-02T10:11:12+02:00", "2024-01-02T", "2024-01-02 10:11:12 x"});
    for (const char* text : {"1970-01-01T02:00:00+02:00", "1970-01-01 02:00:00+02", "1970-01-01 02:00:00 +0200", "1969-12-31 20:30:00-03:30", "1970-01-01T00:00:00Z"}) {
        EXPECT_EQ(value_of(CsvType::timestamp_tz, text), 0) << text;
    }
    expect_misfits(CsvType::timestamp_tz, {"1970-01-01T02:00:00+", "1970-01-01T02:00:00+2", "1970-01-01T02:00:00 UTC", "1970-01-01T00:00:00+99"});
}

TEST(CsvValues, WiderTypes) {
    EXPECT_EQ(wider_csv_type(CsvType::bigint, "1.5"), CsvType::float64);
    EXPECT_EQ(wider_csv_type(CsvType::bigint, "1e3"), CsvType::float64);
    EXPECT_EQ(wider_csv_type(CsvType::bigint, "007"), std::nullopt);
    EXPECT_EQ(wider_csv_type(CsvType::bigint, "9223372036854775808"), std::nullopt);
    EXPECT_EQ(wider_csv_type(CsvType::bigint, "1e400"), std::nullopt);
    EXPECT_EQ(wider_csv_type(CsvType::date, "2024-01-02 10:11:12"), CsvType::timestamp);
    EXPECT_EQ(wider_csv_type(CsvType::date, "2024-01-02 10:11:12Z"), CsvType::timestamp_tz);
    EXPECT_EQ(wider_csv_type(CsvType::timestamp, "2024-01-02T10:11:12+02:00"), CsvType::timestamp_tz);
    EXPECT_EQ(wider_csv_type(CsvType::timestamp, "soon"), std::nullopt);
    EXPECT_EQ(wider_csv_type(CsvType::boolean, "1"), std::nullopt);
}

TEST(CsvValues, TypesOfTheEngine) {
    EXPECT_EQ(csv_type("BIGINT"), CsvType::bigint);
    EXPECT_EQ(csv_type("TIMESTAMP WITH TIME ZONE"), CsvType::timestamp_tz);
    EXPECT_EQ(csv_type("VARCHAR"), std::nullopt);
}

}  // namespace
}  // namespace tipple::sources
