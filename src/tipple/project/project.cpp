#include "tipple/project/project.h"

#include <algorithm>
#include <cctype>
#include <filesystem>

#include "tipple/config/references.h"
#include "tipple/config/table_reader.h"
#include "tipple/config/toml.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/project/endpoints.h"

namespace tipple::project {

using config::Node;
using config::Problems;

namespace {

/// Tables whose settings may come from variables of the environment.
const std::vector<std::string> variable_roots = {"connection", "pipeline"};

/// The nearest project file in `folder` and above it.
std::string find_upwards(io::FileSystem& files, const std::string& folder) {
    const std::string start = folder.empty() ? "." : folder;
    const std::string here = io::join_path(start, file_name);
    if (files.find(here) != nullptr) return folder.empty() ? std::string(file_name) : here;
    for (std::filesystem::path at = std::filesystem::absolute(start).lexically_normal(); at.has_relative_path();) {
        at = at.parent_path();
        const std::string path = (at / file_name).string();
        if (files.find(path) != nullptr) return path;
    }
    return {};
}

/// Names stand beside paths and URLs on the command line, and must not look like one.
bool is_name(std::string_view text) {
    return !text.empty() && std::all_of(text.begin(), text.end(), [](unsigned char c) { return std::isalnum(c) != 0 || c == '_' || c == '-'; });
}

void check_document(const Node& document, Problems& problems) {
    config::TableReader top(document, "a project file", problems);
    if (const Node* version = top.find("version"); version != nullptr && config::scalar_text(*version) != "1") {
        problems.add(version->place, "this version of tipple reads project files of version = 1 only");
    }
    for (const char* table : {"connection", "pipeline"}) {
        const Node* node = top.find(table);
        if (node == nullptr) continue;
        config::TableReader reader(*node, fmt::format("\"{}\"", table), problems);
        for (const auto& [name, member] : node->members) {
            if (!is_name(name)) problems.add(member.place, fmt::format("\"{}\" cannot be the name of a {}: letters, digits, _ and - can", excerpt(name), table));
        }
    }
    top.refuse_others();
}

}  // namespace

std::optional<Project> Project::find(io::FileSystem& files, const ProjectOptions& options) {
    std::string path = options.file;
    if (!options.file.empty() && files.find(options.file) == nullptr) throw Error(ErrorKind::usage, "there is no project file \"{}\"", options.file);
    if (!options.folder.empty() && files.find(options.folder) == nullptr) throw Error(ErrorKind::usage, "there is no folder \"{}\"", options.folder);
    if (path.empty()) path = find_upwards(files, options.folder);
    if (path.empty()) return std::nullopt;
    Project project(files);
    project.read(path, options);
    return project;
}

void Project::read(const std::string& path, const ProjectOptions& options) {
    path_ = path;
    folder_ = io::parent_folder(path);
    environment_ = options.environment;
    dlt_places_ = {.folder = folder_, .global_folder = options.dlt_folder, .secrets_folder = options.secrets_folder};
    document_ = config::parse_toml(files_->read_text(path), path);
    config::apply_profile(document_, options.profile);
    read_secrets();
    config::overlay_environment(document_, environment_, variable_roots);
    for (const std::string& assignment : options.assignments) config::overlay_assignment(document_, assignment, "--set");
    Problems problems;
    check_document(document_, problems);
    problems.throw_if_any();
}

void Project::read_secrets() {
    secrets_path_ = folder_ == "." ? std::string(secrets_file_name) : io::join_path(folder_, secrets_file_name);
    has_secrets_ = files_->find(secrets_path_) != nullptr;
    if (has_secrets_) secrets_ = config::parse_toml(files_->read_text(secrets_path_), secrets_path_);
}

const Node* Project::find_in(std::string_view table, std::string_view name) const {
    const Node* node = document_.find(table);
    return node != nullptr ? node->find(name) : nullptr;
}

std::vector<std::string> Project::names_of(std::string_view table) const {
    const Node* node = document_.find(table);
    return node != nullptr ? node->names() : std::vector<std::string>();
}

Node Project::resolved(const std::vector<std::string>& path, Problems& problems) const {
    const Node* node = config::find_path(document_, path);
    return node != nullptr ? resolve(*node, path, problems) : Node();
}

Node Project::resolve(const Node& node, const std::vector<std::string>& path, Problems& problems) const {
    const config::ReferenceContext context{.environment = environment_,
                                           .secrets = secrets_,
                                           .secrets_name = secrets_path_,
                                           .has_secrets_file = has_secrets_,
                                           .files = *files_,
                                           .folder = folder_};
    return config::resolve_references(node, path, context, problems);
}

std::string Project::in_folder(const std::string& path) const {
    if (path.empty() || path.starts_with('/') || folder_ == "." || path.find("://") != std::string::npos) return path;
    return io::join_path(folder_, path);
}

DestinationChoice Project::connection(const std::string& name, const destination::Registry& registry, Problems& problems) const {
    return connection_of(name, "", registry, problems);
}

DestinationChoice Project::connection_of(const std::string& name, const std::string& pipeline, const destination::Registry& registry, Problems& problems) const {
    const Node node = resolved({"connection", name}, problems);
    return read_destination(node, fmt::format("connection \"{}\"", name), *this, registry,
                            dlt_settings_of(*files_, *this, {"destination", name}, credentials_key, pipeline), problems);
}

DestinationChoice Project::destination_of(const std::string& pipeline, const destination::Registry& registry, Problems& problems) const {
    const std::string what = fmt::format("pipeline \"{}\"", pipeline);
    const Node* table = find_in("pipeline", pipeline);
    const Node* written = table->find("destination");
    if (written == nullptr) {
        problems.add(table->place, what + ": \"destination\" is missing; it is a connection, or a path such as \"shop.duckdb\"");
        return {};
    }
    const Node node = resolved({"pipeline", pipeline, "destination"}, problems);
    if (node.kind == Node::Kind::text && has_connection(node.value.as_text())) return connection_of(node.value.as_text(), pipeline, registry, problems);
    return read_destination(node, what, *this, registry, dlt_settings_of(*files_, *this, dlt_sections_of(node), credentials_key, pipeline), problems);
}

std::string Project::dataset_of(const std::string& pipeline) const {
    Problems ignored;
    const Node dataset = resolved({"pipeline", pipeline, "dataset"}, ignored);
    if (dataset.kind == Node::Kind::text) return dataset.value.as_text();
    const std::optional<OtherSetting> found = dlt_settings_of(*files_, *this, {"pipelines", pipeline}, "", pipeline)("dataset_name", config::OptionKind::text);
    return found ? found->value : pipeline;
}

}  // namespace tipple::project
