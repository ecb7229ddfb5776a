#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

class MergeTest : public DuckdbTest {
protected:
    /// Loads rows of table `t` alone.
    std::vector<destination::LoadedTable> merge(const std::string& list) {
        maker_.begin(next_id()).load(Disposition::merge, {"t"}).rows("t", list);
        return load(close());
    }
    /// Loads rows of `t` and of the tables below it: pairs of table and rows.
    std::vector<destination::LoadedTable> merge_chain(
        const std::vector<std::pair<std::string, std::string>>& tables,
        Disposition disposition = Disposition::merge) {
        maker_.begin(next_id()).load(disposition, chain);
        for (const auto& [table, list] : tables) maker_.rows(table, list);
        return load(close());
    }
    std::string next_id() { return fmt::format("{}.0", ++loads_); }

    /// `t` with lists of numbers `l` below it, and lists `k` of texts below those.
    void define_chain(
        const std::string& columns = R"({"id": {"data_type": "bigint", "primary_key": true}})") {
        maker_.table("t", R"({"write_disposition": "merge"})", columns);
        maker_.table("t__l", R"({"parent": "t"})", R"({"value": "bigint"})");
        chain = {"t", "t__l"};
    }
    void define_deep_chain() {
        define_chain();
        maker_.table("t__l__k", R"({"parent": "t__l"})", R"({"value": "text"})");
        chain.emplace_back("t__l__k");
    }
    /// A row of a nested table.
    static std::string child(const std::string& root, const std::string& parent,
                             const std::string& value, const std::string& id = "") {
        return fmt::format(
            R"({{"value": {}, "_dlt_root_id": "{}", "_dlt_parent_id": "{}", "_dlt_list_idx": 0{}}})",
            value, root, parent, id.empty() ? "" : fmt::format(R"(, "_dlt_id": "{}")", id));
    }

    std::vector<std::string> chain;
    int loads_ = 0;
};

TEST_F(MergeTest, ReplacesRowsWithTheSameKey) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "text"})");
    auto loaded = merge(R"([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}])");
    EXPECT_EQ(loaded[0].deleted, 0U);
    loaded = merge(R"([{"id": 2, "v": "c"}, {"id": 3, "v": "d"}])");
    EXPECT_EQ(loaded[0].inserted, 2U);
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT id, v, _dlt_load_id FROM t ORDER BY id"), "1|a|1.0 2|c|2.0 3|d|2.0");
}

TEST_F(MergeTest, TakesKeysOfSeveralColumnsAndTypes) {
    maker_.table(
        "t", "{}",
        R"({"a": {"data_type": "text", "primary_key": true}, "b": {"data_type": "timestamp",
                 "primary_key": true}, "c": {"data_type": "decimal", "precision": 10, "scale": 2, "primary_key": true}, "v": "bigint"})");
    merge(
        R"([{"a": "x", "b": 1, "c": 100, "v": 1}, {"a": "x", "b": 2, "c": 100, "v": 2}, {"a": "y", "b": 1, "c": 100, "v": 3}])");
    merge(R"([{"a": "x", "b": 2, "c": 100, "v": 4}, {"a": "x", "b": 1, "c": 101, "v": 5}])");
    EXPECT_EQ(rows("SELECT v FROM t ORDER BY v"), "1 3 4 5");
}

TEST_F(MergeTest, WithoutAKeyAppends) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    const auto list = [](int count) {
        std::string text = "[";
        for (int i = 0; i < count; ++i)
            text += fmt::format("{}{{\"id\": {}}}", i > 0 ? ", " : "", i);
        return text + "]";
    };
    merge(list(55));
    merge(list(10));
    EXPECT_EQ(rows("SELECT count(*) FROM t"), "65");
}

TEST_F(MergeTest, OneRowIsLeftOfDuplicatesInOneLoad) {
    maker_.table("t", "{}",
                 R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint"})");
    const auto loaded =
        merge(R"([{"id": 1, "v": 1}, {"id": 1, "v": 2}, {"id": 2, "v": 3}, {"id": 1, "v": 4}])");
    EXPECT_EQ(loaded[0].inserted, 2U);
    EXPECT_EQ(rows("SELECT id, v FROM t ORDER BY id"), "1|1 2|3");
}

