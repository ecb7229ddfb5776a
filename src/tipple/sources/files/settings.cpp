#include "tipple/sources/files/settings.h"

#include <algorithm>
#include <string_view>

#include "tipple/core/error.h"
#include "tipple/io/file_system.h"
#include "tipple/sources/data_format.h"

namespace tipple::sources::files {

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

std::string in_folder(const config::Options& options, const std::string& pattern) {
    const std::string folder = options.find("folder").value_or("");
    return folder.empty() || pattern.starts_with('/') ? pattern : io::join_path(folder, pattern);
}

std::vector<ResourceSettings> parse_paths(const config::Options& options) {
    std::vector<ResourceSettings> all;
    const std::string table = options.find("table").value_or("");
    const ContentOptions content = parse_content_options(options);
    for (const std::string& pattern : lines_of(options.require("paths"))) {
        const std::string name = table.empty() ? file_stem(pattern) : table;
        const auto known = std::find_if(all.begin(), all.end(), [&](const ResourceSettings& other) { return other.name == name; });
        ResourceSettings& resource = known != all.end() ? *known : all.emplace_back(ResourceSettings{.name = name, .content = content});
        resource.patterns.push_back(in_folder(options, pattern));
    }
    return all;
}

/// What the resource does not say, the source does.
ResourceSettings parse_resource(const extract::ResourceDefinition& resource, const config::Options& defaults) {
    config::Options options = defaults;
    for (const auto& [name, value] : resource.options.values()) options.set(name, value);
    ResourceSettings settings{.name = resource.name, .content = parse_content_options(options), .no_match = NoMatch::is_fine};
    for (const char* option : {"glob", "paths"}) {
        for (const std::string& pattern : lines_of(resource.options.find(option).value_or(""))) settings.patterns.push_back(in_folder(defaults, pattern));
    }
    if (settings.patterns.empty()) {
        throw Error(ErrorKind::usage, "resource \"{}\" of source \"files\" does not say which files it reads; give glob = \"data/*.jsonl\", or paths", resource.name);
    }
    return settings;
}

}  // namespace

std::vector<ResourceSettings> parse_settings(const extract::SourceContext& context) {
    if (context.resources.empty()) return parse_paths(context.options);
    std::vector<ResourceSettings> all;
    for (const extract::ResourceDefinition& resource : context.resources) all.push_back(parse_resource(resource, context.options));
    return all;
}

std::vector<config::OptionSpec> source_option_specs() {
    std::vector<config::OptionSpec> options = content_option_specs();
    options.push_back({.name = "paths", .summary = "Paths and patterns (*, ?, **), one per line; not needed where resources have their own."});
    options.push_back({.name = "table", .summary = "Table for all of them; the file's name without endings when not given."});
    options.push_back({.name = "folder", .summary = "Where relative paths start; the working folder, or that of the project file, when not given.", .kind = config::OptionKind::path});
    return options;
}

std::vector<config::OptionSpec> resource_option_specs() {
    std::vector<config::OptionSpec> options = content_option_specs();
    // What a resource does not say is said by the source.
    for (config::OptionSpec& option : options) option.default_value.clear();
    options.push_back({.name = "glob", .summary = "Patterns of paths (*, ?, **), one per line."});
    options.push_back({.name = "paths", .summary = "The same."});
    return options;
}

}  // namespace tipple::sources::files
