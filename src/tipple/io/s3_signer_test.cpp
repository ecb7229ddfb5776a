#include "tipple/io/s3_signer.h"

#include <gtest/gtest.h>

#include "tipple/core/hash.h"
#include "tipple/io/url.h"

namespace tipple::io {
namespace {

std::string signature_of(HttpRequest request, const AccessKey& key, const SignatureScope& scope, std::int64_t now_us) {
    sign_request(request, key, scope, now_us);
    const std::string* authorization = find_header(request.headers, "Authorization");
    return authorization->substr(authorization->rfind('=') + 1);
}

struct Vector {
    std::string name;
    std::string method;
    std::string target;
    HttpHeaders headers;
    std::string body;
    std::string session_token;
    std::string signature;
};

// AWS's published aws-sig-v4-test-suite: all of its requests but those whose path is to be normalized, which is not done to paths of object stores, and
// the one that adds the token after it has signed.
const std::vector<Vector> suite = {
    {"get-header-key-duplicate", "GET", "/", {{"My-Header1", "value2"}, {"My-Header1", "value2"}, {"My-Header1", "value1"}}, "", "", "c9d5ea9f3f72853aea855b47ea873832890dbdd183b4468f858259531a5138ea"},
    {"get-header-value-multiline", "GET", "/", {{"My-Header1", "value1\n  value2\n     value3"}}, "", "", "cfd34249e4b1c8d6b91ef74165d41a32e5fab3306300901bb65a51a73575eefd"},
    {"get-header-value-order", "GET", "/", {{"My-Header1", "value4"}, {"My-Header1", "value1"}, {"My-Header1", "value3"}, {"My-Header1", "value2"}}, "", "", "08c7e5a9acfcfeb3ab6b2185e75ce8b1deb5e634ec47601a50643f830c755c01"},
    {"get-header-value-trim", "GET", "/", {{"My-Header1", " value1"}, {"My-Header2", " \"a   b   c\""}}, "", "", "acc3ed3afb60bb290fc8d2dd0098b9911fcaa05412b367055dee359757a9c736"},
    {"get-unreserved", "GET", "/-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", {}, "", "", "07ef7494c76fa4850883e2b006601f940f8a34d404d0cfa977f52a65bbf5f24f"},
    {"get-utf8", "GET", "/ሴ", {}, "", "", "8318018e0b0f223aa2bbf98705b62bb787dc9c0e678f255a891fd03141be5d85"},
    {"get-vanilla-empty-query-key", "GET", "/?Param1=value1", {}, "", "", "a67d582fa61cc504c4bae71f336f98b97f1ea3c7a6bfe1b6e45aec72011b9aeb"},
    {"get-vanilla-query-order-encoded", "GET", "/?Param-3=Value3&Param=Value2&%E1%88%B4=Value1", {}, "", "", "371d3713e185cc334048618a97f809c9ffe339c62934c032af5a0e595648fcac"},
    {"get-vanilla-query-order-key-case", "GET", "/?Param2=value2&Param1=value1", {}, "", "", "b97d918cfa904a5beff61c982a1b6f458b799221646efd99d3219ec94cdf2500"},
    {"get-vanilla-query-order-key", "GET", "/?Param1=value2&Param1=Value1", {}, "", "", "eedbc4e291e521cf13422ffca22be7d2eb8146eecf653089df300a15b2382bd1"},
    {"get-vanilla-query-order-value", "GET", "/?Param1=value2&Param1=value1", {}, "", "", "5772eed61e12b33fae39ee5e7012498b51d56abc0abb7c60486157bd471c4694"},
    {"get-vanilla-query-unreserved", "GET", "/?-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz=-._~0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz", {}, "", "", "9c3e54bfcdf0b19771a7f523ee5669cdf59bc7cc0884027167c21bb143a40197"},
    {"get-vanilla-query", "GET", "/", {}, "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-vanilla-utf8-query", "GET", "/?ሴ=bar", {}, "", "", "2cdec8eed098649ff3a119c94853b13c643bcf08f8b0a1d91e12c9027818dd04"},
    {"get-vanilla-with-session-token", "GET", "/", {}, "", "6e86291e8372ff2a2260956d9b8aae1d763fbf315fa00fa31553b73ebf194267", "07ec1639c89043aa0e3e2de82b96708f198cceab042d4a97044c66dd9f74e7f8"},
    {"get-vanilla", "GET", "/", {}, "", "", "5fa00fa31553b73ebf1942676e86291e8372ff2a2260956d9b8aae1d763fbf31"},
    {"get-space", "GET", "/example space/", {}, "", "", "652487583200325589f1fba4c7e578f72c47cb61beeca81406b39ddec1366741"},
    {"post-header-key-case", "POST", "/", {}, "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-header-key-sort", "POST", "/", {{"My-Header1", "value1"}}, "", "", "c5410059b04c1ee005303aed430f6e6645f61f4dc9e1461ec8f8916fdf18852c"},
    {"post-header-value-case", "POST", "/", {{"My-Header1", "VALUE1"}}, "", "", "cdbc9802e29d2942e5e10b5bccfdd67c5f22c7c4e8ae67b53629efa58b974b7d"},
    {"post-sts-header-before", "POST", "/", {}, "", "AQoDYXdzEPT//////////wEXAMPLEtc764bNrC9SAPBSM22wDOk4x4HIZ8j4FZTwdQWLWsKWHGBuFqwAeMicRXmxfpSPfIeoIYRqTflfKD8YUuwthAx7mSEI/qkPpKPi/kMcGdQrmGdeehM4IC1NtBmUpp2wUE8phUZampKsburEDy0KPkyQDYwT7WZ0wq5VSXDvp75YU9HFvlRd8Tx6q6fE8YQcHNVXAkiY9q6d+xo0rKwT38xVqr7ZD0u0iPPkUL64lIZbqBAz+scqKmlzm8FDrypNC9Yjc8fPOLn9FX9KSYvKTr4rvx3iSIlTJabIQwj2ICCR/oLxBA==", "85d96828115b5dc0cfc3bd16ad9e210dd772bbebba041836c64533a82be05ead"},
    {"post-vanilla-empty-query-value", "POST", "/?Param1=value1", {}, "", "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla-query", "POST", "/?Param1=value1", {}, "", "", "28038455d6de14eafc1f9222cf5aa6f1a96197d7deb8263271d420d138af7f11"},
    {"post-vanilla", "POST", "/", {}, "", "", "5da7c1a2acd57cee7505fc6676e4e544621c30862966e37dddb68e92efbe5d6b"},
    {"post-x-www-form-urlencoded-parameters", "POST", "/", {{"Content-Type", "application/x-www-form-urlencoded; charset=utf8"}}, "Param1=value1", "", "1a72ec8f64bd914b0e42e42607c7fbce7fb2c7465f63e3092b3b0d39fa77a6fe"},
    {"post-x-www-form-urlencoded", "POST", "/", {{"Content-Type", "application/x-www-form-urlencoded"}}, "Param1=value1", "", "ff11897932ad3f4e8b18135d722051e5ac45fc38421b1da7b9d196a0fe09473a"},
};

TEST(S3Signer, PublishedTestSuite) {
    constexpr std::int64_t now_us = 1'440'938'160'000'000;
    for (const Vector& vector : suite) {
        HttpRequest request{.method = vector.method, .url = "https://example.amazonaws.com" + encode_unsafe(vector.target), .headers = vector.headers};
        if (!vector.body.empty()) request.body = vector.body;
        const AccessKey key{.id = "AKIDEXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY", .session_token = vector.session_token};
        EXPECT_EQ(signature_of(request, key, {.region = "us-east-1", .service = "service"}, now_us), vector.signature) << vector.name;
    }
}

class S3Examples : public testing::Test {
protected:
    std::string signature(HttpRequest request) {
        set_header(request.headers, "x-amz-content-sha256", to_hex(as_text(sha256(request.body.value_or("")))));
        request.url = "https://examplebucket.s3.amazonaws.com" + request.url;
        return signature_of(request, {.id = "AKIAIOSFODNN7EXAMPLE", .secret = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"}, {.region = "us-east-1", .service = "s3"},
                            1'369'353'600'000'000);
    }
};

TEST_F(S3Examples, OfThePageAuthenticatingRequests) {
    EXPECT_EQ(signature({.url = "/test.txt", .headers = {{"Range", "bytes=0-9"}}}), "f0e8bdb87c964420e857bd35b5d6ed310bd44f0170aba48dd91039c6036bdb41");
    EXPECT_EQ(signature({.method = "PUT",
                         .url = "/test%24file.text",
                         .headers = {{"Date", "Fri, 24 May 2013 00:00:00 GMT"}, {"x-amz-storage-class", "REDUCED_REDUNDANCY"}},
                         .body = "Welcome to Amazon S3."}),
              "98ad721746da40c64f1a55b78f14c238d841ea1380cd77a1b5971af0ece108bd");
    EXPECT_EQ(signature({.url = "/?lifecycle"}), "fea454ca298b7da1c68078a5d1bdbfbbe0d65c699e0f91ac7a200a0136783543");
    EXPECT_EQ(signature({.url = "/?max-keys=2&prefix=J"}), "34b48302e7b5fa45bde8084f4b7868a86f0a534bc59db6670ed5711ef69dc6f7");
}

TEST(S3Signer, SignsTheHostAsItIsSent) {
    const AccessKey key{.id = "k", .secret = "s"};
    const auto sign = [&](const std::string& url) { return signature_of({.url = url}, key, {.region = "r", .service = "s3"}, 0); };
    EXPECT_EQ(sign("https://host:443/a"), sign("https://host/a"));
    EXPECT_EQ(sign("http://user:password@host:80/a"), sign("http://host/a"));
    EXPECT_EQ(sign("http://host"), sign("http://host/"));
    EXPECT_NE(sign("http://host:9000/a"), sign("http://host/a"));
    EXPECT_EQ(sign("http://host/a?x=1#part"), sign("http://host/a?x=1"));
}

TEST(S3Signer, GoogleHasItsOwnWords) {
    HttpRequest request{.url = "https://storage.googleapis.com/bucket/key", .headers = {{"x-goog-content-sha256", "UNSIGNED-PAYLOAD"}}};
    sign_request(request, {.id = "GOOG1E", .secret = "s", .session_token = "t"}, {.region = "auto", .service = "storage", .dialect = SignatureDialect::google}, 0);
    EXPECT_EQ(*find_header(request.headers, "x-goog-date"), "19700101T000000Z");
    EXPECT_EQ(*find_header(request.headers, "x-goog-security-token"), "t");
    const std::string authorization = *find_header(request.headers, "Authorization");
    EXPECT_EQ(authorization.substr(0, authorization.rfind('=')),
              "GOOG4-HMAC-SHA256 Credential=GOOG1E/19700101/auto/storage/goog4_request, "
              "SignedHeaders=host;x-goog-content-sha256;x-goog-date;x-goog-security-token, Signature");
    // As computed by an implementation in Python of hmac and hashlib.
    EXPECT_EQ(authorization.substr(authorization.rfind('=') + 1), "9126404e891b52a499dfe9b1c152b0a3d98166884012070b3599bec5eb36ff69");
}

}  // namespace
}  // namespace tipple::io
