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
            read_content(*files_, *input, path, require(resource.name).content, context, out, report);
            before += input->file_size();
            out.report({.bytes_read = before, .bytes_total = total});
        }
    }

private:
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
