#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

/// Parquet files that are loaded as they lie.
class ReferenceTest : public DuckdbTest {
protected:
    package::FileReference make_file(const std::string& name, const std::string& select) {
        const std::string path = folder_.path(name);
        engine::Engine engine({});
        engine.execute(
            fmt::format("COPY ({}) TO {} (FORMAT parquet)", select, engine::quote_literal(path)));
        const auto info = files_->find(path);
        return {.path = path,
                .size = info->size,
                .modified_ns = info->modified_ns,
                .columns = {{"Id", {"id", {.type = schema::DataType::bigint}}},
                            {"v", {"v", {.type = schema::DataType::json}}}},
                .row_id_prefix = "prefix12char"};
    }
};

TEST_F(ReferenceTest, AreReadAsTheyLie) {
    const package::FileReference reference = make_file(
        "odd [name]*.parquet", "SELECT i::INTEGER AS \"Id\", [i, NULL] AS v FROM range(3) t(i)");
    maker_.table("t", "{}", R"({"id": "bigint", "v": "json", "more": "text"})");
    maker_.begin("1.0")
        .load(Disposition::append, {"t"})
        .reference("t", reference, 3)
        .rows("t", R"([{"id": 9, "_dlt_id": "x"}])");
    EXPECT_EQ(load(close())[0].inserted, 4U);
    EXPECT_EQ(rows("SELECT id, v, more, _dlt_id, _dlt_load_id FROM t ORDER BY id"),
              "0|[0,null]|NULL|prefix12char000000|1.0 1|[1,null]|NULL|prefix12char000001|1.0"
              " 2|[2,null]|NULL|prefix12char000002|1.0 9|NULL|NULL|x|1.0");
}

TEST_F(ReferenceTest, TakePartInAMerge) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "json"})");
    maker_.begin("1.0").load(Disposition::merge, {"t"}).rows("t", R"([{"id": 1}, {"id": 5}])");
    load(close());
    // Rows of a package come first: the 2 of the file is a duplicate, and so is its second 3.
    const package::FileReference reference = make_file(
        "a.parquet", "SELECT unnest([1, 2, 3, 3])::INTEGER AS \"Id\", NULL::VARCHAR[] AS v");
    maker_.begin("2.0")
        .load(Disposition::merge, {"t"})
        .reference("t", reference, 4)
        .rows("t", R"([{"id": 2, "_dlt_id": "x"}])");
    const auto loaded = load(close());
    EXPECT_EQ(loaded[0].inserted, 3U);
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT id, _dlt_id FROM t WHERE _dlt_load_id = '2.0' ORDER BY id"),
              "1|prefix12char000000 2|x 3|prefix12char000002");
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "4");
}

TEST_F(ReferenceTest, MustNotHaveChanged) {
    const package::FileReference reference =
        make_file("a.parquet", "SELECT 1::INTEGER AS \"Id\", NULL::VARCHAR[] AS v");
    maker_.table("t", "{}", R"({"id": "bigint", "v": "json"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).reference("t", reference, 1);
    const package::Package package = close();
    make_file("a.parquet", "SELECT unnest([1, 2])::INTEGER AS \"Id\", NULL::VARCHAR[] AS v");
    EXPECT_TRUE(contains(message_of(ErrorKind::data, [&] { load(package); }), "was changed"));
    EXPECT_EQ(contents(), "no file");
}

TEST_F(ReferenceTest, MustHaveAsManyRowsAsWereCounted) {
    const package::FileReference reference =
        make_file("a.parquet", "SELECT 1::INTEGER AS \"Id\", NULL::VARCHAR[] AS v");
    maker_.table("t", "{}", R"({"id": "bigint", "v": "json"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).reference("t", reference, 2);
    EXPECT_TRUE(contains(message_of(ErrorKind::data, [&] { load(close()); }),
                         "1 rows were read, the package counted 2"));
}

}  // namespace
}  // namespace tipple::destinations
