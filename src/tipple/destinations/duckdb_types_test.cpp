#include "tipple/destinations/duckdb/types.h"

#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

using duckdb::keeps_values;

TEST(DuckdbTypes, TypesThatTakeValuesOrRefuseThem) {
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"BIGINT", "BIGINT"},         {"BIGINT", "INTEGER"},
             {"BIGINT", "DECIMAL(18,2)"},  {"BIGINT", "VARCHAR"},
             {"VARCHAR", "UUID"},          {"VARCHAR", "ENUM('a', 'b')"},
             {"BOOLEAN", "TINYINT"},       {"DATE", "TIMESTAMP"},
             {"TIMESTAMP", "TIMESTAMP_NS"}, {"TIMESTAMP WITH TIME ZONE", "TIMESTAMP"},
             {"DECIMAL(10,2)", "DECIMAL(38,9)"}, {"DECIMAL(38,0)", "BIGINT"}}) {
        EXPECT_TRUE(keeps_values(from, to)) << from << " " << to;
    }
}

TEST(DuckdbTypes, TypesThatWouldChangeValues) {
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"DOUBLE", "BIGINT"},        {"DOUBLE", "FLOAT"},          {"DOUBLE", "DECIMAL(18,2)"},
             {"BIGINT", "DOUBLE"},        {"BIGINT", "BOOLEAN"},        {"VARCHAR", "BIGINT"},
             {"VARCHAR", "DATE"},         {"TIMESTAMP", "DATE"},        {"TIMESTAMP", "TIMESTAMP_S"},
             {"DECIMAL(38,9)", "BIGINT"}, {"DECIMAL(38,9)", "DECIMAL(38,2)"}, {"DECIMAL(10,2)", "DOUBLE"},
             {"BLOB", "VARCHAR"},         {"JSON", "STRUCT(a INTEGER)"}, {"TIME", "INTEGER"}}) {
        EXPECT_FALSE(keeps_values(from, to)) << from << " " << to;
    }
}

class ColumnTypesTest : public DuckdbTest {};

TEST_F(ColumnTypesTest, ColumnsThatWouldChangeValuesAreRefused) {
    execute("CREATE TABLE t(id BIGINT, v BIGINT)");
    maker_.table("t", "{}", R"({"id": "bigint", "v": "double"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1, "v": 1.5}])");
    const package::Package package = close();
    adopts = true;
    const std::string before = contents();
    const std::string text = message_of(ErrorKind::usage, [&] { load(package); });
    EXPECT_TRUE(contains(text, R"(table "t", column "v")"));
    EXPECT_TRUE(contains(text, "DOUBLE"));
    EXPECT_EQ(contents(), before);
    execute("ALTER TABLE t ALTER v TYPE DOUBLE");
    load(package);
    EXPECT_EQ(rows("SELECT v FROM t"), "1.5");
}

}  // namespace
}  // namespace tipple::destinations
