#include "tipple/core/hash.h"

#include <cstring>

#include <openssl/evp.h>
#include <openssl/hmac.h>
#define XXH_INLINE_ALL
#include <xxhash.h>

#include "tipple/core/error.h"

namespace tipple {

std::uint64_t xxh3_64(std::string_view bytes) {
    return XXH3_64bits(bytes.data(), bytes.size());
}

std::array<std::uint64_t, 2> xxh3_128(std::string_view bytes) {
    const XXH128_hash_t hash = XXH3_128bits(bytes.data(), bytes.size());
    return {hash.high64, hash.low64};
}

struct Xxh3::State {
    XXH3_state_t state;
};

Xxh3::Xxh3() : state_(std::make_unique<State>()) { XXH3_64bits_reset(&state_->state); }
Xxh3::~Xxh3() = default;
Xxh3::Xxh3(const Xxh3& other) : state_(std::make_unique<State>()) { XXH3_copyState(&state_->state, &other.state_->state); }
Xxh3::Xxh3(Xxh3&&) noexcept = default;
Xxh3& Xxh3::operator=(Xxh3&&) noexcept = default;

void Xxh3::update(std::string_view bytes) {
    XXH3_64bits_update(&state_->state, bytes.data(), bytes.size());
}

std::uint64_t Xxh3::digest() const { return XXH3_64bits_digest(&state_->state); }

namespace {

EVP_MD_CTX* new_context(const EVP_MD* algorithm) {
    EVP_MD_CTX* context = EVP_MD_CTX_new();
    TIPPLE_ASSERT(context != nullptr && EVP_DigestInit_ex(context, algorithm, nullptr) == 1);
    return context;
}

}  // namespace

Sha3_256::Sha3_256() : context_(new_context(EVP_sha3_256())) {}
Sha3_256::~Sha3_256() { EVP_MD_CTX_free(static_cast<EVP_MD_CTX*>(context_)); }

void Sha3_256::update(std::string_view bytes) {
    TIPPLE_ASSERT(
        EVP_DigestUpdate(static_cast<EVP_MD_CTX*>(context_), bytes.data(), bytes.size()) == 1);
}

std::array<std::uint8_t, 32> Sha3_256::digest() {
    std::array<std::uint8_t, 32> result{};
    TIPPLE_ASSERT(EVP_DigestFinal_ex(static_cast<EVP_MD_CTX*>(context_), result.data(), nullptr) ==
                  1);
    return result;
}

std::vector<std::uint8_t> shake128(std::string_view bytes, std::size_t length) {
    // One context per thread: creating one costs more than the hash of a short text.
    struct Context {
        EVP_MD_CTX* context = EVP_MD_CTX_new();
        ~Context() { EVP_MD_CTX_free(context); }
    };
    thread_local Context holder;
    std::vector<std::uint8_t> result(length);
    TIPPLE_ASSERT(EVP_DigestInit_ex(holder.context, EVP_shake128(), nullptr) == 1);
    TIPPLE_ASSERT(EVP_DigestUpdate(holder.context, bytes.data(), bytes.size()) == 1);
    TIPPLE_ASSERT(EVP_DigestFinalXOF(holder.context, result.data(), length) == 1);
    return result;
}

std::array<std::uint8_t, 32> sha256(std::string_view bytes) {
    std::array<std::uint8_t, 32> result{};
    TIPPLE_ASSERT(EVP_Digest(bytes.data(), bytes.size(), result.data(), nullptr, EVP_sha256(),
                             nullptr) == 1);
    return result;
}

std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes) {
    std::array<std::uint8_t, 32> result{};
    const auto* data = reinterpret_cast<const unsigned char*>(bytes.data());
    TIPPLE_ASSERT(HMAC(EVP_sha256(), key.data(), static_cast<int>(key.size()), data, bytes.size(), result.data(), nullptr) != nullptr);
    return result;
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string text;
    text.reserve(bytes.size() * 2);
    for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        text.push_back(digits[byte >> 4]);
        text.push_back(digits[byte & 15]);
    }
    return text;
}

