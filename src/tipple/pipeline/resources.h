#pragma once

#include <optional>
#include <set>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/normalize/rules.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/options.h"
#include "tipple/schema/schema.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// What the schema contract says to a table.
enum class TableVerdict {
    admitted,
    left_out,
    put_aside,  ///< its records go to the quarantine
};

/// Whether reading may end before the resource does, because no more of it is wanted.
bool has_limit(const extract::ResourceSpec& spec);

/// `tipple.toml:12: ` before what is wrong with a resource; empty when it stands in no file.
std::string place_prefix(const extract::ResourceSpec& spec);

/// A table's name as the destination has it.
std::string table_name(std::string_view raw, const schema::NamingConvention& naming);

/// Applies the run's options and the resource's hints to the schema: declares a root table, and what is said of tables nested in it, before
/// any row comes. Throws Error(usage) for hints that contradict each other,
/// Error(data) for what the contract forbids.
TableVerdict declare_table(const extract::ResourceSpec& spec, std::string_view raw_name, const RunOptions& options, const DeclareContext& context,
                   schema::Schema& schema);

/// Declares the tables of all resources but those that records choose.
std::vector<ActiveResource> declare_resources(std::vector<extract::ResourceSpec> specs, const RunOptions& options, const DeclareContext& context,
                                              schema::Schema& schema);

/// What the load has to do with the tables of a package: every root table that got rows (or is in `rows` with none: to be made), or that a
/// replace empties, with its nested tables. `replaced`: by ledger, the files whose earlier rows go.
std::vector<package::TableLoad> plan_loads(const schema::Schema& schema, std::span<const ActiveResource> resources, const std::map<std::string, std::uint64_t>& rows,
                                           const std::map<std::string, std::vector<std::string>>& replaced, const schema::NamingConvention& naming);

/// Throws Error(data) for a table with rows that has a column which must not be null and never had a value: most often a key that is
/// spelled wrong.
void check_unbound_columns(const schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows);

/// Adds the column that flags missing rows to the tables of loads that fill it.
void add_missing_flags(schema::Schema& schema, const std::vector<package::TableLoad>& loads);

/// Puts the contracts back that `before` had. Tables that are new have none of their own.
void restore_contracts(schema::Schema& schema, const schema::Schema& before);

/// Tables that were new, and open to new columns whatever their contract, are closed from here on: those of `rows`, which are added to `ended`, and all that
/// are in there.
void end_first_run(schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows, std::set<std::string>& ended);
/// The run that made these tables has another part: they are open in all of it.
void go_on_with_first_run(schema::Schema& schema, const std::set<std::string>& ended);

/// Marks the tables that got rows for the first time as holding data.
void mark_seen_data(schema::Schema& schema, const std::map<std::string, std::uint64_t>& rows);

}  // namespace tipple::pipeline
