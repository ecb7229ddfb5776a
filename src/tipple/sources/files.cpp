#include <algorithm>
#include <filesystem>
#include <string>
#include <utility>
#include <vector>

#include "tipple/config/secret.h"
#include "tipple/core/text.h"
#include "tipple/io/glob.h"
#include "tipple/sources/builtin.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources {

namespace {

std::vector<std::string> lines_of(std::string_view text) {
    std::vector<std::string> lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines.emplace_back(text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    return lines;
}

/// What a pattern without a match is: a mistake of whoever typed it, or a day on which nothing came.
enum class NoMatch { fails, is_fine };

/// Local files: paths and patterns, one resource per table, or resources that the user defines.
class FilesSource final : public extract::SourceDriver {
public:
    explicit FilesSource(const extract::SourceContext& context)
        : files_(io::local_file_system()), folder_(context.options.find("folder").value_or("")), log_(context.log) {
        if (context.resources.empty()) {
            add_patterns(context.options);
        } else {
            for (const extract::ResourceDefinition& resource : context.resources) add_resource(resource, context.options);
        }
    }

    std::string name() const override { return "files"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        std::vector<extract::ResourceSpec> specs;
        for (auto& [name, input] : inputs_) {
            extract::ResourceSpec spec;
            spec.name = name;
            specs.push_back(std::move(spec));
            input.paths.clear();
            for (const std::string& pattern : input.patterns) {
                std::vector<std::string> found = find_files(pattern, input.no_match);
                input.paths.insert(input.paths.end(), found.begin(), found.end());
            }
        }
        return specs;
    }

    void read(const extract::ResourceSpec& resource, const extract::ResourceContext& context, extract::Output& out) override {
        const Input& from = find(resource.name);
        const std::vector<std::string>& paths = from.paths;
        std::uint64_t total = 0;
        for (const std::string& path : paths) total += files_->find(path)->size;
        std::uint64_t before = 0;
        for (const std::string& path : paths) {
            if (!out.wants_more() || context.stop.stop_requested()) return;
            const std::unique_ptr<io::FileInfo> info = files_->find(path);
            if (info != nullptr) out.begin_input({.path = std::filesystem::absolute(path).string(), .size = info->size, .modified_ns = info->modified_ns});
            const std::unique_ptr<io::InputStream> input = io::open_input(*files_, path, context.stop);
            const auto report = [&] { out.report({.bytes_read = before + input->bytes_read(), .bytes_total = total}); };
            read_content(*files_, *input, path, from.options, context, out, report);
            before += input->file_size();
            out.report({.bytes_read = before, .bytes_total = total});
        }
    }

private:
    /// What one resource reads.
    struct Input {
        std::vector<std::string> patterns;
        ContentOptions options;
        NoMatch no_match = NoMatch::fails;
        std::vector<std::string> paths;
    };

    /// A resource for each table that the paths are named after.
    void add_patterns(const config::Options& options) {
        const std::string table = options.find("table").value_or("");
        const ContentOptions content = parse_content_options(options);
        for (const std::string& pattern : lines_of(options.require("paths"))) {
            const std::string name = table.empty() ? file_stem(pattern) : table;
            const auto known = std::find_if(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input.first == name; });
            Input& input = known != inputs_.end() ? known->second : inputs_.emplace_back(name, Input{.options = content}).second;
            input.patterns.push_back(in_folder(pattern));
        }
    }

    /// What the resource does not say, the source does.
    void add_resource(const extract::ResourceDefinition& resource, const config::Options& defaults) {
        config::Options options = defaults;
        for (const auto& [name, value] : resource.options.values()) options.set(name, value);
        Input input{.options = parse_content_options(options), .no_match = NoMatch::is_fine};
        for (const char* option : {"glob", "paths"}) {
            for (const std::string& pattern : lines_of(resource.options.find(option).value_or(""))) input.patterns.push_back(in_folder(pattern));
        }
        if (input.patterns.empty()) {
            throw Error(ErrorKind::usage, "resource \"{}\" of source \"files\" does not say which files it reads; give glob = \"data/*.jsonl\", or paths", resource.name);
        }
        inputs_.emplace_back(resource.name, std::move(input));
    }

    std::string in_folder(const std::string& pattern) const { return folder_.empty() || pattern.starts_with('/') ? pattern : io::join_path(folder_, pattern); }

    const Input& find(const std::string& resource) const {
        const auto found = std::find_if(inputs_.begin(), inputs_.end(), [&](const auto& input) { return input.first == resource; });
        TIPPLE_ASSERT(found != inputs_.end());
        return found->second;
    }

    std::vector<std::string> find_files(const std::string& pattern, NoMatch no_match) {
        const std::unique_ptr<io::FileInfo> info = files_->find(pattern);
        if (info != nullptr && !info->is_directory) return {pattern};
        if (info != nullptr) {
            throw Error(ErrorKind::usage, "\"{}\" is a folder; name the files in it, for example \"{}\"", pattern, io::join_path(pattern, "*.jsonl"));
        }
        if (io::has_wildcards(pattern)) {
            std::vector<std::string> found = io::expand_glob(*files_, pattern);
            if (!found.empty()) return found;
            if (no_match == NoMatch::is_fine) {
                log_.info("no file matches \"{}\"", pattern);
                return {};
            }
            throw Error(ErrorKind::usage, "no file matches \"{}\"", pattern);
        }
        throw Error(ErrorKind::usage, "there is no file \"{}\"{}", config::mask_url(pattern), hint(pattern));
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
    std::string folder_;  ///< where relative paths start; empty = the working folder
    Log log_;
    std::vector<std::pair<std::string, Input>> inputs_;  ///< by resource
};

}  // namespace

extract::SourceEntry files_source() {
    std::vector<config::OptionSpec> options = content_option_specs();
    std::vector<config::OptionSpec> of_resource = content_option_specs();
    // What a resource does not say is said by the source.
    for (config::OptionSpec& option : of_resource) option.default_value.clear();
    of_resource.push_back({.name = "glob", .summary = "Patterns of paths (*, ?, **), one per line."});
    of_resource.push_back({.name = "paths", .summary = "The same."});
    options.push_back({.name = "paths", .summary = "Paths and patterns (*, ?, **), one per line; not needed where resources have their own."});
    options.push_back({.name = "table", .summary = "Table for all of them; the file's name without endings when not given."});
    options.push_back({.name = "folder", .summary = "Where relative paths start; the working folder, or that of the project file, when not given.", .kind = config::OptionKind::path});
    return {.name = "files",
            .summary = "Local files: JSON lines, JSON, CSV, TSV and Parquet, also compressed.",
            .options = std::move(options),
            .resource_options = std::move(of_resource),
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<FilesSource>(context);
            }};
}

}  // namespace tipple::sources
