#include "tipple/sources/sql/postgres/catalog.h"

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/quoting.h"
#include "tipple/sources/sql/postgres/text.h"
#include "tipple/sources/sql/postgres/types.h"

namespace tipple::sources::sql::postgres {

using tipple::postgres::Connection;
using tipple::postgres::Result;
using tipple::postgres::Row;
using tipple::postgres::quote_literal;

namespace {

/// From which on a table that nobody counted has -1 rows instead of 0.
constexpr int version_with_unknown_rows = 140'000;

/// Domains and what they are in the end, whatever domains lie between.
constexpr std::string_view domains_sql =
    "resolved (domain, base, modifier, is_required) AS (SELECT t.oid, t.typbasetype, t.typtypmod, t.typnotnull FROM pg_catalog.pg_type AS t WHERE t.typtype = 'd' UNION ALL "
    "SELECT r.domain, t.typbasetype, CASE WHEN r.modifier = -1 THEN t.typtypmod ELSE r.modifier END, r.is_required OR t.typnotnull FROM resolved AS r JOIN "
    "pg_catalog.pg_type AS t ON t.oid = r.base WHERE t.typtype = 'd'), domains AS (SELECT r.* FROM resolved AS r JOIN pg_catalog.pg_type AS t ON t.oid = r.base WHERE "
    "t.typtype <> 'd')";

/// Tables of people, of which a condition says more.
std::string tables_condition(const TableName& table) {
    std::string condition =
        "c.relkind IN ('r', 'p', 'v', 'm', 'f') AND n.nspname <> 'information_schema' AND n.nspname !~ '^pg_' AND pg_catalog.has_schema_privilege(n.oid, 'USAGE')";
    if (!table.schema.empty()) condition += fmt::format(" AND n.nspname = {}", quote_literal(table.schema));
    if (!table.name.empty()) condition += fmt::format(" AND c.relname = {}", quote_literal(table.name));
    return condition;
}

/// `{a,"b c","d\"e"}`: a list of names as the server writes it.
std::vector<std::string> parse_names(std::string_view text) {
    std::vector<std::string> names;
    if (text.size() <= 2) return names;
    text = text.substr(1, text.size() - 2);
    std::string name;
    bool is_quoted = false;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            name += text[++i];
        } else if (text[i] == '"') {
            is_quoted = !is_quoted;
        } else if (text[i] == ',' && !is_quoted) {
            names.push_back(std::move(name));
            name.clear();
        } else {
            name += text[i];
        }
    }
    names.push_back(std::move(name));
    return names;
}

TableName table_name(const Row& row, std::size_t at) { return {.schema = row[at].value_or(""), .name = row[at + 1].value_or("")}; }

Reflected* find(ReflectedTables& tables, const Row& row) {
    const auto found = tables.find({row[0].value_or(""), row[1].value_or("")});
    return found == tables.end() ? nullptr : &found->second;
}

/// Type numbers and modifiers of `type` and of what it is in the end; names of columns follow `expressions`.
CatalogType catalog_type(const Row& row, std::size_t at) {
    return {.oid = parse_number<std::uint32_t>(row[at], 0),
            .modifier = parse_number<int>(row[at + 1], -1),
            .text = row[at + 2].value_or("unknown"),
            .kind = row[at + 3].value_or("b").at(0),
            .category = row[at + 4].value_or("U").at(0),
            .name = row[at + 5].value_or("")};
}
constexpr std::size_t catalog_type_fields = 6;

std::string type_fields(std::string_view base, std::string_view modifier) {
    return fmt::format("{0}, {1}, pg_catalog.format_type({0}, {1}), t.typtype, t.typcategory, t.typname", base, modifier);
}

