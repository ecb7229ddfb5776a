#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

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
