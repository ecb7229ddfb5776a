#include "tipple/destinations/duckdb/merge.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destinations/duckdb/types.h"

namespace tipple::destinations::duckdb {

using destination::MergeKeys;
using destination::MergeSql;

Merge::Merge(Session& session, const schema::Schema& schema, std::vector<MergeTable> tables, std::size_t number)
    : session_(session),
      schema_(schema),
      tables_(std::move(tables)),
      keys_(destination::merge_keys(schema.require(tables_.front().name), tables_.size() > 1)),
      prefix_(fmt::format("merge_{}_", number)),
      position_("position") {
    for (MergeTable& table : tables_) table.dropped->resize(table.rows);
    // A key may have that name too.
    const std::vector<std::string> columns = keys_.columns();
    const auto is_taken = [&](const std::string& column) { return name_rule.key(column) == position_; };
    while (std::any_of(columns.begin(), columns.end(), is_taken)) position_ += "_";
}

std::vector<std::string> Merge::key_columns(const schema::Schema& schema, const schema::Table& table,
                                            bool has_nested_tables) {
    if (table.is_nested()) return {destination::root_key_of(schema, table)};
    const MergeKeys keys = destination::merge_keys(table, has_nested_tables);
    if (!keys.has_keys() && !keys.hard_delete) return {};
    return keys.columns();
}

std::string Merge::temporary(std::string_view what) const {
    return "temp.main." + engine::quote_identifier(prefix_ + std::string(what));
}

std::uint64_t Merge::kept_rows(const std::string& table) const {
    for (const MergeTable& candidate : tables_) {
        if (candidate.name == table) return candidate.rows - candidate.dropped->count();
    }
    return 0;
}

std::uint64_t Merge::stage(const MergeTable& table, const std::string& staged, const std::vector<std::string>& columns,
                           std::stop_token stop) {
    engine::Engine& engine = session_.engine();
    std::vector<std::string> clauses;
    for (const std::string& column : columns) {
        const schema::Column* definition = schema_.require(table.name).find(column);
        clauses.push_back(fmt::format("{} {}", engine::quote_identifier(column), column_type(*definition)));
    }
    clauses.push_back(fmt::format("{} BIGINT", engine::quote_identifier(position_)));
    engine.execute(fmt::format("CREATE TEMP TABLE {} ({})", staged, join(clauses, ", ")));
    std::uint64_t rows = 0;
    for (const std::string& select : table.selects) {
        rows += engine.execute(fmt::format("INSERT INTO {} {}", staged, select), stop);
    }
    if (rows != table.rows) {
        throw Error(ErrorKind::data, "table \"{}\": keys of {} rows were read, the package has {}", table.name, rows,
                    table.rows);
    }
    return rows;
}

void Merge::collect_positions(const std::string& select, DroppedRows& dropped, std::stop_token stop) {
    session_.engine().read(select, 100'000, stop, [&](columns::Batch batch) {
        const columns::BatchView view = batch.view();
        for (std::size_t row = 0; row < view.rows; ++row) {
            dropped.add(static_cast<std::uint64_t>(view.columns[0].value<std::int64_t>(row)));
        }
        return true;
    });
}

void Merge::find_dropped_roots(std::stop_token stop) {
    engine::Engine& engine = session_.engine();
    const std::string staged = temporary("keys");
    const MergeSql sql(session_.sql(), keys_, staged, engine::quote_identifier(position_));
    const auto kept = static_cast<std::uint64_t>(session_.query_int(sql.count_kept()).value());
    if (kept == root().rows) return;
    collect_positions(sql.select_dropped(), *root().dropped, stop);
    // Two ways to the same number: by groups and by rows.
    if (kept != kept_rows(root().name)) {
        throw Error(ErrorKind::data, "table \"{}\": {} distinct keys, but {} rows to insert", root().name, kept,
                    kept_rows(root().name));
    }
    if (tables_.size() == 1) return;
    const std::string position = engine::quote_identifier(position_);
    engine.execute(fmt::format("CREATE TEMP TABLE {} AS SELECT k.{} AS row_key FROM {} AS k WHERE k.{} NOT IN ({})",
                               temporary("kept"), engine::quote_identifier(keys_.row_key), staged, position,
                               sql.select_dropped()),
                   stop);
    has_kept_keys_ = true;
}

