#include "tipple/io/rate_limit_headers.h"

#include <gtest/gtest.h>

namespace tipple::io {
namespace {

/// 2023-11-14T22:13:20Z.
constexpr std::int64_t now_us = 1'700'000'000'000'000;

/// In milliseconds; -1 = nothing is said.
std::int64_t wait_of(const HttpHeaders& headers, bool is_refused = false) {
    const std::optional<std::chrono::milliseconds> wait = exhausted_for(headers, now_us, is_refused);
    return wait ? wait->count() : -1;
}

TEST(RateLimitHeaders, ResetsAreTimesOrHowLongItTakes) {
    for (const auto& [reset, wait] : std::initializer_list<std::pair<const char*, std::int64_t>>{{"30", 30'000},
                                                                                                 {"0.25", 250},
                                                                                                 {"1700000030", 30'000},
                                                                                                 {"1700000030.5", 30'500},
                                                                                                 {"1700000030500", 30'500},
                                                                                                 {"1699999999", 0},
                                                                                                 {"-1", 0},
                                                                                                 {"2023-11-14T22:13:50Z", 30'000},
                                                                                                 {"Tue, 14 Nov 2023 22:13:50 GMT", 30'000},
                                                                                                 {"30s", 30'000},
                                                                                                 {"1m30s", 90'000},
                                                                                                 {"6m0s", 360'000},
                                                                                                 {"250ms", 250},
                                                                                                 {"soon", -1},
                                                                                                 {"5x", -1},
                                                                                                 {"", -1},
                                                                                                 {"nan", -1}}) {
        EXPECT_EQ(wait_of({{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", reset}}), wait) << reset;
    }
}

TEST(RateLimitHeaders, ManyNamesAreInUse) {
    const auto wait = [](const char* remaining, const char* reset) { return wait_of({{remaining, "0"}, {reset, "5"}}); };
    EXPECT_EQ(wait("RateLimit-Remaining", "RateLimit-Reset"), 5'000);
    EXPECT_EQ(wait("x-rate-limit-remaining", "x-rate-limit-reset"), 5'000);
    EXPECT_EQ(wait("x-ratelimit-remaining-requests", "x-ratelimit-reset-requests"), 5'000);
    EXPECT_EQ(wait("anthropic-ratelimit-requests-remaining", "anthropic-ratelimit-requests-reset"), 5'000);
    EXPECT_EQ(wait("X-RateLimit-Remaining", "X-RateLimit-Reset-After"), 5'000);
    EXPECT_EQ(wait("X-RateLimit-Remaining", "X-RateLimit-Reset-Ms"), 5);
    EXPECT_EQ(wait("X-RateLimit-Remaining-Items", "X-RateLimit-Reset-Items"), 5'000) << "ends in ms by chance";
    EXPECT_EQ(wait_of({{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset-After", "1700000000"}}), 1'700'000'000'000) << "how long, whatever the number";
    EXPECT_EQ(wait("X-Other-Remaining", "X-Other-Reset"), -1);
    EXPECT_EQ(wait("X-RateLimit-Remaining-Day", "X-RateLimit-Reset-Minute"), -1) << "of another limit";
}

TEST(RateLimitHeaders, OnlyWhatIsUsedUpCounts) {
    EXPECT_EQ(wait_of({{"X-RateLimit-Remaining", "1"}, {"X-RateLimit-Reset", "5"}}), -1);
    EXPECT_EQ(wait_of({{"X-RateLimit-Reset", "5"}}), -1);
    EXPECT_EQ(wait_of({{"X-RateLimit-Reset", "5"}}, true), 5'000) << "a refusal need not say what is left";
    EXPECT_EQ(wait_of({{"X-RateLimit-Remaining", "7"}, {"X-RateLimit-Reset", "5"}}, true), -1) << "it was another limit";
    EXPECT_EQ(wait_of({{"X-RateLimit-Remaining-Minute", "0"}, {"X-RateLimit-Reset-Minute", "5"}, {"X-RateLimit-Remaining-Hour", "0"}, {"X-RateLimit-Reset-Hour", "90"},
                       {"X-RateLimit-Remaining-Day", "12"}, {"X-RateLimit-Reset-Day", "5000"}}),
              90'000)
        << "the longest of those that are";
}

TEST(RateLimitHeaders, DraftsOfTheStandard) {
    EXPECT_EQ(wait_of({{"RateLimit", "limit=100, remaining=0, reset=5"}}), 5'000);
    EXPECT_EQ(wait_of({{"RateLimit", "limit=100, remaining=1, reset=5"}}), -1);
    EXPECT_EQ(wait_of({{"RateLimit", R"("default";r=0;t=7)"}, {"RateLimit-Policy", R"("default";q=100;w=10)"}}), 7'000);
    EXPECT_EQ(wait_of({{"ratelimit", R"("burst"; r=0; t=3, "daily";r=9;t=4000)"}}), 3'000);
    EXPECT_EQ(wait_of({{"RateLimit", R"("burst";r=0;t=3)"}, {"RateLimit", R"("hourly";r=0;t=60)"}}), 60'000);
    EXPECT_EQ(wait_of({{"RateLimit", R"("burst";r=5)"}}), -1);
    EXPECT_EQ(wait_of({{"RateLimit", ";,=;r=;t"}}), -1);
}

}  // namespace
}  // namespace tipple::io