std::string to_hex(std::uint64_t value) { return fmt::format("{:016x}", value); }

namespace {

constexpr char base64_alphabet[] =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// By twelve bits.
constexpr std::array<std::array<char, 2>, 4096> base64_pairs = [] {
    std::array<std::array<char, 2>, 4096> pairs{};
    for (std::size_t i = 0; i < pairs.size(); ++i) pairs[i] = {base64_alphabet[i / 64], base64_alphabet[i % 64]};
    return pairs;
}();

constexpr std::uint8_t no_base64 = 255;

constexpr std::array<std::uint8_t, 256> base64_values = [] {
    std::array<std::uint8_t, 256> values{};
    values.fill(no_base64);
    for (std::uint8_t i = 0; i < 64; ++i) values[static_cast<std::uint8_t>(base64_alphabet[i])] = i;
    return values;
}();

}  // namespace

std::string to_base64(std::string_view bytes, Base64Padding padding) {
    const std::size_t whole = bytes.size() / 3;
    const std::size_t left = bytes.size() % 3;
    std::string text((bytes.size() + 2) / 3 * 4, '=');
    const auto byte = [&](std::size_t at) { return static_cast<std::uint32_t>(static_cast<std::uint8_t>(bytes[at])); };
    const auto put_two = [&](std::size_t at, std::uint32_t bits) { std::memcpy(text.data() + at, base64_pairs[bits].data(), 2); };
    for (std::size_t i = 0; i < whole; ++i) {
        const std::uint32_t bits = byte(i * 3) << 16 | byte(i * 3 + 1) << 8 | byte(i * 3 + 2);
        put_two(i * 4, bits >> 12);
        put_two(i * 4 + 2, bits & 4095);
    }
    if (left == 0) return text;
    const std::uint32_t bits = byte(whole * 3) << 16 | (left == 2 ? byte(whole * 3 + 1) << 8 : 0);
    put_two(whole * 4, bits >> 12);
    if (left == 2) text[whole * 4 + 2] = base64_alphabet[bits >> 6 & 63];
    if (padding == Base64Padding::none) text.resize(text.size() - (3 - left));
    return text;
}

bool try_parse_base64(std::string_view text, std::string& bytes) {
    bytes.clear();
    if (text.size() % 4 != 0) return false;
    std::size_t length = text.size();
    while (length > 0 && text.size() - length < 2 && text[length - 1] == '=') --length;
    const auto value = [&](std::size_t at) { return static_cast<std::uint32_t>(base64_values[static_cast<std::uint8_t>(text[at])]); };
    const std::size_t whole = length / 4;
    bytes.resize(whole * 3);
    std::uint32_t seen = 0;
    for (std::size_t i = 0; i < whole; ++i) {
        const std::array<std::uint32_t, 4> four{value(i * 4), value(i * 4 + 1), value(i * 4 + 2), value(i * 4 + 3)};
        seen |= four[0] | four[1] | four[2] | four[3];
        const std::uint32_t bits = four[0] << 18 | four[1] << 12 | four[2] << 6 | four[3];
        char* out = bytes.data() + i * 3;
        out[0] = static_cast<char>(bits >> 16);
        out[1] = static_cast<char>(bits >> 8 & 255);
        out[2] = static_cast<char>(bits & 255);
    }
    const std::size_t left = length % 4;
    std::uint32_t bits = 0;
    for (std::size_t i = 0; i < left; ++i) {
        seen |= value(whole * 4 + i);
        bits |= value(whole * 4 + i) << (18 - 6 * i);
    }
    // No value has the highest bit but that of what is no base64.
    if ((seen & 128) != 0 || left == 1) return false;
    if (left > 1) bytes += static_cast<char>(bits >> 16 & 255);
    if (left > 2) bytes += static_cast<char>(bits >> 8 & 255);
    return true;
}

}  // namespace tipple
