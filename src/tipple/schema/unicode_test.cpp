#include "tipple/schema/unicode.h"

#include <string>

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

namespace tipple::schema::unicode {
namespace {

TEST(Unicode, DecodesValidUtf8) {
    EXPECT_EQ(decode("a", 0).code, U'a');
    EXPECT_EQ(decode("é", 0).code, U'é');
    EXPECT_EQ(decode("▶", 0).length, 3U);
    EXPECT_EQ(decode("x🚀", 1).code, U'🚀');
    EXPECT_EQ(decode("x🚀", 1).length, 4U);
}

TEST(Unicode, TakesBytesThatAreNotUtf8OneByOne) {
    for (const char* bad : {"\x80", "\xC0\x80", "\xE0\x80\x80", "\xED\xA0\x80", "\xF4\x90\x80\x80",
                            "\xFF", "\xE2\x96", "\xF0\x9F\x9A", "\xC3("}) {
        EXPECT_EQ(decode(bad, 0).code, U'\uFFFD');
        EXPECT_EQ(decode(bad, 0).length, 1U);
    }
}

TEST(Unicode, CountsCharacters) {
    EXPECT_EQ(length(""), 0U);
    EXPECT_EQ(length("aé▶🚀"), 4U);
    EXPECT_EQ(length("\x85\xAE\xE2\x96"), 4U);
}

TEST(Unicode, KnowsTheDigitsOfAllScripts) {
    EXPECT_EQ(digit_value(U'0'), 0);
    EXPECT_EQ(digit_value(U'9'), 9);
    EXPECT_EQ(digit_value(U'٣'), 3);
    EXPECT_EQ(digit_value(U'９'), 9);
    EXPECT_EQ(digit_value(U'\U0001D7CE'), 0)
        << "mathematical digits follow each other without a gap";
    EXPECT_EQ(digit_value(U'\U0001D7FF'), 9);
    EXPECT_EQ(digit_value(U'\U0001FBF9'), 9) << "the last one of all";
    for (const char32_t other : {U'/', U':', U'a', U'²', U'½', U'Ⅷ', U'一', U'\U0010FFFF'}) {
        EXPECT_EQ(digit_value(other), -1);
    }
    int count = 0;
    for (char32_t code = 0; code <= 0x10FFFF; ++code) count += digit_value(code) >= 0 ? 1 : 0;
    EXPECT_EQ(count, 660);
}

TEST(Unicode, StripsWhiteSpaceOfAllScripts) {
    EXPECT_EQ(strip(" \t\n\v\f\r a b \x1C\x1F"), "a b");
    EXPECT_EQ(strip("\u00A0\u2003\u3000x\u0085\u2028"), "x");
    EXPECT_EQ(strip("\u200Bx"), "\u200Bx") << "the zero width space is none";
    EXPECT_EQ(strip(" \u2003 "), "");
    EXPECT_EQ(strip(""), "");
}

TEST(Unicode, ReadsLiteralsOfAllScripts) {
    EXPECT_EQ(to_ascii_literal("\u2003-１٢.5 "), "-12.5");
    EXPECT_EQ(to_ascii_literal("−5"), std::nullopt) << "the minus sign is no hyphen";
    EXPECT_EQ(to_ascii_literal("5\xFF"), std::nullopt);
}

RC_GTEST_PROP(Unicode, StripKeepsTheInside, (const std::string& text)) {
    const std::string_view stripped = strip(text);
    RC_ASSERT(strip(stripped) == stripped);
    RC_ASSERT(text.find(stripped) != std::string::npos);
}

}  // namespace
}  // namespace tipple::schema::unicode
