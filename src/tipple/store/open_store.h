#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/object_store.h"

/// Which store a text names, and with which credentials.
namespace tipple::store {

/// What stores are opened with; what is pointed to outlives them.
struct StoreContext {
    io::FileSystem* files = nullptr;
    const Clock* clock = nullptr;
    Log log;
};

/// What a text names in a store.
struct Location {
    std::unique_ptr<io::ObjectStore> store;
    /// The rest of the text: a key, the beginning of keys, or a pattern of them, below the store's root.
    std::string key;
};

/// Options of stores, for the lists of sources and destinations that open them.
std::vector<config::OptionSpec> option_specs();

/// Whether the text is a URL that open_store takes, and no path.
bool is_store_url(std::string_view text);
/// Whether open_bucket takes it.
bool is_bucket_url(std::string_view text);

/// Opens what a path or a URL names; nothing is asked of a server yet. A path, or `file:///folder/key`, is made absolute, and its store has the root `/`; the key
/// of `https://host/path` is the whole URL; `s3://bucket/key` and `gs://bucket/key` mean buckets. Options that are none of stores are ignored.
/// Throws Error(usage).
Location open_store(std::string_view text, const config::Options& options, const StoreContext& context);

/// A bucket to be written too.
struct BucketLocation {
    std::unique_ptr<io::WritableObjectStore> store;
    std::string key;  ///< the rest of the URL
    /// Where the bucket is, without what differs from run to run: for telling places apart.
    std::string identity;
};
BucketLocation open_bucket(std::string_view url, const config::Options& options, const StoreContext& context);

}  // namespace tipple::store
