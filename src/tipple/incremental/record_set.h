#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <vector>

#include "tipple/incremental/record_digest.h"
#include "tipple/json/value.h"

namespace tipple::incremental {

/// Records by their digests: eight bytes for each while they are gathered, and less where they are stored.
class RecordSet {
public:
    void reserve(std::size_t members) { members_.reserve(members); }
    void add(RecordDigest digest);
    void add(const RecordSet& other);
    void clear();
    /// Those that were added twice count twice before `settle`.
    std::size_t size() const { return members_.size(); }
    /// Sorts, and keeps each one once.
    void settle();
    /// Only when nothing was added since `settle`. May be called by several threads.
    bool contains(RecordDigest digest) const;

    /// For a state document (docs/internals/incremental.md). Settles.
    json::Object pack();
    /// Nothing when it is not one that this version wrote. Settled.
    static std::optional<RecordSet> unpack(const json::Object& packed);

private:
    std::uint64_t member_of(RecordDigest digest) const;
    void mix_integers();
    void settle_when_large();
    void divide();
    std::size_t part_of(std::uint64_t member) const { return static_cast<std::size_t>((member - members_.front()) >> shift_); }

    std::vector<std::uint64_t> members_;
    /// Of one that was unpacked: where the members of each part of their range begin, so that one is found in a time that does not depend on how many there are.
    std::vector<std::uint32_t> starts_;
    unsigned shift_ = 0;
    /// All members are integers themselves, with the sign turned so that they sort.
    bool are_integers_ = true;
    std::size_t settle_at_ = settle_min;

    /// What is added twice takes memory twice until so many have come.
    static constexpr std::size_t settle_min = std::size_t{4} << 20;
};

}  // namespace tipple::incremental
