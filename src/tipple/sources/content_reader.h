#pragma once

#include <functional>
#include <optional>
#include <string>

#include "tipple/config/option_spec.h"
#include "tipple/io/decompress.h"
#include "tipple/json/path.h"
#include "tipple/source/source.h"
#include "tipple/sources/data_format.h"
#include "tipple/sources/tabular_reader.h"

namespace tipple::sources {

/// How contents are read, the same for files and standard input.
struct ContentOptions {
    std::optional<DataFormat> format;  ///< nothing = detected
    std::optional<json::Path> select;
    CsvOptions csv;
};
/// The options that `parse_content_options` reads.
std::vector<config::OptionSpec> content_option_specs();
/// Throws Error(usage).
ContentOptions parse_content_options(const config::Options& options);

/// Reads one content of any format and compression. `path` is a local file, or empty when there is only the stream.
void read_content(io::FileSystem& files, io::InputStream& input, const std::string& path, const ContentOptions& options,
                  const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read);

}  // namespace tipple::sources
