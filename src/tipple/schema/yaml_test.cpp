#include "tipple/schema/yaml.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

TEST(Yaml, KeepsOrderAndNesting) {
    const json::Object document{{"z", 1}, {"a", json::Object{{"list", json::Array{true, json::Value(), 1.5}}, {"empty", json::Object{}}}}};
    EXPECT_EQ(to_yaml(document), "z: 1\na:\n  list:\n    - true\n    - ~\n    - 1.5\n  empty:\n    {}\n");
}

TEST(Yaml, KeepsTextText) {
    // What looks like another type of YAML must come back as text.
    for (const char* text : {"true", "null", "~", "1", "1.5", "1e3", "2024-01-02", "", " a", "a: b", "- a", "#", "yes", "0x10"}) {
        const std::string yaml = to_yaml({{"k", text}});
        EXPECT_TRUE(yaml.starts_with("k: \"") || yaml.starts_with("k: '")) << text << " -> " << yaml;
    }
    EXPECT_EQ(to_yaml({{"k", "plain text"}}), "k: plain text\n");
}

TEST(Yaml, IsReadAsItWasWritten) {
    const json::Object document{{"z", 1}, {"a", json::Object{{"list", json::Array{true, json::Value(), 1.5, "x: y"}}, {"empty", json::Object{}}}}};
    EXPECT_EQ(parse_yaml(to_yaml(document), "test"), json::Value(document));
    for (const char* text : {"true", "null", "~", "1", "1.5", "1e3", "2024-01-02", "", " a", "a: b", "- a", "#", "yes", "0x10", "plain text"}) {
        EXPECT_EQ(parse_yaml(to_yaml({{"k", text}}), "test"), json::Value(json::Object{{"k", text}}));
    }
}

TEST(Yaml, WhatPeopleWrite) {
    EXPECT_EQ(parse_yaml("a: yes\nb: 2024-01-02\nc: 'no'\nd:\n- 1\n- x\ne:\n", "test"),
              json::Value(json::Object{{"a", true}, {"b", "2024-01-02"}, {"c", "no"}, {"d", json::Array{1, "x"}}, {"e", json::Value()}}));
    EXPECT_THROW(parse_yaml("a: [1", "test"), Error);
}

}  // namespace
}  // namespace tipple::schema
