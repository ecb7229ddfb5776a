#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/source/source.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources::files {

/// What a pattern without a match is: a mistake of whoever typed it, or a day on which nothing came.
enum class NoMatch { fails, is_fine };

/// How files that were loaded are told from those that were not.
enum class Remembers {
    nothing,    ///< all are read in each run
    ledger,     ///< each file that was loaded, in a table of the dataset
    watermark,  ///< the latest time of a file, as the reference does it
};

/// What becomes of a file that has changed since it was loaded.
enum class OnChange {
    fail,
    ignore,
    reload,  ///< its new rows take the place of the old ones
    merge,   ///< it is read again, and its records find their rows by the key
};

enum class Order { name, modified };

/// What one resource reads.
struct ResourceSettings {
    std::string name;
    std::vector<std::string> patterns;
    ContentOptions content;
    NoMatch no_match = NoMatch::fails;
    Remembers remembers = Remembers::nothing;
    OnChange on_change = OnChange::fail;
    bool skips_bad_files = false;
    Order order = Order::name;
    /// What one run reads at most; a file larger than `bytes_max` is read alone.
    std::optional<std::uint64_t> files_max;
    std::optional<std::uint64_t> bytes_max;
};

/// A resource for each table that the paths are named after, or those that the user defines. Throws Error(usage).
std::vector<ResourceSettings> parse_settings(const extract::SourceContext& context);

/// Options of the source, and those of one of its resources.
std::vector<config::OptionSpec> source_option_specs();
std::vector<config::OptionSpec> resource_option_specs();

}  // namespace tipple::sources::files
