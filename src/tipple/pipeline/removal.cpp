#include "tipple/pipeline/removal.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/json/path.h"
#include "tipple/pipeline/file_ledger.h"

namespace tipple::pipeline {

namespace {

constexpr std::string_view pattern_prefix = "re:";

json::Object* find_object(json::Object* object, std::string_view name) {
    json::Value* member = object != nullptr ? object->find(name) : nullptr;
    return member != nullptr && member->is_object() ? &member->as_object() : nullptr;
}

/// Tables of the resources with all that are nested in them, nested ones first.
std::vector<std::string> tables_of(const ResourceNames& names, const schema::Schema& schema) {
    std::vector<std::string> tables;
    for (const auto& root : schema.tables()) {
        if (root->is_internal() || root->resource().empty() || !names.matches(root->resource())) continue;
        for (const schema::Table* table : schema.chain_of(root->name())) {
            if (std::find(tables.begin(), tables.end(), table->name()) == tables.end()) tables.push_back(table->name());
        }
    }
    std::reverse(tables.begin(), tables.end());
    return tables;
}

/// Every ledger that is defined has had entries.
std::vector<std::string> with_data(const std::vector<std::string>& tables, const schema::Schema& schema) {
    std::vector<std::string> result;
    std::copy_if(tables.begin(), tables.end(), std::back_inserter(result),
                 [&](const std::string& table) { return is_ledger(table) || schema.require(table).normalizer_hint("seen-data") == json::Value(true); });
    return result;
}

void forget_resources(const ResourceNames& names, SourceState& state) {
    json::Object* resources = find_object(&state.document(), "resources");
    if (resources == nullptr) return;
    std::vector<std::string> matching;
    for (const json::Member& resource : *resources) {
        if (names.matches(resource.name)) matching.push_back(resource.name);
    }
    for (const std::string& resource : matching) resources->erase(resource);
}

void erase_path(json::Value& value, const std::vector<json::Path::Step>& steps, std::size_t at) {
    using Kind = json::Path::Step::Kind;
    const json::Path::Step& step = steps[at];
    const bool is_last = at + 1 == steps.size();
    if (value.is_array() && step.kind != Kind::key) {
        json::Array& array = value.as_array();
        const bool is_all = step.kind == Kind::wildcard;
        if (!is_all && step.index >= array.size()) return;
        if (!is_last) {
            for (std::size_t i = is_all ? 0 : step.index; i < (is_all ? array.size() : step.index + 1); ++i) erase_path(array[i], steps, at + 1);
        } else if (is_all) {
            array.clear();
        } else {
            array.erase(array.begin() + static_cast<std::ptrdiff_t>(step.index));
        }
        return;
    }
    if (!value.is_object() || step.kind == Kind::index) return;
    std::vector<std::string> names;
    for (const json::Member& member : value.as_object()) {
        if (step.kind == Kind::wildcard || member.name == step.key) names.push_back(member.name);
    }
    for (const std::string& name : names) {
        if (!is_last) {
            erase_path(*value.as_object().find(name), steps, at + 1);
        } else if (at > 0 || name != "resources") {
            value.as_object().erase(name);
        }
    }
}

}  // namespace

ResourceNames::ResourceNames(const std::vector<std::string>& names) {
    for (const std::string& name : names) {
        if (!name.starts_with(pattern_prefix)) {
            exact_.push_back(name);
            continue;
        }
        try {
            patterns_.emplace_back(name.substr(pattern_prefix.size()), std::regex::ECMAScript);
        } catch (const std::regex_error&) {
            throw Error(ErrorKind::usage, "\"{}\" is no regular expression; a resource is named as it is, or as {}EXPRESSION", name, pattern_prefix);
        }
    }
}

ResourceNames ResourceNames::all() {
    ResourceNames names;
    names.is_all_ = true;
    return names;
}

bool ResourceNames::matches(std::string_view resource) const {
    if (is_all_ || std::find(exact_.begin(), exact_.end(), resource) != exact_.end()) return true;
    return std::any_of(patterns_.begin(), patterns_.end(), [&](const std::regex& pattern) {
        return std::regex_search(resource.begin(), resource.end(), pattern, std::regex_constants::match_continuous);
    });
}

std::vector<std::string> reset_resources(const ResourceNames& names, const schema::Schema& schema, SourceState& state) {
    forget_resources(names, state);
    return with_data(tables_of(names, schema), schema);
}

std::vector<std::string> remove_resources(const ResourceNames& names, schema::Schema& schema, SourceState& state) {
    std::vector<std::string> dropped = reset_resources(names, schema, state);
    erase_tables(schema, tables_of(names, schema));
    return dropped;
}

void erase_state_path(SourceState& state, std::string_view path) {
    const json::Path parsed = json::Path::parse(path);
    if (parsed.is_root()) return;
    json::Value document = std::move(state.document());
    erase_path(document, parsed.steps(), 0);
    state.document() = std::move(document.as_object());
}

void set_state_path(SourceState& state, std::string_view path, json::Value value) {
    using Kind = json::Path::Step::Kind;
    const json::Path parsed = json::Path::parse(path);
    const auto fail = [&] { throw Error(ErrorKind::usage, "\"{}\" does not lead to one value that can be set; write resources.orders.my_key", excerpt(path)); };
    if (parsed.is_root()) fail();
    // A copy: nothing changes when the path leads nowhere.
    json::Value document = state.document();
    json::Value* at = &document;
    for (const json::Path::Step& step : parsed.steps()) {
        if (step.kind == Kind::key && at->is_null()) *at = json::Object();
        if (step.kind == Kind::key && at->is_object()) {
            at = &at->as_object()[step.key];
        } else if (step.kind == Kind::index && at->is_array() && step.index < at->as_array().size()) {
            at = &at->as_array()[step.index];
        } else {
            fail();
        }
    }
    *at = std::move(value);
    state.document() = std::move(document.as_object());
}

package::Removal refresh(Refresh mode, const std::vector<std::string>& resources, std::string_view naming, schema::Schema& schema, SourceState& state) {
    package::Removal removal;
    switch (mode) {
        case Refresh::none:
            break;
        case Refresh::drop_sources:
            removal.dropped = remove_resources(ResourceNames::all(), schema, state);
            erase_state_path(state, "*");
            schema = schema::Schema::make(schema.name(), naming);
            break;
        case Refresh::drop_resources:
            removal.dropped = remove_resources(ResourceNames(resources), schema, state);
            break;
        case Refresh::drop_data:
            removal.truncated = reset_resources(ResourceNames(resources), schema, state);
            break;
    }
    return removal;
}

void erase_tables(schema::Schema& schema, const std::vector<std::string>& tables) {
    json::Object* config = find_object(find_object(&schema.normalizers(), "json"), "config");
    json::Object* propagation = find_object(find_object(config, "propagation"), "tables");
    for (const std::string& table : tables) {
        schema.erase_table(table);
        if (propagation != nullptr) propagation->erase(table);
    }
}

void erase_unused(schema::Schema& schema, std::span<const ActiveResource> resources, const ExtractResult& extracted) {
    for (const ActiveResource& resource : resources) {
        if (!extracted.rows.contains(resource.table) && !extracted.reached.contains(resource.table)) erase_tables(schema, resource.new_tables);
    }
}

}  // namespace tipple::pipeline
