#include "tipple/schema/column_hint.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

std::string hints(std::string_view text) {
    const ColumnHint hint = parse_column_hint(text);
    std::string path;
    for (const std::string& key : hint.path) path += key + "/";
    return path + hint.column.name() + " " + json::to_text(json::Value(hint.column.hints()));
}

std::string error_of(std::string_view text) {
    try {
        parse_column_hint(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "no error";
}

TEST(ColumnHint, ReadsNameTypeAndHints) {
    EXPECT_EQ(hints("amount:decimal(10,2)"), R"(amount {"data_type":"decimal","precision":10,"scale":2})");
    EXPECT_EQ(hints("Id:bigint:key"), R"(Id {"data_type":"bigint","primary_key":true,"nullable":false})");
    EXPECT_EQ(hints("at:timestamp(3):timezone=false"), R"(at {"data_type":"timestamp","precision":3,"timezone":false})");
    EXPECT_EQ(hints("order/lines/price:double:not_null"), R"(order/lines/price {"data_type":"double","nullable":false})");
    EXPECT_EQ(hints("code::unique"), R"(code {"unique":true})");
    EXPECT_EQ(hints("n:text:dedup_sort=desc:description=of the shop"), R"(n {"data_type":"text","dedup_sort":"desc","description":"of the shop"})");
}

TEST(ColumnHint, SaysWhatIsWrong) {
    EXPECT_NE(error_of("amount").find("NAME:TYPE"), std::string::npos);
    EXPECT_NE(error_of("a:bigin").find("did you mean bigint"), std::string::npos);
    EXPECT_NE(error_of("a:bigint(x)").find("\"x\" is no number"), std::string::npos);
    EXPECT_NE(error_of("a:bigint(1,2)").find("so many"), std::string::npos);
    EXPECT_NE(error_of("a:decimal(10,2").find("not closed"), std::string::npos);
    EXPECT_NE(error_of("a:decimal(50,2)").find("38"), std::string::npos);
    EXPECT_NE(error_of("a/:text").find("empty"), std::string::npos);
    EXPECT_NE(error_of("a:text:keyy").find("no hint"), std::string::npos);
    EXPECT_NE(error_of("a:text:dedup_sort=up").find("no hint"), std::string::npos);
}

}  // namespace
}  // namespace tipple::schema