void read_columns(Connection& connection, const ReflectOptions& options, const std::stop_token& stop, ReflectedTables& tables) {
    constexpr std::string_view base = "coalesce(d.base, a.atttypid)";
    constexpr std::string_view modifier = "CASE WHEN d.base IS NULL THEN a.atttypmod WHEN a.atttypmod = -1 THEN d.modifier ELSE a.atttypmod END";
    const std::string sql = fmt::format(
        "WITH RECURSIVE {0} SELECT n.nspname, c.relname, c.relkind, CASE WHEN c.relkind = 'p' THEN (SELECT CASE WHEN pg_catalog.bool_and(l.reltuples >= {1}) THEN "
        "pg_catalog.sum(l.reltuples) END FROM pg_catalog.pg_partition_tree(c.oid) AS p JOIN pg_catalog.pg_class AS l ON l.oid = p.relid WHERE p.isleaf) WHEN c.reltuples >= {1} "
        "AND c.relkind IN ('r', 'm', 'f') THEN c.reltuples END::bigint, pg_catalog.obj_description(c.oid, 'pg_class'), pg_catalog.row_security_active(c.oid), a.attname, "
        "a.attnotnull OR coalesce(d.is_required, false), pg_catalog.has_column_privilege(c.oid, a.attnum, 'SELECT'), pg_catalog.col_description(c.oid, a.attnum), {2} FROM "
        "pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace LEFT JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum > 0 AND "
        "NOT a.attisdropped LEFT JOIN domains AS d ON d.domain = a.atttypid LEFT JOIN pg_catalog.pg_type AS t ON t.oid = {3} WHERE {4} ORDER BY n.nspname, c.relname, a.attnum",
        domains_sql, connection.server_version() < version_with_unknown_rows ? 1 : 0, type_fields(base, modifier), base, tables_condition(options.table));
    connection.for_each(sql, stop, [&](const Row& row) {
        Reflected& table = tables[{row[0].value(), row[1].value()}];
        if (table.info.name.name.empty()) {
            table.info.name = table_name(row, 0);
            table.info.name.is_view = row[2] == "v" || row[2] == "m";
            if (row[3]) table.info.rows_estimate = std::stoull(*row[3]);
            table.info.comment = row[4].value_or("");
            table.has_row_security = row[5] == "t";
        }
        // There are tables without columns.
        if (!row[6]) return;
        DeclaredColumn column = declared_column(catalog_type(row, 10), options.unlimited_numeric);
        column.name = *row[6];
        column.is_nullable = row[7] != "t";
        column.is_readable = row[8] == "t";
        column.comment = row[9].value_or("");
        table.info.columns.push_back(std::move(column));
    });
}

/// The primary key, else the smallest unique index whose columns are never null.
void read_keys(Connection& connection, const ReflectOptions& options, const std::stop_token& stop, ReflectedTables& tables) {
    const std::string sql = fmt::format(
        "SELECT DISTINCT ON (n.nspname, c.relname) n.nspname, c.relname, (SELECT pg_catalog.array_agg(a.attname ORDER BY k.place) FROM "
        "pg_catalog.unnest(i.indkey::int2[]) WITH ORDINALITY AS k (attnum, place) JOIN pg_catalog.pg_attribute AS a ON a.attrelid = c.oid AND a.attnum = k.attnum WHERE k.place "
        "<= i.indnkeyatts)::text FROM pg_catalog.pg_index AS i JOIN pg_catalog.pg_class AS c ON c.oid = i.indrelid JOIN pg_catalog.pg_namespace AS n ON n.oid = "
        "c.relnamespace WHERE {} AND i.indisunique AND i.indimmediate AND i.indisvalid AND i.indpred IS NULL AND i.indexprs IS NULL AND (i.indisprimary OR NOT EXISTS (SELECT 1 "
        "FROM pg_catalog.pg_attribute AS a WHERE a.attrelid = c.oid AND a.attnum = ANY (i.indkey::int2[]) AND NOT a.attnotnull)) ORDER BY n.nspname, c.relname, i.indisprimary "
        "DESC, i.indnkeyatts, i.indexrelid",
        tables_condition(options.table));
    connection.for_each(sql, stop, [&](const Row& row) {
        if (Reflected* table = find(tables, row)) table->info.primary_key = parse_names(row[2].value_or(""));
    });
}

