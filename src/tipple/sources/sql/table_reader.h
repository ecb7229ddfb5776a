#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/source/source.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/settings.h"
#include "tipple/sources/sql/statement.h"

/// Reading one table, or one query.
namespace tipple::sources::sql {

/// A resource as it was found at the database.
struct TablePlan {
    /// The resource's.
    std::string name;
    ResourceSettings settings;
    /// Of a query: its columns alone.
    TableInfo info;
    /// Those that are read.
    std::vector<DeclaredColumn> columns;
};

/// What one resource is read with. Borrowed things outlive the read.
struct TableJob {
    Database& database;
    const TablePlan& plan;
    const extract::ResourceSpec& spec;
    const extract::ResourceContext& context;
    /// Nothing = the cursor has none, or there is no cursor.
    std::optional<CursorBound> bound;
};

/// The column of the resource's cursor, or nullptr when it has no cursor. Throws Error(usage) when it is no column that is read.
const DeclaredColumn* cursor_column(const TablePlan& plan, const extract::ResourceSpec& spec);

/// What is asked of the database in this run; nothing when there is nothing to be read.
std::optional<Statement> make_statement(const TableJob& job);

/// Pushes the rows as pages. Throws Error.
void read_table(const TableJob& job, extract::Output& out);

}  // namespace tipple::sources::sql
