#include "tipple/incremental/record_set.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstring>
#include <limits>
#include <memory>
#include <span>
#include <utility>

#include "tipple/core/hash.h"

namespace tipple::incremental {

namespace {

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

constexpr unsigned digit_bits = 8;
constexpr std::size_t digits = std::size_t{1} << digit_bits;
constexpr unsigned passes = 3;

/// By the highest bits in which members differ, least significant digit first; those that have them in common are few, for digests, and sorted by themselves. A comparison
/// sort takes ten times as long for a million of them. `other` has room for as many.
void radix_sort(std::span<std::uint64_t> members, std::uint64_t* other) {
    constexpr std::size_t few = 1'000;
    if (members.size() < few) return std::sort(members.begin(), members.end());
    const auto [least, greatest] = std::minmax_element(members.begin(), members.end());
    const std::uint64_t base = *least;
    const unsigned bits = static_cast<unsigned>(std::bit_width(*greatest - base));
    const unsigned shift = bits > passes * digit_bits ? bits - passes * digit_bits : 0;
    const auto key = [&](std::uint64_t member) { return (member - base) >> shift; };
    const auto digit = [&](std::uint64_t member, unsigned pass) { return (key(member) >> (pass * digit_bits)) & (digits - 1); };
    std::array<std::array<std::size_t, digits>, passes> places{};
    for (const std::uint64_t member : members) {
        for (unsigned pass = 0; pass < passes; ++pass) ++places[pass][digit(member, pass)];
    }
    std::uint64_t* from = members.data();
    std::uint64_t* to = other;
    for (unsigned pass = 0; pass < passes; ++pass) {
        std::array<std::size_t, digits>& counts = places[pass];
        if (std::find(counts.begin(), counts.end(), members.size()) != counts.end()) continue;
        std::size_t place = 0;
        for (std::size_t& count : counts) place += std::exchange(count, place);
        for (std::size_t i = 0; i < members.size(); ++i) to[counts[digit(from[i], pass)]++] = from[i];
        std::swap(from, to);
    }
    if (from != members.data()) std::copy(from, from + members.size(), members.data());
    if (shift == 0) return;
    for (std::size_t begin = 0, end = 0; begin < members.size(); begin = end) {
        const std::uint64_t own = key(members[begin]);
        for (end = begin + 1; end < members.size() && key(members[end]) == own;) ++end;
        if (end - begin > 1) radix_sort(members.subspan(begin, end - begin), other);
    }
}

/// Up to `short_bits` at once.
constexpr unsigned short_bits = 56;

std::uint64_t to_big_endian(std::uint64_t word) { return std::endian::native == std::endian::little ? __builtin_bswap64(word) : word; }

class BitWriter {
public:
    /// What is written in all is not known yet: `bytes` is a guess.
    explicit BitWriter(std::size_t bytes) { bytes_.resize(bytes + word_bytes); }

    void write(std::uint64_t bits, unsigned count) {
        if (count > short_bits) {
            write_short(bits >> 32, count - 32);
            count = 32;
            bits &= 0xffff'ffff;
        }
        write_short(bits, count);
    }
    /// So many ones, then `bits`, of which the highest is a zero.
    void write_behind_ones(std::uint64_t ones, std::uint64_t bits, unsigned count) {
        for (; ones + count > short_bits && ones > 0; --ones) write_short(1, 1);
        if (ones > 0) bits |= ((std::uint64_t{1} << ones) - 1) << count;
        write(bits, static_cast<unsigned>(ones) + count);
    }
    std::string finish() {
        if (pending_count_ > 0) write_short(0, (8 - pending_count_ % 8) % 8);
        bytes_.resize(size_);
        return std::move(bytes_);
    }

private:
    static constexpr std::size_t word_bytes = sizeof(std::uint64_t);

