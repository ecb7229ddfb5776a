#include "tipple/api/source.h"

#include <algorithm>

#include "tipple/core/text.h"
#include "tipple/schema/column_hint.h"

namespace tipple {

Resource& Resource::write_disposition(Disposition disposition) {
    definition_.spec.disposition = disposition;
    return *this;
}

Resource& Resource::merge(MergeOptions options) {
    definition_.spec.merge = std::move(options);
    return write_disposition(Disposition::merge);
}

Resource& Resource::primary_key(Names names) {
    definition_.spec.primary_key = std::move(names).take();
    return *this;
}

Resource& Resource::merge_key(Names names) {
    definition_.spec.merge_key = std::move(names).take();
    return *this;
}

Resource& Resource::incremental(std::string cursor_path, IncrementalOptions options) {
    options.cursor_path = std::move(cursor_path);
    definition_.spec.incremental = std::move(options);
    return *this;
}

Resource& Resource::columns(const std::vector<std::string>& hints) {
    for (const std::string& text : hints) schema::add_column_hint(schema::parse_column_hint(text), text, definition_.spec.columns, definition_.spec.nested);
    return *this;
}

Resource& Resource::schema_contract(json::Value contract) {
    definition_.spec.schema_contract = std::move(contract);
    return *this;
}

Resource& Resource::delete_missing(DeleteMissing options) {
    definition_.spec.delete_missing = std::move(options);
    return *this;
}

Resource& Resource::max_nesting(int levels) {
    definition_.spec.max_nesting = levels;
    return *this;
}

Resource& Resource::table(std::string name) {
    definition_.spec.table = std::move(name);
    return *this;
}

Resource& Resource::table_by(std::string field, std::string prefix) {
    definition_.spec.table_by = schema::TableByField{.field = std::move(field), .prefix = std::move(prefix)};
    return *this;
}

Resource& Resource::table_by(std::function<std::string(const Record&)> choose) {
    definition_.table_of = std::move(choose);
    return *this;
}

Resource& Resource::checkpoint(Checkpoint every) {
    definition_.spec.checkpoint = every;
    return *this;
}

Resource& Resource::limit(std::uint64_t pages) {
    definition_.spec.limit = pages;
    return *this;
}

Resource& Resource::parallel() {
    definition_.is_parallel = true;
    return *this;
}

Resource& Resource::map(std::function<void(Record&)> change) {
    definition_.steps.emplace_back([change = std::move(change)](Records& records) { std::for_each(records.begin(), records.end(), change); });
    return *this;
}

Resource& Resource::filter(std::function<bool(const Record&)> is_wanted) {
    definition_.steps.emplace_back([is_wanted = std::move(is_wanted)](Records& records) { std::erase_if(records, std::not_fn(is_wanted)); });
    return *this;
}

Resource& Resource::expand(std::function<Records(Record)> expand) {
    definition_.steps.emplace_back([expand = std::move(expand)](Records& records) {
        Records all;
        for (Record& record : records) {
            Records some = expand(std::move(record));
            std::move(some.begin(), some.end(), std::back_inserter(all));
        }
        records = std::move(all);
    });
    return *this;
}

Resource& Resource::description(std::string text) {
    definition_.spec.table_hints.set("description", std::move(text));
    return *this;
}

Resource resource(std::string name, Generator generate) {
    ResourceDefinition definition;
    definition.spec.name = std::move(name);
    definition.generate = std::move(generate);
    return Resource(std::move(definition));
}

Resource transformer(std::string name, const Resource& parent, Transform transform) {
    return transformer(std::move(name), parent.name(), std::move(transform));
}

Resource transformer(std::string name, std::string parent, Transform transform) {
    ResourceDefinition definition;
    definition.spec.name = std::move(name);
    definition.transform = std::move(transform);
    definition.parent = std::move(parent);
    return Resource(std::move(definition));
}

Source::Source(std::string name, std::string description) : name_(std::move(name)), description_(std::move(description)) {}

Source source(std::string name, std::string description) { return Source(std::move(name), std::move(description)); }

const Resource* Source::find(std::string_view name) const {
    const auto found = std::find_if(resources_.begin(), resources_.end(), [&](const Resource& resource) { return resource.name() == name; });
    return found == resources_.end() ? nullptr : &*found;
}

Source& Source::add(Resource resource) {
    if (find(resource.name()) != nullptr) throw Error(ErrorKind::usage, "source \"{}\" has a resource \"{}\" already", name_, resource.name());
    const std::string& parent = resource.definition().parent;
    if (!parent.empty() && find(parent) == nullptr) {
        std::vector<std::string> names;
        for (const Resource& other : resources_) names.push_back(other.name());
        const std::optional<std::string> near = did_you_mean(parent, names);
        throw Error(ErrorKind::usage, "source \"{}\": \"{}\" transforms the records of \"{}\"{}, which must be added before it", name_, resource.name(), parent,
                    near ? fmt::format(" (did you mean \"{}\"?)", *near) : "");
    }
    if (!parent.empty() && resource.definition().is_parallel) {
        throw Error(ErrorKind::usage, "source \"{}\": \"{}\" transforms the records of \"{}\" and is read on its thread, so it cannot be parallel itself; make the resource parallel at which "
                                      "its parents begin",
                    name_, resource.name(), parent);
    }
    resources_.push_back(std::move(resource));
    return *this;
}

Source& Source::max_nesting(int levels) {
    for (Resource& resource : resources_) {
        if (!resource.definition().spec.max_nesting) resource.max_nesting(levels);
    }
    return *this;
}

}  // namespace tipple
