#include "tipple/core/names.h"

#include <fmt/format.h>
#include <gtest/gtest.h>

#include "tipple/core/text.h"

namespace tipple {
namespace {

std::vector<std::string> many() {
    std::vector<std::string> names;
    for (int i = 0; i < 100; ++i) names.push_back(fmt::format("pipeline_{}", i));
    names.push_back("orders");
    return names;
}

TEST(Names, AnAdjacentPairThatIsSwappedIsOneTypo) {
    EXPECT_EQ(did_you_mean("rnu", {"load", "run", "sync"}), "run");
    EXPECT_EQ(did_you_mean("odrers", {"orders"}), "orders");
    EXPECT_EQ(did_you_mean("urn", {"run"}), "run");
    EXPECT_FALSE(did_you_mean("nur", {"run"})) << "those are two";
}

TEST(Names, FewAreListedAsTheyAre) {
    EXPECT_EQ(list_near("x", {"b", "a"}), "b, a");
    EXPECT_EQ(suggestion("customers", {"orders", "items"}), "there are: orders, items");
    EXPECT_EQ(suggestion("ordres", {"orders", "items"}), "did you mean \"orders\"?");
}

TEST(Names, OfManyTheNearestAreListed) {
    EXPECT_EQ(suggestion("old_records", many()), "there are: pipeline_0, pipeline_1, pipeline_2, pipeline_3, orders and 96 others");
    EXPECT_EQ(list_near("pipe_77", many()), "pipeline_7, pipeline_17, pipeline_27, pipeline_37, pipeline_77 and 96 others");
    EXPECT_EQ(list_near({}, many()), "pipeline_0, pipeline_1, pipeline_2, pipeline_3, pipeline_4 and 96 others");
}

}  // namespace
}  // namespace tipple
