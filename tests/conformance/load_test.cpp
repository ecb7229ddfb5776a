#include "conformance/places.h"

namespace tipple::conformance {
namespace {

using schema::Disposition;

INSTANTIATE_TEST_SUITE_P(Every, Conformance, testing::ValuesIn(kinds()), [](const auto& kind) { return kind.param; });

TEST_P(Conformance, AppendKeepsEveryRow) {
    maker_.table("t", "{}", R"({"id": "bigint", "v": "text"})");
    for (const char* id : {"1.0", "2.0"}) {
        maker_.begin(id).load(Disposition::append, {"t"}).rows("t", R"([{"id": 1, "v": "a'\\\"ü"}, {"id": 2}])");
        const auto loaded = load(close());
        ASSERT_EQ(loaded.size(), 1U);
        EXPECT_EQ(loaded[0].inserted, 2U);
        EXPECT_EQ(loaded[0].deleted, 0U);
    }
    EXPECT_EQ(rows("SELECT id, v, _dlt_load_id FROM {} ORDER BY _dlt_load_id, id", "t"), "1|a'\\\"ü|1.0 2|NULL|1.0 1|a'\\\"ü|2.0 2|NULL|2.0");
}

TEST_P(Conformance, TablesGrow) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    maker_.table("t", "{}", R"({"id": "bigint", "new": "double"})");
    maker_.table("u", "{}", R"({"a": "bool"})");
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2, "new": 0.5}])").load(Disposition::append, {"u"}).rows("u", R"([{"a": true}])");
    load(close());
    EXPECT_EQ(rows("SELECT id, new FROM {} ORDER BY id", "t"), "1|NULL 2|0.5");
    EXPECT_EQ(rows("SELECT a FROM {}", "u"), "true");
}

TEST_P(Conformance, ColumnsBecomeWiderWhereEveryValueSurvives) {
    if (!capabilities().widens_columns) GTEST_SKIP() << "it does not widen columns";
    const std::string narrow = R"({"id": {"data_type": "bigint", "primary_key": true}, "n": "bigint", "d": "date", "x": {"data_type": "decimal", "precision": 5, "scale": 2}, "y": "bigint"})";
    const std::string wide = R"({"id": {"data_type": "bigint", "primary_key": true}, "n": "double", "d": "timestamp", "x": {"data_type": "decimal", "precision": 12, "scale": 4}, "y": {"data_type": "decimal", "precision": 21, "scale": 2}})";
    int number = 0;
    for (const Disposition disposition : {Disposition::append, Disposition::merge}) {
        if (disposition == Disposition::merge && capabilities().merge_strategies.empty()) continue;
        const std::string table = disposition == Disposition::append ? "a" : "m";
        const std::string properties = disposition == Disposition::append ? "{}" : R"({"write_disposition": "merge"})";
        maker_.table(table, properties, narrow);
        maker_.begin(fmt::format("{}.0", ++number)).load(disposition, {table});
        maker_.rows(table, R"([{"id": 1, "n": 9007199254740992, "d": 19732, "x": 12345, "y": -7}])");
        load(close());
        maker_.table(table, properties, wide);
        maker_.begin(fmt::format("{}.0", ++number)).load(disposition, {table});
        for (const char* column : {"n", "x", "y"}) maker_.widen(table, column, schema::DataType::bigint);
        maker_.widen(table, "d", schema::DataType::date);
        maker_.rows(table, R"([{"id": 2, "n": 0.5, "d": 1704844800000000, "x": 123456789, "y": 25}])");
        load(close());
        EXPECT_EQ(rows("SELECT id, CAST(n AS bigint), CAST(d AS date), x, y FROM {} WHERE id = 1", table), "1|9007199254740992|2024-01-10|123.4500|-7.00");
        EXPECT_EQ(rows("SELECT id, n, CAST(d AS date), x, y FROM {} WHERE id = 2", table), "2|0.5|2024-01-10|12345.6789|0.25");
    }
}

