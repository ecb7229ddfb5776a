#pragma once

#include <functional>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/io/decompress.h"
#include "tipple/json/path.h"
#include "tipple/source/source.h"
#include "tipple/sources/csv/reader.h"
#include "tipple/sources/data_format.h"
#include "tipple/sources/json_reader.h"
#include "tipple/sources/origin_columns.h"

namespace tipple::sources {

/// How contents are read, the same for files and standard input.
struct ContentOptions {
    std::optional<DataFormat> format;  ///< nothing = detected
    std::string encoding;              ///< empty = UTF-8, or what a byte order mark says
    std::optional<json::Path> select;
    csv::Options csv;
    OriginOptions origin;
};
/// The options that `parse_content_options` reads.
std::vector<config::OptionSpec> content_option_specs();
/// Throws Error(usage).
ContentOptions parse_content_options(const config::Options& options);

/// Whether contents of this name, which may be a pattern, are columns whatever is in them. Of most endings the content decides.
bool are_columns(const ContentOptions& options, std::string_view name);

/// A file, an object, or what is piped in.
struct Content {
    std::string name;  ///< for messages; unique in its resource
    ContentOrigin origin;
    /// Where it lies on this machine, for what can be loaded where it lies; empty = nowhere.
    std::string path;
    /// From its start, decompressed.
    std::function<std::unique_ptr<io::InputStream>()> open;
    /// False where it can be opened but once.
    bool is_repeatable = true;
};

/// Reads the contents of one resource one after another, each of any format and compression. What is passed outlives it.
class ContentReader {
public:
    ~ContentReader();
    ContentReader(io::FileSystem& files, const ContentOptions& options, const extract::ResourceContext& context, extract::Output& out);

    /// Finds out what the contents have in common: dialect and types of CSV files from the beginnings of some of them, types of folders' columns from
    /// all. Without it, the first one that is read decides.
    void look_at(const std::vector<Content>& contents);
    /// After Output::begin_input, where there are several: a CSV file may be begun anew (Output::restart_input). `on_read` is called after each page.
    void read(const Content& content, const std::function<void(const io::InputStream&)>& on_read);

private:
    class Spool;
    std::unique_ptr<io::InputStream> open(const Content& content) const;
    void read_csv(const Content& content, std::unique_ptr<io::InputStream> input, Head head, DataFormat format,
                          const std::function<void(const io::InputStream&)>& on_read);
    void read_table_file(const Content& content, io::InputStream& input, const Head& head);
    std::shared_ptr<const extract::OriginColumns> origin_columns(const Content& content) const;

    io::FileSystem& files_;
    const ContentOptions& options_;
    const extract::ResourceContext& context_;
    extract::Output& out_;
    csv::Reader csv_;
    csv::Types folder_types_;
    /// Of the content that is read, where it cannot be opened twice.
    std::unique_ptr<Spool> spool_;
};

}  // namespace tipple::sources
