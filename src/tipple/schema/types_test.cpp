#include "tipple/schema/types.h"

#include <gtest/gtest.h>

namespace tipple::schema {
namespace {

TEST(Types, NamesReadBack) {
    for (int i = 0; i < data_type_count; ++i) {
        const auto type = static_cast<DataType>(i);
        EXPECT_EQ(find_data_type(to_text(type)), type);
    }
    EXPECT_EQ(to_text(DataType::double_), "double");
    EXPECT_EQ(find_data_type("complex"), DataType::json) << "the old name";
    EXPECT_EQ(find_data_type("integer"), std::nullopt);
    for (const Disposition disposition :
         {Disposition::append, Disposition::replace, Disposition::merge, Disposition::skip}) {
        EXPECT_EQ(find_disposition(to_text(disposition)), disposition);
    }
    EXPECT_EQ(find_disposition(""), std::nullopt);
}

TEST(Types, VariantsNameTheirOrigin) {
    EXPECT_EQ(origin_of_variant("total__v_text"), "total");
    EXPECT_EQ(origin_of_variant("a__v_b__v_double"), "a__v_b");
    EXPECT_EQ(origin_of_variant("total"), "");
}

}  // namespace
}  // namespace tipple::schema
