#pragma once

#include <array>
#include <cstdint>
#include <deque>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include "tipple/io/object_store.h"
#include "tipple/source/source.h"

namespace tipple::sources::files {

/// What changes when a file's content does: its size, and its tag or, where there is none, its time.
std::string version_of(const io::ObjectInfo& file);

/// Which files were loaded, in 32 bytes each.
class LedgerIndex {
public:
    LedgerIndex() = default;
    LedgerIndex(extract::FileLedger& ledger, std::stop_token stop);

    enum class State { is_new, known, changed };
    struct Found {
        State state = State::is_new;
        std::int64_t load_us = 0;  ///< when the load was made that brought it
    };
    Found find(std::string_view file, std::string_view version) const;
    std::size_t size() const { return entries_.size(); }

private:
    struct Entry {
        std::array<std::uint64_t, 2> file;
        std::uint64_t version = 0;
        std::int64_t load_us = 0;
    };
    std::deque<Entry> entries_;  ///< by file
};

}  // namespace tipple::sources::files
