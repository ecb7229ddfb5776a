#pragma once

#include <map>
#include <string>
#include <string_view>

#include "tipple/destinations/filesystem/dataset_folder.h"
#include "tipple/engine/engine.h"
#include "tipple/schema/schema.h"

namespace tipple::destinations::filesystem {

/// What the tables of a dataset are and which files hold them.
struct Tables {
    /// Definition of each table; system tables too.
    std::map<std::string, schema::Table, std::less<>> definitions;
    /// Full paths of its files, by format.
    std::map<std::string, std::map<Format, std::vector<std::string>>, std::less<>> files;
};

/// The tables of all schemas and the files of finished loads. Throws Error(corrupt) when a stored schema cannot be read.
Tables tables_of(const DatasetFolder& folder, const Snapshot& snapshot);

/// The newest schema of each name.
std::map<std::string, schema::Schema, std::less<>> schemas_of(const DatasetFolder& folder, const Snapshot& snapshot);

/// Decodes a row of the table of states. Throws Error(corrupt).
destination::StoredState stored_state(const DatasetFolder& folder, const SystemFile& file);

/// A SELECT that gives all rows of a table.
std::string select_statement(const Tables& tables, const std::string& table, std::size_t line_bytes);

/// Makes a view of each table that `sql` may name, in the schema `dataset`, which becomes the one in use.
void create_views(engine::Engine& engine, const Tables& tables, const std::string& dataset, std::string_view sql, std::size_t line_bytes);

}  // namespace tipple::destinations::filesystem