TEST_P(Conformance, AColumnThatGotOtherValuesMeanwhileIsNotWidened) {
    if (!capabilities().widens_columns) GTEST_SKIP() << "it does not widen columns";
    maker_.table("t", "{}", R"({"n": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"n": 9007199254740993}])");
    load(close());
    maker_.table("t", "{}", R"({"n": "double"})");
    maker_.begin("2.0").load(Disposition::append, {"t"}).widen("t", "n", schema::DataType::bigint).rows("t", R"([{"n": 0.5}])");
    const package::Package package = close();
    expect_error(ErrorKind::conflict, [&] { load(package); });
    EXPECT_EQ(rows("SELECT n FROM {}", "t"), "9007199254740993");
}

TEST_P(Conformance, ReplaceLeavesTheLastLoadOnly) {
    maker_.table("t", R"({"write_disposition": "replace"})", R"({"id": "bigint"})");
    maker_.table("t__c", R"({"parent": "t"})", R"({"v": "bigint"})");
    const std::vector<std::string> tables = {"t", "t__c"};
    maker_.begin("1.0").load(Disposition::replace, tables).rows("t", R"([{"id": 1, "_dlt_id": "a"}, {"id": 2}])");
    maker_.rows("t__c", R"([{"v": 1, "_dlt_root_id": "a", "_dlt_parent_id": "a", "_dlt_list_idx": 0}])");
    load(close());
    maker_.begin("2.0").load(Disposition::replace, tables).rows("t", R"([{"id": 3}])");
    load(close());
    EXPECT_EQ(rows("SELECT id FROM {}", "t"), "3");
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "t__c"), "0");
}

TEST_P(Conformance, MergeReplacesRowsByKeyWithWhatIsBelow) {
    if (capabilities().merge_strategies.empty()) GTEST_SKIP() << "it does not merge";
    maker_.table("t", R"({"write_disposition": "merge"})", R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "text"})");
    maker_.table("t__c", R"({"parent": "t"})", R"({"w": "bigint"})");
    const std::vector<std::string> tables = {"t", "t__c"};
    maker_.begin("1.0").load(Disposition::merge, tables).rows("t", R"([{"id": 1, "v": "old", "_dlt_id": "a"}, {"id": 2, "v": "stays", "_dlt_id": "b"}])");
    maker_.rows("t__c", R"([{"w": 1, "_dlt_root_id": "a", "_dlt_parent_id": "a", "_dlt_list_idx": 0}, {"w": 2, "_dlt_root_id": "b", "_dlt_parent_id": "b", "_dlt_list_idx": 0}])");
    load(close());
    maker_.begin("2.0").load(Disposition::merge, tables).rows("t", R"([{"id": 1, "v": "new", "_dlt_id": "c"}, {"id": 1, "v": "twice", "_dlt_id": "d"}])");
    maker_.rows("t__c", R"([{"w": 3, "_dlt_root_id": "c", "_dlt_parent_id": "c", "_dlt_list_idx": 0}, {"w": 4, "_dlt_root_id": "d", "_dlt_parent_id": "d", "_dlt_list_idx": 0}])");
    load(close());
    EXPECT_EQ(rows("SELECT id, v FROM {} ORDER BY id", "t"), "1|new 2|stays");
    EXPECT_EQ(rows("SELECT w FROM {} ORDER BY w", "t__c"), "2 3");
}

/// Every strategy that the destination says it has, over the same two loads.
TEST_P(Conformance, StrategiesDoWhatTheirNamesSay) {
    const std::map<schema::MergeStrategy, std::string> expected = {
        {schema::MergeStrategy::delete_insert, "1|a 2|new 3|c"}, {schema::MergeStrategy::upsert, "1|a 2|new 3|c"},
        {schema::MergeStrategy::insert_only, "1|a 2|b 3|c"},     {schema::MergeStrategy::cdc, "2|new 3|c"}};
    for (const schema::MergeStrategy strategy : capabilities().merge_strategies) {
        const auto rows_then = expected.find(strategy);
        if (rows_then == expected.end()) continue;  // scd2 needs columns of its own: the golden cases have them
        const std::string table = fmt::format("t_{}", static_cast<int>(strategy));
        maker_.table(table, fmt::format(R"({{"write_disposition": "merge", "x-merge-strategy": "{}"}})", schema::to_text(strategy)),
                     R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "text"})");
        maker_.begin(fmt::format("{}1.0", static_cast<int>(strategy) + 1)).load(Disposition::merge, {table}).rows(table, R"([{"id": 1, "v": "a"}, {"id": 2, "v": "b"}])");
        load(close());
        maker_.begin(fmt::format("{}2.0", static_cast<int>(strategy) + 1)).load(Disposition::merge, {table}).rows(table, R"([{"id": 2, "v": "new"}, {"id": 3, "v": "c"}])");
        load(close());
        EXPECT_EQ(rows("SELECT id, v FROM {} ORDER BY id", table), rows_then->second) << schema::to_text(strategy);
    }
}

