#include "tipple/project/dlt_lookup.h"
#include "tipple/project/project.h"

#include <algorithm>

namespace tipple::project {

using config::Node;
using config::Problems;

namespace {

/// What a setting is looked up as.
struct Wanted {
    const std::vector<config::OptionSpec>* options = nullptr;  ///< nullptr = there are none
    std::vector<std::string> sections;
    std::string last_section;
    bool is_files = false;  ///< the source that reads files below a URL
};

/// `own_url`: the project's; nothing = dlt's counts, where there is one.
bool is_said_by_a_url(const OtherSettings& others, const std::optional<std::string>& own_url, const std::string& name) {
    if (own_url) return is_said_by_url(*own_url, UrlWriter::project, name);
    const std::optional<OtherSetting> url = others(credentials_key, config::OptionKind::secret);
    return url && !url->is_of_parts && is_said_by_url(url->value, UrlWriter::dlt, name);
}

std::optional<DltSetting> look_up(const OtherSettings& others, const Wanted& wanted, const std::string& name, const std::optional<std::string>& own_url) {
    config::OptionSpec spec{.name = name, .summary = {}};
    if (wanted.is_files && (name == "uri" || name == "folder")) {
        spec.name = "bucket_url";
    } else if (name == "uri") {
        spec = {.name = credentials_key, .summary = {}, .kind = config::OptionKind::secret};
    } else if (name == "dataset") {
        spec.name = "dataset_name";
    } else {
        if (wanted.options == nullptr) return std::nullopt;
        const auto found = std::find_if(wanted.options->begin(), wanted.options->end(), [&](const config::OptionSpec& option) { return option.name == name; });
        if (found == wanted.options->end() || is_said_by_a_url(others, own_url, name)) return std::nullopt;
        spec = *found;
    }
    std::optional<OtherSetting> found = find_other(others, spec);
    if (!found) return std::nullopt;
    return DltSetting{.value = std::move(found->value), .is_secret = spec.kind == config::OptionKind::secret, .place = std::move(found->place), .key = std::move(found->key), .pipeline = {}};
}

}  // namespace

std::vector<DltSetting> Project::dlt_settings(const std::vector<std::string>& path, const Registries& registries) const {
    Problems ignored;
    Wanted wanted;
    std::vector<std::string> scopes;
    std::vector<DltSetting> list;
    std::vector<std::string> uri = path;
    uri.back() = "uri";
    const Node own = resolved(uri, ignored);
    const std::optional<std::string> own_url = own.kind == Node::Kind::text ? std::optional(own.value.as_text()) : std::nullopt;
    if (path.size() == 3 && path[0] == "connection" && has_connection(path[1])) {
        const DestinationChoice choice = connection(path[1], registries.destinations, ignored);
        wanted = {.options = choice.entry != nullptr ? &choice.entry->options : nullptr, .sections = {"destination", path[1]}, .last_section = credentials_key};
        scopes.emplace_back();
        for (const std::string& pipeline : pipelines()) {
            const Node destination = resolved({"pipeline", pipeline, "destination"}, ignored);
            if (destination.kind == Node::Kind::text && destination.value.as_text() == path[1]) scopes.push_back(pipeline);
        }
    } else if (path.size() == 3 && path[0] == "pipeline" && has_pipeline(path[1]) && path[2] == "dataset") {
        wanted = {.sections = {"pipelines", path[1]}, .last_section = {}};
        scopes.push_back(path[1]);
    } else if (path.size() == 4 && path[0] == "pipeline" && has_pipeline(path[1]) && path[2] == "destination") {
        const DestinationChoice choice = destination_of(path[1], registries.destinations, ignored);
        wanted = {.options = choice.entry != nullptr ? &choice.entry->options : nullptr,
                  .sections = dlt_sections_of(resolved({"pipeline", path[1], "destination"}, ignored)),
                  .last_section = credentials_key};
        scopes.push_back(path[1]);
    } else if (path.size() == 4 && path[0] == "pipeline" && has_pipeline(path[1]) && path[2] == "source") {
        const extract::SourceEntry* entry = pipeline(path[1], registries, ignored).source.entry;
        if (entry == nullptr) return {};
        wanted.options = &entry->options;
        wanted.is_files = entry->name == "files";
        for (const OtherSettings& others : dlt_settings_of_source(*files_, *this, entry->name, path[1])) {
            std::optional<DltSetting> found = look_up(others, wanted, path.back(), own_url);
            if (found && (list.empty() || list.back().key != found->key)) list.push_back(*std::move(found));
        }
    }
    for (const std::string& scope : scopes) {
        std::optional<DltSetting> found = look_up(dlt_settings_of(*files_, *this, wanted.sections, wanted.last_section, scope), wanted, path.back(), own_url);
        if (!found || (!list.empty() && list.front().key == found->key)) continue;
        if (path[0] == "connection") found->pipeline = scope;
        list.push_back(*std::move(found));
    }
    return list;
}

}  // namespace tipple::project
