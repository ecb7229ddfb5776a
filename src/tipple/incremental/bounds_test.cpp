#include "tipple/incremental/bounds.h"

#include <gtest/gtest.h>

#include "tipple/incremental/cursor.h"
#include "tipple/incremental/value.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {
namespace {

using schema::Value;

std::string adapted(const Value& bound, const Value& like) { return describe(adapt_bound(bound, like, true)); }

TEST(Bounds, FollowTheRecords) {
    const Value date = *schema::date_from_text("2024-01-02");
    const Value time = *schema::timestamp_from_text("2024-01-02T03:04:05Z");
    EXPECT_EQ(adapted("7", std::int64_t{1}), "7 (integer)");
    EXPECT_EQ(adapted("7.5", 1.0), "7.5 (number)");
    EXPECT_EQ(adapted("2024-01-02", date), "2024-01-02 (date)");
    EXPECT_EQ(adapted("2024-01-02", time), "2024-01-02T00:00:00+00:00 (timestamp with zone)");
    EXPECT_EQ(adapted(date, time), "2024-01-02T00:00:00+00:00 (timestamp with zone)");
    EXPECT_EQ(adapted(time, date), "2024-01-02 (date)");
    EXPECT_EQ(adapted(date, "2023-12-31"), "\"2024-01-02\" (text)");
    EXPECT_EQ(adapted(date, "20231231"), "\"20240102\" (text)");
    EXPECT_EQ(adapted(time, "2023-12-31T00:00:00.5Z"), "\"2024-01-02T03:04:05.000000Z\" (text)");
    EXPECT_EQ(adapted(time, "2023-12-31T00:00:00+02:00"), "\"2024-01-02T05:04:05+02:00\" (text)");
}

TEST(Bounds, WhatCannotBeTurnedStays) {
    EXPECT_EQ(adapted("x", std::int64_t{1}), "\"x\" (text)");
    EXPECT_EQ(adapted(*schema::date_from_text("2024-01-02"), "x"), "2024-01-02 (date)");
    EXPECT_EQ(describe(adapt_bound("7", std::int64_t{1}, false)), "\"7\" (text)");
}

PageFold page(std::int64_t last) { return {.records = 2, .kept = 2, .first = last - 1, .last = last, .hashes = {"new"}}; }

TEST(Bounds, BeginningAnewDoesNotLoseWhatIsRemembered) {
    const json::Object slot{{"initial_value", 0}, {"last_value", 9}, {"unique_hashes", json::Array{"old"}}, {"start_value", 0}};
    Spec spec{.cursor_path = "n", .initial_value = std::int64_t{3}};
    spec.begins_anew = true;
    Cursor behind(spec, "r", {}, &slot);
    EXPECT_EQ(behind.start().start.as<std::int64_t>(), 3);
    behind.take(page(5));
    EXPECT_EQ(json::to_text(*behind.slot()->find("last_value")), "9");
    EXPECT_EQ(json::to_text(*behind.slot()->find("unique_hashes")), R"(["old"])");
    Cursor further(spec, "r", {}, &slot);
    further.take(page(12));
    EXPECT_EQ(json::to_text(*further.slot()->find("last_value")), "12");
    EXPECT_EQ(json::to_text(*further.slot()->find("unique_hashes")), R"(["new"])");
}

TEST(Bounds, BeginningAnewSkipsNothing) {
    const json::Object slot{{"initial_value", 0}, {"last_value", 9}, {"unique_hashes", json::Array{"old"}}, {"start_value", 0}};
    Spec spec{.cursor_path = "n", .initial_value = std::int64_t{30}};
    spec.begins_anew = true;
    Cursor ahead(spec, "r", {}, &slot);
    EXPECT_EQ(ahead.start().start.as<std::int64_t>(), 9);
    EXPECT_EQ(ahead.start().hashes, std::vector<std::string>{"old"});
    ahead.take({.records = 2, .kept = 0, .first = std::int64_t{3}});
    EXPECT_EQ(json::to_text(json::Value(*ahead.slot())), json::to_text(json::Value(slot)));
    ahead.take(page(12));
    EXPECT_EQ(json::to_text(*ahead.slot()->find("last_value")), "12");
    spec.lag = 2;
    EXPECT_EQ(Cursor(spec, "r", {}, &slot).start().start.as<std::int64_t>(), 7);
}

TEST(Bounds, WhereOneRunBeganIsNotRemembered) {
    Spec spec{.cursor_path = "n", .initial_value = std::int64_t{30}};
    spec.begins_anew = true;
    Cursor cursor(spec, "r", {}, nullptr);
    cursor.take({.records = 2, .kept = 0, .first = std::int64_t{3}});
    EXPECT_FALSE(cursor.slot()) << "no record has come so far";
    cursor.take(page(31));
    EXPECT_EQ(json::to_text(*cursor.slot()->find("last_value")), "31");
}

TEST(Bounds, LagInSecondsCountsForDaysToo) {
    const json::Object slot{{"initial_value", nullptr}, {"last_value", "2024-01-10"}, {"unique_hashes", json::Array()}, {"start_value", nullptr}};
    Spec spec{.cursor_path = "d", .lag = 86'400 * 2};
    spec.is_lag_in_seconds = true;
    EXPECT_EQ(Cursor(spec, "r", {}, &slot).start().start.as<std::string>(), "2024-01-08");
    spec.lag = 60;
    EXPECT_EQ(Cursor(spec, "r", {}, &slot).start().start.as<std::string>(), "2024-01-09") << "a part of a day is a day";
}

}  // namespace
}  // namespace tipple::incremental