TEST_F(MergeTest, DuplicatesAreFoundAcrossBatchesAndFiles) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "text"})");
    maker_.begin("1.0").load(Disposition::merge, {"t"});
    // Several job files: each ends beyond 100 kB. Every key comes twice, far apart.
    const std::string filler(200, 'x');
    for (int half = 0; half < 2; ++half) {
        for (int batch = 0; batch < 4; ++batch) {
            std::string list = "[";
            for (int i = 0; i < 2'000; ++i) {
                const int id = batch * 2'000 + i;
                list += fmt::format(R"({}{{"id": {}, "v": "{} {} {:x}"}})", i > 0 ? ", " : "", id,
                                    half, filler, static_cast<unsigned>(id) * 2654435761U);
            }
            maker_.rows("t", list + "]");
        }
    }
    const package::Package package = close();
    EXPECT_GT(package.manifest().jobs.size(), 2U);
    EXPECT_EQ(load(package)[0].inserted, 8'000U);
    EXPECT_EQ(
        rows("SELECT count(*), count(DISTINCT id), count(*) FILTER (starts_with(v, '0')) FROM t"),
        "8000|8000|8000");
}

TEST_F(MergeTest, DeduplicatedDataIsTakenAtItsWord) {
    maker_.table("t", R"({"x-stage-data-deduplicated": true})",
                 R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint"})");
    merge(R"([{"id": 1, "v": 1}, {"id": 1, "v": 1}, {"id": 2, "v": 1}])");
    EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), "1 1 2");
    merge(R"([{"id": 1, "v": 2}])");
    EXPECT_EQ(rows("SELECT id, v FROM t ORDER BY id"), "1|2 2|1");
}

TEST_F(MergeTest, DedupSortChoosesTheRow) {
    for (const auto& [order, expected] :
         {std::pair<std::string, std::string>{"desc", "20"}, {"asc", "10"}}) {
        maker_.table(
            "t", "{}",
            R"({"id": {"data_type": "bigint", "primary_key": true}, "val": {"data_type": "bigint",
                     "dedup_sort": ")" +
                order + R"("}})");
        merge(
            R"([{"id": 1, "val": null}, {"id": 1, "val": 10}, {"id": 1, "val": 20}, {"id": 2, "val": null}])");
        EXPECT_EQ(rows("SELECT id, val FROM t ORDER BY id"), "1|" + expected + " 2|NULL") << order;
    }
}

TEST_F(MergeTest, EqualSortValuesKeepTheFirstRow) {
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "primary_key": true}, "s": {"data_type": "bigint",
                 "dedup_sort": "desc"}, "v": "text"})");
    merge(
        R"([{"id": 1, "s": 1, "v": "a"}, {"id": 1, "s": 5, "v": "b"}, {"id": 1, "s": 5, "v": "c"}])");
    EXPECT_EQ(rows("SELECT v FROM t"), "b");
}

TEST_F(MergeTest, HardDeleteByFlag) {
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint", "gone": {"data_type":
                 "bool", "hard_delete": true}})");
    merge(R"([{"id": 1, "v": 0}, {"id": 2, "v": 0}, {"id": 3, "v": 0}])");
    const auto loaded = merge(
        R"([{"id": 1, "v": 1, "gone": true}, {"id": 2, "v": 1, "gone": false}, {"id": 3, "v": 1, "gone": null}])");
    EXPECT_EQ(loaded[0].inserted, 2U);
    EXPECT_EQ(loaded[0].deleted, 3U);
    EXPECT_EQ(rows("SELECT id, v FROM t ORDER BY id"), "2|1 3|1");
}

TEST_F(MergeTest, HardDeleteByAnyValue) {
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "primary_key": true}, "gone": {"data_type": "timestamp",
                 "hard_delete": true}})");
    merge(R"([{"id": 1}, {"id": 2}])");
    merge(R"([{"id": 1, "gone": 1000000}])");
    EXPECT_EQ(rows("SELECT id FROM t"), "2");
}

TEST_F(MergeTest, ADeletionThatWinsOverItsDuplicatesDeletesTheKey) {
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "primary_key": true}, "s": {"data_type": "bigint", "dedup_sort":
                 "desc"}, "gone": {"data_type": "bool", "hard_delete": true}})");
    const auto loaded = merge(R"([{"id": 1, "s": 1, "gone": false}, {"id": 1, "s": 2, "gone": true},
                                  {"id": 2, "s": 1, "gone": true}, {"id": 2, "s": 2, "gone": false}])");
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(rows("SELECT id, s FROM t"), "2|2");
}

TEST_F(MergeTest, HardDeleteWithoutAKeyFilters) {
    define_chain(R"({"id": "bigint", "gone": {"data_type": "bool", "hard_delete": true}})");
    merge_chain({{"t", R"([{"id": 1, "gone": true, "_dlt_id": "a"}, {"id": 2, "_dlt_id": "b"}])"},
                 {"t__l", "[" + child("a", "a", "1") + "," + child("b", "b", "2") + "]"}});
    EXPECT_EQ(rows("SELECT id FROM t"), "2");
    EXPECT_EQ(rows("SELECT value FROM t__l"), "2");
}

