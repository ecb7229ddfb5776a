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

}  // namespace
}  // namespace tipple::cli
