#pragma once

#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>

#include "tipple/json/value.h"
#include "tipple/source/source.h"
#include "tipple/sources/files/file_list.h"
#include "tipple/sources/files/ledger_index.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/settings.h"
#include "tipple/sources/files/watermark.h"

namespace tipple::sources::files {

/// Which of the files that are there a run of a resource reads.
class Selection {
public:
    /// `settings` and `place` outlive it. `ledger`: what was loaded, nullptr = it is not looked at; `memory`: what the resource remembers, nullptr = nothing. `stop` ends
    /// the reading of the ledger.
    Selection(const ResourceSettings& settings, const Place& place, extract::FileLedger* ledger, const json::Object* memory, const std::stop_token& stop);

    /// A file of the listing: taken up if a run reads it. What is known of it; one that has changed and must not is not taken up.
    LedgerIndex::Found offer(const io::ObjectInfo& file);
    /// All files were offered: puts them in order, and leaves those to later runs that are too many for one.
    void choose();

    /// Those that are read.
    const FileList& files() const { return files_; }
    /// Loaded before, and not read again.
    std::uint64_t known() const { return known_; }
    /// Not loaded before.
    std::uint64_t fresh() const { return fresh_; }
    /// Loaded before in another version, whatever becomes of them.
    std::uint64_t changed() const { return changed_; }
    /// Left to later runs.
    std::uint64_t left() const { return left_; }

    /// Files from now on that are new and were written before that are counted as `late`.
    void count_late(std::int64_t before_us) { late_before_us_ = before_us; }
    std::uint64_t late() const { return late_; }

    bool has_ledger() const { return ledger_.has_value(); }
    std::optional<Watermark>& watermark() { return watermark_; }

private:
    const ResourceSettings& settings_;
    const Place& place_;
    std::optional<LedgerIndex> ledger_;
    std::optional<Watermark> watermark_;
    FileList files_;
    std::uint64_t known_ = 0;
    std::uint64_t fresh_ = 0;
    std::uint64_t changed_ = 0;
    std::uint64_t left_ = 0;
    std::uint64_t late_ = 0;
    std::optional<std::int64_t> late_before_us_;
};

/// What is there and what a run would read of it, for people: "3 files match, ...; a run reads 3 now: 2 new, 1 of them late (...); 1 changed". Lists the files of the place.
/// `settings` and `place`: of the resource; `context`: what the destination and the resource know of it.
std::string describe_selection(const ResourceSettings& settings, const Place& place, const extract::ProbeContext& context);

}  // namespace tipple::sources::files