/// A row below a root that is not inserted is not inserted either.
void Merge::find_dropped_children(MergeTable& table, std::stop_token stop) {
    if (!has_kept_keys_ || table.rows == 0) return;
    const std::string root_key = destination::root_key_of(schema_, schema_.require(table.name));
    const std::string staged = temporary("children");
    stage(table, staged, {root_key}, stop);
    collect_positions(fmt::format("SELECT c.{} FROM {} AS c WHERE NOT EXISTS (SELECT 1 FROM {} AS k WHERE k.row_key = c.{})",
                                  engine::quote_identifier(position_), staged, temporary("kept"),
                                  engine::quote_identifier(root_key)),
                      *table.dropped, stop);
    session_.engine().execute(fmt::format("DROP TABLE {}", staged));
}

/// Rows that were appended before the table was merged do not know their root yet; their parents do.
void Merge::fill_root_keys(std::stop_token stop) {
    engine::Engine& engine = session_.engine();
    const destination::SqlWriter& sql = session_.sql();
    for (const MergeTable& table : tables_) {
        const schema::Table& nested = schema_.require(table.name);
        if (!nested.is_nested() || !table.existed) continue;
        const std::string root_key = destination::root_key_of(schema_, nested);
        const auto parent_key = destination::parent_key_of(nested);
        if (!parent_key || *parent_key == root_key) continue;
        const bool has_gaps = engine
                                  .query_value(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", sql.table(table.name),
                                                           sql.name(root_key)))
                                  .has_value();
        if (!has_gaps) continue;
        const schema::Table& parent = schema_.require(nested.parent());
        const auto parent_row_key = destination::row_key_of(parent);
        if (!parent_row_key) continue;
        const std::string parents_root =
            parent.is_nested() ? destination::root_key_of(schema_, parent) : *parent_row_key;
        engine.execute(fmt::format("UPDATE {} AS c SET {} = p.{} FROM {} AS p WHERE p.{} = c.{} AND c.{} IS NULL",
                                   sql.table(table.name), sql.name(root_key), sql.name(parents_root),
                                   sql.table(parent.name()), sql.name(*parent_row_key), sql.name(*parent_key),
                                   sql.name(root_key)),
                       stop);
    }
}

void Merge::delete_old_rows(std::stop_token stop) {
    if (!keys_.has_keys() || !root().existed || !session_.has_rows(root().name)) return;
    engine::Engine& engine = session_.engine();
    const destination::SqlWriter& writer = session_.sql();
    const MergeSql sql(writer, keys_, temporary("keys"), engine::quote_identifier(position_));
    if (tables_.size() > 1) {
        fill_root_keys(stop);
        const std::string doomed = temporary("doomed");
        engine.execute(fmt::format("CREATE TEMP TABLE {} AS {}", doomed, sql.select_matched_row_keys(root().name)), stop);
        for (MergeTable& table : tables_) {
            const schema::Table& nested = schema_.require(table.name);
            if (!nested.is_nested() || !table.existed) continue;
            table.deleted += engine.execute(
                fmt::format("DELETE FROM {} AS c WHERE EXISTS (SELECT 1 FROM {} AS k WHERE k.row_key = c.{})",
                            writer.table(table.name), doomed, writer.name(destination::root_key_of(schema_, nested))),
                stop);
        }
        engine.execute(fmt::format("DROP TABLE {}", doomed));
    }
    for (const std::string& statement : sql.delete_matches(root().name)) root().deleted += engine.execute(statement, stop);
}

void Merge::prepare(std::stop_token stop) {
    if (root().rows == 0) return;
    const std::vector<std::string> columns = key_columns(schema_, schema_.require(root().name), tables_.size() > 1);
    if (columns.empty()) return;
    stage(root(), temporary("keys"), columns, stop);
    find_dropped_roots(stop);
    for (MergeTable& table : tables_) {
        if (&table != &root()) find_dropped_children(table, stop);
    }
    delete_old_rows(stop);
    engine::Engine& engine = session_.engine();
    engine.execute(fmt::format("DROP TABLE {}", temporary("keys")));
    if (has_kept_keys_) engine.execute(fmt::format("DROP TABLE {}", temporary("kept")));
}

}  // namespace tipple::destinations::duckdb
