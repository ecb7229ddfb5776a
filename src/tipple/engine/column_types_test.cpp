#include "tipple/engine/column_types.h"

#include <gtest/gtest.h>

#include <vector>

#include "tipple/core/error.h"

namespace tipple::engine {
namespace {

TEST(ColumnTypes, TypesThatTakeValuesOrRefuseThem) {
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

TEST(ColumnTypes, TypesThatWouldChangeValues) {
    for (const auto& [from, to] : std::vector<std::pair<const char*, const char*>>{
             {"DOUBLE", "BIGINT"},        {"DOUBLE", "FLOAT"},          {"DOUBLE", "DECIMAL(18,2)"},
             {"BIGINT", "DOUBLE"},        {"BIGINT", "BOOLEAN"},        {"VARCHAR", "BIGINT"},
             {"VARCHAR", "DATE"},         {"TIMESTAMP", "DATE"},        {"TIMESTAMP", "TIMESTAMP_S"},
             {"DECIMAL(38,9)", "BIGINT"}, {"DECIMAL(38,9)", "DECIMAL(38,2)"}, {"DECIMAL(10,2)", "DOUBLE"},
             {"BLOB", "VARCHAR"},         {"JSON", "STRUCT(a INTEGER)"}, {"TIME", "INTEGER"}}) {
        EXPECT_FALSE(keeps_values(from, to)) << from << " " << to;
    }
}

}  // namespace
}  // namespace tipple::engine
