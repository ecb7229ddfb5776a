#include "tipple/schema/datetime_text.h"

#include <cmath>
#include <limits>

#include <fmt/format.h>
#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tipple/schema/civil.h"
#include "tipple/schema/coerce.h"

namespace tipple::schema {
namespace {

/// "timestamp 2024-01-01T10:00:00 +7200", "date 2024-01-01", "time 10:30:00", "-".
std::string read(std::string_view text) {
    const auto parsed = parse_datetime(text);
    if (!parsed) return "-";
    const std::string offset =
        parsed->offset_seconds ? fmt::format(" {:+}", *parsed->offset_seconds) : "";
    if (parsed->kind == DateTimeKind::time) return "time " + to_iso_text(Time{parsed->us}) + offset;
    const std::string iso = to_iso_text(Timestamp{parsed->us, false});
    return parsed->kind == DateTimeKind::date ? "date " + iso.substr(0, 10)
                                              : "timestamp " + iso + offset;
}

std::string timestamp(std::string_view text) {
    const auto result = timestamp_from_text(text);
    return result ? to_iso_text(*result) : "-";
}

std::string date(std::string_view text) {
    const auto result = date_from_text(text);
    return result ? to_iso_text(*result) : "-";
}

std::string time_of_day(std::string_view text) {
    const auto result = time_from_text(text);
    return result ? to_iso_text(*result) : "-";
}

TEST(DateTimeText, ReadsTimestamps) {
    const std::pair<const char*, const char*> cases[] = {
        {"2024-01-01T10", "2024-01-01T10:00:00"},
        {"2024-01-01 10:00", "2024-01-01T10:00:00"},
        {"2024-01-01T10:00:00+02", "2024-01-01T10:00:00 +7200"},
        {"2024-01-01T10:00:00+0200", "2024-01-01T10:00:00 +7200"},
        {"2024-01-01T10:00:00-02:30", "2024-01-01T10:00:00 -9000"},
        {"2024-01-01T10:00:00+02:", "2024-01-01T10:00:00 +7200"},
        {"20240101T101010Z", "2024-01-01T10:10:10 +0"},
        {"20240101 10:10:10", "2024-01-01T10:10:10"},
        {"20240101T10:10", "2024-01-01T10:10:00"},
        {"2024/01/15 10:00", "2024-01-15T10:00:00"},
        {"2024-001T10:00:00", "2024-01-01T10:00:00"},
        {"2024-W05-1T10:00", "2024-01-29T10:00:00"},
        {"2024-01T10:00", "2024-01-01T10:00:00"},
        {"2024-01-01T10:00:00,5Z", "2024-01-01T10:00:00.500000 +0"},
        {"2024-01-01T10:00:00.1234567Z", "2024-01-01T10:00:00.123456 +0"},
        {"12341:30", "1234-01-01T01:30:00"},
        {"2024 10:30", "2024-01-01T10:30:00"},
        {"2024/0١/01 10:00", "2024-01-01T10:00:00"},
        {"2022-05-10T00:17:15.3+02:00", "2022-05-10T00:17:15.300000 +7200"},
        {"9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.999999 +0"},
        {"0001-01-01T00:00:00Z", "0001-01-01T00:00:00 +0"},
        {"2024-02-29T00:00:00", "2024-02-29T00:00:00"},
    };
    for (const auto& [text, expected] : cases)
        EXPECT_EQ(read(text), std::string("timestamp ") + expected) << text;
}

TEST(DateTimeText, ReadsNoTimestampInOtherForms) {
    for (const char* text : {"2024-01-01 9:30",
                             "2024-01-01t10:00:00z",
                             "2024-01-01 10:00:00 UTC",
                             "2024-01-01T10:00:00 +02:00",
                             "20240101T10:10:10",
                             "2024-01-01T1000",
                             " 2024-01-01T00:00:00",
                             "2024-01-01T00:00:00 ",
                             "2024-02-30T00:00:00",
                             "2023-02-29T00:00:00",
                             "2024-01-01T24:00:00",
                             "2024-01-01T10:60:00",
                             "2024-01-01T10:00:60",
                             "P1D",
                             "1633344898",
                             "01/02/2024 10:00",
                             "now",
                             "",
                             "2024-01-01T10:00:00.",
                             "2024-01-01T10:00:00+24:00",
                             "2024-01-01T10:00:00+2",
                             "0000-01-01T00:00:00",
                             "2024-13-01T00:00:00",
                             "2024-00-01T00:00:00",
                             "2024-01-00T00:00:00",
                             "2024-01-01T",
                             "2024-01-01T10:00:00Z0",
                             "10:",
                             "10::30",
                             "2024-01-01/2024-02-01",
                             "２０２４-01-01T10:00:00",
                             "T10:00:00",
                             "2024-W54-1T10:00",
                             "2024-W01-8T10:00",
                             "2023-366T10:00",
                             "9999-W52-7",
                             "2024-01-01T10:00:00\n"}) {
        EXPECT_EQ(read(text), "-") << text;
        EXPECT_FALSE(parse_common_timestamp(text)) << text;
    }
}

TEST(DateTimeText, ReadsDatesAndTimes) {
    const std::pair<const char*, const char*> cases[] = {
        {"2024-01-01", "date 2024-01-01"},    {"2024", "date 2024-01-01"},
        {"2024-12", "date 2024-12-01"},       {"2024-366", "date 2024-12-31"},
        {"20240115", "date 2024-01-15"},      {"2024060", "date 2024-02-29"},
        {"2020-W53", "date 2020-12-28"},      {"2020W537", "date 2021-01-03"},
        {"2020-W00", "date 2019-12-23"},      {"2024/03/01", "date 2024-03-01"},
        {"2020-W01-0", "date 2019-12-29"},    {"10:30", "time 10:30:00"},
        {"T1030", "time 10:30:00"},           {"03:41:31+02:00", "time 03:41:31 +7200"},
        {"9:5:7.25", "time 09:05:07.250000"},
    };
    for (const auto& [text, expected] : cases) EXPECT_EQ(read(text), expected) << text;
}

TEST(DateTimeText, TimestampsAreInUtc) {
    EXPECT_EQ(timestamp("2022-05-10T00:17:15.3+02:00"), "2022-05-09T22:17:15.300000+00:00");
    EXPECT_EQ(timestamp("2024-01-01T10:00:00"), "2024-01-01T10:00:00");
    EXPECT_EQ(timestamp("2024-01-01"), "2024-01-01T00:00:00");
    EXPECT_EQ(timestamp("20240115"), "2024-01-15T00:00:00");
    EXPECT_EQ(timestamp("2024"), "2024-01-01T00:00:00");
    for (const char* text :
         {"10:30", "P1D", "nope", "", "0001-01-01T00:00:00+02:00", "9999-12-31T23:59:59-02:00"}) {
        EXPECT_EQ(timestamp(text), "-") << text;
    }
}

TEST(DateTimeText, NumbersAreSecondsSince1970) {
    EXPECT_EQ(timestamp("1633344898"), "2021-10-04T10:54:58+00:00");
    EXPECT_EQ(timestamp("12345678"), "1970-05-23T21:21:18+00:00");
    EXPECT_EQ(timestamp("202401"), "1970-01-03T08:13:21+00:00");
    EXPECT_EQ(timestamp(" 1e3 "), "1970-01-01T00:16:40+00:00");
    EXPECT_EQ(timestamp("1_000"), "1970-01-01T00:16:40+00:00");
    EXPECT_EQ(timestamp("-0.5"), "1969-12-31T23:59:59.500000+00:00");
    for (const char* text : {"nan", "inf", "1e300", "253402300800", "-62135596801"})
        EXPECT_EQ(timestamp(text), "-");
}

TEST(DateTimeText, SecondsAreRoundedToTheEvenMicrosecond) {
    EXPECT_EQ(timestamp_from_seconds(0.0000005)->us, 0);
    EXPECT_EQ(timestamp_from_seconds(0.0000015)->us, 2);
    EXPECT_EQ(timestamp_from_seconds(-62135596800.0)->us, timestamp_us_min);
    EXPECT_EQ(timestamp_from_seconds(std::int64_t{253402300799})->us, timestamp_us_max - 999'999);
    EXPECT_FALSE(timestamp_from_seconds(std::int64_t{253402300800}));
    EXPECT_FALSE(timestamp_from_seconds(253402300799.9999999));
    EXPECT_FALSE(timestamp_from_seconds(std::numeric_limits<std::int64_t>::min()));
    EXPECT_FALSE(timestamp_from_seconds(std::nan("")));
}

TEST(DateTimeText, DatesAndTimesFromText) {
    EXPECT_EQ(date("2024-01-01T23:30:00-02:00"), "2024-01-02");
    EXPECT_EQ(date("1969-12-31T23:59:59Z"), "1969-12-31");
    EXPECT_EQ(date("2024"), "2024-01-01");
    EXPECT_EQ(date("nope"), "-");
    EXPECT_EQ(time_of_day("03:41:31+02:00"), "01:41:31");
    EXPECT_EQ(time_of_day("00:30:00.5+02:00"), "22:30:00.500000");
    EXPECT_EQ(time_of_day("23:30-01:00"), "00:30:00");
    EXPECT_EQ(time_of_day("034131"), "-");
    EXPECT_EQ(time_of_day("2024-01-01T10:00:00"), "-");
}

TEST(DateTimeText, IsoForms) {
    EXPECT_EQ(to_iso_text(Timestamp{timestamp_us_min, true}), "0001-01-01T00:00:00+00:00");
    EXPECT_EQ(to_iso_text(Timestamp{timestamp_us_max, false}), "9999-12-31T23:59:59.999999");
    EXPECT_EQ(to_iso_text(Timestamp{-1, true}), "1969-12-31T23:59:59.999999+00:00");
    EXPECT_EQ(to_iso_text(Date{19'723}), "2024-01-01");
    EXPECT_EQ(to_iso_text(Time{40}), "00:00:00.000040");
}

TEST(DateTimeText, DigitsBeyondMicrosecondsAreNanoseconds) {
    for (const char* text : {"2024-01-01T10:00:00.1234567Z", "2024-01-01 10:00:00,123456700", "20240101T100000.1234567Z", "2024-01-01 10:00:00.1234567001"}) {
        const std::optional<Timestamp> exact = exact_timestamp_from_text(text);
        ASSERT_TRUE(exact.has_value()) << text;
        EXPECT_EQ(exact->ns, 700) << text;
        EXPECT_EQ(exact->us % civil::us_per_second, 123'456) << text;
        EXPECT_EQ(timestamp_from_text(text)->ns, 0) << text;
    }
    EXPECT_EQ(exact_timestamp_from_text("2024-01-01T10:00:00.123456000Z")->ns, 0);
    EXPECT_EQ(exact_time_from_text("10:00:00.000000007")->ns, 7);
    EXPECT_EQ(time_from_text("10:00:00.000000007")->ns, 0);
}

TEST(DateTimeText, ExactFormsHaveNanoseconds) {
    EXPECT_EQ(to_exact_text(Timestamp{.us = 40, .is_aware = false, .ns = 7}), "1970-01-01T00:00:00.000040007");
    EXPECT_EQ(to_exact_text(Timestamp{.us = -1, .offset_seconds = 3600, .ns = 999}), "1970-01-01T00:59:59.999999999+01:00");
    EXPECT_EQ(to_exact_text(Timestamp{.us = 1'000'000, .is_aware = false, .ns = 50}), "1970-01-01T00:00:01.000000050");
    EXPECT_EQ(to_exact_text(Time{.us = 0, .ns = 1}), "00:00:00.000000001");
    EXPECT_EQ(to_exact_text(Timestamp{}), to_iso_text(Timestamp{}));
    // Ids and cursors are made of what columns keep.
    EXPECT_EQ(to_iso_text(Timestamp{.us = 40, .is_aware = false, .ns = 7}), "1970-01-01T00:00:00.000040");
}

TEST(DateTimeText, EveryDayHasItsNumber) {
    std::int32_t expected = civil::days_to_year(1);
    for (int year = 1; year <= 9999; ++year) {
        for (int month = 1; month <= 12; ++month) {
            for (int day = 1; day <= civil::days_in_month(year, month); ++day, ++expected) {
                const civil::Day back = civil::civil_from_days(expected);
                ASSERT_EQ(civil::days_from_civil({year, month, day}), expected);
                ASSERT_TRUE(back.year == year && back.month == month && back.day == day);
            }
        }
    }
    EXPECT_EQ((expected - 1) * civil::us_per_day, timestamp_us_max - civil::us_per_day + 1);
}

/// Text that is nearly a timestamp: from the common form, with up to two characters changed.
rc::Gen<std::string> near_timestamp() {
    return rc::gen::exec([] {
        const auto digits = [](int low, int high) { return *rc::gen::inRange(low, high + 1); };
        std::string text = fmt::format(
            "{:04}-{:02}-{:02}{}{:02}:{:02}:{:02}", digits(0, 9999), digits(0, 13), digits(0, 32),
            *rc::gen::elementOf(std::string("TT t")), digits(0, 24), digits(0, 60), digits(0, 60));
        text += *rc::gen::elementOf(
            std::vector<std::string>{"", ".", ".1", ",123456", ".1234567890123456789012"});
        text += *rc::gen::elementOf(std::vector<std::string>{"", "Z", "z", "+02:00", "-23:59",
                                                             "+24:00", "+0200", "-05", " "});
        for (int changes = digits(0, 2); changes > 0; --changes) {
            text[static_cast<std::size_t>(digits(0, static_cast<int>(text.size()) - 1))] =
                *rc::gen::elementOf(std::string("0123456789:-+TZ. /\xFF"));
        }
        return text;
    });
}

RC_GTEST_PROP(DateTimeText, TheFastFormAgreesWithTheFullOne, ()) {
    const std::string text = *near_timestamp();
    const auto common = parse_common_timestamp(text);
    const auto parsed = parse_datetime(text);
    if (!common) return;
    RC_ASSERT(parsed && parsed->kind == DateTimeKind::timestamp);
    RC_ASSERT(common->us == parsed->us - parsed->offset_seconds.value_or(0) * civil::us_per_second);
    RC_ASSERT(common->is_aware == parsed->offset_seconds.has_value());
}

TEST(DateTimeText, WritesWhatNoCalendarOfOursHas) {
    EXPECT_EQ(to_iso_text(Timestamp{std::numeric_limits<std::int64_t>::min(), false}), "-290308-12-21T19:59:05.224192");
    EXPECT_EQ(to_iso_text(Timestamp{std::numeric_limits<std::int64_t>::max(), false}), "294247-01-10T04:00:54.775807");
}

RC_GTEST_PROP(DateTimeText, ReadsBackWhatItWrites, ()) {
    const Timestamp written{*rc::gen::inRange(timestamp_us_min, timestamp_us_max),
                            *rc::gen::arbitrary<bool>()};
    RC_ASSERT(timestamp_from_text(to_iso_text(written)) == written);
    RC_ASSERT(parse_common_timestamp(to_iso_text(written)) == written);
}

RC_GTEST_PROP(DateTimeText, AnyTextIsReadOrNot, (const std::string& text)) {
    const auto common = parse_common_timestamp(text);
    if (common) RC_ASSERT(timestamp_from_text(text) == common);
    if (const auto result = timestamp_from_text(text)) {
        RC_ASSERT(result->us >= timestamp_us_min && result->us <= timestamp_us_max);
    }
    time_from_text(text);
}

}  // namespace
}  // namespace tipple::schema
