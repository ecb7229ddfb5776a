#include "tipple/schema/value.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

TEST(Value, HasANaturalType) {
    // V38 of the reference's behaviour: typed values keep their type.
    EXPECT_EQ(natural_type(Value(true)), DataType::bool_);
    EXPECT_EQ(natural_type(Value(std::int64_t{5})), DataType::bigint);
    EXPECT_EQ(natural_type(Value(std::uint64_t{1} << 63)), DataType::bigint);
    EXPECT_EQ(natural_type(Value(1.0)), DataType::double_);
    EXPECT_EQ(natural_type(Value(std::string("a"))), DataType::text);
    EXPECT_EQ(natural_type(Value(Decimal{})), DataType::decimal);
    EXPECT_EQ(natural_type(Value(Wei{})), DataType::wei);
    EXPECT_EQ(natural_type(Value(Timestamp{})), DataType::timestamp);
    EXPECT_EQ(natural_type(Value(Date{})), DataType::date);
    EXPECT_EQ(natural_type(Value(Time{})), DataType::time);
    EXPECT_EQ(natural_type(Value(Binary{})), DataType::binary);
    EXPECT_EQ(natural_type(Value(Json{})), DataType::json);
    EXPECT_EQ(natural_type(Value(List{})), DataType::json);
    EXPECT_EQ(natural_type(Value(Object{})), DataType::json);
    EXPECT_THROW(natural_type(Value()), Bug);
}

}  // namespace
}  // namespace tipple::schema
