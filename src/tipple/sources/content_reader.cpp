#include "tipple/sources/content_reader.h"

#include <algorithm>
#include <map>
#include <utility>

#include "tipple/core/random.h"
#include "tipple/io/text_encoding.h"
#include "tipple/sources/parquet_reader.h"

namespace tipple::sources {

std::vector<config::OptionSpec> content_option_specs() {
    std::vector<config::OptionSpec> specs = {
        {.name = "format", .summary = "jsonl, json, csv, tsv or parquet; found out from content and name when not given."},
        {.name = "encoding", .summary = "Of JSON and CSV: utf-16le, latin-1, windows-1252 and all that iconv knows; UTF-8, or what a byte order mark says, when not given."},
        {.name = "select", .summary = "Where the records are inside each JSON document, for example data or result.items[*]."},
    };
    for (const auto& more : {csv::option_specs(), origin_option_specs()}) specs.insert(specs.end(), more.begin(), more.end());
    specs.push_back({.name = "csv_encoding", .summary = "The same as encoding."});
    return specs;
}

ContentOptions parse_content_options(const config::Options& options) {
    ContentOptions parsed;
    if (const auto format = options.find("format")) parsed.format = require_data_format(*format);
    if (const auto select = options.find("select")) parsed.select = json::Path::parse(*select);
    parsed.encoding = options.find("encoding").value_or(options.find("csv_encoding").value_or(""));
    if (!parsed.encoding.empty()) io::check_encoding(parsed.encoding);
    parsed.csv = csv::parse_options(options);
    parsed.origin = parse_origin_options(options);
    return parsed;
}

namespace {

/// So many files show what all are like.
constexpr std::size_t sample_files_max = 32;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

/// A spooled content under its own name.
class SpooledInput final : public io::InputStream {
public:
    SpooledInput(std::unique_ptr<io::InputStream> input, std::string name) : input_(std::move(input)), name_(std::move(name)) {}
    std::size_t read(char* out, std::size_t length) override { return input_->read(out, length); }
    std::uint64_t bytes_read() const override { return input_->bytes_read(); }
    std::uint64_t file_size() const override { return input_->file_size(); }
    io::CompressedFormat format() const override { return input_->format(); }
    const std::string& name() const override { return name_; }

private:
    std::unique_ptr<io::InputStream> input_;
    std::string name_;
};

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }
bool is_csv(DataFormat format) { return format == DataFormat::csv || format == DataFormat::tsv; }

/// By its name alone.
bool may_be_csv(std::string_view name) {
    const std::optional<DataFormat> named = format_of_ending(format_ending(name));
    return !named || is_csv(*named);
}

std::optional<std::string> delimiter_of(DataFormat format) { return format == DataFormat::tsv ? std::optional<std::string>("\t") : std::nullopt; }

/// Some of them, in their order: the first, the last, and others as far from one another.
std::vector<const Content*> sample_of(const std::vector<Content>& contents) {
    std::vector<const Content*> sample;
    const std::size_t count = std::min(contents.size(), sample_files_max);
    for (std::size_t i = 0; i < count; ++i) sample.push_back(&contents[count == 1 ? 0 : i * (contents.size() - 1) / (count - 1)]);
    return sample;
}

}  // namespace

bool are_columns(const ContentOptions& options, std::string_view name) {
    if (options.format) return is_csv(*options.format) || *options.format == DataFormat::parquet;
    return format_of_ending(format_ending(name)) == DataFormat::parquet;
}

