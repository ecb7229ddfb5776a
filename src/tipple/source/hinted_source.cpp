#include "tipple/source/hinted_source.h"

#include <algorithm>
#include <map>

#include "tipple/core/error.h"
#include "tipple/core/names.h"
#include "tipple/core/text.h"

namespace tipple::extract {

namespace {

void set_range(const CursorRange& range, ResourceSpec& spec) {
    incremental::Spec& cursor = *spec.incremental;
    cursor.converts_bounds = true;
    if (!range.since.is_null()) {
        cursor.initial_value = range.since;
        cursor.begins_anew = range.until.is_null();
    }
    if (!range.until.is_null()) cursor.end_value = range.until;
}

/// What the source says of columns has the names before the steps; all else, the names after them.
void rename_by_steps(const std::vector<Step>& steps, ResourceSpec& spec) {
    const auto rename = [&](std::vector<schema::Column>& columns) {
        std::vector<schema::Column> left;
        for (const schema::Column& column : columns) {
            if (std::optional<std::string> name = name_after(steps, column.name())) left.emplace_back(*std::move(name), column.hints());
        }
        columns = std::move(left);
    };
    rename(spec.columns);
    rename(spec.declared);
    for (std::vector<std::string>* key : {&spec.primary_key, &spec.merge_key}) {
        std::vector<std::string> names;
        for (const std::string& name : *key) {
            if (std::optional<std::string> after = name_after(steps, name)) names.push_back(*std::move(after));
        }
        // What is left of a key does not tell records apart.
        if (names.size() < key->size()) names.clear();
        *key = std::move(names);
    }
}

class HintedSource final : public SourceDriver {
public:
    HintedSource(std::unique_ptr<SourceDriver> driver, SourceHints hints) : driver_(std::move(driver)), hints_(std::move(hints)) {}

    std::string name() const override { return driver_->name(); }
    std::string description() const override { return driver_->description(); }

    std::vector<ResourceSpec> resources(std::stop_token stop) override {
        std::vector<ResourceSpec> specs = driver_->resources(stop);
        check_names(specs);
        source_keys_.clear();
        for (ResourceSpec& spec : specs) {
            const ResourceHints* own = find(spec);
            source_keys_[spec.name] = spec.primary_key;
            apply_hints(own != nullptr ? *own : hints_.all, spec);
            check_merge(spec);
        }
        specs = in_order(std::move(specs));
        std::erase_if(specs, [&](const ResourceSpec& spec) {
            const ResourceHints* own = find(spec);
            return own != nullptr && !own->is_enabled;
        });
        if (!hints_.range.empty()) set_ranges(specs);
        return specs;
    }

    bool checks_definitions() const override { return driver_->checks_definitions(); }
    void begin(const std::vector<ResourceSpec>& resources, std::stop_token stop) override { driver_->begin(resources, std::move(stop)); }
    void finish() override { driver_->finish(); }
    void read(const ResourceSpec& resource, const ResourceContext& context, Output& out) override {
        if (resource.steps == nullptr) return driver_->read(resource, context, out);
        // Names of its own are what the source reads by.
        ResourceSpec own = resource;
        own.primary_key = source_keys_.at(resource.name);
        driver_->read(own, context, out);
    }
    std::string probe(const ResourceSpec& resource, const ProbeContext& context) override { return driver_->probe(resource, context); }

private:
    const ResourceHints* find(const ResourceSpec& spec) const {
        const std::string& name = spec.definition.empty() ? spec.name : spec.definition;
        const auto found = std::find_if(hints_.resources.begin(), hints_.resources.end(), [&](const ResourceHints& hints) { return hints.name == name; });
        return found == hints_.resources.end() ? nullptr : &*found;
    }

    void check_names(const std::vector<ResourceSpec>& specs) const {
        if (driver_->checks_definitions()) return;
        std::vector<std::string> known;
        for (const ResourceSpec& spec : specs) known.push_back(spec.name);
        for (const ResourceHints& hints : hints_.resources) {
            if (std::find(known.begin(), known.end(), hints.name) != known.end()) continue;
            throw Error(ErrorKind::usage, "source \"{}\" has no resource \"{}\"; {}", driver_->name(), hints.name,
                        suggestion(hints.name, known));
        }
    }

    /// Those that are read before others come before them; else the order stays as it is.
    std::vector<ResourceSpec> in_order(std::vector<ResourceSpec> specs) const {
        check_dependencies(specs);
        // A database may have thousands of tables.
        if (std::all_of(specs.begin(), specs.end(), [](const ResourceSpec& spec) { return spec.depends.empty(); })) return specs;
        std::vector<ResourceSpec> ordered;
        while (!specs.empty()) {
            const auto waits = [&](const ResourceSpec& spec) {
                return std::any_of(specs.begin(), specs.end(), [&](const ResourceSpec& other) { return depends_on(spec, other); });
            };
            const auto next = std::find_if_not(specs.begin(), specs.end(), waits);
            if (next == specs.end()) refuse_circle(specs);
            ordered.push_back(std::move(*next));
            specs.erase(next);
        }
        return ordered;
    }

    static bool depends_on(const ResourceSpec& spec, const ResourceSpec& other) {
        return std::any_of(spec.depends.begin(), spec.depends.end(), [&](const std::string& name) {
            return name == other.name || (!other.definition.empty() && name == other.definition);
        });
    }

