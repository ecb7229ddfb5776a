#include "tipple/sources/files/ledger_index.h"

#include <fmt/format.h>

#include <algorithm>

#include "tipple/core/clock.h"
#include "tipple/core/hash.h"

namespace tipple::sources::files {

std::string version_of(const io::ObjectInfo& file) {
    if (!file.etag.empty()) return fmt::format("{}-{}", file.size, file.etag);
    return fmt::format("{}-{}", file.size, file.modified_ns);
}

LedgerIndex::LedgerIndex(extract::FileLedger& ledger, std::stop_token stop) {
    ledger.read(std::move(stop), [&](const extract::LedgerEntry& entry) {
        entries_.push_back({.file = xxh3_128(entry.file), .version = xxh3_64(entry.version), .load_us = load_id_time_us(std::string(entry.load_id))});
    });
    std::sort(entries_.begin(), entries_.end(), [](const Entry& a, const Entry& b) { return a.file < b.file; });
}

LedgerIndex::Found LedgerIndex::find(std::string_view file, std::string_view version) const {
    const std::array<std::uint64_t, 2> hash = xxh3_128(file);
    const std::uint64_t version_hash = xxh3_64(version);
    auto entry = std::lower_bound(entries_.begin(), entries_.end(), hash, [](const Entry& a, const std::array<std::uint64_t, 2>& b) { return a.file < b; });
    Found found;
    // The newest entry counts: a file may have become again what it was before.
    for (; entry != entries_.end() && entry->file == hash; ++entry) {
        if (found.state != State::is_new && entry->load_us < found.load_us) continue;
        found = {.state = entry->version == version_hash ? State::known : State::changed, .load_us = entry->load_us};
    }
    return found;
}

}  // namespace tipple::sources::files
