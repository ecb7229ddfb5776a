#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

class StrategiesTest : public DuckdbTest {
protected:
    void define(const std::string& properties, const std::string& columns) { maker_.table("t", properties, columns); }
    void define_list() { maker_.table("t__l", R"({"parent": "t"})", R"({"value": "bigint"})"); }
    std::vector<destination::LoadedTable> merge(const std::string& list) {
        maker_.begin(next_id()).load(Disposition::merge, {"t"}).rows("t", list);
        return load(close());
    }
    std::vector<destination::LoadedTable> merge_list(const std::string& roots, const std::string& list) {
        maker_.begin(next_id()).load(Disposition::merge, {"t", "t__l"}).rows("t", roots);
        if (!list.empty()) maker_.rows("t__l", list);
        return load(close());
    }
    std::string next_id() { return fmt::format("{}.0", ++loads_); }
    /// A root row with the id and number that normalizing gives it.
    static std::string root(int id, int number, const std::string& more = "") {
        return fmt::format(R"({{"id": {0}, "_dlt_id": "r{0}", "_tipple_root_number": {1}{2}}})", id, number, more.empty() ? "" : ", " + more);
    }
    static std::string element(int root, int number, int index, int value) {
        return fmt::format(
            R"({{"value": {3}, "_dlt_root_id": "r{0}", "_dlt_parent_id": "r{0}", "_dlt_list_idx": {2}, "_dlt_id": "r{0}.{2}", "_tipple_root_number": {1}}})", root,
            number, index, value);
    }
    std::string values() { return rows("SELECT _dlt_root_id, value FROM t__l ORDER BY ALL"); }

    static constexpr const char* key = R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "bigint"})";
    static constexpr const char* marked_key =
        R"({"id": {"data_type": "bigint", "primary_key": true}, "gone": {"data_type": "bool", "hard_delete": true}})";
    int loads_ = 0;
};

TEST_F(StrategiesTest, UpsertKeepsOneRowPerKeyWithWhatIsBelowIt) {
    define(R"({"x-merge-strategy": "upsert"})", key);
    define_list();
    const auto loaded = merge_list("[" + root(1, 1, R"("v": 1)") + "," + root(1, 2, R"("v": 2)") + "]",
                                   "[" + element(1, 1, 0, 10) + "," + element(1, 2, 0, 20) + "," + element(1, 2, 1, 21) + "]");
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(rows("SELECT id, v FROM t"), "1|1");
    EXPECT_EQ(values(), "r1|10");
    // Without rows below the one that stays, none stay of the other's.
    merge_list("[" + root(1, 1) + "," + root(1, 2) + "]", "[" + element(1, 2, 0, 20) + "]");
    EXPECT_EQ(values(), "");
}

TEST_F(StrategiesTest, UpsertDeletesKnownRowsThatAreMarked) {
    define(R"({"x-merge-strategy": "upsert"})", marked_key);
    define_list();
    merge_list("[" + root(1, 1) + "," + root(2, 2) + "]", "[" + element(1, 1, 0, 10) + "," + element(2, 2, 0, 20) + "]");
    // 3 is not known: it comes, without what is below it.
    const auto loaded = merge_list("[" + root(1, 1, R"("gone": true)") + "," + root(3, 2, R"("gone": true)") + "]",
                                   "[" + element(1, 1, 0, 11) + "," + element(3, 2, 0, 30) + "]");
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT id FROM t ORDER BY id"), "2 3");
    EXPECT_EQ(values(), "r2|20");
}

TEST_F(StrategiesTest, UpsertTakesOverRowsOfAnotherStrategy) {
    define("{}", key);
    define_list();
    // Ids are of the load here, not of the key.
    merge_list(R"([{"id": 1, "v": 1, "_dlt_id": "old"}])", R"([{"value": 1, "_dlt_root_id": "old", "_dlt_parent_id": "old", "_dlt_list_idx": 0}])");
    define(R"({"x-merge-strategy": "upsert"})", key);
    merge_list("[" + root(1, 1) + "]", "[" + element(1, 1, 0, 10) + "]");
    EXPECT_EQ(rows("SELECT id, _dlt_id FROM t"), "1|r1");
    EXPECT_EQ(values(), "r1|10");
}

TEST_F(StrategiesTest, UnchangedRowsAreLeftAlone) {
    define(R"({"x-merge-strategy": "upsert", "x-merge-skip-unchanged-rows": true})", key);
    merge(R"([{"id": 1, "v": 1}, {"id": 2, "v": null}, {"id": 3, "v": 3}])");
    const auto loaded = merge(R"([{"id": 1, "v": 1}, {"id": 2, "v": null}, {"id": 3, "v": 4}])");
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT id, _dlt_load_id FROM t ORDER BY id"), "1|1.0 2|1.0 3|2.0");
}

