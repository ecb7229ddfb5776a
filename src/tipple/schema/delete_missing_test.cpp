#include "tipple/schema/delete_missing.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

TEST(DeleteLimit, ReadsSharesAndNumbersOfRows) {
    EXPECT_EQ(DeleteLimit().text(), "10%");
    EXPECT_EQ(DeleteLimit::parse("10%"), DeleteLimit());
    for (const char* text : {"0%", "0.5%", "100%", "0", "2500"}) EXPECT_EQ(DeleteLimit::parse(text).text(), text);
    for (const char* text : {"", "%", "10 %", "101%", "-1%", "nan%", "ten", "1.5", "-1", "1e3"}) EXPECT_THROW(DeleteLimit::parse(text), Error) << text;
}

TEST(DeleteLimit, AllowsUpToItsShareOrNumber) {
    EXPECT_TRUE(DeleteLimit().allows(1, 10));
    EXPECT_FALSE(DeleteLimit().allows(2, 19));
    EXPECT_TRUE(DeleteLimit().allows(0, 0));
    EXPECT_FALSE(DeleteLimit::parse("0%").allows(1, 1'000'000'000'000));
    EXPECT_TRUE(DeleteLimit::parse("100%").allows(7, 7));
    EXPECT_TRUE(DeleteLimit::parse("3").allows(3, 3));
    EXPECT_FALSE(DeleteLimit::parse("3").allows(4, 1'000'000));
}

TEST(DeleteLimit, TheShareThatItNamesWouldBeAllowed) {
    EXPECT_EQ(share_text(1, 3), "33.4%");
    EXPECT_EQ(share_text(3, 3), "100%");
    for (std::uint64_t known = 1; known < 500; ++known) {
        for (std::uint64_t missing = 0; missing <= known; ++missing) {
            ASSERT_TRUE(DeleteLimit::parse(share_text(missing, known)).allows(missing, known)) << missing << " of " << known;
        }
    }
}

TEST(DeleteMissing, ModesHaveNames) {
    EXPECT_EQ(require_delete_mode("soft"), DeleteMissing::Mode::soft);
    EXPECT_EQ(to_text(require_delete_mode("hard")), "hard");
    EXPECT_THROW(require_delete_mode("Hard"), Error);
}

}  // namespace
}  // namespace tipple::schema
