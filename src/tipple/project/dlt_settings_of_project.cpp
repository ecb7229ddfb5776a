#include "tipple/project/endpoints.h"
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
};

std::optional<DltSetting> look_up(const OtherSettings& others, const Wanted& wanted, const std::string& name) {
    config::OptionSpec spec{.name = name, .summary = {}};
    if (name == "uri") {
        spec = {.name = credentials_key, .summary = {}, .kind = config::OptionKind::secret};
    } else if (name == "dataset") {
        spec.name = "dataset_name";
    } else {
        if (wanted.options == nullptr) return std::nullopt;
        const auto found = std::find_if(wanted.options->begin(), wanted.options->end(), [&](const config::OptionSpec& option) { return option.name == name; });
        if (found == wanted.options->end()) return std::nullopt;
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
        for (const OtherSettings& others : dlt_settings_of_source(*files_, *this, entry->name, path[1])) {
            std::optional<DltSetting> found = look_up(others, wanted, path.back());
            if (found && (list.empty() || list.back().key != found->key)) list.push_back(*std::move(found));
        }
    }
    // Beside a URL of dlt's, which counts where the project has none, its single fields do not.
    std::vector<std::string> own_uri = path;
    own_uri.back() = "uri";
    const std::string& name = path.back();
    const bool may_be_in_url = !wanted.last_section.empty() && name != "uri" && name != "password" && config::find_path(document_, own_uri) == nullptr;
    for (const std::string& scope : scopes) {
        const OtherSettings others = dlt_settings_of(*files_, *this, wanted.sections, wanted.last_section, scope);
        if (may_be_in_url && look_up(others, wanted, "uri")) continue;
        std::optional<DltSetting> found = look_up(others, wanted, name);
        if (!found || (!list.empty() && list.front().key == found->key)) continue;
        if (path[0] == "connection") found->pipeline = scope;
        list.push_back(*std::move(found));
    }
    return list;
}

}  // namespace tipple::project
