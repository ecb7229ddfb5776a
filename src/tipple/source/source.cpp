#include "tipple/source/source.h"

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::extract {

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
