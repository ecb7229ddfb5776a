#include "tipple/project/endpoints.h"

#include <algorithm>
#include <map>

#include "tipple/config/secret.h"
#include "tipple/config/table_reader.h"
#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"
#include "tipple/io/glob.h"

namespace tipple::project {

using config::Node;
using config::Problems;

namespace {

/// Collects options out of a table, with names flattened and blocks opened.
class OptionCollector {
public:
    OptionCollector(const KnownOptions& known, const std::string& what, const Project& project, Problems& problems)
        : takes_any_(known.own == nullptr),
          specs_(known.own != nullptr ? *known.own : std::vector<config::OptionSpec>()),
          source_specs_(known.of_source != nullptr ? *known.of_source : std::vector<config::OptionSpec>()),
          what_(what),
          project_(project),
          problems_(problems) {}

    void add(const std::string& name, const Node& node, const std::vector<std::string>& others) {
        const config::OptionSpec* spec = find(name);
        const bool is_group = std::any_of(specs_.begin(), specs_.end(), [&](const config::OptionSpec& known) { return known.name.starts_with(name + "_"); });
        if (takes_any_) {
            options_.set(name, value_of(node, {}));
        } else if (spec == nullptr && !block_names(name).empty()) {
            add_block(name, node);
        } else if (spec == nullptr && node.is_table() && is_group) {
            for (const auto& [inner, member] : node.members) add(name + "_" + inner, member, {});
        } else if (spec == nullptr) {
            refuse(name, node, others);
        } else {
            set(*spec, node);
        }
    }

    config::Options take() { return std::move(options_); }

private:
    const config::OptionSpec* find(const std::string& name) const {
        const auto found = std::find_if(specs_.begin(), specs_.end(), [&](const config::OptionSpec& spec) { return spec.name == name; });
        return found == specs_.end() ? nullptr : &*found;
    }

    /// A table has each option once, but what stands in a block may stand beside it too.
    void set(const config::OptionSpec& spec, const Node& node) {
        const auto [first, is_first] = places_.emplace(spec.name, node.place);
        if (!is_first) {
            problems_.add(node.place, fmt::format("{} says {} twice, in the table {} and beside it ({} and {}); leave one of them out", what_, spec.name, spec.block,
                                                  first->second.text(), node.place.text()));
            return;
        }
        options_.set(spec.name, value_of(node, spec));
    }

    std::vector<std::string> block_names(const std::string& block) const {
        std::vector<std::string> names;
        for (const config::OptionSpec& spec : specs_) {
            if (spec.block == block) names.push_back(spec.name);
        }
        return names;
    }

    void add_block(const std::string& block, const Node& node) {
        const std::vector<std::string> names = block_names(block);
        if (!node.is_table()) {
            problems_.add(node.place, fmt::format("{}: \"{}\" must be a table of {}, not {}", what_, block, join(names, ", "), config::kind_name(node.kind)));
            return;
        }
        for (const auto& entry : node.members) {
            const std::string& name = entry.first;
            const Node& member = entry.second;
            const config::OptionSpec* spec = find(name);
            if (spec != nullptr && spec->block == block) {
                set(*spec, member);
                continue;
            }
            const auto renamed = std::find_if(specs_.begin(), specs_.end(), [&](const config::OptionSpec& known) { return known.block == block && known.reference_name == name; });
            problems_.add(member.place, fmt::format("{}: {} has no key \"{}\"; {}", what_, block, excerpt(name),
                                                    renamed != specs_.end() ? fmt::format("did you mean \"{}\"?", renamed->name) : suggestion(name, names)));
        }
    }

