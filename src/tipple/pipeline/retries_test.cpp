#include "tipple/pipeline/retries.h"

#include <gtest/gtest.h>

#include <vector>

namespace tipple::pipeline {
namespace {

const Error transient(ErrorKind::transient, "gone");

std::vector<double> waits(double budget_seconds) {
    Retries retries(budget_seconds);
    std::vector<double> seconds;
    while (const std::optional<double> wait = retries.next(transient)) seconds.push_back(*wait);
    EXPECT_EQ(retries.attempts(), static_cast<int>(seconds.size()) + 1);
    return seconds;
}

TEST(Retries, WaitsDoubleAndStayWithinTheBudget) {
    const std::vector<double> seconds = waits(60);
    double sum = 0;
    double longest = 0.5;
    for (std::size_t i = 0; i < seconds.size(); ++i, longest = std::min(2 * longest, 10.0)) {
        EXPECT_LE(seconds[i], longest);
        const bool is_last = i + 1 == seconds.size();
        EXPECT_GE(seconds[i], is_last ? 0 : longest / 2);
        sum += seconds[i];
    }
    EXPECT_NEAR(sum, 60, 1e-9);
    EXPECT_GE(seconds.size(), 8U);
}

TEST(Retries, WithoutABudgetThereIsOneAttempt) { EXPECT_TRUE(waits(0).empty()); }

TEST(Retries, WaitsAsLongAsTheOtherSideAsked) {
    Error asked(ErrorKind::transient, "busy");
    asked.set_retry_after(std::chrono::milliseconds(3'000));
    Retries retries(5);
    EXPECT_DOUBLE_EQ(retries.next(asked).value(), 3);
    EXPECT_DOUBLE_EQ(retries.next(asked).value(), 2) << "what is left of the budget";
    EXPECT_FALSE(retries.next(asked));
}

TEST(Retries, WhatIsNotKnownToPassEndsIt) {
    for (const ErrorKind kind : {ErrorKind::usage, ErrorKind::data, ErrorKind::remote, ErrorKind::local, ErrorKind::corrupt, ErrorKind::locked,
                                 ErrorKind::conflict, ErrorKind::cancelled}) {
        Retries retries(60);
        EXPECT_FALSE(retries.next(Error(kind, "no"))) << to_text(kind);
    }
}

}  // namespace
}  // namespace tipple::pipeline
