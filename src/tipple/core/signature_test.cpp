#include "tipple/core/signature.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"

namespace tipple {
namespace {

/// Made for this test; it opens nothing.
constexpr const char* key =
    "-----BEGIN RSA PRIVATE KEY-----\n"
    "MIICXwIBAAKBgQDgnnlvjaKBcub9dUCA82wHJ+wni+kOn3QKS/oqQZi1DTezD3Jt\n"
    "i2YHM63TRR8xFwItLLBjn0m0zOoAb6/fysRTqhvoiBT+RdzXuQDo5eS0hhNsWcAI\n"
    "KM5VE/1CNmFjjwuPS6YnQ62+lWddJkUzBDQUxtSqQqCTeXTCe4U3BFN8BwIDAQAB\n"
    "AoGBANvqrNCIZnPBMOE0/FuEeN8kujUZ6auUeINgUeUvZjjVYRRialFQaytf8K9p\n"
    "/JkOguYB3A0dtodbHTwiHZrJpp7A/5QLJOHz4YGQY3867SRHKguUNo5QdzvkhL2z\n"
    "mlM7FsZDfxkxWGksWcx7Ypf9Mw6Z85n+9yRsgNQxch5Nh9YZAkEA/tKmI/HL8kgA\n"
    "PUp3gT2cBOfgy7eC36TZ/VtswVq14iQ+ceqiwgU4h2pTqnEO6CcUgpdqU0vl5GUi\n"
    "VIiL3Qq6PQJBAOGoG00Ruq8TYLKqr9CGbl2xOLYcAyUtNri+YiIRXxu50NLRHoDx\n"
    "FR9scEIMoUJ+2CZjLRnmhT9npNXKg87sZ5MCQQDVBj5TwDiRs3VXx5/90AZU54+6\n"
    "XhAvbD28GqjhPzbb9Raq3s7vSbQHKHEHBHrEwp7XyULenY1zEMTRTFE4GVa1AkEA\n"
    "l0NTwa6/wDoyGLIYFqT2eHGivVg7t4D+bIqaR5Hzeidt1tN9Khvw99Z9zZifxG44\n"
    "wEq84d7HtT/pm7Ib9uo7ZwJBAPh+xXDlr9WxmsTBJ35WmrExwsPVBjcvyTRxxk4L\n"
    "IXSfNiEb5fzUJSpI1Hst2Uo+YnoFmXKev9lm1O2kyraOhBw=\n"
    "-----END RSA PRIVATE KEY-----\n";

TEST(Signature, IsThatOfOpenssl) {
    // printf header.claims | openssl dgst -sha256 -sign key.pem -binary | base64
    EXPECT_EQ(to_base64(sign_rs256("header.claims", key, "")), "sklgpnoZun0hZAQrfRjOZKZFUppnewOd8CCdmc9tDHAmYF3jbRNjU4Zb+EE35V1nW4GWpQJfumyR3v1c7OtwHQaQN4f89C0jcShrNYwmX5wF8a5pXCBY13fV1HfqeIdC+cCVHRrObnI2/1+aT0JSJSoeFHRu77oKqo83n5WJLSY=");
}

TEST(Signature, TextThatIsNoKeyIsTheUsersMistake) {
    EXPECT_THROW(sign_rs256("x", "no key", ""), Error);
    EXPECT_THROW(sign_rs256("x", "", "password"), Error);
}

}  // namespace
}  // namespace tipple
