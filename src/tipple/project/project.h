#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/config/dlt_settings.h"
#include "tipple/config/node.h"
#include "tipple/config/option_spec.h"
#include "tipple/config/settings.h"
#include "tipple/destination/destination.h"
#include "tipple/io/file_system.h"
#include "tipple/pipeline/options.h"
#include "tipple/source/hinted_source.h"

/// The project file: connections and pipelines by name, so that `tipple run shop` knows what to do.
namespace tipple::project {

inline constexpr std::string_view file_name = "tipple.toml";
/// Beside it; never to be committed.
inline constexpr std::string_view secrets_file_name = ".tipple/secrets.toml";

/// Where the project is looked for, and what goes on top of it.
struct ProjectOptions {
    /// The file itself; empty = it is looked for in `folder` and those above it.
    std::string file;
    /// Empty = the working folder.
    std::string folder;
    /// Empty = none.
    std::string profile;
    /// `KEY=VALUE`, in the order in which they were given.
    std::vector<std::string> assignments;
    config::Environment environment;
    /// Where dlt keeps settings for all projects of this user; empty = nowhere.
    std::string dlt_folder = {};
    /// Where secrets are mounted, a file each; empty = nowhere.
    std::string secrets_folder = {};
};

/// A destination that somebody has named, as it is to be made.
struct DestinationChoice {
    const destination::DestinationEntry* entry = nullptr;
    config::Options options;
};
/// The same of a source.
struct SourceChoice {
    const extract::SourceEntry* entry = nullptr;
    extract::SourceContext context;
};

/// One pipeline, read and checked. Registries outlive it.
struct PipelineDefinition {
    std::string name;
    std::string description;
    SourceChoice source;
    DestinationChoice destination;
    extract::SourceHints hints;
    /// Without folder and version, which are the program's.
    pipeline::PipelineConfig config;
    std::optional<std::size_t> workers;
    std::optional<std::size_t> memory_bytes;
    std::optional<double> lock_timeout_seconds;
    pipeline::RunOptions options;
};

/// A setting that a dlt project beside this one has.
struct DltSetting {
    std::string value;
    bool is_secret = false;
    config::Place place;
    std::string key;       ///< its name there
    std::string pipeline;  ///< the only pipeline that it holds for; empty = all
};

/// The kinds of sources and destinations there are.
struct Registries {
    const extract::Registry& sources;
    const destination::Registry& destinations;
};

/// A project file with everything on top of it: profile, environment, flags. Its parts are checked when they are asked for, so that a secret that is
/// missing is told to whoever needs it.
class Project {
public:
    /// Nothing when there is no project file. Throws Error(usage) for one that was named and is not there, that is not TOML, or has tables that
    /// are unknown.
    static std::optional<Project> find(io::FileSystem& files, const ProjectOptions& options);

    /// Its path, as the user would name it, and its folder.
    const std::string& path() const { return path_; }
    const std::string& folder() const { return folder_; }
    std::vector<std::string> pipelines() const { return names_of("pipeline"); }
    std::vector<std::string> connections() const { return names_of("connection"); }
    bool has_pipeline(std::string_view name) const { return find_in("pipeline", name) != nullptr; }
    bool has_connection(std::string_view name) const { return find_in("connection", name) != nullptr; }

    /// What is wrong with it goes to `problems`; it is then not complete.
    PipelineDefinition pipeline(const std::string& name, const Registries& registries, config::Problems& problems) const;
    /// The same without source, resources, destination and run options, whose references are left alone: what looking at its loads takes. `name` is a
    /// pipeline of the project.
    PipelineDefinition settings_of(const std::string& name, config::Problems& problems) const;
    /// The destination of a connection.
    DestinationChoice connection(const std::string& name, const destination::Registry& registry, config::Problems& problems) const;
    /// Only the destination and dataset of a pipeline: what looking at its data takes.
    DestinationChoice destination_of(const std::string& pipeline, const destination::Registry& registry, config::Problems& problems) const;
    std::string dataset_of(const std::string& pipeline) const;

    /// What dlt's files and variables say of a setting that the project leaves open, `path` being its keys, such as connection, warehouse, host.
    std::vector<DltSetting> dlt_settings(const std::vector<std::string>& path, const Registries& registries) const;

    /// All settings, with references as they were written.
    const config::Node& document() const { return document_; }
    /// What is shown of a secret is up to whoever asks.
    const config::Node& secrets() const { return secrets_; }
    const std::string& secrets_path() const { return secrets_path_; }
    bool has_secrets() const { return has_secrets_; }
    const config::Environment& environment() const { return environment_; }
    /// Where dlt would look.
    const config::DltPlaces& dlt_places() const { return dlt_places_; }
    /// A setting with its references replaced.
    config::Node resolved(const std::vector<std::string>& path, config::Problems& problems) const;
    /// The path as seen from the project's folder; absolute ones, and URLs, as they are.
    std::string in_folder(const std::string& path) const;

private:
    explicit Project(io::FileSystem& files) : files_(&files) {}
    void read(const std::string& path, const ProjectOptions& options);
    void read_secrets();
    config::Node resolve(const config::Node& node, const std::vector<std::string>& path, config::Problems& problems) const;
    DestinationChoice connection_of(const std::string& name, const std::string& pipeline, const destination::Registry& registry, config::Problems& problems) const;
    const config::Node* find_in(std::string_view table, std::string_view name) const;
    std::vector<std::string> names_of(std::string_view table) const;

    io::FileSystem* files_;
    std::string path_;
    std::string folder_;
    std::string secrets_path_;
    bool has_secrets_ = false;
    config::Node document_;
    config::Node secrets_;
    config::Environment environment_;
    config::DltPlaces dlt_places_;
};

}  // namespace tipple::project
