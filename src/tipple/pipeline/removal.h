#pragma once

#include <regex>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/package/package.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/source_state.h"
#include "tipple/schema/schema.h"

/// Takes tables out of schemas and values out of states: refresh, drop, and what turned out not to be used.
namespace tipple::pipeline {

/// Names of resources: exact ones, or regular expressions as `re:…`, which need only match the beginning.
class ResourceNames {
public:
    /// Throws Error(usage) for a regular expression that is none.
    explicit ResourceNames(const std::vector<std::string>& names);
    static ResourceNames all();
    bool matches(std::string_view resource) const;

private:
    ResourceNames() = default;
    std::vector<std::string> exact_;
    std::vector<std::regex> patterns_;
    bool is_all_ = false;
};

/// Takes the tables of these resources out of the schema, and what the resources remember out of the state. Returns what is to be dropped at the
/// destination: tables that ever held data, nested ones first.
std::vector<std::string> remove_resources(const ResourceNames& names, schema::Schema& schema, SourceState& state);

/// The same, but the tables stay in the schema: what is returned is to be emptied.
std::vector<std::string> reset_resources(const ResourceNames& names, const schema::Schema& schema, SourceState& state);

/// Erases what a path leads to, but for the member `resources` as a whole. Throws Error(usage) for a text that is no path.
void erase_state_path(SourceState& state, std::string_view path);

/// Puts a value where a path of names and indexes leads to; names that are not there are made. Throws Error(usage) for another path.
void set_state_path(SourceState& state, std::string_view path, json::Value value);

/// Prepares the schema and the state for a run that begins anew with `resources`. `schema` becomes a new one of the convention `naming` with
/// Refresh::drop_sources.
package::Removal refresh(Refresh mode, const std::vector<std::string>& resources, std::string_view naming, schema::Schema& schema, SourceState& state);

/// With what the schema's normalizers say of them.
void erase_tables(schema::Schema& schema, const std::vector<std::string>& tables);

/// Tables that were declared for the first time, and of whose resource nothing came, are as if they had not been.
void erase_unused(schema::Schema& schema, std::span<const ActiveResource> resources, const ExtractResult& extracted);

}  // namespace tipple::pipeline
