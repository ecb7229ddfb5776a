#pragma once

#include <string>
#include <string_view>

namespace tipple {

/// The signature RS256 (RSASSA-PKCS1-v1_5 with SHA-256) of `message` by a private key in PEM form; `password` may be empty. Throws Error(usage)
/// for text that is no such key.
std::string sign_rs256(std::string_view message, const std::string& private_key_pem, const std::string& password);

}  // namespace tipple
