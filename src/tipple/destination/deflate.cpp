#include "tipple/destination/deflate.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <cstring>
#include <vector>

#include <zlib.h>

namespace tipple::destination {

namespace {

/// Characters, and the end of the block.
constexpr std::size_t symbols = 257;
constexpr std::size_t end_symbol = 256;
/// The format knows 15. So four codes, and what is left of a byte, are less than a word.
constexpr unsigned code_bits_max = 14;
constexpr std::size_t codes_per_word = 4;
using Counts = std::array<std::uint64_t, symbols>;
using Lengths = std::array<unsigned, symbols>;

Counts count_symbols(std::string_view text) {
    // What follows itself would wait for its own count, so neighbours have different ones.
    std::array<std::array<std::uint32_t, end_symbol>, 4> parts{};
    for (std::size_t i = 0; i < text.size(); ++i) ++parts[i % 4][static_cast<std::uint8_t>(text[i])];
    Counts counts{};
    for (const auto& part : parts) {
        for (std::size_t symbol = 0; symbol < end_symbol; ++symbol) counts[symbol] += part[symbol];
    }
    counts[end_symbol] = 1;
    return counts;
}

/// Bits of each symbol's code by Huffman: the two rarest nodes become one, again and again. 0 = does not occur.
Lengths huffman_lengths(const Counts& counts) {
    struct Node {
        std::uint64_t count;
        std::size_t parent = 0;
    };
    std::vector<std::size_t> order;
    for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
        if (counts[symbol] > 0) order.push_back(symbol);
    }
    std::stable_sort(order.begin(), order.end(), [&](std::size_t a, std::size_t b) { return counts[a] < counts[b]; });
    std::vector<Node> nodes;
    for (const std::size_t symbol : order) nodes.push_back({counts[symbol]});
    // Leaves come first and inner nodes behind them, either in ascending order.
    std::size_t leaf = 0;
    std::size_t inner = order.size();
    const auto take_rarest = [&] {
        const bool is_leaf = leaf < order.size() && (inner == nodes.size() || nodes[leaf].count <= nodes[inner].count);
        return is_leaf ? leaf++ : inner++;
    };
    while (nodes.size() < order.size() * 2 - 1) {
        const std::size_t a = take_rarest();
        const std::size_t b = take_rarest();
        nodes[a].parent = nodes[b].parent = nodes.size();
        nodes.push_back({nodes[a].count + nodes[b].count});
    }
    std::vector<unsigned> depths(nodes.size(), 0);
    for (std::size_t i = nodes.size() - 1; i-- > 0;) depths[i] = depths[nodes[i].parent] + 1;
    Lengths lengths{};
    // Even a single symbol takes a bit.
    for (std::size_t i = 0; i < order.size(); ++i) lengths[order[i]] = std::max(depths[i], 1U);
    return lengths;
}

/// Where a code would be too long, the counts are brought closer together.
Lengths code_lengths(Counts counts) {
    while (true) {
        const Lengths lengths = huffman_lengths(counts);
        if (*std::max_element(lengths.begin(), lengths.end()) <= code_bits_max) return lengths;
        for (std::uint64_t& count : counts) count = count > 0 ? count / 4 + 1 : 0;
    }
}

unsigned reversed(unsigned bits, unsigned count) {
    unsigned result = 0;
    for (unsigned i = 0; i < count; ++i) result |= ((bits >> i) & 1U) << (count - 1 - i);
    return result;
}

struct Code {
    std::uint32_t bits = 0;  ///< as they are written, the first one lowest
    std::uint32_t length = 0;
};

/// Codes of RFC 1951: of one length they go up with the symbols, and shorter ones come first.
std::array<Code, symbols> codes_of(const Lengths& lengths) {
    std::array<Code, symbols> codes{};
    unsigned next = 0;
    for (unsigned length = 1; length <= code_bits_max; ++length, next <<= 1U) {
        for (std::size_t symbol = 0; symbol < symbols; ++symbol) {
            if (lengths[symbol] == length) codes[symbol] = {reversed(next++, length), length};
        }
    }
    return codes;
}

/// The first bit written is the lowest one of the first byte.
class BitWriter {
public:
    /// Nothing is checked behind this.
    explicit BitWriter(std::size_t bytes) : bytes_(bytes + sizeof(std::uint64_t), '\0') {}

    void write(std::uint64_t bits, unsigned count) {
        pending_ |= bits << pending_count_;
        pending_count_ += count;
    }
    /// After at most 56 bits.
    void flush() {
        const std::uint64_t word = std::endian::native == std::endian::little ? pending_ : __builtin_bswap64(pending_);
        std::memcpy(bytes_.data() + size_, &word, sizeof(word));
        size_ += pending_count_ / 8;
        pending_ >>= pending_count_ / 8 * 8;
        pending_count_ %= 8;
    }
    std::string finish() {
        pending_count_ = (pending_count_ + 7) / 8 * 8;
        flush();
        bytes_.resize(size_);
        return std::move(bytes_);
    }

private:
    std::string bytes_;
    std::size_t size_ = 0;
    std::uint64_t pending_ = 0;
    unsigned pending_count_ = 0;
};

/// A dynamic block's header. Lengths are written with four bits each, which costs a hundred bytes.
void write_header(BitWriter& out, const Lengths& lengths) {
    constexpr unsigned length_codes = 19;
    constexpr unsigned repetitions = 3;  ///< their codes come first, and are not used
    out.write(0b101, 3);                 // the last block; dynamic codes
    out.write(symbols - 257, 5);
    out.write(0, 5);                     // one code of a distance, which has no bits: there are none
    out.write(length_codes - 4, 4);
    out.flush();
    for (unsigned i = 0; i < length_codes; ++i) {
        out.write(i < repetitions ? 0 : 4, 3);
        out.flush();
    }
    for (const unsigned length : lengths) {
        out.write(reversed(length, 4), 4);
        out.flush();
    }
    out.write(0, 4);
    out.flush();
}

}  // namespace

std::string deflate_characters(std::string_view text) {
    const Counts counts = count_symbols(text);
    const Lengths lengths = code_lengths(counts);
    const std::array<Code, symbols> codes = codes_of(lengths);
    std::uint64_t bits = 0;
    for (std::size_t symbol = 0; symbol < symbols; ++symbol) bits += counts[symbol] * lengths[symbol];
    constexpr std::size_t frame_bytes = 256;
    BitWriter out(bits / 8 + frame_bytes);
    out.write(0x78, 8);  // deflate with a window of 32 KiB
    out.write(0xda, 8);  // made slowly, as zlib says of its level 9
    out.flush();
    write_header(out, lengths);
    const auto write = [&](std::size_t symbol) { out.write(codes[symbol].bits, codes[symbol].length); };
    std::size_t at = 0;
    for (; at + codes_per_word <= text.size(); at += codes_per_word) {
        for (std::size_t i = 0; i < codes_per_word; ++i) write(static_cast<std::uint8_t>(text[at + i]));
        out.flush();
    }
    for (; at < text.size(); ++at) {
        write(static_cast<std::uint8_t>(text[at]));
        out.flush();
    }
    write(end_symbol);
    out.flush();
    std::string stream = out.finish();
    const auto checksum = static_cast<std::uint32_t>(adler32_z(adler32_z(0, nullptr, 0), reinterpret_cast<const Bytef*>(text.data()), text.size()));
    for (int shift = 24; shift >= 0; shift -= 8) stream += static_cast<char>(checksum >> shift & 255U);
    return stream;
}

}  // namespace tipple::destination
