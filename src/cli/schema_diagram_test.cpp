#include "cli/schema_diagram.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

using schema::Column;
using schema::DataType;

TEST(SchemaDiagram, TablesColumnsKeysAndLinks) {
    schema::Table orders("orders");
    orders.set_column(Column("id", json::Object{{"data_type", "bigint"}, {"nullable", false}, {"primary_key", true}}));
    orders.set_column(Column("total", json::Object{{"data_type", "decimal"}, {"nullable", true}, {"precision", 12}, {"scale", 2}}));
    orders.set_column(Column("later", json::Object{{"nullable", true}}));
    schema::Table lines("orders__lines");
    lines.set_property("parent", "orders");
    lines.set_column(Column("1 \"odd\" name", DataType::text, true));
    lines.set_column(Column("_dlt_parent_id", DataType::text, false));
    EXPECT_EQ(to_mermaid({&orders, &lines}),
              "erDiagram\n"
              "  \"orders\" {\n"
              "    bigint id PK \"not null\"\n"
              "    decimal total \"12,2\"\n"
              "  }\n"
              "  \"orders__lines\" {\n"
              "    text _1__odd__name \"1 'odd' name\"\n"
              "    text _dlt_parent_id FK \"not null\"\n"
              "  }\n"
              "  \"orders\" ||--o{ \"orders__lines\" : _dlt_parent_id\n");
    // A link to a table that is not drawn would make an empty one.
    EXPECT_EQ(to_mermaid({&lines}).find("||--o{"), std::string::npos);
}

}  // namespace
}  // namespace tipple::cli
