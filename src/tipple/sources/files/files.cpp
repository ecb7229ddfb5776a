#include <algorithm>
#include <filesystem>
#include <map>
#include <string>
#include <vector>

#include "tipple/sources/builtin.h"
#include "tipple/sources/content_reader.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/settings.h"

namespace tipple::sources {

namespace {

/// Local files: paths and patterns, one resource per table, or resources that the user defines.
class FilesSource final : public extract::SourceDriver {
public:
    explicit FilesSource(const extract::SourceContext& context) : files_(io::local_file_system()), log_(context.log), settings_(files::parse_settings(context)) {}

    std::string name() const override { return "files"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        std::vector<extract::ResourceSpec> specs;
        for (const files::ResourceSettings& resource : settings_) {
            extract::ResourceSpec spec;
            spec.name = resource.name;
            specs.push_back(std::move(spec));
            std::vector<std::string>& paths = paths_[resource.name];
            paths.clear();
            for (const std::string& pattern : resource.patterns) {
                const std::vector<std::string> found = files::find_files(*files_, pattern, resource.no_match, log_);
                paths.insert(paths.end(), found.begin(), found.end());
            }
        }
        return specs;
    }

    void read(const extract::ResourceSpec& resource, const extract::ResourceContext& context, extract::Output& out) override {
        const std::vector<Content> contents = contents_of(paths_.at(resource.name), context);
        std::uint64_t total = 0;
        for (const Content& content : contents) total += files_->find(content.path)->size;
        ContentReader reader(*files_, require(resource.name).content, context, out);
        reader.look_at(contents);
        std::uint64_t before = 0;
        for (const Content& content : contents) {
            if (!out.wants_more() || context.stop.stop_requested()) return;
            const std::unique_ptr<io::FileInfo> info = files_->find(content.path);
            if (info != nullptr) out.begin_input({.path = content.origin.url, .size = info->size, .modified_ns = info->modified_ns});
            const auto report = [&](const io::InputStream& input) { out.report({.bytes_read = before + input.bytes_read(), .bytes_total = total}); };
            reader.read(content, report);
            before += info == nullptr ? 0 : info->size;
            out.report({.bytes_read = before, .bytes_total = total});
        }
    }

private:
    std::vector<Content> contents_of(const std::vector<std::string>& paths, const extract::ResourceContext& context) const {
        std::vector<Content> contents;
        for (const std::string& path : paths) {
            const std::unique_ptr<io::FileInfo> info = files_->find(path);
            contents.push_back({.name = path,
                                .origin = {.url = std::filesystem::absolute(path).lexically_normal().string(), .modified_ns = info == nullptr ? 0 : info->modified_ns},
                                .path = path,
                                .open = [this, path, &context] { return io::open_input(*files_, path, context.stop); }});
        }
        return contents;
    }

    const files::ResourceSettings& require(const std::string& resource) const {
        const auto found = std::find_if(settings_.begin(), settings_.end(), [&](const files::ResourceSettings& settings) { return settings.name == resource; });
        TIPPLE_ASSERT(found != settings_.end());
        return *found;
    }

    std::unique_ptr<io::FileSystem> files_;
    Log log_;
    std::vector<files::ResourceSettings> settings_;
    std::map<std::string, std::vector<std::string>> paths_;  ///< by resource
};

}  // namespace

extract::SourceEntry files_source() {
    return {.name = "files",
            .summary = "Local files: JSON lines, JSON, CSV, TSV and Parquet, also compressed.",
            .options = files::source_option_specs(),
            .resource_options = files::resource_option_specs(),
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<FilesSource>(context);
            }};
}

}  // namespace tipple::sources