// ---- full snapshots ----

using schema::DeleteLimit;
using schema::DeleteMissing;

constexpr const char* keyed_columns = R"({"id": {"data_type": "bigint", "primary_key": true}, "v": "text", "_tipple_deleted_at": "timestamp"})";

TEST_P(Conformance, ASnapshotRemovesWhatItDoesNotHaveWithWhatIsBelow) {
    if (!capabilities().deletes_missing) GTEST_SKIP() << "it has no full snapshots";
    maker_.table("t", R"({"write_disposition": "merge"})", keyed_columns);
    maker_.table("t__c", R"({"parent": "t"})", R"({"w": "bigint", "_tipple_deleted_at": "timestamp"})");
    const std::vector<std::string> tables = {"t", "t__c"};
    const DeleteMissing hard{.mode = DeleteMissing::Mode::hard, .limit = DeleteLimit::parse("50%")};
    maker_.begin("1.0").load(Disposition::merge, tables).delete_missing(hard);
    maker_.rows("t", R"([{"id": 1, "v": "a", "_dlt_id": "a"}, {"id": 2, "v": "b", "_dlt_id": "b"}, {"id": 3, "v": "c", "_dlt_id": "c"}])");
    maker_.rows("t__c", R"([{"w": 1, "_dlt_root_id": "a", "_dlt_parent_id": "a", "_dlt_list_idx": 0}, {"w": 2, "_dlt_root_id": "b", "_dlt_parent_id": "b", "_dlt_list_idx": 0}])");
    load(close());
    maker_.begin("2.0").load(Disposition::merge, tables).delete_missing(hard).rows("t", R"([{"id": 2, "v": "B"}, {"id": 3, "v": "C"}, {"id": 4, "v": "D"}])");
    const auto loaded = load(close());
    EXPECT_EQ(rows("SELECT id, v FROM {} ORDER BY id", "t"), "2|B 3|C 4|D");
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "t__c"), "0");
    ASSERT_EQ(loaded.size(), 2U);
    EXPECT_EQ(loaded[0].missing, 1U);
    EXPECT_EQ(loaded[0].deleted, 3U) << "one is missing, two are replaced";
    EXPECT_EQ(loaded[1].deleted, 2U);
}

TEST_P(Conformance, ASnapshotMayOnlyMissSoMuch) {
    if (!capabilities().deletes_missing) GTEST_SKIP() << "it has no full snapshots";
    maker_.table("t", R"({"write_disposition": "merge"})", keyed_columns);
    maker_.begin("1.0").load(Disposition::merge, {"t"}).rows("t", R"([{"id": 1}, {"id": 2}, {"id": 3}, {"id": 4}])");
    load(close());
    for (const DeleteMissing::Mode mode : {DeleteMissing::Mode::hard, DeleteMissing::Mode::soft}) {
        maker_.begin(fmt::format("2.{}", static_cast<int>(mode))).load(Disposition::merge, {"t"}).delete_missing({.mode = mode}).rows("t", R"([{"id": 4}])");
        const package::Package package = close();
        expect_error(ErrorKind::data, [&] { load(package); });
        EXPECT_EQ(rows("SELECT id, _dlt_load_id FROM {} ORDER BY id", "t"), "1|1.0 2|1.0 3|1.0 4|1.0");
    }
    // Nothing at all is believed when somebody says so, and only then.
    maker_.begin("3.0").load(Disposition::merge, {"t"}).delete_missing({.mode = DeleteMissing::Mode::hard});
    const package::Package empty = close();
    expect_error(ErrorKind::data, [&] { load(empty); });
    maker_.begin("4.0").load(Disposition::merge, {"t"}).delete_missing({.mode = DeleteMissing::Mode::hard, .allows_empty = true});
    EXPECT_EQ(load(close())[0].missing, 4U);
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "t"), "0");
}

