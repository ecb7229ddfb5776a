#include "tipple/core/counted.h"

#include <gtest/gtest.h>

namespace tipple {
namespace {

TEST(Counted, OneIsSingular) {
    EXPECT_EQ(counted(0, "row"), "0 rows");
    EXPECT_EQ(counted(1, "nested row"), "1 nested row");
    EXPECT_EQ(counted(1'000, "row"), "1,000 rows");
}

}  // namespace
}  // namespace tipple
