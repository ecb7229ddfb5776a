#include "tipple/io/text_encoding.h"

#include <algorithm>
#include <cstring>

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::io {
namespace {

class Bytes final : public InputStream {
public:
    explicit Bytes(std::string bytes) : bytes_(std::move(bytes)) {}
    std::size_t read(char* out, std::size_t length) override {
        // Little at a time, so that characters are torn apart.
        const std::size_t take = std::min({length, bytes_.size() - at_, std::size_t{3}});
        std::memcpy(out, bytes_.data() + at_, take);
        at_ += take;
        return take;
    }
    std::uint64_t bytes_read() const override { return at_; }
    std::uint64_t file_size() const override { return bytes_.size(); }
    CompressedFormat format() const override { return CompressedFormat::none; }
    const std::string& name() const override { return name_; }

private:
    std::string bytes_;
    std::size_t at_ = 0;
    std::string name_ = "x.csv";
};

std::string decoded(std::string bytes, std::string_view encoding, std::size_t step = 5) {
    const std::unique_ptr<InputStream> input = decode_text(std::make_unique<Bytes>(std::move(bytes)), encoding);
    std::string text;
    std::string buffer(step, '\0');
    while (const std::size_t got = input->read(buffer.data(), buffer.size())) text.append(buffer, 0, got);
    return text;
}

std::string utf16(std::u16string_view text, bool is_big) {
    std::string bytes;
    for (const char16_t unit : text) {
        const char low = static_cast<char>(unit & 0xFF);
        const char high = static_cast<char>(unit >> 8);
        bytes += is_big ? high : low;
        bytes += is_big ? low : high;
    }
    return bytes;
}

std::string error_of(std::string bytes, std::string_view encoding) {
    try {
        decoded(std::move(bytes), encoding);
    } catch (const Error& error) {
        return fmt::format("{} {}", to_text(error.kind()), error.what());
    }
    return "no error";
}

TEST(TextEncoding, MarksOfUtf16And32AreBelieved) {
    const std::u16string text = u"\uFEFFid,é\U0001F680\n";
    const std::string utf8 = "\xEF\xBB\xBFid,é\xF0\x9F\x9A\x80\n";
    for (std::size_t step = 1; step < 20; ++step) {
        EXPECT_EQ(decoded(utf16(text, false), "", step), utf8) << step;
        EXPECT_EQ(decoded(utf16(text, true), "", step), utf8) << step;
    }
    EXPECT_EQ(decoded(std::string("\xFF\xFE\0\0a\0\0\0", 8), ""), "\xEF\xBB\xBF" "a");
}

TEST(TextEncoding, NamedEncodings) {
    EXPECT_EQ(decoded("caf\xE9", "latin-1"), "café");
    EXPECT_EQ(decoded("\x80 5", "windows-1252"), "€ 5");
    EXPECT_EQ(decoded(utf16(u"é", false), "utf-16le"), "é");
    EXPECT_EQ(decoded(utf16(u"é", true), "UTF_16_BE"), "é");
    EXPECT_EQ(decoded("\x82\xA0", "shift_jis"), "あ");
}

TEST(TextEncoding, TheLastCharacterIsNotKeptBack) {
    for (std::size_t step = 1; step < 6; ++step) {
        EXPECT_EQ(decoded("\xE0", "cp1255", step), "א") << "a point could have followed";
        EXPECT_EQ(decoded("a,\xF9\xD1", "cp1255", step), "a,\xEF\xAC\xAA") << "with its point";
        EXPECT_EQ(decoded("a", "tcvn", step), "a") << step;
    }
}

TEST(TextEncoding, Utf8StaysAsItIs) {
    for (const char* bytes : {"", "a", "ab", "\xEF\xBB\xBF" "abc", "a\xFFz"}) {
        EXPECT_EQ(decoded(bytes, ""), bytes);
        EXPECT_EQ(decoded(bytes, "UTF-8"), bytes);
    }
    EXPECT_EQ(decoded("PAR1\xE9", "latin-1"), "PAR1\xE9") << "no text";
}

TEST(TextEncoding, WhatAnEncodingDoesNotHaveIsNamed) {
    EXPECT_EQ(error_of("ab\x81", "windows-1252").substr(0, 75), "data x.csv: the text is not in encoding windows-1252 (byte 2, 0x81); say --");
    EXPECT_NE(error_of(utf16(u"ab", false) + "c", "utf-16le").find("ends within a character of encoding utf-16le (byte 4"), std::string::npos);
    EXPECT_NE(error_of("a", "klingon").find("usage unknown encoding \"klingon\""), std::string::npos);
    EXPECT_THROW(check_encoding("klingon"), Error);
    EXPECT_NO_THROW(check_encoding("utf-8"));
}

}  // namespace
}  // namespace tipple::io
