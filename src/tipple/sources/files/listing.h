#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/core/log.h"
#include "tipple/io/decompress.h"
#include "tipple/io/object_store.h"
#include "tipple/sources/files/settings.h"

namespace tipple::sources::files {

/// A place that files are listed and opened in: this machine, or a store. Keys are paths as they were written, or keys of the store.
class Place {
public:
    virtual ~Place() = default;
    /// For people, for the ledger and for `_source_file`.
    virtual std::string url(std::string_view key) const = 0;
    /// How messages call the file.
    virtual std::string name(std::string_view key) const = 0;
    /// False for a named pipe and what else can be read but once.
    virtual bool is_repeatable(std::string_view key) const = 0;
    /// Where the file lies on this machine; empty = elsewhere.
    virtual std::string local_path(std::string_view key) const = 0;
    virtual std::optional<io::ObjectInfo> find(const std::string& key, std::stop_token stop) const = 0;
    /// Exactly this version, decompressed. Throws Error(transient) when there is another one by now.
    virtual std::unique_ptr<io::InputStream> open(const io::ObjectInfo& file, std::stop_token stop) const = 0;
    /// The same as its bytes lie there; only of a place that is `remote`.
    virtual std::unique_ptr<io::ReadFile> open_file(const io::ObjectInfo& file, std::stop_token stop) const = 0;
    /// Whether bytes take long to come, so that several files are worth to be on their way at once. From such a place several threads may read.
    virtual bool is_remote() const = 0;
    /// Whether all its patterns have wildcards, so that a listing for other resources may find its files too. A file that is named is asked for by itself.
    virtual bool can_share_listing(const ResourceSettings& resource) const = 0;
    /// What patterns are said to be compared with: hands over each file with the place in `resources` of one whose pattern it fits; several times when it fits
    /// those of several resources. Resources whose patterns begin alike share one listing. Throws Error(usage) when nothing fits a pattern of the first resource
    /// and that is a mistake; returns the places of the others of which that is true.
    virtual std::set<std::size_t> list(const std::vector<const ResourceSettings*>& resources, std::stop_token stop,
                      const std::function<void(std::size_t resource, const io::ObjectInfo& file)>& take) const = 0;
};

/// Lists one resource at a time.
std::unique_ptr<Place> this_machine(io::FileSystem& files, Log log);
/// `patterns` of the resources are URLs of one store.
std::unique_ptr<Place> store_place(io::FileSystem& files, const std::string& url, const config::Options& options, Log log);

/// What tells stores apart: the beginning of the URL, `s3://bucket`; empty for a path.
std::string store_of(std::string_view pattern);

}  // namespace tipple::sources::files
