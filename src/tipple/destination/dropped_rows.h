#pragma once

#include <cstdint>
#include <vector>

namespace tipple::destination {

/// Rows of one table of a package that are left out, by their position in the order in which the package has them (files by reference
/// last). Filled after the readers that ask it were made, and before they read.
class DroppedRows {
public:
    void resize(std::uint64_t rows) { bits_.resize(rows); }
    void add(std::uint64_t position) {
        if (!bits_.at(position)) ++count_;
        bits_[position] = true;
    }
    bool contains(std::uint64_t position) const { return count_ > 0 && bits_[position]; }
    std::uint64_t count() const { return count_; }
    /// The position of the `number`th row, from 0 on, of those that are not left out.
    std::uint64_t position_of(std::uint64_t number) const {
        if (count_ == 0) return number;
        std::uint64_t position = 0;
        while (position < bits_.size() && (bits_[position] || number-- > 0)) ++position;
        return position;
    }

private:
    std::vector<bool> bits_;
    std::uint64_t count_ = 0;
};

}  // namespace tipple::destination