void read_foreign_keys(Connection& connection, const ReflectOptions& options, const std::stop_token& stop, ReflectedTables& tables) {
    const auto names = [](std::string_view relation, std::string_view key) {
        return fmt::format(
            "(SELECT pg_catalog.array_agg(a.attname ORDER BY k.place) FROM pg_catalog.unnest({1}) WITH ORDINALITY AS k (attnum, place) JOIN pg_catalog.pg_attribute AS a ON "
            "a.attrelid = {0} AND a.attnum = k.attnum)::text",
            relation, key);
    };
    const std::string sql = fmt::format(
        "SELECT n.nspname, c.relname, {}, rn.nspname, r.relname, {} FROM pg_catalog.pg_constraint AS f JOIN pg_catalog.pg_class AS c ON c.oid = f.conrelid JOIN "
        "pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace JOIN pg_catalog.pg_class AS r ON r.oid = f.confrelid JOIN pg_catalog.pg_namespace AS rn ON rn.oid = "
        "r.relnamespace WHERE f.contype = 'f' AND {} AND NOT EXISTS (SELECT 1 FROM pg_catalog.pg_constraint AS p WHERE p.oid = f.conparentid AND p.conrelid = f.conrelid) ORDER BY "
        "n.nspname, c.relname, f.conname",
        names("c.oid", "f.conkey"), names("r.oid", "f.confkey"), tables_condition(options.table));
    connection.for_each(sql, stop, [&](const Row& row) {
        Reflected* table = find(tables, row);
        if (table == nullptr) return;
        table->info.foreign_keys.push_back(
            {.columns = parse_names(row[2].value_or("")), .referenced = table_name(row, 3), .referenced_columns = parse_names(row[5].value_or(""))});
    });
}

}  // namespace

std::vector<TableName> list_tables(Connection& connection, const std::stop_token& stop) {
    const std::string sql = fmt::format(
        "SELECT n.nspname, c.relname, c.relkind IN ('v', 'm') FROM pg_catalog.pg_class AS c JOIN pg_catalog.pg_namespace AS n ON n.oid = c.relnamespace WHERE {} AND NOT "
        "c.relispartition AND (pg_catalog.has_table_privilege(c.oid, 'SELECT') OR pg_catalog.has_any_column_privilege(c.oid, 'SELECT')) AND NOT EXISTS (SELECT 1 FROM "
        "pg_catalog.pg_depend AS d WHERE d.classid = 'pg_catalog.pg_class'::pg_catalog.regclass AND d.objid = c.oid AND d.deptype = 'e') ORDER BY n.nspname, c.relname",
        tables_condition({}));
    std::vector<TableName> tables;
    connection.for_each(sql, stop, [&](const Row& row) {
        TableName name = table_name(row, 0);
        name.is_view = row[2] == "t";
        tables.push_back(std::move(name));
    });
    return tables;
}

ReflectedTables reflect_tables(Connection& connection, const ReflectOptions& options, const std::stop_token& stop) {
    ReflectedTables tables;
    read_columns(connection, options, stop, tables);
    read_keys(connection, options, stop, tables);
    read_foreign_keys(connection, options, stop, tables);
    return tables;
}

std::vector<DeclaredColumn> describe_columns(Connection& connection, const Result& result, const columns::ColumnType& unlimited_numeric, const std::stop_token& stop) {
    // Of domains, results have the types they are made of.
    std::vector<std::string> wanted;
    for (std::size_t i = 0; i < result.types.size(); ++i) wanted.push_back(fmt::format("({}, {}::oid, {})", i, result.types[i].oid, result.types[i].modifier));
    if (wanted.empty()) return {};
    const Result types = connection.query(fmt::format("SELECT {} FROM (VALUES {}) AS w (place, oid, modifier) LEFT JOIN pg_catalog.pg_type AS t ON t.oid = w.oid ORDER BY w.place",
                                                      type_fields("w.oid", "w.modifier"), join(wanted, ", ")),
                                          all_rows, stop);
    std::vector<DeclaredColumn> columns;
    for (std::size_t i = 0; i < types.rows.size(); ++i) {
        TIPPLE_ASSERT(types.rows[i].size() == catalog_type_fields);
        columns.push_back(declared_column(catalog_type(types.rows[i], 0), unlimited_numeric));
        columns.back().name = result.names[i];
    }
    return columns;
}

}  // namespace tipple::sources::sql::postgres