    std::string value_of(const Node& node, const config::OptionSpec& spec) const {
        if (node.is_scalar()) {
            const std::string text = config::scalar_text(node);
            return spec.kind == config::OptionKind::path ? project_.in_folder(text) : text;
        }
        const bool is_texts = node.is_list() && std::all_of(node.items.begin(), node.items.end(), [](const Node& item) { return item.kind == Node::Kind::text; });
        if (!is_texts) return json::to_text(config::to_json(node));
        std::vector<std::string> lines;
        for (const Node& item : node.items) lines.push_back(item.value.as_text());
        return join(lines, "\n");
    }

    void refuse(const std::string& name, const Node& node, const std::vector<std::string>& others) {
        if (std::any_of(source_specs_.begin(), source_specs_.end(), [&](const config::OptionSpec& spec) { return spec.name == name || spec.block == name; })) {
            problems_.add(node.place, fmt::format("{} has no key \"{}\": it is one of the source, for all that is read of it, so move it there", what_, name));
            return;
        }
        std::vector<std::string> known = others;
        for (const config::OptionSpec& spec : specs_) {
            for (const std::string& key : {spec.name, spec.block}) {
                if (!key.empty() && std::find(known.begin(), known.end(), key) == known.end()) known.push_back(key);
            }
        }
        problems_.add(node.place, fmt::format("{} has no key \"{}\"; {}", what_, excerpt(name),
                                              suggestion(name, known)));
    }