TEST_F(StrategiesTest, InsertOnlyLeavesKnownRows) {
    define(R"({"x-merge-strategy": "insert-only"})", marked_key);
    define_list();
    merge_list("[" + root(1, 1) + "]", "[" + element(1, 1, 0, 10) + "]");
    const auto loaded = merge_list("[" + root(1, 1) + "," + root(2, 2) + "," + root(3, 3, R"("gone": true)") + "]",
                                   "[" + element(1, 1, 0, 11) + "," + element(1, 1, 1, 12) + "," + element(2, 2, 0, 20) + "," + element(3, 3, 0, 30) + "]");
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(loaded[0].deleted, 0U);
    EXPECT_EQ(rows("SELECT id, _dlt_load_id FROM t ORDER BY id"), "1|1.0 2|2.0");
    // A new place in the list of a known row is new too.
    EXPECT_EQ(values(), "r1|10 r1|12 r2|20");
}

TEST_F(StrategiesTest, CdcDeletesWhatIsAbsent) {
    define(R"({"x-merge-strategy": "cdc"})", marked_key);
    define_list();
    merge_list("[" + root(1, 1) + "," + root(2, 2) + "]", "[" + element(1, 1, 0, 10) + "," + element(2, 2, 0, 20) + "]");
    const auto loaded = merge_list("[" + root(2, 1) + "," + root(3, 2, R"("gone": true)") + "]", "[" + element(2, 1, 0, 21) + "]");
    EXPECT_EQ(loaded[0].deleted, 2U);
    EXPECT_EQ(loaded[0].inserted, 1U);
    EXPECT_EQ(rows("SELECT id FROM t"), "2");
    EXPECT_EQ(values(), "r2|21");
}

TEST_F(StrategiesTest, ASourceFilterLeavesRowsOut) {
    define(R"({"x-merge-strategy": "cdc", "x-merge-source-filter": "v < 10"})", key);
    merge(R"([{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 3}])");
    // Of two rows with one key the first that satisfies the filter counts.
    merge(R"([{"id": 1, "v": 50}, {"id": 1, "v": 5}, {"id": 2, "v": null}, {"id": 3, "v": 4}])");
    EXPECT_EQ(rows("SELECT id, v FROM t ORDER BY id"), "1|5 3|4");
    define(R"({"x-merge-source-filter": "no_such_column > 1"})", key);
    EXPECT_TRUE(contains(message_of(ErrorKind::usage, [&] { merge(R"([{"id": 1, "v": 1}])"); }), "no_such_column"));
}

TEST_F(StrategiesTest, AScopeTakesThePlaceOfKeys) {
    define(R"({"x-merge-destination-scope": "v IN (SELECT v FROM {staging_table}) AND {table}.id < 3"})", key);
    merge(R"([{"id": 1, "v": 1}, {"id": 2, "v": 2}, {"id": 3, "v": 1}])");
    merge(R"([{"id": 3, "v": 1}])");
    EXPECT_EQ(rows("SELECT id, v FROM t ORDER BY id"), "2|2 3|1 3|1");
}

constexpr const char* version_columns =
    R"({"nk": {"data_type": "bigint", "merge_key": true}, "part": {"data_type": "bigint", "merge_key": true}, "ver": {"data_type": "text",
        "x-row-version": true, "unique": false, "row_key": false}, "f": {"data_type": "timestamp", "x-valid-from": true},
        "u": {"data_type": "timestamp", "x-valid-to": true, "x-active-record-timestamp": "9999-12-31"}})";

TEST_F(StrategiesTest, Scd2ClosesVersionsByAWholeKey) {
    define(R"({"x-merge-strategy": "scd2", "x-boundary-timestamp": "2024-01-01"})", version_columns);
    merge(R"([{"nk": 1, "part": 11, "ver": "a"}, {"nk": 11, "part": 1, "ver": "b"}])");
    define(R"({"x-merge-strategy": "scd2", "x-boundary-timestamp": "2024-02-01"})", version_columns);
    merge(R"([{"nk": 1, "part": 11, "ver": "c"}])");
    EXPECT_EQ(rows("SELECT nk, ver, f::DATE, u::DATE FROM t ORDER BY ver"), "1|a|2024-01-01|2024-02-01 11|b|2024-01-01|9999-12-31 1|c|2024-02-01|9999-12-31");
}

TEST_F(StrategiesTest, Scd2InsertsBelowNewVersionsOnly) {
    maker_.has_root_keys = false;
    define(R"({"x-merge-strategy": "scd2"})", version_columns);
    define_list();
    const auto load_list = [&](const std::string& id, const std::string& version) {
        merge_list(fmt::format(R"([{{"nk": 1, "part": 1, "ver": "{}", "_dlt_id": "{}"}}])", version, id),
                   fmt::format(R"([{{"value": 1, "_dlt_parent_id": "{}", "_dlt_list_idx": 0}}])", id));
    };
    load_list("x", "a");
    load_list("y", "a");
    EXPECT_EQ(rows("SELECT _dlt_parent_id FROM t__l"), "x");
    load_list("z", "b");
    EXPECT_EQ(rows("SELECT _dlt_parent_id FROM t__l ORDER BY 1"), "x z");
}

}  // namespace
}  // namespace tipple::destinations
