#include "tipple/sources/content_reader.h"

#include "tipple/core/random.h"
#include "tipple/sources/json_reader.h"

namespace tipple::sources {

std::vector<config::OptionSpec> content_option_specs() {
    return {
        {.name = "format", .summary = "jsonl, json, csv, tsv or parquet; found out from content and name when not given."},
        {.name = "select", .summary = "Where the records are inside each JSON document, for example data or result.items[*]."},
        {.name = "csv_delimiter", .summary = "Between the fields of a CSV line; found out from the file when not given."},
        {.name = "csv_header", .summary = "Whether the first line of a CSV file names the columns.", .kind = config::OptionKind::boolean, .default_value = "true"},
    };
}

ContentOptions parse_content_options(const config::Options& options) {
    ContentOptions parsed;
    if (const auto format = options.find("format")) parsed.format = require_data_format(*format);
    if (const auto select = options.find("select")) parsed.select = json::Path::parse(*select);
    parsed.csv.delimiter = options.find("csv_delimiter").value_or("");
    parsed.csv.has_header = options.find("csv_header").value_or("true") == "true";
    return parsed;
}

namespace {

/// Content in a file of its own, for the engine, which reads neither pipes nor every compression. Removed on destruction.
class Spool {
public:
    Spool(io::FileSystem& files, const std::string& folder, std::string_view ending)
        : files_(files), path_(io::join_path(folder, fmt::format("spool-{}.{}", to_file_name(random_id(8)), ending))) {
        files_.create_folders(folder);
    }
    ~Spool() {
        try {
            files_.remove(path_);
        } catch (const Error&) {
            // The folder is emptied when the next run starts.
        }
    }
    Spool(const Spool&) = delete;
    Spool& operator=(const Spool&) = delete;
    const std::string& path() const { return path_; }

    void fill(const Head& head, io::InputStream& input, const std::stop_token& stop) {
        const std::unique_ptr<io::WriteFile> file = files_.create(path_);
        file->write(head.bytes);
        std::string buffer(1 << 20, '\0');
        while (const std::size_t got = input.read(buffer.data(), buffer.size())) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            file->write({buffer.data(), got});
        }
        file->close();
    }

private:
    static std::string to_file_name(std::string id) {
        for (char& c : id) {
            if (c == '/' || c == '+') c = '_';
        }
        return id;
    }

    io::FileSystem& files_;
    std::string path_;
};

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

void read_table(io::FileSystem& files, io::InputStream& input, const std::string& path, Head head, DataFormat format,
                const ContentOptions& options, const extract::ResourceContext& context, extract::Output& out) {
    TabularReader reader(context, out);
    // The engine reads gzip itself, but it goes by the name and never compares the check sum: a damaged file would be loaded.
    // Nor can it read a pipe from its start: the head was taken out of it.
    const bool is_in_place = !path.empty() && input.format() == io::CompressedFormat::none && input.file_size() > 0;
    std::optional<Spool> spool;
    if (!is_in_place) {
        spool.emplace(files, context.temp_folder, to_text(format));
        spool->fill(head, input, context.stop);
    }
    const std::string& place = is_in_place ? path : spool->path();
    if (format == DataFormat::parquet) {
        const std::unique_ptr<io::FileInfo> info = is_in_place ? files.find(path) : nullptr;
        reader.read_parquet(place, input.name(), info.get());
    } else {
        reader.read_csv(place, input.name(), format, options.csv);
    }
}

}  // namespace

void read_content(io::FileSystem& files, io::InputStream& input, const std::string& path, const ContentOptions& options,
                  const extract::ResourceContext& context, extract::Output& out, const std::function<void()>& on_read) {
    Head head = read_head(input);
    const DataFormat format = options.format ? *options.format : detect_data_format(head.bytes, head.is_all, input.name());
    context.log.debug("{}: reading as {}", input.name(), to_text(format));
    if (format == DataFormat::json || format == DataFormat::json_lines) {
        JsonReader(input, std::move(head), format, options.select, input.name()).read(context, out, on_read);
        return;
    }
    if (options.select) throw Error(ErrorKind::usage, "--select is for JSON, but {} is {}", input.name(), to_text(format));
    if (head.is_all && is_blank(head.bytes)) return;
    read_table(files, input, path, std::move(head), format, options, context, out);
    on_read();
}

}  // namespace tipple::sources
