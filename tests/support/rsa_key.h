#pragma once

namespace tipple::support {

/// Made for tests; it opens nothing.
constexpr const char* rsa_key =
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

/// The same, behind the password `pass-word`.
constexpr const char* encrypted_rsa_key =
    "-----BEGIN ENCRYPTED PRIVATE KEY-----\n"
    "MIIC3TBXBgkqhkiG9w0BBQ0wSjApBgkqhkiG9w0BBQwwHAQI2dXMr+LtsxwCAggA\n"
    "MAwGCCqGSIb3DQIJBQAwHQYJYIZIAWUDBAECBBD6NLXR1yPEMj2rUyQEgXHpBIIC\n"
    "gG3vFfLn6WrnRKSkdqLtNZUhNARh+HGiyOUlg+G6kgJtzcWTcWu2+QCrO7KlV3wK\n"
    "tN7fpjPyyGnaY1G3GzrENYsI92SDnFjnzjDFb3uGLY8OjBejvUuOK1ZJ0iXRjlae\n"
    "xBMEgQrMA4qZg1jw7lR8afjRp88eTS8iPJPlWQXjuFM4fI9p6AUmG1Uv0DWdPTEp\n"
    "CYo12BlOOt5uWR1EUvnfTKly+3H4wbzphz9qbtFsrLRjgALokRwXr26GPGezEmh8\n"
    "PCR/p2zn83gdOqPKie4ZJimfem6MXL6oHltVbZIoUkVMRVrUSqM9NkZzovqyNoQf\n"
    "Fn+79uUkNbv094hOkRP6EnDUyoV2BaJjE7YwEnMA49VnOG8lbCuseeicvjuM0ZA4\n"
    "LBh4Tl6vut277Ie0Lg4nhXqi5xcdzVwDYKauyso7yvTdwBY/xUS4YRWd8KE6d7Kn\n"
    "Dizkp9bye0wVQtXDTu8oZfI0NyFIwzQcvF7Zp6fLpd/g4bWTPB20A5tuIHEX1zyv\n"
    "VaoIyDO+aCca/ocChjQGg/kDBZ0EiXNMaugEhxqHg9t6NagrRDwU8fhfFdKvOzGl\n"
    "AsAYaz4JZT7t+tmUWEK6wZjlJZXyYokyBZTejem/ZMDkbyYeAlARmKGhoNnF56Tt\n"
    "ZcUdPhvNRFqABiHiNzJvd6vk8G9QFzYMSlYoHj54c8iDxVZse9ws5S/XIgcaRH+D\n"
    "SS7daT64dRUu9yWi1w5rmN4BxuTCcRsor8Q10Goi4o4N1MGb84PdjcG/1/PneDCh\n"
    "1is5ByfleaX3UBmsnCfXTC8cpkTJYvfgd3+Tn6x7P+1utV0RskQV4DnIgl45DSVK\n"
    "grAaS1SsV3Wgc/RlSG634pA=\n"
    "-----END ENCRYPTED PRIVATE KEY-----\n";

}  // namespace tipple::support
