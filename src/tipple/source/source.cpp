#include "tipple/source/source.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::extract {

const json::Object* State::find_resource(std::string_view name) const {
    const json::Value* resources = source().find("resources");
    const json::Value* own = resources != nullptr && resources->is_object() ? resources->as_object().find(name) : nullptr;
    return own != nullptr && own->is_object() ? &own->as_object() : nullptr;
}

void Registry::add(SourceEntry entry) {
    TIPPLE_ASSERT(find(entry.name) == nullptr);
    entries_.push_back(std::move(entry));
}

const SourceEntry* Registry::find(std::string_view name) const {
    for (const SourceEntry& entry : entries_) {
        if (entry.name == name) return &entry;
    }
    return nullptr;
}

const SourceEntry* Registry::find_for(std::string_view place) const {
    const std::size_t scheme_end = place.find("://");
    const bool has_scheme = scheme_end != std::string_view::npos;
    const std::string scheme = has_scheme ? lower(place.substr(0, scheme_end)) : "";
    const std::string path = has_scheme ? "" : lower(place);
    for (const SourceEntry& entry : entries_) {
        const bool reads = has_scheme ? std::find(entry.schemes.begin(), entry.schemes.end(), scheme) != entry.schemes.end()
                                      : std::any_of(entry.endings.begin(), entry.endings.end(), [&](const std::string& ending) { return path.ends_with(ending); });
        if (reads) return &entry;
    }
    return nullptr;
}

std::unique_ptr<SourceDriver> Registry::make(std::string_view name, const SourceContext& context) const {
    const SourceEntry* entry = find(name);
    if (entry == nullptr) {
        std::vector<std::string> names;
        for (const SourceEntry& known : entries_) names.push_back(known.name);
        const std::optional<std::string> near = did_you_mean(name, names);
        throw Error(ErrorKind::usage, "unknown source \"{}\"{}; built in: {}", name,
                    near ? fmt::format(", did you mean \"{}\"?", *near) : "", join(names, ", "));
    }
    SourceContext checked = context;
    if (!entry->takes_any_option) checked.options = config::check_options(context.options, entry->options, fmt::format("source \"{}\"", name));
    for (ResourceDefinition& resource : checked.resources) {
        resource.options = config::check_options(resource.options, entry->resource_options, fmt::format("resource \"{}\" of source \"{}\"", resource.name, name));
    }
    return entry->make(checked);
}

}  // namespace tipple::extract
