#include "tipple/core/bounded_queue.h"

#include <atomic>
#include <memory>
#include <numeric>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

namespace tipple {
namespace {

TEST(BoundedQueue, KeepsOrderAndDrainsAfterClose) {
    BoundedQueue<std::unique_ptr<int>> queue(3);
    const std::stop_token never;
    for (int i = 0; i < 3; ++i) EXPECT_TRUE(queue.push(std::make_unique<int>(i), never));
    queue.close();
    EXPECT_FALSE(queue.push(std::make_unique<int>(3), never));
    for (int i = 0; i < 3; ++i) EXPECT_EQ(**queue.pop(never), i);
    EXPECT_FALSE(queue.pop(never).has_value());
    EXPECT_EQ(queue.capacity(), 3U);
}

TEST(BoundedQueue, HasRoomForSomething) {
    EXPECT_THROW(BoundedQueue<int>(0), Bug);
}

TEST(BoundedQueue, AFullQueueHoldsProducersBack) {
    BoundedQueue<int> queue(2);
    std::atomic<int> pushed = 0;
    std::jthread producer([&](const std::stop_token& stop) {
        for (int i = 0; i < 100; ++i) {
            if (!queue.push(i, stop)) return;
            ++pushed;
        }
        queue.close();
    });
    const std::stop_token never;
    for (int i = 0; i < 100; ++i) {
        EXPECT_EQ(queue.pop(never), i);
        // Popped, in the queue, and one that may have been counted late.
        EXPECT_LE(pushed, i + 1 + 2 + 1);
    }
    EXPECT_FALSE(queue.pop(never).has_value());
}

TEST(BoundedQueue, ManyThreadsLoseNothing) {
    constexpr int threads = 4;
    constexpr int each = 2'000;
    BoundedQueue<int> queue(5);
    std::vector<std::vector<int>> taken(threads);
    std::atomic<int> producers_left = threads;
    {
        std::vector<std::jthread> workers;
        for (int t = 0; t < threads; ++t) {
            workers.emplace_back([&, t](const std::stop_token& stop) {
                for (int i = 0; i < each; ++i) EXPECT_TRUE(queue.push(t * each + i, stop));
                if (--producers_left == 0) queue.close();
            });
            workers.emplace_back([&, t](const std::stop_token& stop) {
                while (const auto value = queue.pop(stop))
                    taken[static_cast<std::size_t>(t)].push_back(*value);
            });
        }
        for (std::jthread& worker : workers) worker.join();
    }
    std::vector<int> all;
    for (const auto& part : taken) all.insert(all.end(), part.begin(), part.end());
    std::sort(all.begin(), all.end());
    std::vector<int> expected(threads * each);
    std::iota(expected.begin(), expected.end(), 0);
    EXPECT_EQ(all, expected);
}

TEST(BoundedQueue, AStopWakesBothSides) {
    BoundedQueue<int> full(1);
    BoundedQueue<int> empty(1);
    const std::stop_token never;
    EXPECT_TRUE(full.push(1, never));
    std::stop_source stop;
    std::jthread pusher([&] { EXPECT_FALSE(full.push(2, stop.get_token())); });
    std::jthread popper([&] { EXPECT_FALSE(empty.pop(stop.get_token()).has_value()); });
    stop.request_stop();
    pusher.join();
    popper.join();
    EXPECT_FALSE(full.pop(stop.get_token()).has_value()) << "after a stop nothing is handed out";
    EXPECT_EQ(full.pop(never), 1) << "the dropped value is not in the queue";
}

TEST(BoundedQueue, AClosedQueueWakesEveryone) {
    BoundedQueue<int> full(1);
    BoundedQueue<int> empty(1);
    const std::stop_token never;
    EXPECT_TRUE(full.push(1, never));
    std::jthread pusher([&] { EXPECT_FALSE(full.push(2, never)); });
    std::jthread popper([&] { EXPECT_FALSE(empty.pop(never).has_value()); });
    full.close();
    empty.close();
}

}  // namespace
}  // namespace tipple
