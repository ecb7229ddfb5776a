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

    std::vector<std::uint64_t> members_;
    /// All members are integers themselves, with the sign turned so that they sort.
    bool are_integers_ = true;
    std::size_t settle_at_ = settle_min;

    /// What is added twice takes memory twice until so many have come.
    static constexpr std::size_t settle_min = std::size_t{4} << 20;
};

}  // namespace tipple::incremental