    /// `bits` has no others than the lowest `count`.
    void write_short(std::uint64_t bits, unsigned count) {
        pending_ = (pending_ << count) | bits;
        pending_count_ += count;
        if (pending_count_ < 8) return;
        if (bytes_.size() < size_ + word_bytes) bytes_.resize(bytes_.size() * 2 + word_bytes);
        const std::uint64_t word = to_big_endian(pending_ << (64 - pending_count_));
        std::memcpy(bytes_.data() + size_, &word, word_bytes);
        size_ += pending_count_ / 8;
        pending_count_ %= 8;
    }

    std::string bytes_;
    std::size_t size_ = 0;
    std::uint64_t pending_ = 0;  ///< fewer than 8 bits wait between calls
    unsigned pending_count_ = 0;
};

/// Reads zeros behind the end.
class BitReader {
public:
    explicit BitReader(std::string bytes) : bytes_(std::move(bytes)), end_(bytes_.size() * 8) { bytes_.append(2 * sizeof(std::uint64_t), '\0'); }

    bool is_behind_end() const { return at_ > end_; }
    std::uint64_t read(unsigned count) {
        std::uint64_t bits = 0;
        for (unsigned left = count; left > 0;) {
            const unsigned taken = std::min(left, short_bits);
            bits = (bits << taken) | (next() >> (64 - taken));
            at_ += taken;
            left -= taken;
        }
        return bits;
    }
    /// How many ones come before a zero, which is read too.
    std::uint64_t read_ones() {
        std::uint64_t ones = 0;
        while (true) {
            const auto found = static_cast<unsigned>(std::countl_one(next() | 0xff));
            if (found < short_bits) {
                at_ += found + 1;
                return ones + found;
            }
            ones += short_bits;
            at_ += short_bits;
        }
    }

private:
    /// The bits from here on, the next one highest: `short_bits` of them, then whatever.
    std::uint64_t next() const {
        std::uint64_t word = 0;
        if (at_ < end_) std::memcpy(&word, bytes_.data() + at_ / 8, sizeof(word));
        return to_big_endian(word) << (at_ % 8);
    }

