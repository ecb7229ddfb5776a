#include "tipple/json/path.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::json {
namespace {

std::string matches(const std::string& path, const std::string& document) {
    const Value value = parse(document);
    Array found;
    for (const Value* match : Path::parse(path).find_all(value)) found.push_back(*match);
    return to_text(found);
}

TEST(Path, FindsInDocumentOrder) {
    const std::string document = R"({"a":{"b":[{"c":1},{"c":2},{"d":3}]},"x y":4,"@odata.nextLink":5})";
    EXPECT_EQ(matches("$", document), "[" + document + "]");
    EXPECT_EQ(matches("a.b[0].c", document), "[1]");
    EXPECT_EQ(matches("$.a.b[*].c", document), "[1,2]");
    EXPECT_EQ(matches("a.*[2]", document), R"([{"d":3}])");
    EXPECT_EQ(matches("['@odata.nextLink']", document), "[5]");
    EXPECT_EQ(matches("'x y'", document), "[4]");
    EXPECT_EQ(matches("$['x y']", document), "[4]");
    EXPECT_EQ(matches("a.missing", document), "[]");
    EXPECT_EQ(matches("a[0]", document), "[]");
}

TEST(Path, SaysWhatIsWrongWhere) {
    for (const char* bad : {"", "a..b", "a[", "a[x]", "a['b]", ".a", "a[0", "a.", "$a"}) {
        EXPECT_THROW(Path::parse(bad), Error) << bad;
    }
}

}  // namespace
}  // namespace tipple::json
