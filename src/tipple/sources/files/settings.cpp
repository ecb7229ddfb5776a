#include "tipple/sources/files/settings.h"

#include <algorithm>
#include <string_view>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/file_system.h"
#include "tipple/sources/data_format.h"
#include "tipple/store/open_store.h"

namespace tipple::sources::files {

namespace {

std::string in_folder(const config::Options& options, const std::string& pattern) {
    const std::string folder = options.find("folder").value_or("");
    const bool is_whole = folder.empty() || store::is_store_url(pattern) || (pattern.starts_with('/') && !store::is_store_url(folder));
    return is_whole ? pattern : io::join_path(folder, pattern);
}

template <typename Choice>
Choice choice_of(const config::Options& options, const char* name, const std::vector<std::pair<std::string, Choice>>& choices, Choice otherwise) {
    const std::optional<std::string> text = options.find(name);
    if (!text) return otherwise;
    std::vector<std::string> known;
    for (const auto& [key, value] : choices) {
        if (key == *text) return value;
        known.push_back(key);
    }
    const std::optional<std::string> near = did_you_mean(*text, known);
    throw Error(ErrorKind::usage, "{} is one of {}, not \"{}\"{}", name, join(known, ", "), excerpt(*text), near ? fmt::format("; did you mean \"{}\"?", *near) : "");
}

/// A number, or a size such as 10MiB.
std::optional<std::uint64_t> count_of(const config::Options& options, const char* name) {
    const std::optional<std::string> text = options.find(name);
    if (!text) return std::nullopt;
    const std::optional<std::uint64_t> count = parse_size(*text);
    if (!count || *count == 0) throw Error(ErrorKind::usage, "{} must be more than zero, not \"{}\"", name, excerpt(*text));
    return count;
}

/// All but where the files are.
ResourceSettings parse_options(const config::Options& options, Remembers by_default, OnChange on_change) {
    ResourceSettings settings{.content = parse_content_options(options)};
    settings.remembers = choice_of<Remembers>(options, "state", {{"ledger", Remembers::ledger}, {"watermark", Remembers::watermark}, {"none", Remembers::nothing}}, by_default);
    settings.on_change = choice_of<OnChange>(options, "on_change", {{"fail", OnChange::fail}, {"ignore", OnChange::ignore}, {"reload", OnChange::reload}, {"merge", OnChange::merge}}, on_change);
    settings.skips_bad_files = choice_of<bool>(options, "on_bad_file", {{"fail", false}, {"skip", true}}, false);
    settings.order = choice_of<Order>(options, "order", {{"name", Order::name}, {"modified", Order::modified}}, Order::name);
    settings.files_max = count_of(options, "max_files");
    settings.bytes_max = count_of(options, "max_bytes");
    // Rows of a file are found by it.
    if (settings.on_change == OnChange::reload) settings.content.origin.has_file = true;
    if (options.find("on_change") && settings.remembers != Remembers::ledger) {
        throw Error(ErrorKind::usage, "on_change needs state = \"ledger\": nothing else remembers what a file was like when it was loaded");
    }
    if ((settings.files_max || settings.bytes_max) && settings.remembers == Remembers::nothing) {
        throw Error(ErrorKind::usage, "max_files and max_bytes need state = \"ledger\" or \"watermark\": without it every run would read the same files again");
    }
    if (settings.remembers != Remembers::watermark) return settings;
    if (settings.skips_bad_files) {
        throw Error(ErrorKind::usage, "on_bad_file = \"skip\" cannot be with state = \"watermark\", which would move on past a file that was left out; use state = \"ledger\"");
    }
    if (settings.order == Order::name && options.find("order")) {
        throw Error(ErrorKind::usage, "order = \"name\" cannot be with state = \"watermark\": files that are older than one that was loaded would never be read");
    }
    settings.order = Order::modified;
    return settings;
}

std::vector<ResourceSettings> parse_paths(const config::Options& options) {
    std::vector<ResourceSettings> all;
    const std::string table = options.find("table").value_or("");
    const ResourceSettings common = parse_options(options, Remembers::nothing, OnChange::fail);
    for (const std::string& pattern : config::names_of(options.require("paths"))) {
        const std::string name = table.empty() ? file_stem(pattern) : table;
        const auto known = std::find_if(all.begin(), all.end(), [&](const ResourceSettings& other) { return other.name == name; });
        ResourceSettings& resource = known != all.end() ? *known : all.emplace_back(common);
        resource.name = name;
        resource.patterns.push_back(in_folder(options, pattern));
    }
    return all;
}

bool has_disposition(const config::Node& settings, std::string_view name) {
    const config::Node* disposition = settings.find("disposition");
    return disposition != nullptr && disposition->kind == config::Node::Kind::text && disposition->value.as_text() == name;
}

/// A table that is replaced has what is there now; a cursor tells records apart, not files.
Remembers default_of(const config::Node& settings) {
    const bool is_replaced = has_disposition(settings, "replace");
    const bool is_snapshot = settings.find("delete_missing") != nullptr;
    return is_replaced || is_snapshot || settings.find("cursor") != nullptr ? Remembers::nothing : Remembers::ledger;
}

/// What the resource does not say, the source does.
ResourceSettings parse_resource(const extract::ResourceDefinition& resource, const config::Options& defaults) {
    config::Options options = defaults;
    for (const auto& [name, value] : resource.options.values()) options.set(name, value);
    ResourceSettings settings;
    try {
        const bool is_merged = has_disposition(resource.settings, "merge");
        settings = parse_options(options, default_of(resource.settings), is_merged ? OnChange::merge : OnChange::fail);
        if (settings.on_change == OnChange::merge && !is_merged) {
            throw Error(ErrorKind::usage, "on_change = \"merge\" is for resources with disposition = \"merge\"; here the rows of the file would be there twice");
        }
    } catch (const Error& error) {
        throw error.with_context(fmt::format("resource \"{}\"", resource.name));
    }
    settings.name = resource.name;
    settings.no_match = NoMatch::is_fine;
    for (const char* option : {"glob", "paths"}) {
        for (const std::string& pattern : config::names_of(resource.options.find(option).value_or(""))) settings.patterns.push_back(in_folder(defaults, pattern));
    }
    if (settings.patterns.empty()) {
        throw Error(ErrorKind::usage, "resource \"{}\" of source \"files\" does not say which files it reads; give glob = \"data/*.jsonl\", or paths", resource.name);
    }
    return settings;
}

/// Of the source, and of each resource.
std::vector<config::OptionSpec> common_option_specs() {
    using config::OptionKind;
    std::vector<config::OptionSpec> options = content_option_specs();
    options.push_back({.name = "state", .summary = "ledger: each file is loaded once; watermark: files later than the last one, as dlt does it; none: all files in each run. "
                                                   "In a project ledger, for resources with disposition append or merge and no cursor; else none."});
    options.push_back({.name = "on_change", .summary = "A file that has changed since it was loaded: fail, ignore, reload, which puts its new rows in the place of the old ones, or merge, "
                                                       "which reads it again; merge for resources with disposition merge, else fail."});
    options.push_back({.name = "on_bad_file", .summary = "A file that cannot be read to its end: fail, or skip, which leaves it out and tries it again in the next run; fail when not "
                                                         "given."});
    options.push_back({.name = "order", .summary = "In which files are read: name, or modified (oldest first); name when not given."});
    options.push_back({.name = "max_files", .summary = "Files that one run reads at most.", .kind = OptionKind::integer});
    options.push_back({.name = "max_bytes", .summary = "Bytes that one run reads at most; one file is always read.", .kind = OptionKind::size});
    return options;
}

}  // namespace

std::vector<ResourceSettings> parse_settings(const extract::SourceContext& context) {
    if (context.resources.empty()) return parse_paths(context.options);
    std::vector<ResourceSettings> all;
    for (const extract::ResourceDefinition& resource : context.resources) all.push_back(parse_resource(resource, context.options));
    return all;
}

std::vector<config::OptionSpec> source_option_specs() {
    std::vector<config::OptionSpec> options = common_option_specs();
    options.push_back({.name = "paths", .summary = "Paths and patterns (*, ?, **), one per line; not needed where resources have their own."});
    options.push_back({.name = "table", .summary = "Table for all of them; the file's name without endings when not given."});
    options.push_back({.name = "folder", .summary = "Where relative paths start: a folder, or a URL such as s3://bucket/prefix; the working folder, or that of the project file, when "
                                                    "not given.",
                       .kind = config::OptionKind::path});
    for (config::OptionSpec& option : store::option_specs()) options.push_back(std::move(option));
    return options;
}

std::vector<config::OptionSpec> resource_option_specs() {
    std::vector<config::OptionSpec> options = common_option_specs();
    // What a resource does not say is said by the source.
    for (config::OptionSpec& option : options) option.default_value.clear();
    options.push_back({.name = "glob", .summary = "Patterns of paths (*, ?, **), one per line."});
    options.push_back({.name = "paths", .summary = "The same."});
    return options;
}

}  // namespace tipple::sources::files