/// Content in a file of its own: the engine reads neither pipes nor every compression, and a pipe cannot be read twice. Removed on destruction.
class ContentReader::Spool {
public:
    Spool(io::FileSystem& files, const std::string& folder, std::string content, std::string_view ending)
        : files_(files), content_(std::move(content)), path_(io::join_path(folder, fmt::format("spool-{}.{}", to_file_name(random_id(8)), ending))) {
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
    /// The name of what it holds.
    const std::string& content() const { return content_; }

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
    std::string content_;
    std::string path_;
};

ContentReader::ContentReader(io::FileSystem& files, const ContentOptions& options, const extract::ResourceContext& context, extract::Output& out)
    : files_(files), options_(options), context_(context), out_(out), csv_(options.csv, context, out) {}

ContentReader::~ContentReader() = default;

std::unique_ptr<io::InputStream> ContentReader::open(const Content& content) const {
    if (spool_ == nullptr || spool_->content() != content.name) return io::decode_text(content.open(), options_.encoding);
    return std::make_unique<SpooledInput>(io::open_input(files_, spool_->path(), context_.stop), content.name);
}

void ContentReader::look_at(const std::vector<Content>& contents) {
    std::vector<ContentOrigin> origins;
    for (const Content& content : contents) origins.push_back(content.origin);
    folder_types_ = find_folder_types(origins, options_.origin);
    if (contents.size() < 2 || (options_.format && !is_csv(*options_.format))) return;
    std::map<DataFormat, std::vector<csv::Beginning>> beginnings;
    for (const Content* content : sample_of(contents)) {
        if (!content->is_repeatable || (!options_.format && !may_be_csv(content->name))) continue;
        try {
            const std::unique_ptr<io::InputStream> input = open(*content);
            Head head = read_head(*input);
            const DataFormat format = options_.format ? *options_.format : detect_data_format(head.bytes, head.is_all, content->name);
            if (is_csv(format)) beginnings[format].push_back({.text = std::move(head.bytes), .is_all = head.is_all});
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::cancelled) throw;
            // Whoever reads the whole file will say so, if it is to be read.
            context_.log.debug("{}: not looked at: {}", content->name, error.what());
        }
    }
    for (const auto& [format, files] : beginnings) csv_.look_at(files, delimiter_of(format));
}

std::shared_ptr<const extract::OriginColumns> ContentReader::origin_columns(const Content& content) const {
    return make_origin_columns(content.origin, options_.origin, folder_types_);
}

void ContentReader::read(const Content& content, const std::function<void(const io::InputStream&)>& on_read) {
    // What is read again may have changed.
    if (content.is_repeatable) spool_.reset();
    std::unique_ptr<io::InputStream> input = open(content);
    Head head = read_head(*input);
    const DataFormat format = options_.format ? *options_.format : detect_data_format(head.bytes, head.is_all, content.name);
    context_.log.debug("{}: reading as {}", content.name, to_text(format));
    if (format == DataFormat::json || format == DataFormat::json_lines) {
        JsonReader(*input, std::move(head), format, options_.select, content.name, origin_columns(content)).read(context_, out_, [&] { on_read(*input); });
        return;
    }
    if (options_.select) throw Error(ErrorKind::usage, "--select is for JSON, but {} is {}", content.name, to_text(format));
    if (head.is_all && is_blank(head.bytes)) return;
    if (is_csv(format)) return read_csv(content, std::move(input), std::move(head), format, on_read);
    read_table_file(content, *input, head);
    on_read(*input);
}

void ContentReader::read_csv(const Content& content, std::unique_ptr<io::InputStream> input, Head head, DataFormat format,
                                     const std::function<void(const io::InputStream&)>& on_read) {
    csv::Input file{.name = content.name, .format_delimiter = delimiter_of(format), .open = {}, .origin_columns = origin_columns(content)};
    if (!csv_.has_looked_at(file.format_delimiter)) csv_.look_at({{.text = head.bytes, .is_all = head.is_all}}, file.format_delimiter);
    // A named pipe has no size.
    if (!content.is_repeatable || input->file_size() == 0) {
        auto spool = std::make_unique<Spool>(files_, context_.temp_folder, content.name, to_text(format));
        spool->fill(head, *input, context_.stop);
        spool_ = std::move(spool);
        input = open(content);
    } else {
        if (head.skipped > 0) head.bytes.insert(0, byte_order_mark);
        input = io::put_back(std::move(head.bytes), std::move(input));
    }
    file.open = [&] { return input != nullptr ? std::move(input) : open(content); };
    csv_.read(file, on_read);
    if (content.is_repeatable) spool_.reset();
}

void ContentReader::read_table_file(const Content& content, io::InputStream& input, const Head& head) {
    // The engine reads gzip itself, but it goes by the name and never compares the check sum: a damaged file would be loaded.
    // Nor can it read a pipe from its start: the head was taken out of it.
    const bool is_in_place = !content.path.empty() && input.format() == io::CompressedFormat::none && input.file_size() > 0;
    std::optional<Spool> spool;
    if (!is_in_place) {
        spool.emplace(files_, context_.temp_folder, content.name, to_text(DataFormat::parquet));
        spool->fill(head, input, context_.stop);
    }
    const std::unique_ptr<io::FileInfo> info = is_in_place ? files_.find(content.path) : nullptr;
    read_parquet({.name = content.name, .path = is_in_place ? content.path : spool->path(), .in_place = info.get(), .origin_columns = origin_columns(content)}, context_, out_);
}

}  // namespace tipple::sources
