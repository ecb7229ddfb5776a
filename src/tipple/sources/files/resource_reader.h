#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tipple/source/source.h"
#include "tipple/sources/files/file_list.h"
#include "tipple/sources/files/ledger_index.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/settings.h"
#include "tipple/sources/files/watermark.h"

namespace tipple::sources::files {

/// One resource in one run: which of the files that are there are read, and reading them.
class ResourceReader {
public:
    /// All outlive it.
    ResourceReader(const ResourceSettings& settings, const Place& place, io::FileSystem& files, const extract::ResourceContext& context, extract::Output& out);

    /// A file of the listing: it is read in this run, unless it was loaded. Throws Error(data) for one that has changed and must not.
    void offer(const io::ObjectInfo& file);
    /// All files were offered.
    void read();

private:
    void choose();
    Content content_of(const io::ObjectInfo& file) const;
    void look_at_some();
    void read_file(const io::ObjectInfo& listed, std::int64_t replaces_us);
    bool try_read_file(const io::ObjectInfo& file, std::int64_t replaces_us);
    std::optional<io::ObjectInfo> look_again(const Error& error, const io::ObjectInfo& file) const;
    bool skips(const Error& error, const io::ObjectInfo& file) const;

    const ResourceSettings& settings_;
    const Place& place_;
    const extract::ResourceContext& context_;
    extract::Output& out_;
    std::optional<LedgerIndex> ledger_;
    std::optional<Watermark> watermark_;
    ContentReader content_;
    FileList chosen_;
    std::uint64_t known_ = 0;
    std::uint64_t ignored_ = 0;
    std::uint64_t bytes_before_ = 0;
};

}  // namespace tipple::sources::files
