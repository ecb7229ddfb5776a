#include "tipple/incremental/record_set.h"

#include <algorithm>
#include <array>
#include <bit>

#include "tipple/core/hash.h"

namespace tipple::incremental {

namespace {

constexpr std::uint64_t sign_bit = std::uint64_t{1} << 63;

/// Least significant digit first. A comparison sort takes four times as long for a million members.
void radix_sort(std::vector<std::uint64_t>& members) {
    constexpr unsigned digit_bits = 11;
    constexpr std::size_t digits = std::size_t{1} << digit_bits;
    std::vector<std::uint64_t> other(members.size());
    for (unsigned shift = 0; shift < 64; shift += digit_bits) {
        std::array<std::size_t, digits> places{};
        for (const std::uint64_t member : members) ++places[(member >> shift) & (digits - 1)];
        if (std::find(places.begin(), places.end(), members.size()) != places.end()) continue;
        std::size_t place = 0;
        for (std::size_t& count : places) place += std::exchange(count, place);
        for (const std::uint64_t member : members) other[places[(member >> shift) & (digits - 1)]++] = member;
        members.swap(other);
    }
}

class BitWriter {
public:
    void write(std::uint64_t bits, unsigned count) {
        for (; count > 32; count -= 32) write_short(static_cast<std::uint32_t>(bits >> (count - 32)), 32);
        write_short(static_cast<std::uint32_t>(bits & ((std::uint64_t{1} << count) - 1)), count);
    }
    void write_ones(std::uint64_t count) {
        for (; count > 32; count -= 32) write_short(0xffff'ffff, 32);
        write_short(static_cast<std::uint32_t>((std::uint64_t{1} << count) - 1), static_cast<unsigned>(count));
    }
    std::string finish() {
        if (pending_count_ > 0) write_short(0, (8 - pending_count_ % 8) % 8);
        return std::move(bytes_);
    }

private:
    void write_short(std::uint32_t bits, unsigned count) {
        pending_ = (pending_ << count) | bits;
        pending_count_ += count;
        while (pending_count_ >= 8) {
            pending_count_ -= 8;
            bytes_.push_back(static_cast<char>(pending_ >> pending_count_));
        }
    }

    std::string bytes_;
    std::uint64_t pending_ = 0;  ///< fewer than 8 bits wait between calls
    unsigned pending_count_ = 0;
};

/// Reads zeros behind the end.
class BitReader {
public:
    explicit BitReader(std::string_view bytes) : bytes_(bytes) {}

    bool is_behind_end() const { return at_ > bytes_.size() * 8; }
    unsigned read_bit() {
        const std::size_t byte = at_ / 8;
        const unsigned bit = byte < bytes_.size() ? (static_cast<std::uint8_t>(bytes_[byte]) >> (7 - at_ % 8)) & 1U : 0U;
        ++at_;
        return bit;
    }
    std::uint64_t read(unsigned count) {
        std::uint64_t bits = 0;
        while (count > 0) {
            const std::size_t byte = at_ / 8;
            const unsigned left = 8 - static_cast<unsigned>(at_ % 8);
            const unsigned taken = std::min(left, count);
            const std::uint64_t value = byte < bytes_.size() ? static_cast<std::uint8_t>(bytes_[byte]) : 0;
            bits = (bits << taken) | ((value >> (left - taken)) & ((1U << taken) - 1));
            at_ += taken;
            count -= taken;
        }
        return bits;
    }

private:
    std::string_view bytes_;
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
    members_.push_back(member_of(digest));
    if (members_.size() < settle_at_) return;
    settle();
    settle_at_ = std::max(settle_min, members_.size() * 2);
}

void RecordSet::add(const RecordSet& other) {
    if (members_.empty()) {
        *this = other;
        return;
    }
    if (!other.are_integers_) mix_integers();
    for (const std::uint64_t member : other.members_) {
        add(other.are_integers_ ? RecordDigest{member ^ sign_bit, true} : RecordDigest{member, false});
    }
}

void RecordSet::clear() { *this = {}; }

void RecordSet::settle() {
    if (!std::is_sorted(members_.begin(), members_.end())) radix_sort(members_);
    members_.erase(std::unique(members_.begin(), members_.end()), members_.end());
}

bool RecordSet::contains(RecordDigest digest) const {
    if (are_integers_ && !digest.is_integer) return false;
    return std::binary_search(members_.begin(), members_.end(), member_of(digest));
}

json::Object RecordSet::pack() {
    settle();
    json::Object packed{{"v", packed_version}, {"kind", are_integers_ ? "integers" : "digests"}, {"count", static_cast<std::int64_t>(members_.size())}};
    if (members_.empty()) return packed;
    const unsigned plain = plain_bits(members_);
    BitWriter bits;
    bits.write(members_.front(), 64);
    for (std::size_t i = 1; i < members_.size(); ++i) {
        const std::uint64_t distance = members_[i] - members_[i - 1] - 1;
        bits.write_ones(distance >> plain);
        bits.write(0, 1);
        bits.write(distance, plain);
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
    BitReader bits(bytes);
    std::uint64_t member = bits.read(64);
    set.members_.reserve(static_cast<std::size_t>(*count));
    set.members_.push_back(member);
    for (std::int64_t i = 1; i < *count; ++i) {
        std::uint64_t high = 0;
        while (bits.read_bit() == 1) ++high;
        member += (high << *plain) + bits.read(static_cast<unsigned>(*plain)) + 1;
        set.members_.push_back(member);
    }
    if (bits.is_behind_end() || !std::is_sorted(set.members_.begin(), set.members_.end())) return std::nullopt;
    return set;
}

}  // namespace tipple::incremental
