#include "tipple/destination/merge.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::destination {

using schema::MergeStrategy;

namespace {

/// The column by which a staged row of a nested table is found from its staged root.
std::string link_to_root(const schema::Schema& schema, const MergePlan& plan, const schema::Table& nested) {
    return plan.has_root_numbers ? std::string(schema::root_number_column) : root_key_of(schema, nested);
}

}  // namespace

Merge::Merge(SqlSession& session, const schema::Schema& schema, const MergePlan& plan, std::vector<MergeTable> tables, std::size_t number)
    : session_(session),
      schema_(schema),
      plan_(plan),
      tables_(std::move(tables)),
      prefix_(fmt::format("merge_{}_", number)),
      position_(position_name(plan.staged_columns, session.names())),
      sql_(session.sql(), plan,
           {.target = tables_.front().name,
            .staged = temporary("keys"),
            .loaded = temporary(plan.source_filter.empty() ? "keys" : "loaded"),
            .position = position()}) {
    for (MergeTable& table : tables_) table.dropped->resize(table.rows);
}

/// A key may have that name too.
std::string Merge::position_name(const std::vector<std::string>& columns, const NameRule& names) {
    std::string name = "position";
    const auto is_taken = [&](const std::string& column) { return names.key(column) == name; };
    while (std::any_of(columns.begin(), columns.end(), is_taken)) name += "_";
    return name;
}

std::vector<std::string> Merge::staged_columns(const schema::Schema& schema, const MergePlan& plan,
                                               const schema::Table& table) {
    if (!table.is_nested()) return plan.staged_columns;
    if (plan.strategy == MergeStrategy::scd2) {
        return {require_row_key(table), require_parent_key(table)};
    }
    const std::string root_key = link_to_root(schema, plan, table);
    if (plan.strategy != MergeStrategy::insert_only) return {root_key};
    return {require_row_key(table), root_key};
}

std::string Merge::temporary(std::string_view what) const { return session_.sql().temporary(prefix_ + std::string(what)); }

void Merge::drop(std::string_view what) {
    session_.execute(fmt::format("DROP TABLE {}", temporary(what)));
}

void Merge::stage(const MergeTable& table, const std::string& staged, const std::vector<std::string>& columns, std::stop_token stop) {
    const SqlWriter& sql = session_.sql();
    std::vector<std::string> clauses;
    for (const std::string& column : columns) {
        const schema::Column* definition = schema_.require(table.name).find(column);
        const std::string type = column == schema::root_number_column ? "BIGINT" : sql.dialect().column_type(*definition);
        clauses.push_back(fmt::format("{} {}", sql.name(column), type));
    }
    clauses.push_back(position() + " BIGINT");
    session_.execute(sql.create_temporary(staged, clauses));
    const std::uint64_t rows = table.stage(staged, stop);
    if (rows != table.rows) {
        throw Error(ErrorKind::data, "table \"{}\": keys of {} rows were read, the package has {}",
                    table.name, rows, table.rows);
    }
    analyze(staged, stop);
}

void Merge::make(const std::string& temporary, const std::string& select, std::stop_token stop) {
    session_.execute(session_.sql().create_temporary_as(temporary, select), stop);
    analyze(temporary, stop);
}

void Merge::analyze(const std::string& temporary, std::stop_token stop) {
    const std::string_view analyze = session_.sql().dialect().analyze;
    if (!analyze.empty()) session_.execute(fmt::format("{} {}", analyze, temporary), stop);
}

void Merge::collect_positions(const std::string& select, DroppedRows& dropped, std::stop_token stop) {
    session_.read_numbers(select, stop, [&](std::int64_t position) { dropped.add(static_cast<std::uint64_t>(position)); });
}

/// What the filter leaves out is as if it had never come.
void Merge::filter_source(std::stop_token stop) {
    if (plan_.source_filter.empty()) return;
    try {
        collect_positions(sql_.select_filtered(), *root().dropped, stop);
    } catch (const Error& error) {
        throw error.with_context("source_filter");
    }
    make(temporary("keys"), sql_.select_unfiltered(), stop);
}

/// Two ways to the same number: `kept` is counted by the engine, the positions one by one.
void Merge::require_kept(std::uint64_t kept) const {
    const MergeTable& root = tables_.front();
    if (kept == kept_rows(root)) return;
    throw Error(ErrorKind::data, "table \"{}\": {} rows are to be inserted by their keys, but {} by their positions",
                root.name, kept, kept_rows(root));
}

void Merge::keep_row_keys(const std::string& select, std::stop_token stop) {
    if (tables_.size() == 1) return;
    make(temporary("kept"), select, stop);
    has_kept_keys_ = true;
}

