#include "tipple/destination/undo_sql.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::destination {
namespace {

using schema::Column;
using schema::DataType;

SqlDialect dialect() {
    return {.quote_identifier = [](std::string_view name) { return "\"" + std::string(name) + "\""; },
            .quote_literal = [](std::string_view text) { return "'" + std::string(text) + "'"; },
            .column_type = [](const Column& column) { return std::string(to_text(*column.data_type())); },
            .timestamp_literal = [](std::int64_t time_us) { return "at " + std::to_string(time_us); }};
}

void add_table(schema::Schema& schema, Catalog& catalog, const std::string& name, const std::string& parent) {
    schema::Table table(name);
    Column id("_dlt_id", DataType::text, false);
    id.set_hint("row_key", true);
    table.set_column(std::move(id));
    if (parent.empty()) {
        table.set_column(Column("_dlt_load_id", DataType::text, false));
    } else {
        table.set_property("parent", parent);
        Column parent_id("_dlt_parent_id", DataType::text, false);
        parent_id.set_hint("parent_key", true);
        table.set_column(std::move(parent_id));
    }
    for (const Column& column : table.columns()) catalog.tables[name].push_back({.name = column.name(), .type = "text"});
    schema.set_table(std::move(table));
}

class UndoSqlTest : public testing::Test {
protected:
    UndoSqlTest() {
        add_table(schema_, catalog_, "orders", "");
        add_table(schema_, catalog_, "orders__lines", "orders");
        add_table(schema_, catalog_, "orders__lines__tags", "orders__lines");
        removal_ = {.undone_loads = {"17.5"}, .undone_rows = {{"orders__lines__tags", 3}, {"orders__lines", 2}, {"orders", 1}}};
    }

    std::vector<RowsOfLoads> rows() const {
        return rows_of_loads(schema_, catalog_, {}, {"17.5", "o'x"}, [](std::string_view table) { return "d." + std::string(table); });
    }

    void undo(const std::map<std::string, std::uint64_t>& counts) {
        undo_loads(SqlWriter(dialect(), "d"), schema_, catalog_, {}, removal_, [&](const std::string& statement) {
            statements_.push_back(statement);
            for (const auto& [table, count] : counts) {
                if (statement.starts_with("DELETE FROM d.\"" + table + "\" ")) return count;
            }
            return std::uint64_t{0};
        });
    }

    schema::Schema schema_ = schema::Schema::make("shop");
    Catalog catalog_;
    package::Removal removal_;
    std::vector<std::string> statements_;
};

TEST_F(UndoSqlTest, NestedRowsAreFoundThroughTheirParents) {
    const std::vector<RowsOfLoads> found = rows();
    ASSERT_EQ(found.size(), 3U);
    EXPECT_EQ(found[0].table, "orders__lines__tags");
    EXPECT_EQ(found[0].condition,
              R"("_dlt_parent_id" IN (SELECT "_dlt_id" FROM d.orders__lines WHERE "_dlt_parent_id" IN (SELECT "_dlt_id" FROM d.orders WHERE "_dlt_load_id" IN ('17.5', 'o''x'))))");
    EXPECT_EQ(found[1].table, "orders__lines");
    EXPECT_EQ(found[2].condition, R"("_dlt_load_id" IN ('17.5', 'o''x'))");
}

TEST_F(UndoSqlTest, WhatIsNotThereIsLeftOutWithAllBelowIt) {
    catalog_.tables.erase("orders__lines");
    ASSERT_EQ(rows().size(), 1U);
    catalog_.tables["orders"].pop_back();
    EXPECT_TRUE(rows().empty()) << "rows that do not say by which load they came";
}

TEST_F(UndoSqlTest, RowsGoBeforeTheRecordOfTheLoad) {
    undo({{"orders__lines__tags", 3}, {"orders__lines", 2}, {"orders", 1}, {"_dlt_loads", 1}});
    ASSERT_EQ(statements_.size(), 5U);
    EXPECT_EQ(statements_[3], R"(DELETE FROM d."_dlt_pipeline_state" WHERE "_dlt_load_id" IN ('17.5'))");
    EXPECT_EQ(statements_[4], R"(DELETE FROM d."_dlt_loads" WHERE "load_id" IN ('17.5'))");
}

TEST_F(UndoSqlTest, OtherCountsEndIt) {
    EXPECT_THROW(undo({{"orders__lines__tags", 4}}), Error);
    EXPECT_THROW(undo({{"orders__lines__tags", 3}, {"orders__lines", 2}, {"orders", 1}, {"_dlt_loads", 0}}), Error);
}

}  // namespace
}  // namespace tipple::destination