TEST_F(MergeTest, PrimaryAndMergeKeyTogether) {
    maker_.table(
        "t", "{}",
        R"({"id": {"data_type": "bigint", "primary_key": true}, "day": {"data_type": "text",
                 "merge_key": true}})");
    merge(R"([{"id": 1, "day": "d1"}, {"id": 2, "day": "d1"}, {"id": 3, "day": "d2"}])");
    const auto loaded = merge(R"([{"id": 3, "day": "d1"}])");
    EXPECT_EQ(loaded[0].deleted, 3U);
    EXPECT_EQ(rows("SELECT id, day FROM t"), "3|d1");
}

TEST_F(MergeTest, NullKeysMatchNothing) {
    maker_.table("t", "{}", R"({"day": {"data_type": "text", "merge_key": true}, "v": "bigint"})");
    merge(R"([{"day": null, "v": 1}, {"day": "a", "v": 1}])");
    merge(R"([{"day": null, "v": 2}, {"day": "a", "v": 2}])");
    EXPECT_EQ(rows("SELECT day, v FROM t ORDER BY day, v"), "a|2 NULL|1 NULL|2");
}

TEST_F(MergeTest, NullPartsOfAKeyMatchNothingEither) {
    maker_.table(
        "t", "{}",
        R"({"a": {"data_type": "bigint", "merge_key": true}, "b": {"data_type": "bigint", "merge_key":
                 true}, "v": "bigint"})");
    merge(R"([{"a": 1, "b": null, "v": 1}, {"a": 1, "b": 1, "v": 1}])");
    merge(R"([{"a": 1, "b": null, "v": 2}, {"a": 1, "b": 1, "v": 2}])");
    EXPECT_EQ(rows("SELECT b, v FROM t ORDER BY b, v"), "1|2 NULL|1 NULL|2");
}

TEST_F(MergeTest, ChildrenFollowTheirRoot) {
    define_chain();
    merge_chain({{"t", R"([{"id": 1, "_dlt_id": "a"}, {"id": 2, "_dlt_id": "b"}])"},
                 {"t__l", "[" + child("a", "a", "1") + "," + child("a", "a", "2") + "," +
                              child("b", "b", "3") + "]"}});
    auto loaded = merge_chain(
        {{"t", R"([{"id": 1, "_dlt_id": "c"}])"}, {"t__l", "[" + child("c", "c", "9") + "]"}});
    EXPECT_EQ(loaded[1].deleted, 2U);
    EXPECT_EQ(rows("SELECT value, _dlt_root_id FROM t__l ORDER BY value"), "3|b 9|c");
    // The list vanishes from the row.
    loaded = merge_chain({{"t", R"([{"id": 1, "_dlt_id": "d"}])"}});
    EXPECT_EQ(loaded[1].deleted, 1U);
    EXPECT_EQ(rows("SELECT value FROM t__l"), "3");
    EXPECT_EQ(rows("SELECT id, _dlt_id FROM t ORDER BY id"), "1|d 2|b");
}

TEST_F(MergeTest, ChildrenOfDuplicatesAreLeftOut) {
    define_deep_chain();
    const auto loaded = merge_chain(
        {{"t",
          R"([{"id": 1, "_dlt_id": "a"}, {"id": 1, "_dlt_id": "b"}, {"id": 2, "_dlt_id": "c"}])"},
         {"t__l", "[" + child("a", "a", "1", "a1") + "," + child("a", "a", "2", "a2") + "," +
                      child("b", "b", "3", "b1") + "," + child("c", "c", "4", "c1") + "]"},
         {"t__l__k", "[" + child("b", "b1", "\"x\"") + "," + child("a", "a2", "\"y\"") + "]"}});
    EXPECT_EQ(loaded[0].inserted, 2U);
    EXPECT_EQ(loaded[1].inserted, 3U);
    EXPECT_EQ(loaded[2].inserted, 1U);
    EXPECT_EQ(rows("SELECT value FROM t__l ORDER BY value"), "1 2 4");
    EXPECT_EQ(rows("SELECT value FROM t__l__k"), "y");
}

TEST_F(MergeTest, WithAMergeKeyAloneEveryRowOfTheLoadStays) {
    define_chain(R"({"id": {"data_type": "bigint", "merge_key": true}})");
    merge_chain({{"t", R"([{"id": 1, "_dlt_id": "a"}, {"id": 1, "_dlt_id": "b"}])"},
                 {"t__l", "[" + child("a", "a", "1") + "," + child("b", "b", "2") + "," +
                              child("b", "b", "3") + "]"}});
    EXPECT_EQ(rows("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t__l)"), "2|3");
    merge_chain(
        {{"t", R"([{"id": 1, "_dlt_id": "c"}])"}, {"t__l", "[" + child("c", "c", "4") + "]"}});
    EXPECT_EQ(rows("SELECT (SELECT count(*) FROM t), (SELECT count(*) FROM t__l)"), "1|1");
}