/// Rows that are gone are flagged once, with the time of the load that missed them first, and have no flag when they are back.
TEST_P(Conformance, ASnapshotFlagsWhatItDoesNotHave) {
    if (!capabilities().deletes_missing) GTEST_SKIP() << "it has no full snapshots";
    const DeleteMissing soft{.mode = DeleteMissing::Mode::soft, .limit = DeleteLimit::parse("1")};
    for (const schema::MergeStrategy strategy : capabilities().merge_strategies) {
        if (strategy == schema::MergeStrategy::cdc || strategy == schema::MergeStrategy::scd2) continue;  // they do something of their own with absent rows
        const std::string table = fmt::format("t_{}", static_cast<int>(strategy));
        const auto snapshot = [&](int number, const std::string& list) {
            maker_.begin(fmt::format("{}{}.0", static_cast<int>(strategy) + 1, number)).load(Disposition::merge, {table}).delete_missing(soft).rows(table, list);
            return load(close()).at(0).missing;
        };
        maker_.table(table, fmt::format(R"({{"write_disposition": "merge", "x-merge-strategy": "{}", "x-merge-skip-unchanged-rows": true}})", schema::to_text(strategy)), keyed_columns);
        EXPECT_EQ(snapshot(1, R"([{"id": 1}, {"id": 2}, {"id": 3}])"), 0U);
        EXPECT_EQ(snapshot(2, R"([{"id": 2}, {"id": 3}])"), 1U);
        const std::string first = rows("SELECT _tipple_deleted_at FROM {} WHERE id = 1", table);
        EXPECT_EQ(snapshot(3, R"([{"id": 2}])"), 1U) << "the one that is flagged already does not count again";
        EXPECT_EQ(rows("SELECT _tipple_deleted_at FROM {} WHERE id = 1", table), first);
        EXPECT_EQ(rows("SELECT id FROM {} WHERE _tipple_deleted_at IS NOT NULL ORDER BY id", table), "1 3") << schema::to_text(strategy);
        EXPECT_EQ(snapshot(4, R"([{"id": 1}, {"id": 2}])"), 0U);
        EXPECT_EQ(rows("SELECT id FROM {} WHERE _tipple_deleted_at IS NOT NULL ORDER BY id", table), "3") << schema::to_text(strategy);
    }
}

/// Files that were loaded anew: their old rows go with all below them, also where no new one comes, and all in one commit.
TEST_P(Conformance, RowsOfOneOriginGiveWayToOthers) {
    if (!capabilities().replaces_rows) GTEST_SKIP() << "it takes no rows away";
    for (const bool merges : {false, true}) {
        const Disposition disposition = merges ? Disposition::merge : Disposition::append;
        const std::string root = merges ? "m" : "a";
        maker_.table(root, fmt::format(R"({{"write_disposition": "{}"}})", schema::to_text(disposition)),
                     fmt::format(R"({{"id": {{"data_type": "bigint", "primary_key": {}}}, "src": "text"}})", merges));
        maker_.table(root + "__c", fmt::format(R"({{"parent": "{}"}})", root), R"({"w": "bigint"})");
        maker_.table(root + "__c__d", fmt::format(R"({{"parent": "{}__c"}})", root), R"({"x": "bigint"})");
        const std::vector<std::string> tables = {root, root + "__c", root + "__c__d"};
        const std::string id = merges ? "2" : "1";
        maker_.begin(id + "1.0").load(disposition, tables).replace_rows("src", {"x", "it's"});
        maker_.rows(root, R"([{"id": 1, "src": "x", "_dlt_id": "p"}, {"id": 2, "src": "y", "_dlt_id": "q"}, {"id": 3, "src": "it's", "_dlt_id": "r"}])");
        maker_.rows(root + "__c", R"([{"w": 1, "_dlt_root_id": "p", "_dlt_parent_id": "p", "_dlt_list_idx": 0, "_dlt_id": "pc"},
                                      {"w": 2, "_dlt_root_id": "q", "_dlt_parent_id": "q", "_dlt_list_idx": 0, "_dlt_id": "qc"}])");
        maker_.rows(root + "__c__d", R"([{"x": 1, "_dlt_root_id": "p", "_dlt_parent_id": "pc", "_dlt_list_idx": 0}, {"x": 2, "_dlt_root_id": "q", "_dlt_parent_id": "qc", "_dlt_list_idx": 0}])");
        load(close());
        EXPECT_EQ(rows("SELECT count(*) FROM {}", root), "3");
        // A new column besides: stores that add it late must still find the rows.
        maker_.table(root, fmt::format(R"({{"write_disposition": "{}"}})", schema::to_text(disposition)),
                     fmt::format(R"({{"id": {{"data_type": "bigint", "primary_key": {}}}, "src": "text", "v": "text"}})", merges));
        maker_.begin(id + "2.0").load(disposition, tables).replace_rows("src", {"x", "it's", "no"}).rows(root, R"([{"id": 7, "src": "x", "v": "new"}])");
        const auto loaded = load(close());
        EXPECT_EQ(rows("SELECT id, src, v FROM {} ORDER BY id", root), "2|y|NULL 7|x|new");
        EXPECT_EQ(rows("SELECT w FROM {}", root + "__c"), "2");
        EXPECT_EQ(rows("SELECT x FROM {}", root + "__c__d"), "2");
        EXPECT_EQ(loaded.at(0).deleted, 2U);
        EXPECT_EQ(loaded.at(1).deleted, 1U);
        EXPECT_EQ(loaded.at(2).deleted, 1U);
    }
}

