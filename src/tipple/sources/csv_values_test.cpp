#include "tipple/sources/csv/values.h"

#include <gtest/gtest.h>

#include <array>
#include <cmath>

namespace tipple::sources::csv {
namespace {

using columns::ColumnBuilder;

struct Outcome {
    std::optional<std::string> misfit;
    ColumnBuilder values;
};

Outcome append(Kind kind, const std::vector<std::string>& texts) {
    const std::vector<std::string_view> views(texts.begin(), texts.end());
    Outcome outcome{.misfit = {}, .values = ColumnBuilder(column_type({.kind = kind}))};
    if (const std::optional<std::size_t> row = append_values(views, {.kind = kind}, outcome.values)) outcome.misfit = texts[*row];
    return outcome;
}

void expect_misfits(Kind kind, const std::vector<std::string>& texts) {
    for (const std::string& text : texts) EXPECT_EQ(append(kind, {text}).misfit, text);
}

std::int64_t value_of(Kind kind, const std::string& text) {
    const Outcome outcome = append(kind, {text});
    EXPECT_FALSE(outcome.misfit) << text;
    return kind == Kind::date ? outcome.values.view().value<std::int32_t>(0) : outcome.values.view().value<std::int64_t>(0);
}

TEST(CsvValues, WholeNumbers) {
    EXPECT_EQ(value_of(Kind::bigint, "0"), 0);
    EXPECT_EQ(value_of(Kind::bigint, " -42 "), -42);
    EXPECT_EQ(value_of(Kind::bigint, "9223372036854775807"), INT64_MAX);
    EXPECT_EQ(value_of(Kind::bigint, "-9223372036854775808"), INT64_MIN);
    expect_misfits(Kind::bigint, {"1.5", "007", "-0", "-", "+1", "1_000", "1e3", "9223372036854775808", "x", "1 2"});
}

TEST(CsvValues, EmptyIsNull) {
    const Outcome outcome = append(Kind::bigint, {"1", "", "  ", "2"});
    EXPECT_FALSE(outcome.misfit);
    EXPECT_EQ(outcome.values.length(), 4U);
    EXPECT_EQ(outcome.values.null_count(), 2U);
}

TEST(CsvValues, TheFirstMisfitIsNamed) { EXPECT_EQ(append(Kind::bigint, {"1", "a", "b"}).misfit, "a"); }

TEST(CsvValues, Doubles) {
    const Outcome outcome = append(Kind::float64, {"1.5", "-2e3", "+.5", "inf", "9007199254740992"});
    ASSERT_FALSE(outcome.misfit);
    EXPECT_EQ(outcome.values.view().value<double>(0), 1.5);
    EXPECT_EQ(outcome.values.view().value<double>(1), -2000);
    EXPECT_EQ(outcome.values.view().value<double>(2), 0.5);
    EXPECT_TRUE(std::isinf(outcome.values.view().value<double>(3)));
    expect_misfits(Kind::float64, {"1e400", "1,5", "9007199254740993", "12345678901234567890", "x"});
}

TEST(CsvValues, Booleans) {
    const Outcome outcome = append(Kind::boolean, {"true", "FALSE", "True"});
    ASSERT_FALSE(outcome.misfit);
    EXPECT_TRUE(outcome.values.view().boolean(0));
    EXPECT_FALSE(outcome.values.view().boolean(1));
    EXPECT_TRUE(outcome.values.view().boolean(2));
    expect_misfits(Kind::boolean, {"1", "t", "yes", "truth"});
}

TEST(CsvValues, DatesAndTimes) {
    EXPECT_EQ(value_of(Kind::date, "1970-01-02"), 1);
    EXPECT_EQ(value_of(Kind::date, "1970/1/3"), 2);
    expect_misfits(Kind::date, {"2024-01-02 10:11:12", "2023-02-29", "2024-13-01", "2024-01/02", "24-01-02", "0000-01-01", "2024-01"});
    EXPECT_EQ(value_of(Kind::time, "00:00:01.5"), 1'500'000);
    expect_misfits(Kind::time, {"2024-01-02 10:11:12", "24:00:00", "10:60", "10:11:12.1234567", "10:11:12+02"});
    EXPECT_EQ(value_of(Kind::timestamp, "1970-01-02"), 86'400'000'000);
    EXPECT_EQ(value_of(Kind::timestamp, "1970-01-01 00:00:01.000001"), 1'000'001);
    EXPECT_EQ(value_of(Kind::timestamp, "1970-01-01T00:00:01.0000010"), 1'000'001);
    expect_misfits(Kind::timestamp, {"2024-01-02T10:11:12Z", "2024-01-02T10:11:12+02:00", "2024-01-02T", "2024-01-02 10:11:12 x"});
    for (const char* text : {"1970-01-01T02:00:00+02:00", "1970-01-01 02:00:00+02", "1970-01-01 02:00:00 +0200", "1969-12-31 20:30:00-03:30", "1970-01-01T00:00:00Z"}) {
        EXPECT_EQ(value_of(Kind::timestamp_tz, text), 0) << text;
    }
    expect_misfits(Kind::timestamp_tz, {"1970-01-01T02:00:00+", "1970-01-01T02:00:00+2", "1970-01-01T02:00:00 UTC", "1970-01-01T00:00:00+99"});
}

TEST(CsvValues, WiderTypes) {
    const auto wider = [](Kind kind, std::string_view misfit) { return wider_type({.kind = kind}, misfit).kind; };
    EXPECT_EQ(wider(Kind::bigint, "1.5"), Kind::float64);
    EXPECT_EQ(wider(Kind::bigint, "1e3"), Kind::float64);
    EXPECT_EQ(wider(Kind::bigint, "007"), Kind::text);
    EXPECT_EQ(wider(Kind::bigint, "9223372036854775808"), Kind::text);
    EXPECT_EQ(wider(Kind::bigint, "1e400"), Kind::text);
    EXPECT_EQ(wider(Kind::date, "2024-01-02 10:11:12"), Kind::timestamp);
    EXPECT_EQ(wider(Kind::date, "2024-01-02 10:11:12Z"), Kind::timestamp_tz);
    EXPECT_EQ(wider(Kind::timestamp, "2024-01-02T10:11:12+02:00"), Kind::timestamp_tz);
    EXPECT_EQ(wider(Kind::timestamp, "soon"), Kind::text);
    EXPECT_EQ(wider(Kind::boolean, "1"), Kind::text);
}

TEST(CsvValues, TheNarrowestTypeWhateverTheOrder) {
    const auto found = [](std::vector<std::string_view> texts) { return find_type(texts).value_or(Type{.kind = Kind::decimal}).kind; };
    EXPECT_EQ(found({}), Kind::decimal) << "nothing";
    EXPECT_EQ(found({"", ""}), Kind::decimal) << "nothing";
    EXPECT_EQ(found({"  "}), Kind::text);
    EXPECT_EQ(found({"1", " ", "-2 "}), Kind::bigint);
    EXPECT_EQ(found({"1", "2.5"}), Kind::float64);
    EXPECT_EQ(found({"2.5", "1"}), Kind::float64);
    EXPECT_EQ(found({"nan", "inf"}), Kind::text) << "words";
    EXPECT_EQ(found({"nan", "0.5"}), Kind::float64);
    EXPECT_EQ(found({"+49123", "+48777"}), Kind::text) << "telephone numbers";
    EXPECT_EQ(found({"1", "007"}), Kind::text);
    EXPECT_EQ(found({"1.5", "007.5"}), Kind::text);
    EXPECT_EQ(found({"9223372036854775807", "0.5"}), Kind::text) << "no double holds both";
    EXPECT_EQ(found({"true", "False"}), Kind::boolean);
    EXPECT_EQ(found({"2024-01-02", "2024-01-02 10:00:00"}), Kind::timestamp);
    EXPECT_EQ(found({"2024-01-02T10:00:00Z", "2024-01-02"}), Kind::timestamp_tz);
    EXPECT_EQ(found({"10:11", "23:59:59.5"}), Kind::time);
    EXPECT_EQ(found({"31.12.2024", "01.01.2025"}), Kind::text);
    EXPECT_EQ(found({"12/31/2024"}), Kind::text);
    EXPECT_EQ(found({"1,234", "5"}), Kind::text);
}

TEST(CsvValues, DecimalsAreExact) {
    const Type type{.kind = Kind::decimal, .precision = 5, .scale = 2};
    const auto value = [&](std::string_view text) -> std::optional<std::int64_t> {
        ColumnBuilder builder(column_type(type));
        if (append_values(std::array{text}, type, builder)) return std::nullopt;
        return static_cast<std::int64_t>(builder.view().value<columns::int128>(0));
    };
    EXPECT_EQ(value("1.5"), 150);
    EXPECT_EQ(value("-0.05"), -5);
    EXPECT_EQ(value("007"), 700);
    EXPECT_EQ(value("+999.99"), 99'999);
    EXPECT_EQ(value(".5"), 50);
    EXPECT_EQ(value("1.5000"), 150);
    for (const char* text : {"1000", "0.001", "1e2", "1.2.3", "-", ".", "1,5", "x"}) EXPECT_EQ(value(text), std::nullopt) << text;
}

TEST(CsvValues, DeclaredTypes) {
    const auto declared = [](schema::DataType type) { return declared_type(schema::Column("x", type, true)); };
    EXPECT_EQ(declared(schema::DataType::text)->kind, Kind::text);
    EXPECT_EQ(declared(schema::DataType::timestamp)->kind, Kind::timestamp_tz);
    EXPECT_FALSE(declared(schema::DataType::json));
}

}  // namespace
}  // namespace tipple::sources::csv