/// A row below a root that is not inserted is not inserted either.
void Merge::find_dropped_children(MergeTable& table, std::stop_token stop) {
    const bool is_insert_only = plan_.strategy == MergeStrategy::insert_only;
    if (table.rows == 0 || (!has_kept_keys_ && !is_insert_only)) return;
    const schema::Table& nested = schema_.require(table.name);
    const std::string staged = temporary("children");
    stage(table, staged, staged_columns(schema_, plan_, nested), stop);
    if (has_kept_keys_) {
        collect_positions(fmt::format("SELECT c.{} FROM {} AS c WHERE NOT EXISTS (SELECT 1 FROM {} AS "
                                      "k WHERE k.row_key = c.{})",
                                      position(), staged, temporary("kept"),
                                      session_.sql().name(link_to_root(schema_, plan_, nested))),
                          *table.dropped, stop);
    }
    if (is_insert_only) find_known_children(table, staged, stop);
    drop("children");
}

/// Rows whose ids are at the destination already.
void Merge::find_known_children(MergeTable& table, const std::string& staged, std::stop_token stop) {
    if (!table.existed) return;
    const std::string row_key = session_.sql().name(require_row_key(schema_.require(table.name)));
    collect_positions(fmt::format("SELECT c.{0} FROM {1} AS c WHERE EXISTS (SELECT 1 FROM {2} AS d WHERE d.{3} = c.{3})", position(),
                                  staged, session_.sql().table(table.name), row_key),
                      *table.dropped, stop);
}

/// Rows that were appended before the table was merged do not know their root yet; their parents
/// do.
void Merge::fill_root_keys(std::stop_token stop) {
    const SqlWriter& sql = session_.sql();
    for (const MergeTable& table : tables_) {
        const schema::Table& nested = schema_.require(table.name);
        if (!nested.is_nested() || !table.existed) continue;
        const std::string root_key = root_key_of(schema_, nested);
        const auto parent_key = parent_key_of(nested);
        if (!parent_key || *parent_key == root_key) continue;
        const bool has_gaps =
            session_.query_value(fmt::format("SELECT 1 FROM {} WHERE {} IS NULL LIMIT 1", sql.table(table.name), sql.name(root_key))).has_value();
        if (!has_gaps) continue;
        const schema::Table& parent = schema_.require(nested.parent());
        const auto parent_row_key = row_key_of(parent);
        if (!parent_row_key) continue;
        const std::string parents_root =
            parent.is_nested() ? root_key_of(schema_, parent) : *parent_row_key;
        session_.execute(
            fmt::format(
                "UPDATE {} AS c SET {} = p.{} FROM {} AS p WHERE p.{} = c.{} AND c.{} IS NULL",
                sql.table(table.name), sql.name(root_key), sql.name(parents_root),
                sql.table(parent.name()), sql.name(*parent_row_key), sql.name(*parent_key),
                sql.name(root_key)),
            stop);
    }
}

/// Hands over every table below the root with the condition, for its alias `c`, by which its rows are below the selected ones, while these are
/// still there.
void Merge::each_below(const std::string& select_row_keys, const std::function<void(MergeTable& table, const std::string& is_below)>& take,
                       std::stop_token stop) {
    if (tables_.size() == 1) return;
    fill_root_keys(stop);
    session_.execute(session_.sql().create_temporary_as(temporary("chosen"), select_row_keys), stop);
    for (MergeTable& table : tables_) {
        const schema::Table& nested = schema_.require(table.name);
        if (!nested.is_nested() || !table.existed) continue;
        take(table, fmt::format("EXISTS (SELECT 1 FROM {} AS k WHERE k.row_key = c.{})", temporary("chosen"),
                                session_.sql().name(root_key_of(schema_, nested))));
    }
    drop("chosen");
}

void Merge::delete_below(const std::string& select_row_keys, std::stop_token stop) {
    each_below(
        select_row_keys,
        [&](MergeTable& table, const std::string& is_below) {
            table.deleted += session_.execute(fmt::format("DELETE FROM {} AS c WHERE {}", session_.sql().table(table.name), is_below), stop);
        },
        stop);
}

void Merge::prepare(std::stop_token stop) {
    if ((root().rows == 0 && !plan_.missing) || plan_.staged_columns.empty()) return;
    const bool is_filtered = !plan_.source_filter.empty();
    stage(root(), temporary(is_filtered ? "loaded" : "keys"), plan_.staged_columns, stop);
    filter_source(stop);
    if (plan_.missing) settle_missing(stop);
    switch (plan_.strategy) {
        case MergeStrategy::delete_insert:
            delete_insert(stop);
            break;
        case MergeStrategy::upsert:
        case MergeStrategy::insert_only:
        case MergeStrategy::cdc:
            upsert(stop);
            break;
        case MergeStrategy::scd2:
            keep_versions(stop);
            break;
    }
    drop("keys");
    if (is_filtered) drop("loaded");
    if (has_kept_keys_) drop("kept");
}

}  // namespace tipple::destination
