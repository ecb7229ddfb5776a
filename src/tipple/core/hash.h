#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

/// The only place that names OpenSSL and xxHash.
namespace tipple {

/// Fast, not cryptographic; for checksums and hash tables of ours. Stable over versions and machines.
std::uint64_t xxh3_64(std::string_view bytes);

/// The same in 128 bits: of any number of texts, no two have one.
std::array<std::uint64_t, 2> xxh3_128(std::string_view bytes);

/// Streaming form of xxh3_64: the same value as one call over all parts joined.
class Xxh3 {
public:
    Xxh3();
    ~Xxh3();
    Xxh3(const Xxh3& other);
    Xxh3(Xxh3&&) noexcept;
    Xxh3& operator=(Xxh3&&) noexcept;
    void update(std::string_view bytes);
    std::uint64_t digest() const;

private:
    struct State;
    std::unique_ptr<State> state_;
};

/// SHA3-256 over parts fed one after the other. Schema and state version hashes.
class Sha3_256 {
public:
    Sha3_256();
    ~Sha3_256();
    Sha3_256(const Sha3_256&) = delete;
    Sha3_256& operator=(const Sha3_256&) = delete;
    void update(std::string_view bytes);
    /// Ends the hash; call once.
    std::array<std::uint8_t, 32> digest();

private:
    void* context_;
};

/// First `length` bytes of SHAKE-128. Row ids and name tags as the reference makes them.
std::vector<std::uint8_t> shake128(std::string_view bytes, std::size_t length);

/// SHA-256 of `bytes`.
std::array<std::uint8_t, 32> sha256(std::string_view bytes);

/// HMAC with SHA-256, of RFC 2104.
std::array<std::uint8_t, 32> hmac_sha256(std::string_view key, std::string_view bytes);

/// Lower-case hexadecimal digits, two per byte.
std::string to_hex(std::string_view bytes);
std::string to_hex(std::uint64_t value);  ///< 16 lower-case digits

/// Standard alphabet (`+`, `/`), with `=` padding unless `padded` is false.
enum class Base64Padding { padded, none };
std::string to_base64(std::string_view bytes, Base64Padding padding = Base64Padding::padded);
/// Strict: right alphabet, right padding, nothing else. False when `text` is not that.
bool try_parse_base64(std::string_view text, std::string& bytes);

/// The same bytes, seen as text. Valid as long as `bytes`.
inline std::string_view as_text(const std::vector<std::uint8_t>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), bytes.size()};
}
template <std::size_t N>
std::string_view as_text(const std::array<std::uint8_t, N>& bytes) {
    return {reinterpret_cast<const char*>(bytes.data()), N};
}

}  // namespace tipple
