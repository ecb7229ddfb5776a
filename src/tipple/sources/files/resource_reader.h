#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "tipple/source/source.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/read_ahead.h"
#include "tipple/sources/files/selection.h"
#include "tipple/sources/files/settings.h"

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
    void say_what_is_read();
    Content content_of(const io::ObjectInfo& file);
    void look_at_some();
    void read_files(ReadAhead* ahead);
    void read_file(std::size_t index, ReadAhead* ahead);
    std::unique_ptr<io::InputStream> open(const io::ObjectInfo& file);
    bool try_read_file(const io::ObjectInfo& file, std::int64_t replaces_us);
    std::optional<io::ObjectInfo> look_again(const Error& error, const io::ObjectInfo& file) const;
    bool skips(const Error& error, const io::ObjectInfo& file) const;

    const ResourceSettings& settings_;
    const Place& place_;
    const extract::ResourceContext& context_;
    extract::Output& out_;
    Selection selection_;
    ContentReader content_;
    /// Of the file that is read, at its start; nothing when it was opened.
    std::optional<ReadAhead::Fetched> fetched_;
    std::uint64_t bytes_before_ = 0;
};

}  // namespace tipple::sources::files
