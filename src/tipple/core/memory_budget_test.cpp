#include "tipple/core/memory_budget.h"

#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple {
namespace {

TEST(MemoryBudget, CountsWhatIsHeld) {
    MemoryBudget budget(100);
    const std::stop_token never;
    EXPECT_TRUE(budget.acquire(60, never));
    EXPECT_TRUE(budget.acquire(40, never));
    budget.take(50);
    EXPECT_EQ(budget.held(), 150U);
    budget.release(120);
    EXPECT_EQ(budget.held(), 30U);
    EXPECT_EQ(budget.peak(), 150U);
    EXPECT_EQ(budget.limit(), 100U);
    EXPECT_THROW(budget.release(31), Bug);
}

TEST(MemoryBudget, SomethingLargerThanItAllStillGetsThrough) {
    MemoryBudget budget(100);
    EXPECT_TRUE(budget.acquire(1'000, std::stop_token()));
    budget.release(1'000);
}

TEST(MemoryBudget, WaitsForRoom) {
    MemoryBudget budget(100);
    const std::stop_token never;
    EXPECT_TRUE(budget.acquire(80, never));
    std::atomic<bool> has_it = false;
    std::jthread waiter([&] {
        EXPECT_TRUE(budget.acquire(50, never));
        has_it = true;
    });
    budget.release(20);
    EXPECT_FALSE(has_it) << "60 + 50 do not fit";
    budget.release(20);
    waiter.join();
    EXPECT_EQ(budget.held(), 90U);
    budget.release(90);
}

TEST(MemoryBudget, AStopEndsTheWait) {
    MemoryBudget budget(100);
    EXPECT_TRUE(budget.acquire(100, std::stop_token()));
    std::stop_source stop;
    std::jthread waiter([&] { EXPECT_FALSE(budget.acquire(1, stop.get_token())); });
    stop.request_stop();
    waiter.join();
    EXPECT_EQ(budget.held(), 100U);
    budget.release(100);
}

TEST(MemoryHold, GivesBackWhatItHolds) {
    MemoryBudget budget(100);
    budget.take(30);
    {
        MemoryHold hold(budget, 30);
        hold.resize(70);
        EXPECT_EQ(budget.held(), 70U);
        hold.resize(10);
        EXPECT_EQ(budget.held(), 10U);
        MemoryHold other = std::move(hold);
        EXPECT_EQ(other.bytes(), 10U);
        budget.take(5);
        MemoryHold third(budget, 5);
        third = std::move(other);
        EXPECT_EQ(budget.held(), 10U) << "the five bytes were given back";
        third.reset();
        EXPECT_EQ(budget.held(), 0U);
    }
    EXPECT_EQ(budget.held(), 0U);
    MemoryHold nothing;
    EXPECT_THROW(nothing.resize(1), Bug);
}

}  // namespace
}  // namespace tipple