    std::string bytes_;
    std::size_t end_;
    std::size_t at_ = 0;
};

constexpr int packed_version = 1;

/// Of `members` in this order, how many of the lowest bits of a distance are written as they are: about as many as the mean distance has.
unsigned plain_bits(const std::vector<std::uint64_t>& members) {
    const std::uint64_t mean = (members.back() - members.front()) / members.size();
    return mean == 0 ? 0 : static_cast<unsigned>(std::bit_width(mean)) - 1;
}

std::optional<std::int64_t> integer_member(const json::Object& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value != nullptr && value->is_int() ? std::optional(value->as_int()) : std::nullopt;
}

}  // namespace

std::uint64_t RecordSet::member_of(RecordDigest digest) const { return are_integers_ ? digest.bits ^ sign_bit : digest.mixed(); }

/// A member that is no integer has come.
void RecordSet::mix_integers() {
    if (!are_integers_) return;
    are_integers_ = false;
    for (std::uint64_t& member : members_) member = RecordDigest{member ^ sign_bit, true}.mixed();
}

void RecordSet::add(RecordDigest digest) {
    if (!digest.is_integer) mix_integers();
    starts_.clear();
    members_.push_back(member_of(digest));
    settle_when_large();
}

void RecordSet::add(const RecordSet& other) {
    if (!other.are_integers_) mix_integers();
    starts_.clear();
    if (members_.empty()) are_integers_ = other.are_integers_;
    if (are_integers_ == other.are_integers_) {
        members_.insert(members_.end(), other.members_.begin(), other.members_.end());
    } else {
        for (const std::uint64_t member : other.members_) members_.push_back(RecordDigest{member ^ sign_bit, true}.mixed());
    }
    settle_when_large();
}

void RecordSet::settle_when_large() {
    if (members_.size() < settle_at_) return;
    settle();
    settle_at_ = std::max(settle_min, members_.size() * 2);
}

void RecordSet::clear() { *this = {}; }

void RecordSet::settle() {
    if (!std::is_sorted(members_.begin(), members_.end())) {
        const auto other = std::make_unique_for_overwrite<std::uint64_t[]>(members_.size());
        radix_sort(members_, other.get());
    }
    members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
}

/// Digests lie as if by chance, so one of these parts has few of them.
void RecordSet::divide() {
    constexpr std::size_t members_per_part = 4;
    if (members_.size() > std::numeric_limits<std::uint32_t>::max()) return;
    const std::uint64_t range = members_.back() - members_.front();
    const auto range_bits = static_cast<unsigned>(std::bit_width(range));
    const auto part_bits = static_cast<unsigned>(std::bit_width(members_.size() / members_per_part + 1));
    shift_ = range_bits > part_bits ? range_bits - part_bits : 0;
    starts_.assign((range >> shift_) + 2, 0);
    for (const std::uint64_t member : members_) ++starts_[part_of(member) + 1];
    for (std::size_t i = 1; i < starts_.size(); ++i) starts_[i] += starts_[i - 1];
}

bool RecordSet::contains(RecordDigest digest) const {
    if (members_.empty() || (are_integers_ && !digest.is_integer)) return false;
    const std::uint64_t member = member_of(digest);
    if (member < members_.front() || member > members_.back()) return false;
    auto begin = members_.begin();
    auto end = members_.end();
    if (!starts_.empty()) {
        const std::size_t part = part_of(member);
        end = begin + starts_[part + 1];
        begin += starts_[part];
    }
    return std::binary_search(begin, end, member);
}

json::Object RecordSet::pack() {
    settle();
    json::Object packed{{"v", packed_version}, {"kind", are_integers_ ? "integers" : "digests"}, {"count", static_cast<std::int64_t>(members_.size())}};
    if (members_.empty()) return packed;
    const unsigned plain = plain_bits(members_);
    const std::uint64_t low_bits = (std::uint64_t{1} << plain) - 1;
    constexpr std::size_t bits_beside = 2;
    BitWriter bits(members_.size() * (plain + bits_beside) / 8);
    bits.write(members_.front(), 64);
    for (std::size_t i = 1; i < members_.size(); ++i) {
        const std::uint64_t distance = members_[i] - members_[i - 1] - 1;
        bits.write_behind_ones(distance >> plain, distance & low_bits, plain + 1);
    }
    packed.set("plain_bits", static_cast<int>(plain));
    packed.set("members", to_base64(bits.finish()));
    return packed;
}

std::optional<RecordSet> RecordSet::unpack(const json::Object& packed) {
    const json::Value* kind = packed.find("kind");
    const std::optional<std::int64_t> count = integer_member(packed, "count");
    if (integer_member(packed, "v") != packed_version || kind == nullptr || !count) return std::nullopt;
    RecordSet set;
    set.are_integers_ = *kind == json::Value("integers");
    if (*count == 0) return set;
    const std::optional<std::int64_t> plain = integer_member(packed, "plain_bits");
    const json::Value* members = packed.find("members");
    std::string bytes;
    if (!plain || *plain < 0 || *plain > 63 || members == nullptr || !members->is_text() || !try_parse_base64(members->as_text(), bytes)) return std::nullopt;
    // Each member takes a bit at least.
    if (*count < 0 || static_cast<std::size_t>(*count) > bytes.size() * 8) return std::nullopt;
    BitReader bits(std::move(bytes));
    std::uint64_t member = bits.read(64);
    set.members_.reserve(static_cast<std::size_t>(*count));
    set.members_.push_back(member);
    for (std::int64_t i = 1; i < *count; ++i) {
        const std::uint64_t high = bits.read_ones();
        member += (high << *plain) + bits.read(static_cast<unsigned>(*plain)) + 1;
        set.members_.push_back(member);
    }
    if (bits.is_behind_end() || !std::is_sorted(set.members_.begin(), set.members_.end())) return std::nullopt;
    set.divide();
    return set;
}

}  // namespace tipple::incremental
