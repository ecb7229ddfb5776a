#include "tipple/core/clock.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple {
namespace {

class FakeClock final : public Clock {
public:
    std::int64_t now_us() const override { return 0; }
    std::int64_t steady_ns() const override { return steady; }
    std::int64_t steady = 0;
};

TEST(Clock, LoadIdsStandForTimes) {
    EXPECT_EQ(load_id_at(1'795'404'633'634'409), "1795404633.634409");
    EXPECT_EQ(load_id_at(1'795'404'633'000'009), "1795404633.000009");
    EXPECT_EQ(load_id_at(0), "0.000000");
    EXPECT_THROW(load_id_at(-1), Bug);
    for (const std::int64_t time :
         {std::int64_t{0}, std::int64_t{5}, std::int64_t{1'795'404'633'634'409}}) {
        EXPECT_EQ(load_id_time_us(load_id_at(time)), time);
    }
}

TEST(Clock, ReadsLoadIdsOfTheReference) {
    EXPECT_EQ(load_id_time_us("1795404633.63"), 1'795'404'633'630'000);
    EXPECT_EQ(load_id_time_us("1795404633.6344091"), 1'795'404'633'634'409);
    EXPECT_EQ(load_id_time_us("1795404633.6344098"), 1'795'404'633'634'410);
    EXPECT_EQ(load_id_time_us("1795404633.6344085"), 1'795'404'633'634'408);
    EXPECT_EQ(load_id_time_us("1795404633"), 1'795'404'633'000'000);
    for (const char* bad : {"", ".5", "abc", "17x", "17.5x", "17.5.5", " 17", "-17.5", "+17",
                            "17.-5", "99999999999999999999", "9223372036854775807.5"}) {
        EXPECT_EQ(try_load_id_time_us(bad), std::nullopt) << bad;
        EXPECT_THROW(load_id_time_us(bad), Error) << bad;
    }
}

TEST(Clock, WritesUtc) {
    EXPECT_EQ(utc_text(0), "1970-01-01T00:00:00.000000Z");
    EXPECT_EQ(utc_text(1'795'539'858'123'456), "2026-11-24T17:04:18.123456Z");
    EXPECT_EQ(utc_text(951'782'400'000'001), "2000-02-29T00:00:00.000001Z");
    EXPECT_EQ(utc_text(-1), "1969-12-31T23:59:59.999999Z");
}

TEST(Clock, TheSystemClockRuns) {
    const SystemClock clock;
    EXPECT_GT(clock.now_us(), std::int64_t{1'700'000'000} * 1'000'000);
    const std::int64_t before = clock.steady_ns();
    EXPECT_GE(clock.steady_ns(), before);
}

TEST(Clock, AStopwatchMeasures) {
    FakeClock clock;
    clock.steady = 1'000'000'000;
    Stopwatch watch(clock);
    EXPECT_EQ(watch.seconds(), 0);
    clock.steady += 1'500'000'000;
    EXPECT_DOUBLE_EQ(watch.seconds(), 1.5);
    watch.restart();
    EXPECT_EQ(watch.seconds(), 0);
}

}  // namespace
}  // namespace tipple
