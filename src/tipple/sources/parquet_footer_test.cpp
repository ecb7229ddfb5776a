#include "tipple/sources/parquet_footer.h"

#include <string>
#include <string_view>

#include <gtest/gtest.h>

namespace tipple::sources {
namespace {

using namespace std::string_view_literals;

/// A column that is no struct, with a logical type: a union of which `kind` is the field, 0x7C a time and 0x8C a time stamp.
std::string column(char kind, char zone, char unit, std::string_view name) {
    return std::string("\x15\x04\x25\x02\x18"sv) + static_cast<char>(name.size()) + std::string(name) + std::string("\x6C"sv) + kind + zone + "\x1C" + unit +
           std::string("\0\0\0\0\0"sv);
}

/// The root of `columns` columns.
std::string root(char columns) { return std::string("\x48\x04root\x15"sv) + static_cast<char>(columns * 2) + std::string("\0"sv); }

std::string footer(char elements, const std::string& tree) {
    return std::string("\x15\x02\x19"sv) + static_cast<char>((elements << 4) | 0xC) + tree + std::string("\x16\x08\x19\x0C\0"sv);
}

constexpr char time = 0x7C;
constexpr char time_stamp = static_cast<char>(0x8C);
constexpr char with_zone = 0x11;
constexpr char without_zone = 0x12;
constexpr char microseconds = 0x2C;
constexpr char nanoseconds = 0x3C;

TEST(ParquetFooter, DeclaresTimesAsWallClocks) {
    // A struct with one child, which is left as it is, stands between two of them.
    const std::string structure = std::string("\x35\x02\x18\x01s\x15\x02\0"sv);
    std::string text = footer(5, root(4) + column(time_stamp, with_zone, nanoseconds, "a") + structure + column(time, without_zone, nanoseconds, "x") +
                                     column(time, with_zone, nanoseconds, "b"));
    const std::string expected = footer(5, root(4) + column(time_stamp, without_zone, nanoseconds, "a") + structure + column(time, without_zone, nanoseconds, "x") +
                                               column(time_stamp, without_zone, nanoseconds, "b"));
    const std::vector<NanosecondColumn> found = declare_wall_clocks(text);
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(found[0].place, 0U);
    EXPECT_EQ(found[0].name, "a");
    EXPECT_EQ(found[1].place, 2U);
    EXPECT_EQ(found[1].name, "b");
    EXPECT_EQ(text, expected);
}

TEST(ParquetFooter, LeavesOtherUnitsAsTheyAre) {
    const std::string text = footer(2, root(1) + column(time_stamp, with_zone, microseconds, "a"));
    std::string same = text;
    EXPECT_TRUE(declare_wall_clocks(same).empty());
    EXPECT_EQ(same, text);
}

TEST(ParquetFooter, LeavesWhatIsCutOffOrBrokenAsItIs) {
    const std::string whole = footer(2, root(1) + column(time_stamp, with_zone, nanoseconds, "a"));
    for (std::size_t length = 0; length + 1 < whole.size(); ++length) {
        std::string part = whole.substr(0, length);
        EXPECT_TRUE(declare_wall_clocks(part).empty()) << length;
        EXPECT_EQ(part, whole.substr(0, length));
    }
    // Whatever a byte is, there is an end, and no more than the two places change.
    for (std::size_t at = 0; at < whole.size(); ++at) {
        for (int value = 0; value < 256; ++value) {
            std::string broken = whole;
            broken[at] = static_cast<char>(value);
            const std::size_t size = broken.size();
            EXPECT_LE(declare_wall_clocks(broken).size(), 1U);
            EXPECT_EQ(broken.size(), size);
        }
    }
}

}  // namespace
}  // namespace tipple::sources
