#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>

#include "tipple/destinations/filesystem/dataset.h"
#include "tipple/engine/engine.h"
#include "tipple/schema/schema.h"

namespace tipple::destinations::filesystem {

/// What the tables of a dataset are and which files hold them.
struct Tables {
    /// Definition of each table; system tables too.
    std::map<std::string, schema::Table, std::less<>> definitions;
    /// Finds a file of it on this machine.
    using File = std::function<std::string()>;
    std::map<std::string, std::map<Format, std::vector<File>>, std::less<>> files;
};

/// The schema in a file of the table of versions. Throws Error(corrupt).
schema::Schema stored_schema(const Dataset& dataset, const SystemFile& file);

/// The newest schema of each name. Throws Error(corrupt).
std::map<std::string, schema::Schema, std::less<>> schemas_of(const Dataset& dataset, const Snapshot& snapshot);

/// The tables of all `schemas`, which are those of `snapshot`, and the files of finished loads. `dataset` and `snapshot` outlive them.
Tables tables_of(const Dataset& dataset, const Snapshot& snapshot, const std::map<std::string, schema::Schema, std::less<>>& schemas);

/// Decodes a row of the table of states. Throws Error(corrupt).
destination::StoredState stored_state(const Dataset& dataset, const SystemFile& file);

/// A SELECT that gives all rows of a table; its files are on this machine then.
std::string select_statement(const Tables& tables, const std::string& table, std::size_t line_bytes);

/// Makes a view of each table that `sql` may name, in the schema `dataset`, which becomes the one in use.
void create_views(engine::Engine& engine, const Tables& tables, const std::string& dataset, std::string_view sql, std::size_t line_bytes);

}  // namespace tipple::destinations::filesystem
