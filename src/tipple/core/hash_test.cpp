#include "tipple/core/hash.h"

#include <gtest/gtest.h>

namespace tipple {
namespace {

std::string sha3_256_hex(std::vector<std::string_view> parts) {
    Sha3_256 hash;
    for (const std::string_view part : parts) hash.update(part);
    const auto digest = hash.digest();
    return to_hex(as_text(digest));
}

std::string shake128_hex(std::string_view text, std::size_t length) {
    const auto bytes = shake128(text, length);
    return to_hex(as_text(bytes));
}

TEST(Hash, Sha3_256) {
    // FIPS 202 examples.
    EXPECT_EQ(sha3_256_hex({}), "a7ffc6f8bf1ed76651c14756a061d662f580ff4de43b49fa82d80a4b80f8434a");
    EXPECT_EQ(sha3_256_hex({"abc"}),
              "3a985da74fe225b2045c172d6bd390bd855f086e3e9d525b46bfe24511431532");
    EXPECT_EQ(sha3_256_hex({"a", "", "bc"}), sha3_256_hex({"abc"}));
}

TEST(Hash, Shake128) {
    EXPECT_EQ(shake128_hex("", 32),
              "7f9c2ba4e88f827d616045507605853ed73b8093f6efbc88eb1a6eacfa66ef26");
    EXPECT_EQ(shake128_hex("", 10), "7f9c2ba4e88f827d6160");
    EXPECT_EQ(shake128_hex("abc", 16), "5881092dd818bf5cf8a3ddb793fbcba7");
    EXPECT_EQ(shake128_hex("", 32).substr(0, 20), shake128_hex("", 10)) << "the context is reused";
}

TEST(Hash, Sha256) {
    const auto digest = sha256("abc");
    EXPECT_EQ(to_hex(as_text(digest)),
              "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
}

TEST(Hash, HmacSha256) {
    // RFC 4231, cases 2 and 6: a short key, and one that is longer than a block.
    EXPECT_EQ(to_hex(as_text(hmac_sha256("Jefe", "what do ya want for nothing?"))), "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
    EXPECT_EQ(to_hex(as_text(hmac_sha256(std::string(131, '\xaa'), "Test Using Larger Than Block-Size Key - Hash Key First"))),
              "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54");
}

TEST(Hash, Xxh3) {
    // The reference implementation's values; they must stay, because they are in files.
    EXPECT_EQ(xxh3_64(""), 0x2d06800538d394c2U);
    EXPECT_EQ(xxh3_64("abc"), 0x78af5f94892f3950U);
    EXPECT_EQ(xxh3_64(std::string(1000, 'a')), 0xb3e7af627147db7cU);
}

TEST(Hash, Xxh3InPartsIsTheSame) {
    std::string text;
    for (int i = 0; i < 5'000; ++i) text += std::to_string(i);
    for (const std::size_t step : {1U, 7U, 64U, 1000U, 100'000U}) {
        Xxh3 hash;
        for (std::size_t at = 0; at < text.size(); at += step)
            hash.update(std::string_view(text).substr(at, step));
        EXPECT_EQ(hash.digest(), xxh3_64(text)) << step;
    }
    Xxh3 first;
    first.update("ab");
    Xxh3 moved = std::move(first);
    EXPECT_EQ(moved.digest(), xxh3_64("ab")) << "digest may be taken in between";
    moved.update("c");
    EXPECT_EQ(moved.digest(), xxh3_64("abc"));
}

TEST(Hash, Hex) {
    EXPECT_EQ(to_hex(std::string_view("\x00\x7f\xff", 3)), "007fff");
    EXPECT_EQ(to_hex(std::uint64_t{0x1f}), "000000000000001f");
}

TEST(Base64, Rfc4648) {
    const std::pair<const char*, const char*> cases[] = {{"", ""},
                                                         {"f", "Zg=="},
                                                         {"fo", "Zm8="},
                                                         {"foo", "Zm9v"},
                                                         {"foob", "Zm9vYg=="},
                                                         {"fooba", "Zm9vYmE="},
                                                         {"foobar", "Zm9vYmFy"}};
    for (const auto& [plain, encoded] : cases) {
        EXPECT_EQ(to_base64(plain), encoded);
        std::string bytes = "old";
        EXPECT_TRUE(try_parse_base64(encoded, bytes)) << encoded;
        EXPECT_EQ(bytes, plain);
    }
    EXPECT_EQ(to_base64("f", Base64Padding::none), "Zg");
    EXPECT_EQ(to_base64("\xfb\xff\xfe"), "+//+");
}

TEST(Base64, RefusesOtherText) {
    std::string bytes;
    for (const char* bad :
         {"Zg", "Zg=", "Z===", "====", "Zg==Zg==", "Zm9v\n", "Zm-_", "Z g=", "=Zg="}) {
        EXPECT_FALSE(try_parse_base64(bad, bytes)) << bad;
    }
}

TEST(Base64, EveryByteComesBack) {
    std::string all;
    for (int i = 0; i < 256; ++i) all += static_cast<char>(i);
    for (std::size_t from = 0; from < 4; ++from) {
        std::string bytes;
        EXPECT_TRUE(try_parse_base64(to_base64(all.substr(from)), bytes));
        EXPECT_EQ(bytes, all.substr(from));
    }
}

}  // namespace
}  // namespace tipple
