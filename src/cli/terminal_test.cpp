#include "cli/terminal.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

constexpr Terminal ascii{};
constexpr Terminal unicode{.has_unicode = true};

TEST(Width, IsThatOnTheScreen) {
    EXPECT_EQ(display_width(""), 0U);
    EXPECT_EQ(display_width("abc"), 3U);
    EXPECT_EQ(display_width("größe"), 5U);
    EXPECT_EQ(display_width("e\u0301"), 1U) << "a combining accent takes no column";
    EXPECT_EQ(display_width("日本"), 4U);
    EXPECT_EQ(display_width("🍺"), 2U);
}

TEST(Width, OfWhatIsNoUtf8IsOnePerByte) {
    EXPECT_EQ(display_width("\xff\xfe"), 2U);
    EXPECT_EQ(display_width("\xe6\x97"), 2U) << "cut off";
}

TEST(Prose, IsBrokenBetweenWordsOnATerminalOnly) {
    const Terminal narrow{.is_stdout_terminal = true, .width = 12};
    EXPECT_EQ(prose("one two three\n  four five six", 0, narrow), "one two\n  three\n  four five\n    six");
    EXPECT_EQ(prose("one two three", 7, narrow), "one\n  two three") << "something stands before it";
    EXPECT_EQ(prose("  record: {\"id\": 5, \"v\": 7}", 0, narrow), "  record: {\"id\": 5, \"v\": 7}") << "what is quoted stays as it is";
    EXPECT_EQ(prose("one two three\n  four five six", 0, Terminal{.width = 12}), "one two three\n  four five six");
}

TEST(Fit, CutsAtCharactersAndSaysSo) {
    EXPECT_EQ(fit("short", 5, unicode), "short");
    EXPECT_EQ(fit("longer", 5, unicode), "long…");
    EXPECT_EQ(fit("longer", 5, ascii), "lo...");
    EXPECT_EQ(fit("日本語", 5, unicode), "日本…");
    EXPECT_EQ(fit("日本語", 4, unicode), "日…") << "half a character is none";
}

TEST(Fit, IsNeverWiderThanAsked) {
    for (const Terminal& terminal : {ascii, unicode}) {
        for (std::size_t width = 3; width < 12; ++width) {
            EXPECT_LE(display_width(fit("ab日本語🍺größe", width, terminal)), width);
        }
    }
}

TEST(Style, IsThereOnlyWithColour) {
    EXPECT_EQ(ascii.styled(Style::red, "x"), "x");
    EXPECT_EQ(Terminal{.has_color = true}.styled(Style::red, "x"), "\x1b[31mx\x1b[0m");
    EXPECT_EQ(Terminal{.has_color = true}.of_stderr().styled(Style::red, "x"), "x") << "stderr is a file";
    EXPECT_EQ(Terminal{.has_error_color = true}.of_stderr().styled(Style::red, "x"), "\x1b[31mx\x1b[0m");
}

TEST(Colour, FollowsFlagBeforeEnvironment) {
    ::setenv("NO_COLOR", "1", 1);
    EXPECT_TRUE(Terminal::detect(ColorMode::always).has_color);
    ::setenv("CLICOLOR_FORCE", "1", 1);
    EXPECT_FALSE(Terminal::detect(ColorMode::automatic).has_color) << "who wants none gets none";
    ::unsetenv("NO_COLOR");
    EXPECT_TRUE(Terminal::detect(ColorMode::automatic).has_color);
    EXPECT_FALSE(Terminal::detect(ColorMode::never).has_color);
    ::setenv("CLICOLOR_FORCE", "0", 1);
    EXPECT_EQ(Terminal::detect(ColorMode::automatic).has_color, Terminal::detect(ColorMode::automatic).is_stdout_terminal);
    ::unsetenv("CLICOLOR_FORCE");
}

TEST(Unicode, FollowsTheLocaleInItsOrder) {
    ::setenv("LC_ALL", "C", 1);
    ::setenv("LANG", "en_US.UTF-8", 1);
    EXPECT_FALSE(Terminal::detect(ColorMode::never).has_unicode);
    ::unsetenv("LC_ALL");
    ::unsetenv("LC_CTYPE");
    EXPECT_TRUE(Terminal::detect(ColorMode::never).has_unicode);
    ::setenv("LANG", "en_US.utf8", 1);
    EXPECT_TRUE(Terminal::detect(ColorMode::never).has_unicode);
    ::unsetenv("LANG");
    EXPECT_FALSE(Terminal::detect(ColorMode::never).has_unicode);
}

}  // namespace
}  // namespace tipple::cli
