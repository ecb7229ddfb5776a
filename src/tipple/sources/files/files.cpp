#include <algorithm>
#include <map>
#include <set>
#include <string>
#include <vector>

#include "tipple/core/text.h"
#include "tipple/io/url.h"
#include "tipple/sources/builtin.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/resource_reader.h"
#include "tipple/sources/files/selection.h"
#include "tipple/sources/files/settings.h"

namespace tipple::sources {

namespace {

/// Files of this machine and of stores: paths and patterns, one resource per table, or resources that the user defines.
class FilesSource final : public extract::SourceDriver {
public:
    explicit FilesSource(const extract::SourceContext& context) : files_(io::local_file_system()), log_(context.log), settings_(files::parse_settings(context)) {
        for (const files::ResourceSettings& resource : settings_) add_place(resource, context.options);
    }

    std::string name() const override { return "files"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token stop) override {
        std::vector<extract::ResourceSpec> specs;
        listed_.clear();
        for (const files::ResourceSettings& resource : settings_) {
            extract::ResourceSpec spec;
            spec.name = resource.name;
            spec.keeps_ledger = resource.remembers == files::Remembers::ledger;
            if (resource.on_change == files::OnChange::reload) spec.input_column = source_file_column;
            spec.comes_as_columns =
                std::all_of(resource.patterns.begin(), resource.patterns.end(), [&](const std::string& pattern) { return are_columns(resource.content, pattern); });
            spec.skips_bad_inputs = resource.skips_bad_files;
            spec.marks_checkpoints = resource.remembers != files::Remembers::nothing;
            specs.push_back(std::move(spec));
            // A path that somebody has typed: what is wrong with it is said before anything is read.
            if (resource.no_match == files::NoMatch::fails && place_of(resource) == "") {
                files::FileList& listed = listed_[resource.name];
                places_.at("")->list({&resource}, stop, [&](std::size_t, const io::ObjectInfo& file) { listed.add(file); });
            }
        }
        return specs;
    }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) override {
        const files::ResourceSettings& own = require(spec.name);
        const files::Place& place = *places_.at(place_of(own));
        files::ResourceReader reader(own, place, *files_, context, out);
        if (const auto listed = listed_.find(own.name); listed != listed_.end()) {
            for (std::size_t i = 0; i < listed->second.size(); ++i) reader.offer(listed->second.file(i));
            listed_.erase(listed);
        } else {
            list(own, place, context.stop, reader);
        }
        reader.read();
    }

    std::string probe(const extract::ResourceSpec& spec, const extract::ProbeContext& context) override {
        const files::ResourceSettings& own = require(spec.name);
        return files::describe_selection(own, *places_.at(place_of(own)), context);
    }

private:
    static std::string place_of(const files::ResourceSettings& resource) { return files::store_of(resource.patterns.front()); }

    void add_place(const files::ResourceSettings& resource, const config::Options& options) {
        const std::string key = place_of(resource);
        for (const std::string& pattern : resource.patterns) {
            if (files::store_of(pattern) == key) continue;
            throw Error(ErrorKind::usage, "resource \"{}\" reads files of several places, \"{}\" and \"{}\"; make it two resources with one table", resource.name,
                        io::mask_url_secrets(resource.patterns.front()), io::mask_url_secrets(pattern));
        }
        std::unique_ptr<files::Place>& place = places_[key];
        if (place == nullptr) place = key.empty() ? files::this_machine(*files_, log_) : files::store_place(*files_, resource.patterns.front(), options, log_);
    }

    /// Together with those resources of the place that are read later, so that it is listed once.
    void list(const files::ResourceSettings& own, const files::Place& place, const std::stop_token& stop, files::ResourceReader& reader) {
        std::vector<const files::ResourceSettings*> resources{&own};
        const std::string key = place_of(own);
        for (const files::ResourceSettings& other : settings_) {
            const bool is_later = &other > &own && place_of(other) == key;
            if (is_later && place.can_share_listing(other)) resources.push_back(&other);
        }
        for (std::size_t i = 1; i < resources.size(); ++i) listed_[resources[i]->name];
        const std::set<std::size_t> failed = place.list(resources, stop, [&](std::size_t index, const io::ObjectInfo& file) {
            if (index == 0) {
                reader.offer(file);
            } else {
                listed_.at(resources[index]->name).add(file);
            }
        });
        // What is wrong with them is said when they are read.
        for (const std::size_t index : failed) listed_.erase(resources[index]->name);
    }

    const files::ResourceSettings& require(const std::string& resource) const {
        const auto found = std::find_if(settings_.begin(), settings_.end(), [&](const files::ResourceSettings& settings) { return settings.name == resource; });
        TIPPLE_ASSERT(found != settings_.end());
        return *found;
    }

    std::unique_ptr<io::FileSystem> files_;
    Log log_;
    std::vector<files::ResourceSettings> settings_;
    std::map<std::string, std::unique_ptr<files::Place>> places_;  ///< by files::store_of
    std::map<std::string, files::FileList> listed_;                ///< by resource: those that were listed before they are read
};

}  // namespace

extract::SourceEntry files_source() {
    return {.name = "files",
            .summary = "Files of this machine and of object stores: JSON lines, JSON, CSV, TSV and Parquet, also compressed.",
            .options = files::source_option_specs(),
            .resource_options = files::resource_option_specs(),
            .folder_schemes = {"s3", "s3a", "s3n", "gs", "gcs", "http", "https", "file"},
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<FilesSource>(context);
            }};
}

}  // namespace tipple::sources
