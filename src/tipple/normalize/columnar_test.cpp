#include "tipple/normalize/columnar.h"

#include <gtest/gtest.h>

#include <algorithm>

#include "tipple/columns/value_at.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/schema/coerce.h"

namespace tipple::normalize {
namespace {

using schema::DataType;

/// One batch into table `t`, whose columns are declared beforehand.
class Columnar : public testing::Test {
protected:
    void declare(schema::Column column) { table_.set_column(std::move(column)); }

    std::vector<std::string> load(columns::Batch batch) {
        schema::Schema schema = schema::Schema::make("test");
        table_.set_property("write_disposition", "append");
        schema.set_table(table_);
        const auto snapshot = std::make_shared<const schema::Schema>(schema);
        rules_ = {.naming = schema::NamingConvention::make("snake_case"),
                  .inference = std::make_shared<schema::Inference>(schema, 0),
                  .breaks_paths = true,
                  .kept_time_digits = kept_time_digits_,
                  .load_id = "1.0",
                  .row_id_prefix = "prefix.."};
        ColumnarNormalizer normalizer(rules_);
        normalizer.normalize(batch, 0, "t", snapshot, result_);
        std::vector<std::string> cells;
        for (const TableRows& rows : result_.tables) {
            for (std::size_t i = 0; i < rows.columns.size(); ++i) {
                if (rows.names[i].starts_with("_dlt")) continue;
                std::string cell(rows.names[i]);
                for (std::size_t row = 0; row < rows.rows; ++row) {
                    const schema::Value value = value_at(rows.columns[i], row);
                    cell += value.is_null() ? " -" : " " + schema::coerce(DataType::text, value)->as<std::string>();
                }
                cells.push_back(cell);
            }
        }
        return cells;
    }

    static columns::Batch doubles(const std::vector<double>& values) {
        columns::Batch batch;
        batch.names = {"A"};
        batch.columns.emplace_back(columns::ColumnType{.type = DataType::double_});
        for (const double value : values) batch.columns[0].append_double(value);
        batch.rows = values.size();
        return batch;
    }

    int (*kept_time_digits_)(const schema::Column& column) = nullptr;
    schema::Table table_{"t"};
    Rules rules_;
    PageResult result_;
};

TEST_F(Columnar, NumbersGoToADecimalColumnAndRoundingIsNoted) {
    declare(schema::Column("a", json::Object{{"data_type", "decimal"}, {"precision", 5}, {"scale", 2}}));
    EXPECT_EQ(load(doubles({1.5, 1.239, 123456.0})), (std::vector<std::string>{"a 1.50 1.24 -", "a__v_double - - 123456.0"}));
    ASSERT_EQ(result_.notes.size(), 1U);
    EXPECT_EQ(result_.notes[0].kind, DataNote::Kind::rounded);
    EXPECT_EQ(result_.notes[0].count, 1U);
    EXPECT_EQ(result_.notes[0].record_index, 1U);
    EXPECT_EQ(load(doubles({0.125, -0.125, 0.001})), (std::vector<std::string>{"a 0.13 -0.13 0.00"}));
}

TEST_F(Columnar, TimesThatTheStoreRoundsAreCountedOnce) {
    kept_time_digits_ = [](const schema::Column&) { return 3; };
    columns::Batch batch;
    batch.names = {"A"};
    batch.columns.emplace_back(columns::ColumnType{.type = DataType::time});
    for (const std::int64_t ns : {2'000'000, 2'001'000, 2'000'001, 2'001'001}) batch.columns[0].append_nanoseconds(ns);
    batch.columns[0].append_null();
    batch.rows = 5;
    load(std::move(batch));
    ASSERT_EQ(result_.notes.size(), 1U);
    EXPECT_EQ(result_.notes[0].kind, DataNote::Kind::times_rounded);
    EXPECT_EQ(result_.notes[0].count, 3U);
    EXPECT_EQ(result_.notes[0].record_index, 1U);
}

TEST_F(Columnar, RowsWithoutTheirKeyAreBadAndNamed) {
    declare(schema::Column("a", json::Object{{"nullable", false}, {"primary_key", true}}));
    columns::Batch batch = doubles({1.5});
    batch.columns[0].append_null();
    batch.columns[0].append_double(2.5);
    batch.rows = 3;
    EXPECT_EQ(load(std::move(batch)), (std::vector<std::string>{"a 1.5 2.5"}));
    ASSERT_EQ(result_.bad_records.size(), 1U);
    EXPECT_EQ(result_.bad_records[0].record_index, 1U);
    EXPECT_EQ(result_.bad_records[0].column, "a");
    EXPECT_EQ(result_.bad_records[0].text, R"({"A":null})");
    EXPECT_FALSE(result_.bad_records[0].is_quarantined);
}

TEST_F(Columnar, DecimalsThatDoNotFitKeepTheirTypeInAVariant) {
    declare(schema::Column("a", DataType::bigint, true));
    columns::Batch batch;
    batch.names = {"A"};
    batch.columns.emplace_back(columns::ColumnType{.type = DataType::decimal, .precision = 10, .scale = 2});
    batch.columns[0].append_int128(200);
    batch.columns[0].append_int128(250);
    batch.rows = 2;
    EXPECT_EQ(load(std::move(batch)), (std::vector<std::string>{"a 2 -", "a__v_decimal - 2.50"}));
    ASSERT_EQ(result_.proposals.size(), 1U);
    EXPECT_EQ(result_.proposals[0].columns[0].precision(), 10);
    EXPECT_EQ(result_.proposals[0].columns[0].scale(), 2);
}

TEST_F(Columnar, WhatIsSaidOfRowsBehindOnesLeftOutNamesThemAsTheyCame) {
    declare(schema::Column("id", json::Object{{"nullable", false}, {"primary_key", true}}));
    declare(schema::Column("a", DataType::bigint, true));
    columns::Batch batch = doubles({1.0, 2.0, 2.5});
    batch.names.push_back("id");
    batch.columns.emplace_back(columns::ColumnType{.type = DataType::bigint});
    batch.columns[1].append_int64(1);
    batch.columns[1].append_null();
    batch.columns[1].append_int64(3);
    EXPECT_EQ(load(std::move(batch)), (std::vector<std::string>{"a 1 -", "a__v_double - 2.5", "id 1 3"}));
    ASSERT_EQ(result_.proposals.size(), 1U);
    const auto& columns = result_.proposals[0].columns;
    const auto variant = std::find_if(columns.begin(), columns.end(), [](const schema::Column& column) { return column.name() == "a__v_double"; });
    ASSERT_NE(variant, columns.end());
    const ColumnOrigin& origin = result_.proposals[0].origins[static_cast<std::size_t>(variant - columns.begin())];
    EXPECT_EQ(origin.record_index, 2U);
    EXPECT_EQ(origin.value, "2.5");
}

}  // namespace
}  // namespace tipple::normalize
