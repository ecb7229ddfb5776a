#include "tipple/pipeline/parallel_read.h"

#include <gtest/gtest.h>

namespace tipple::pipeline {

namespace {

class Driver final : public extract::SourceDriver {
public:
    std::string name() const override { return "fake"; }
    std::vector<extract::ResourceSpec> resources(std::stop_token) override { return {}; }
    void read(const extract::ResourceSpec&, const extract::ResourceContext&,
              extract::Output&) override {}
};

class ParallelGroupTest : public testing::Test {
protected:
    ActiveResource& add(const std::string& name, const std::string& chain,
                        std::vector<std::string> depends = {}) {
        ActiveResource& resource = resources_.emplace_back();
        resource.spec.name = name;
        resource.spec.chain = chain;
        resource.spec.depends = std::move(depends);
        resource.driver = &driver_;
        return resource;
    }
    /// Names of those that are read together from the one at `at` on, and how far that is.
    std::string group(std::size_t at = 0) {
        const ParallelGroup found =
            find_group(std::span<const ActiveResource>(resources_).subspan(at));
        std::string text;
        for (const ActiveResource* resource : found.resources) text += resource->spec.name + " ";
        return text + std::to_string(found.count);
    }

    Driver driver_;
    std::vector<ActiveResource> resources_;
};

TEST_F(ParallelGroupTest, ChainsAreReadTogether) {
    add("a", "a");
    add("b", "b");
    add("a2", "a", {"a"});
    add("apart", "");
    add("c", "c");
    EXPECT_EQ(group(), "a b a2 3");
    EXPECT_EQ(group(3), "0");
    EXPECT_EQ(group(4), "0");
}

TEST_F(ParallelGroupTest, OneChainIsReadByItself) {
    add("a", "a");
    add("a2", "a", {"a"});
    EXPECT_EQ(group(), "0");
    EXPECT_EQ(ParallelRead::bytes_ahead(resources_, 100), 0);
}

TEST_F(ParallelGroupTest, OneBehindAnotherChainIsReadLater) {
    add("a", "a").spec.definition = "all_*";
    add("b", "b");
    add("c", "c", {"all_*"});
    add("d", "d");
    EXPECT_EQ(group(), "a b 2");
    EXPECT_EQ(group(2), "c d 2");
    EXPECT_EQ(ParallelRead::bytes_ahead(resources_, 100), 50);
}

TEST_F(ParallelGroupTest, WhatIsLeftOutDoesNotKeepOthersApart) {
    add("a", "a");
    add("b", "b").is_left_out = true;
    add("c", "c");
    add("d", "d").is_left_out = true;
    EXPECT_EQ(group(), "a c 4");
}

TEST_F(ParallelGroupTest, SourcesAreReadOneAfterTheOther) {
    Driver other;
    add("a", "a");
    add("b", "b").driver = &other;
    add("c", "c").driver = &other;
    EXPECT_EQ(group(), "0");
    EXPECT_EQ(group(1), "b c 2");
}

}  // namespace
}  // namespace tipple::pipeline
