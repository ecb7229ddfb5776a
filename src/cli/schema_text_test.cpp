#include "cli/schema_text.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

TEST(TypeText, HasPrecisionAndScale) {
    schema::Column column("total");
    EXPECT_EQ(type_text(column), "(no type yet)");
    column.set_data_type(schema::DataType::decimal);
    EXPECT_EQ(type_text(column), "decimal");
    column.set_hint("precision", 12);
    EXPECT_EQ(type_text(column), "decimal(12)");
    column.set_hint("scale", 2);
    EXPECT_EQ(type_text(column), "decimal(12,2)");
}

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

}  // namespace
}  // namespace tipple::cli