TEST_P(Conformance, WhatIsNotCommittedNeverWas) {
    if (!capabilities().has_transactions) GTEST_SKIP() << "it has no transactions";
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    {
        const auto destination = make();
        const auto transaction = destination->begin(package);
        apply(package, *destination, *transaction);
    }
    EXPECT_FALSE(has_table("t"));
    EXPECT_FALSE(make()->has_load({.load_id = "1.0"}));
    load(package);
    EXPECT_EQ(rows("SELECT id FROM {}", "t"), "1");
}

TEST_P(Conformance, PipelinesShareADataset) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    maker_.schema() = schema::Schema::make("other");
    maker_.pipeline = "other";
    maker_.table("u", "{}", R"({"id": "bigint"})");
    maker_.begin("2.0").load(Disposition::append, {"u"}).rows("u", R"([{"id": 2}])");
    load(close());
    const auto read = stored();
    ASSERT_TRUE(read);
    EXPECT_TRUE(read->schemas.contains("shop") && read->schemas.contains("other"));
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "_dlt_pipeline_state"), "2");
}

/// Two pipelines that begin in the same microsecond.
TEST_P(Conformance, OfTwoLoadsWithOneIdOneIsRefused) {
    support::PackageMaker others(*files_, clock_, folder_.path("packages_of_others"));
    const auto go_on_as = [&](const char* pipeline) { maker_.pipeline = others.pipeline = pipeline; };
    for (support::PackageMaker* maker : {&maker_, &others}) maker->table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    load(close());
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2}])");
    others.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 3}])");
    const package::Package own = close();
    go_on_as("other");
    const package::Package other = others.close(stored());
    if (GetParam() == "bucket") {
        // Nothing keeps them apart before they commit.
        const auto destination = make();
        const auto transaction = destination->begin(own);
        apply(own, *destination, *transaction);
        const auto other_destination = make();
        const auto other_transaction = other_destination->begin(other);
        apply(other, *other_destination, *other_transaction);
        transaction->commit();
        expect_error(ErrorKind::conflict, [&] { other_transaction->commit(); }, "already in");
    } else {
        load(own);
        expect_error(ErrorKind::conflict, [&] { load(other); }, "already in");
    }
    EXPECT_EQ(rows("SELECT id FROM {} ORDER BY id", "t"), "1 2");
    // Whoever asks for the one that was refused, because it was killed, must not hear of the other.
    EXPECT_TRUE(make()->has_load(destination::load_key(own)));
    EXPECT_FALSE(make()->has_load(destination::load_key(other)));
}

TEST_P(Conformance, NullWhereThereMustBeAValue) {
    maker_.table("t", "{}", R"({"id": {"data_type": "bigint", "nullable": false}})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}, {"id": null}])");
    const package::Package package = close();
    expect_error(ErrorKind::data, [&] { load(package); });
    EXPECT_FALSE(has_table("t"));
}

}  // namespace
}  // namespace tipple::conformance
