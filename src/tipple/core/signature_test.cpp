#include "tipple/core/signature.h"

#include <gtest/gtest.h>

#include "support/rsa_key.h"
#include "tipple/core/error.h"
#include "tipple/core/hash.h"

namespace tipple {
namespace {

TEST(Signature, IsThatOfOpenssl) {
    // printf header.claims | openssl dgst -sha256 -sign key.pem -binary | base64
    constexpr const char* signature =
        "sklgpnoZun0hZAQrfRjOZKZFUppnewOd8CCdmc9tDHAmYF3jbRNjU4Zb+EE35V1nW4GWpQJfumyR3v1c7OtwHQaQN4f89C0jcShrNYwmX5wF8a5pXCBY13fV1HfqeIdC+cCVHRrObnI2/1+aT0JSJSoeFHRu77oKqo83n5WJLSY=";
    EXPECT_EQ(to_base64(sign_rs256("header.claims", support::rsa_key, "")), signature);
    EXPECT_EQ(to_base64(sign_rs256("header.claims", support::encrypted_rsa_key, "pass-word")), signature);
}

TEST(Signature, TextThatIsNoKeyIsTheUsersMistake) {
    EXPECT_THROW(sign_rs256("x", "no key", ""), Error);
    EXPECT_THROW(sign_rs256("x", "", "password"), Error);
    EXPECT_THROW(sign_rs256("x", support::encrypted_rsa_key, ""), Error);
    EXPECT_THROW(sign_rs256("x", support::encrypted_rsa_key, "other"), Error);
}

}  // namespace
}  // namespace tipple
