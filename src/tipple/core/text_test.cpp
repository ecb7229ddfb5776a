#include "tipple/core/text.h"

#include <gtest/gtest.h>

namespace tipple {
namespace {

TEST(Text, Counts) {
    EXPECT_EQ(format_count(0), "0");
    EXPECT_EQ(format_count(999), "999");
    EXPECT_EQ(format_count(1'000), "1,000");
    EXPECT_EQ(format_count(1'234'567), "1,234,567");
    EXPECT_EQ(format_count(18'446'744'073'709'551'615U), "18,446,744,073,709,551,615");
}

TEST(Text, LineFeeds) {
    EXPECT_EQ(count_lines(""), 0U);
    EXPECT_EQ(count_lines("a\nb\r\nc"), 2U);
    // More than a byte can count, of every length beside the steps of sixteen.
    for (std::size_t length = 16 * 255; length < 16 * 255 * 3; length += 37) {
        EXPECT_EQ(count_lines(std::string(length, '\n')), length);
        std::string text(length, 'x');
        for (std::size_t i = 0; i < length; i += 5) text[i] = '\n';
        EXPECT_EQ(count_lines(text), (length + 4) / 5);
    }
}

TEST(Text, Bytes) {
    EXPECT_EQ(format_bytes(0), "0 B");
    EXPECT_EQ(format_bytes(312), "312 B");
    EXPECT_EQ(format_bytes(1'000), "1.0 kB");
    EXPECT_EQ(format_bytes(3'140'000), "3.1 MB");
    EXPECT_EQ(format_bytes(314'000'000), "314 MB");
    EXPECT_EQ(format_bytes(999'960), "1.0 MB") << "never 1000 kB";
    EXPECT_EQ(format_bytes(18'446'744'073'709'551'615U), "18447 PB");
}

TEST(Text, Durations) {
    EXPECT_EQ(parse_duration_seconds("30s"), 30);
    EXPECT_EQ(parse_duration_seconds("1.5h"), 5'400);
    EXPECT_EQ(parse_duration_seconds("2d"), 172'800);
    for (const char* wrong : {"", "5", "m", "-1s", "5 m", "5min", "nans"}) EXPECT_EQ(parse_duration_seconds(wrong), std::nullopt) << wrong;
}

TEST(Text, Seconds) {
    EXPECT_EQ(format_seconds(0.414), "0.41 s");
    EXPECT_EQ(format_seconds(9.996), "10.0 s");
    EXPECT_EQ(format_seconds(59.96), "1 m 00 s");
    EXPECT_EQ(format_seconds(65), "1 m 05 s");
    EXPECT_EQ(format_seconds(3'599.6), "1 h 00 m");
    EXPECT_EQ(format_seconds(7'385), "2 h 03 m");
}

TEST(Text, Sizes) {
    EXPECT_EQ(parse_size("1048576"), 1'048'576U);
    EXPECT_EQ(parse_size("512MiB"), std::uint64_t{512} << 20);
    EXPECT_EQ(parse_size("2GB"), 2'000'000'000U);
    EXPECT_EQ(parse_size("1.5 GiB"), std::uint64_t{3} << 29);
    EXPECT_EQ(parse_size("4k"), 4'096U);
    EXPECT_EQ(parse_size("0"), 0U);
    for (const char* bad : {"", "MiB", "-1", "1.2.3", "1 XB", "one", "1e400", ".5", "1 MB/s"})
        EXPECT_FALSE(parse_size(bad)) << bad;
}

TEST(Text, Suggestions) {
    const std::vector<std::string> names = {"duckdb", "postgres", "sqlite", "id"};
    EXPECT_EQ(did_you_mean("duckbd", names), "duckdb");
    EXPECT_EQ(did_you_mean("postgresql", names), "postgres");
    EXPECT_EQ(did_you_mean("ib", names), "id");
    EXPECT_FALSE(did_you_mean("snowflake", names));
    EXPECT_FALSE(did_you_mean("xyz", names));
    EXPECT_FALSE(did_you_mean("a", {}));
}

TEST(Text, ExcerptsAreSafeToPrint) {
    EXPECT_EQ(excerpt("plain"), "plain");
    EXPECT_EQ(excerpt("a\n\t\r\x01\x7f"), "a\\n\\t\\r\\x01\\x7f");
    EXPECT_EQ(excerpt("\xff\xc3"), "\\xff\\xc3");
    EXPECT_EQ(excerpt("\xed\xa0\x80"), "\\xed\\xa0\\x80") << "a surrogate is not UTF-8";
    EXPECT_EQ(excerpt("äöü🚀"), "äöü🚀");
    EXPECT_EQ(excerpt("abcdef", 3), "abc…");
    EXPECT_EQ(excerpt("abc", 3), "abc");
    EXPECT_EQ(excerpt("ää", 3), "ä…") << "characters are not cut and the limit holds";
    EXPECT_EQ(excerpt("ab\n", 3), "ab…");
    EXPECT_EQ(excerpt("x", 0), "…");
}

TEST(Text, Joins) {
    EXPECT_EQ(join({}, ", "), "");
    EXPECT_EQ(join({"a", "", "b"}, ", "), "a, , b");
}

TEST(Text, Utf8) {
    for (const char* good : {"", "a", "é", "€", "🚀", "\xf4\x8f\xbf\xbf"})
        EXPECT_TRUE(is_valid_utf8(good)) << good;
    EXPECT_TRUE(is_valid_utf8(std::string_view("a\0b", 3)));
    for (const char* bad : {"\x80", "\xc0\x80", "\xc1\xbf", "\xc3", "\xe0\x80\x80", "\xe2\x82",
                            "\xed\xa0\x80", "\xf0\x80\x80\x80", "\xf4\x90\x80\x80",
                            "\xf5\x80\x80\x80", "\xff", "a\xc3(", "\xe2\x28\xa1"}) {
        EXPECT_FALSE(is_valid_utf8(bad)) << bad;
    }
    EXPECT_EQ(utf8_length("aé€🚀"), 4U);
}

TEST(Text, HidesPasswords) {
    EXPECT_EQ(without_password("postgresql://u:p@ss/w:rd@host:5432/db?sslmode=require"), "postgresql://u:***@host:5432/db?sslmode=require");
    EXPECT_EQ(without_password("postgresql://host/db?user=u&password=p@ss&sslmode=require"), "postgresql://host/db?user=u&password=***&sslmode=require");
    EXPECT_EQ(without_password("postgresql://u@host:5432/db"), "postgresql://u@host:5432/db");
    EXPECT_EQ(without_password("a:b@c.duckdb"), "a:b@c.duckdb");
}

TEST(Lower, ChangesLettersOfAsciiOnly) {
    EXPECT_EQ(lower("HTTP://Größe.Example/ÄZ[@`{"), "http://größe.example/Äz[@`{");
    EXPECT_EQ(lower(""), "");
}

}  // namespace
}  // namespace tipple