TEST_F(MergeTest, RowsAppendedBeforeFindTheirRoot) {
    maker_.has_root_keys = false;
    define_deep_chain();
    merge_chain(
        {{"t", R"([{"id": 1, "_dlt_id": "a"}, {"id": 2, "_dlt_id": "b"}])"},
         {"t__l", "[" + child("", "a", "1", "a1") + "," + child("", "b", "2", "b1") + "]"},
         {"t__l__k", "[" + child("", "a1", "\"x\"") + "," + child("", "b1", "\"y\"") + "]"}},
        Disposition::append);
    EXPECT_EQ(rows("SELECT count(*) FROM duckdb_columns() WHERE column_name = '_dlt_root_id'"),
              "0");
    maker_.has_root_keys = true;
    define_deep_chain();
    merge_chain({{"t", R"([{"id": 1, "_dlt_id": "c"}])"},
                 {"t__l", "[" + child("c", "c", "3", "c1") + "]"}});
    EXPECT_EQ(rows("SELECT value, _dlt_root_id FROM t__l ORDER BY value"), "2|b 3|c");
    EXPECT_EQ(rows("SELECT value, _dlt_root_id FROM t__l__k"), "y|b");
}

TEST_F(MergeTest, RowsWithoutRowIdsAreReplacedToo) {
    execute("CREATE TABLE t(id BIGINT); INSERT INTO t VALUES (1), (2)");
    adopts = true;
    define_chain();
    const auto loaded = merge_chain(
        {{"t", R"([{"id": 1, "_dlt_id": "a"}])"}, {"t__l", "[" + child("a", "a", "1") + "]"}});
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT id, _dlt_id FROM t ORDER BY id"), "1|a 2|NULL");
}

TEST_F(MergeTest, ATableWithoutRowsIsLeftAlone) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "primary_key": true}})");
    merge(R"([{"id": 1}])");
    maker_.begin(next_id()).load(Disposition::merge, {"t"});
    const auto loaded = load(close());
    EXPECT_EQ(loaded[0].inserted + loaded[0].deleted, 0U);
    EXPECT_EQ(rows("SELECT id FROM t"), "1");
}

TEST_F(MergeTest, KeysMayHaveTheNamesOfOurOwnColumns) {
    maker_.table(
        "t", "{}",
        R"({"position": {"data_type": "bigint", "primary_key": true}, "row_key": {"data_type": "text",
                 "primary_key": true}, "n": "bigint"})");
    merge(R"([{"position": 1, "row_key": "a", "n": 1}, {"position": 1, "row_key": "a", "n": 2}])");
    merge(R"([{"position": 1, "row_key": "a", "n": 3}])");
    EXPECT_EQ(rows("SELECT position, row_key, n FROM t"), "1|a|3");
}

TEST_F(MergeTest, UnknownStrategiesAreRefused) {
    maker_.table("t", R"({"x-merge-strategy": "upsrt"})",
                 R"({"id": {"data_type": "bigint", "primary_key": true}})");
    EXPECT_TRUE(
        contains(message_of(ErrorKind::usage, [&] { merge(R"([{"id": 1}])"); }), "delete-insert"));
}

TEST_F(MergeTest, TheResultDoesNotDependOnThreads) {
    maker_.table("t", "{}",
                 R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint"})");
    std::string list = "[";
    for (int i = 0; i < 30'000; ++i)
        list += fmt::format(R"({}{{"id": {}, "v": {}}})", i > 0 ? "," : "", i * 7 % 5'000, i);
    merge(list + "]");
    EXPECT_EQ(rows("SELECT count(*), sum(v) FROM t"), fmt::format("5000|{}", 4'999LL * 5'000 / 2));
}

TEST_F(MergeTest, KeysThatDoNotFitIntoMemoryAreSpilled) {
    maker_.table("t", "{}", R"({"k": {"data_type": "text", "primary_key": true}})");
    const std::string filler(120, 'x');
    maker_.begin("1.0").load(Disposition::merge, {"t"});
    for (int batch = 0; batch < 20; ++batch) {
        std::string list = "[";
        for (int i = 0; i < 10'000; ++i) {
            list +=
                fmt::format(R"({}{{"k": "{}{}"}})", i > 0 ? "," : "", filler, batch * 9'999 + i);
        }
        maker_.rows("t", list + "]");
    }
    memory_bytes = std::size_t{96} << 20;
    EXPECT_EQ(load(close())[0].inserted, 20U * 10'000 - 19);
    EXPECT_EQ(files_->find(folder_.path("temp/duckdb")), nullptr);
}

}  // namespace
}  // namespace tipple::destinations