    bool takes_any_;
    std::vector<config::OptionSpec> specs_;
    std::vector<config::OptionSpec> source_specs_;
    const std::string& what_;
    const Project& project_;
    Problems& problems_;
    config::Options options_;
    std::map<std::string, config::Place> places_;  ///< of the options
};

/// The entry that `type` names.
template <typename Entry, typename Registry>
const Entry* find_type(const std::string& type, const Registry& registry, config::TableReader& reader, const char* kind) {
    if (const Entry* entry = registry.find(type)) return entry;
    std::vector<std::string> known;
    for (const Entry& entry : registry.entries()) known.push_back(entry.name);
    reader.problem("type", fmt::format("there is no kind of {} \"{}\"; {}", kind, excerpt(type),
                                       suggestion(type, known)));
    return nullptr;
}

/// Paths in what a URL or path said start at the project's folder.
void place_paths(config::Options& options, const std::vector<config::OptionSpec>& specs, const Project& project) {
    for (const config::OptionSpec& spec : specs) {
        const std::optional<std::string> value = options.find(spec.name);
        if (spec.kind == config::OptionKind::path && value) options.set(spec.name, project.in_folder(*value));
    }
}

/// Throws Error(usage).
DestinationChoice destination_of_uri(const std::string& uri, const Project& project, const destination::Registry& registry) {
    DestinationChoice choice{.entry = &registry.require_for(uri), .options = {}};
    choice.options = choice.entry->parse(uri);
    place_paths(choice.options, choice.entry->options, project);
    return choice;
}

std::string unknown_destination(const std::string& text, const Project& project, const std::string& reason) {
    const std::vector<std::string> known = project.connections();
    const std::optional<std::string> near = did_you_mean(text, known);
    return fmt::format("destination \"{}\" is no connection of {}{}, and no path or URL: {}", config::mask_url(text), project.path(),
                       near ? fmt::format(" (did you mean \"{}\"?)", *near) : "", reason);
}

/// Whether files below that URL are read by the kind of source.
bool takes_folder(const extract::SourceEntry& entry, const std::string& uri) {
    return std::any_of(entry.folder_schemes.begin(), entry.folder_schemes.end(), [&](const std::string& scheme) { return lower(uri).starts_with(scheme + "://"); });
}

const std::vector<std::string> endpoint_keys = {"uri", "type"};

/// A path or pattern of files, as opposed to a name.
bool looks_like_path(const std::string& text) { return text.find_first_of("/.") != std::string::npos || io::has_wildcards(text); }

SourceChoice source_of_files(const std::string& paths, const Project& project, const extract::Registry& registry) {
    SourceChoice choice{.entry = registry.find("files"), .context = {}};
    choice.context.options.set("paths", paths);
    choice.context.options.set("folder", project.folder());
    return choice;
}

bool has_option(const extract::SourceEntry& entry, std::string_view name) {
    return std::any_of(entry.options.begin(), entry.options.end(), [&](const config::OptionSpec& option) { return option.name == name; });
}

/// What every use of the source in this project says.
SourceChoice source_of_entry(const extract::SourceEntry& entry, const Project& project) {
    SourceChoice choice{.entry = &entry, .context = {}};
    if (has_option(entry, "folder")) choice.context.options.set("folder", project.folder());
    return choice;
}

/// Of a source that reads the URL or file itself.
SourceChoice source_of_place(const extract::SourceEntry& entry, const std::string& place, const Project& project) {
    SourceChoice choice = source_of_entry(entry, project);
    choice.context.options.set("uri", place);
    return choice;
}

SourceChoice source_of_text(const std::string& text, const Node& node, const std::string& what, const Project& project, const extract::Registry& registry,
                            Problems& problems) {
    if (const extract::SourceEntry* entry = registry.find(text)) return source_of_entry(*entry, project);
    if (const extract::SourceEntry* entry = registry.find_for(text)) return source_of_place(*entry, text, project);
    if (looks_like_path(text) && text.find("://") == std::string::npos) return source_of_files(text, project, registry);
    std::vector<std::string> known = project.connections();
    for (const extract::SourceEntry& entry : registry.entries()) known.push_back(entry.name);
    problems.add(node.place, fmt::format("{}: \"{}\" is neither a connection, nor a source, nor a path; {}", what, config::mask_url(text),
                                         suggestion(text, known)));
    return {};
}

}  // namespace

config::Options read_options(const Node& table, const std::vector<std::string>& hints, const KnownOptions& known, const std::string& what, const Project& project,
                             Problems& problems) {
    OptionCollector collector(known, what, project, problems);
    for (const auto& [name, member] : table.members) {
        if (std::find(hints.begin(), hints.end(), name) == hints.end()) collector.add(name, member, hints);
    }
    return collector.take();
}

namespace {

/// Sets what is not set yet. `writer`: of the URL, where there is one, which leaves nothing open that it says.
void fill_options(config::Options& options, const std::vector<config::OptionSpec>& specs, const std::optional<std::string>& url, UrlWriter writer, const OtherSettings& others) {
    for (const config::OptionSpec& spec : specs) {
        if (options.find(spec.name) || (url && is_said_by_url(*url, writer, spec.name))) continue;
        if (const std::optional<OtherSetting> found = find_other(others, spec)) options.set(spec.name, found->value);
    }
}

/// dlt's URL of the destination, where it is one of the type that the table says, if it says any.
std::optional<std::string> url_of_dlt(const destination::DestinationEntry* type, const destination::Registry& registry, const OtherSettings& others) {
    std::optional<OtherSetting> found = others(credentials_key, config::OptionKind::secret);
    if (!found) return std::nullopt;
    if (type != nullptr && &registry.require_for(found->value) != type) return std::nullopt;
    return std::move(found->value);
}

}  // namespace

void fill_source(SourceChoice& source, const Node& node, const std::vector<OtherSettings>& others, const Project& project) {
    config::Options& options = source.context.options;
    const UrlWriter writer = options.find("uri") ? UrlWriter::project : UrlWriter::dlt;
    for (const OtherSettings& settings : others) {
        if (has_option(*source.entry, "uri") && !options.find("uri")) {
            if (const std::optional<OtherSetting> url = settings(credentials_key, config::OptionKind::secret)) options.set("uri", url->value);
        }
        fill_options(options, source.entry->options, options.find("uri"), writer, settings);
        // Its folder is the project's where nobody says another one.
        if (source.entry->name == "files" && node.is_table() && node.find("uri") == nullptr && node.find("folder") == nullptr) {
            if (const std::optional<OtherSetting> url = settings("bucket_url", config::OptionKind::text)) options.set("folder", project.in_folder(url->value));
        }
    }
}

DestinationChoice read_destination(const Node& node, const std::string& what, const Project& project, const destination::Registry& registry,
                                   const OtherSettings& others, Problems& problems) {
    try {
        if (node.kind == Node::Kind::text) return destination_of_uri(node.value.as_text(), project, registry);
    } catch (const Error& error) {
        problems.add(node.place, what + ": " + unknown_destination(node.value.as_text(), project, error.what()));
        return {};
    }
    config::TableReader reader(node, what, problems);
    std::optional<std::string> uri = reader.text("uri");
    const std::optional<std::string> type = reader.text("type");
    DestinationChoice choice;
    if (type) choice.entry = find_type<destination::DestinationEntry>(*type, registry, reader, "destination");
    try {
        const bool is_said = uri.has_value();
        if (!is_said && (!type || choice.entry != nullptr)) uri = url_of_dlt(choice.entry, registry, others);
        if (!uri && !type && node.is_table()) reader.problem("uri", "\"uri\" is missing, or \"type\" and the options of that kind of destination");
        if (uri) {
            DestinationChoice named = destination_of_uri(*uri, project, registry);
            if (choice.entry == nullptr) choice.entry = named.entry;
            choice.options = std::move(named.options);
        }
        if (choice.entry == nullptr) return {};
        const config::Options own = read_options(node, endpoint_keys, {.own = &choice.entry->options}, what, project, problems);
        for (const auto& [name, value] : own.values()) choice.options.set(name, value);
        fill_options(choice.options, choice.entry->options, uri, is_said ? UrlWriter::project : UrlWriter::dlt, others);
        choice.options = config::check_options(choice.options, choice.entry->options, what);
    } catch (const Error& error) {
        reader.problem("uri", error.what());
    }
    return choice;
}

SourceChoice read_source(const Node& node, const std::string& what, const Project& project, const extract::Registry& registry, Problems& problems) {
    if (node.kind == Node::Kind::text) {
        const std::string& text = node.value.as_text();
        if (!project.has_connection(text)) return source_of_text(text, node, what, project, registry, problems);
        const Node connection = project.resolved({"connection", text}, problems);
        return read_source(connection, fmt::format("connection \"{}\"", text), project, registry, problems);
    }
    config::TableReader reader(node, what, problems);
    const std::optional<std::string> uri = reader.text("uri");
    const std::optional<std::string> type = reader.text("type");
    if (!uri && !type && node.is_table()) reader.problem("type", "\"type\" is missing, or \"uri\": a folder of files");
    const extract::SourceEntry* reads_place = uri ? registry.find_for(*uri) : nullptr;
    SourceChoice choice;
    if (type) {
        choice.entry = find_type<extract::SourceEntry>(*type, registry, reader, "source");
    } else if (uri) {
        choice.entry = reads_place != nullptr ? reads_place : registry.find("files");
    }
    if (choice.entry == nullptr) return choice;
    const bool takes_uri = has_option(*choice.entry, "uri");
    if (uri && !takes_uri && uri->find("://") != std::string::npos && !takes_folder(*choice.entry, *uri)) {
        reader.problem("uri", fmt::format("no source reads \"{}\"; a folder of this machine can be read, or of an object store: s3://bucket/prefix", config::mask_url(*uri)));
        return {};
    }
    choice = source_of_entry(*choice.entry, project);
    if (uri) choice.context.options.set(takes_uri ? "uri" : "folder", takes_uri ? *uri : project.in_folder(*uri));
    const extract::SourceEntry& entry = *choice.entry;
    const config::Options own = read_options(node, endpoint_keys, {.own = entry.takes_any_option ? nullptr : &entry.options}, what, project, problems);
    for (const auto& [option, value] : own.values()) choice.context.options.set(option, value);
    choice.context.settings = node;
    return choice;
}

}  // namespace tipple::project
