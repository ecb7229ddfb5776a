#pragma once

#include <string>
#include <vector>

#include "tipple/core/limits.h"
#include "tipple/source/source.h"
#include "tipple/sources/sql/database.h"

/// What the user says of a database and of what is read from it.
namespace tipple::sources::sql {

struct ReadSettings {
    std::size_t batch_rows = 0;
    /// Connections that read one table at the same time.
    std::size_t parallel = 1;
    /// The column by which it is divided among them; empty = as suits the database.
    std::string split_by;
};

struct ReflectSettings {
    /// Widths of integers, lengths of texts and digits of times are taken over too.
    bool precision = false;
    bool foreign_keys = true;
    bool nullability = true;
};

/// A table, a pattern of names of tables, or a query.
struct ResourceSettings {
    /// As the user calls it.
    std::string name;
    /// The table or pattern; empty for a query.
    std::string from;
    /// What fits it is left out.
    bool is_exclusion = false;
    std::string query;
    std::string where;
    /// Columns; empty = all.
    std::vector<std::string> include;
    std::vector<std::string> exclude;
    /// The pattern stands for views too.
    bool has_views = false;
    ReadSettings read;
    ReflectSettings reflect;

    bool is_pattern() const;
};

struct SqlSettings {
    /// The database, for whoever opens it.
    config::Options database;
    /// Where tables are that are named without one; empty = the database's own.
    std::string schema;
    /// All tables of the run are read as they were at one moment.
    bool has_snapshot = true;
    std::vector<ResourceSettings> resources;
};

/// The options of the source, with those of all kinds of databases, and of a resource.
std::vector<config::OptionSpec> source_option_specs(const std::vector<DatabaseKind>& kinds);
std::vector<config::OptionSpec> resource_option_specs();

/// Throws Error(usage).
SqlSettings read_settings(const extract::SourceContext& context);

/// The kind of database at `uri`, by its scheme, by what the file begins with, or by its ending. Throws Error(usage), never naming a secret.
const DatabaseKind& require_kind(const std::vector<DatabaseKind>& kinds, const std::string& uri, const std::string& folder);

/// The path that `sqlite:///shop.db` and its like, or a plain path, stand for; four slashes lead to an absolute one, others start at `folder` where there is one.
std::string path_of_uri(const std::string& uri, const std::string& folder);

}  // namespace tipple::sources::sql
