#include "tipple/core/random.h"

#include <set>

#include <gtest/gtest.h>

namespace tipple {
namespace {

TEST(Random, HasTheAskedLengthAndNoRepeats) {
    EXPECT_EQ(random_bytes(0), "");
    std::set<std::string> seen;
    for (int i = 0; i < 1'000; ++i) {
        const std::string id = random_id(14);
        EXPECT_EQ(id.size(), 14U);
        EXPECT_EQ(id.find_first_not_of(
                      "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"),
                  std::string::npos)
            << id;
        EXPECT_TRUE(seen.insert(id).second);
        EXPECT_EQ(random_bytes(static_cast<std::size_t>(i)).size(), static_cast<std::size_t>(i));
    }
    for (std::size_t length = 0; length < 10; ++length) EXPECT_EQ(random_id(length).size(), length);
}

TEST(Random, UsesEveryByteValue) {
    const std::string bytes = random_bytes(20'000);
    EXPECT_EQ(std::set<char>(bytes.begin(), bytes.end()).size(), 256U);
}

}  // namespace
}  // namespace tipple