    static std::string place_text(const std::string& place) { return place.empty() ? "" : place + ": "; }

    /// Those that the user names. What the source itself says may be of resources that are switched off.
    void check_dependencies(const std::vector<ResourceSpec>& specs) const {
        std::vector<std::string> known;
        for (const ResourceSpec& spec : specs) known.push_back(spec.name);
        for (const ResourceHints& hints : hints_.resources) {
            if (std::find(known.begin(), known.end(), hints.name) == known.end()) known.push_back(hints.name);
        }
        for (const ResourceHints& hints : hints_.resources) {
            for (const std::string& name : hints.depends) {
                if (std::find(known.begin(), known.end(), name) != known.end()) continue;
                throw Error(ErrorKind::usage, "{}resource \"{}\" depends on \"{}\", which is no resource of source \"{}\"; {}", place_text(hints.place), hints.name, name, driver_->name(),
                            suggestion(name, known));
            }
        }
    }

    /// Each of `specs` waits for another one of them.
    [[noreturn]] static void refuse_circle(const std::vector<ResourceSpec>& specs) {
        std::vector<const ResourceSpec*> way = {&specs.front()};
        while (std::find(way.begin(), way.end() - 1, way.back()) == way.end() - 1) {
            const auto next = std::find_if(specs.begin(), specs.end(), [&](const ResourceSpec& other) { return depends_on(*way.back(), other); });
            way.push_back(&*next);
        }
        way.erase(way.begin(), std::find(way.begin(), way.end(), way.back()));
        std::vector<std::string> names;
        for (const ResourceSpec* spec : way) names.push_back(fmt::format("\"{}\"", spec->name));
        throw Error(ErrorKind::usage, "{}resources depend on each other, so none of them can be read first: {}", place_text(way.front()->place), join(names, " on "));
    }

    /// Nothing of an earlier run is known here, so only what the user says now can be wrong.
    void check_merge(const ResourceSpec& spec) const {
        const ResourceHints* own = find(spec);
        const bool is_asked = (own != nullptr ? *own : hints_.all).disposition == schema::Disposition::merge;
        const bool keeps_versions = spec.merge.strategy == schema::MergeStrategy::scd2;
        const bool has_key = !spec.primary_key.empty() || !spec.merge_key.empty() || std::any_of(spec.columns.begin(), spec.columns.end(), [](const schema::Column& column) {
            return column.flag("primary_key") || column.flag("merge_key");
        });
        if (!is_asked || keeps_versions || has_key) return;
        throw Error(ErrorKind::usage, "resource \"{}\" has disposition merge, but nothing says which records are the same; give it a primary_key", spec.name);
    }

    void set_ranges(std::vector<ResourceSpec>& specs) const {
        bool has_cursor = false;
        for (ResourceSpec& spec : specs) {
            if (!spec.incremental) continue;
            has_cursor = true;
            set_range(hints_.range, spec);
        }
        if (!has_cursor) throw Error(ErrorKind::usage, "no resource of source \"{}\" has a cursor, so there is no range of it to read", driver_->name());
    }

    std::unique_ptr<SourceDriver> driver_;
    SourceHints hints_;
    /// Primary keys as the source says them, by resource.
    std::map<std::string, std::vector<std::string>> source_keys_;
};

}  // namespace

void apply_hints(const ResourceHints& hints, ResourceSpec& spec) {
    if (hints.steps != nullptr) {
        spec.steps = hints.steps;
        rename_by_steps(*hints.steps, spec);
    }
    if (hints.table) {
        spec.table = *hints.table;
        spec.table_by.reset();
    }
    if (hints.table_by) spec.table_by = hints.table_by;
    if (hints.disposition) {
        spec.disposition = *hints.disposition;
        spec.merge = hints.merge;
    }
    if (hints.primary_key) spec.primary_key = *hints.primary_key;
    if (hints.merge_key) spec.merge_key = *hints.merge_key;
    spec.columns.insert(spec.columns.end(), hints.columns.begin(), hints.columns.end());
    spec.nested.insert(spec.nested.end(), hints.nested.begin(), hints.nested.end());
    if (!hints.schema_contract.is_null()) spec.schema_contract = hints.schema_contract;
    if (hints.delete_missing) spec.delete_missing = hints.delete_missing;
    if (hints.max_nesting) spec.max_nesting = hints.max_nesting;
    if (hints.incremental) {
        using namespace incremental;
        spec.incremental = hints.incremental;
        RowOrder& order = spec.incremental->row_order;
        if (spec.follows_cursor && order == RowOrder::none) order = spec.incremental->last_value_func == LastValue::max ? RowOrder::asc : RowOrder::desc;
    }
    if (hints.checkpoint) spec.checkpoint = hints.checkpoint;
    if (hints.limit) spec.records_max = hints.limit;
    if (hints.where != nullptr) spec.where = hints.where;
    spec.depends.insert(spec.depends.end(), hints.depends.begin(), hints.depends.end());
    if (!hints.place.empty()) spec.place = hints.place;
}

std::unique_ptr<SourceDriver> with_hints(std::unique_ptr<SourceDriver> driver, SourceHints hints) {
    return std::make_unique<HintedSource>(std::move(driver), std::move(hints));
}

}  // namespace tipple::extract
