#include <algorithm>
#include <filesystem>
#include <map>

#include "tipple/core/text.h"
#include "tipple/io/glob.h"
#include "tipple/sources/builtin.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources {

namespace {

/// Local files: paths and patterns, one resource per table.
class FilesSource final : public extract::SourceDriver {
public:
    explicit FilesSource(const extract::SourceContext& context)
        : files_(io::local_file_system()), options_(parse_content_options(context.options)), table_(context.options.find("table").value_or("")) {
        std::string_view rest = context.options.require("paths");
        while (!rest.empty()) {
            const std::size_t end = rest.find('\n');
            patterns_.emplace_back(rest.substr(0, end));
            rest = end == std::string_view::npos ? std::string_view() : rest.substr(end + 1);
        }
    }

    std::string name() const override { return "files"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        paths_.clear();
        std::vector<extract::ResourceSpec> specs;
        for (const std::string& pattern : patterns_) {
            const std::string table = table_.empty() ? file_stem(pattern) : table_;
            if (!paths_.contains(table)) {
                extract::ResourceSpec spec;
                spec.name = table;
                specs.push_back(std::move(spec));
            }
            std::vector<std::string> found = find_files(pattern);
            std::vector<std::string>& paths = paths_[table];
            paths.insert(paths.end(), found.begin(), found.end());
        }
        return specs;
    }

    void read(const extract::ResourceSpec& resource, const extract::ResourceContext& context, extract::Output& out) override {
        const std::vector<std::string>& paths = paths_.at(resource.name);
        std::uint64_t total = 0;
        for (const std::string& path : paths) total += files_->find(path)->size;
        std::uint64_t before = 0;
        for (const std::string& path : paths) {
            if (!out.wants_more() || context.stop.stop_requested()) return;
            const std::unique_ptr<io::FileInfo> info = files_->find(path);
            if (info != nullptr) out.begin_input({.path = std::filesystem::absolute(path).string(), .size = info->size, .modified_ns = info->modified_ns});
            const std::unique_ptr<io::InputStream> input = io::open_input(*files_, path, context.stop);
            const auto report = [&] { out.report({.bytes_read = before + input->bytes_read(), .bytes_total = total}); };
            read_content(*files_, *input, path, options_, context, out, report);
            before += input->file_size();
            out.report({.bytes_read = before, .bytes_total = total});
        }
    }

private:
    std::vector<std::string> find_files(const std::string& pattern) {
        const std::unique_ptr<io::FileInfo> info = files_->find(pattern);
        if (info != nullptr && !info->is_directory) return {pattern};
        if (info != nullptr) {
            throw Error(ErrorKind::usage, "\"{}\" is a folder; name the files in it, for example \"{}\"", pattern, io::join_path(pattern, "*.jsonl"));
        }
        if (io::has_wildcards(pattern)) {
            std::vector<std::string> found = io::expand_glob(*files_, pattern);
            if (!found.empty()) return found;
            throw Error(ErrorKind::usage, "no file matches \"{}\"", pattern);
        }
        throw Error(ErrorKind::usage, "there is no file \"{}\"{}", pattern, hint(pattern));
    }

    /// A near name in the same folder.
    std::string hint(const std::string& path) {
        std::vector<std::string> names;
        const bool is_bare = path.find('/') == std::string::npos;
        const std::string folder = io::parent_folder(path);
        for (const io::FileInfo& info : files_->list(folder)) names.push_back(io::file_name(info.path));
        const std::optional<std::string> near = did_you_mean(io::file_name(path), names);
        return near ? fmt::format("; did you mean \"{}\"?", is_bare ? *near : io::join_path(folder, *near)) : "";
    }

    std::unique_ptr<io::FileSystem> files_;
    ContentOptions options_;
    std::string table_;
    std::vector<std::string> patterns_;
    std::map<std::string, std::vector<std::string>> paths_;  ///< by resource
};

}  // namespace

extract::SourceEntry files_source() {
    std::vector<config::OptionSpec> options = content_option_specs();
    options.push_back({.name = "paths", .summary = "Paths and patterns (*, ?, **), one per line.", .is_required = true});
    options.push_back({.name = "table", .summary = "Table for all of them; the file's name without endings when not given."});
    return {.name = "files",
            .summary = "Local files: JSON lines, JSON, CSV, TSV and Parquet, also compressed.",
            .options = std::move(options),
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<FilesSource>(context);
            }};
}

}  // namespace tipple::sources
