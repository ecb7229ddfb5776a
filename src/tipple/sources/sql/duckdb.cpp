#include <algorithm>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/engine/engine.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/settings.h"
#include "tipple/sources/sql/statement.h"

namespace tipple::sources::sql {

namespace {

using engine::quote_identifier;
using engine::quote_literal;
using schema::DataType;
using schema::Value;

/// What the file is called inside the engine: as no schema of its own is, or names would have two meanings.
constexpr std::string_view catalog = "_tipple_source";
/// For looking at what there is; rows that are only in the file's log are read into memory then.
constexpr std::size_t memory_bytes = limits::memory_default / 2;

/// A list as the engine prints it: `[a, "b, c"]`. Read as rows instead, by unnest, so this is only for single columns.
std::string unnested(std::string_view list, std::string_view table, std::string_view condition) {
    return fmt::format("SELECT unnest({}) FROM {} WHERE {}", list, table, condition);
}

std::string double_literal(double value) {
    if (std::isfinite(value)) return fmt::format("{:.17g}::DOUBLE", value);
    return fmt::format("'{}'::DOUBLE", std::isnan(value) ? "nan" : value < 0 ? "-infinity" : "infinity");
}

bool may_be_infinite(const DeclaredColumn& column) {
    return column.type && (column.type->type == DataType::double_ || column.type->type == DataType::timestamp || column.type->type == DataType::date);
}

/// A DuckDB file, attached to be read only. While it is, nobody can write it, so all reads see the same.
class DuckdbDatabase final : public Database {
public:
    explicit DuckdbDatabase(std::string path) : path_(std::move(path)), engine_({.memory_bytes = memory_bytes, .threads = 1}) {
        engine_.attach(path_, catalog, engine::AttachMode::read_only);
        engine_.execute(fmt::format("USE {}", quote_identifier(catalog)));
    }

    std::string description() const override { return path_; }
    std::string default_schema() const override { return "main"; }
    std::string quote(std::string_view name) const override { return quote_identifier(name); }
    void set_limits(const ReadLimits& limits) override {
        engine_.set_memory(limits.memory_bytes);
        engine_.set_threads(limits.threads);
        if (!limits.temp_folder.empty()) engine_.execute(fmt::format("SET temp_directory = {}", quote_literal(limits.temp_folder)));
    }

    std::vector<TableName> tables(std::stop_token) override {
        const engine::Result rows = engine_.query(
            fmt::format("SELECT schema_name, table_name, 'table' FROM duckdb_tables() WHERE database_name = {0} AND NOT internal "
                        "UNION ALL SELECT schema_name, view_name, 'view' FROM duckdb_views() WHERE database_name = {0} AND NOT internal ORDER BY 1, 2",
                        quote_literal(catalog)));
        std::vector<TableName> tables;
        for (const auto& row : rows.rows) tables.push_back({.schema = row[0].value_or(""), .name = row[1].value_or(""), .is_view = row[2] == "view"});
        return tables;
    }

    TableInfo reflect(const TableName& table, std::stop_token stop) override {
        TableInfo info{.name = table, .columns = describe(fmt::format("SELECT * FROM {}", quoted_table(*this, table)), stop), .primary_key = {}, .foreign_keys = {}, .comment = {}};
        const std::string is_this = fmt::format("database_name = {} AND schema_name = {} AND {{}} = {}", quote_literal(catalog), quote_literal(table.schema), quote_literal(table.name));
        if (table.is_view) return info;
        const std::string is_table = fmt::format(fmt::runtime(is_this), "table_name");
        const engine::Result about = engine_.query(fmt::format("SELECT comment, estimated_size FROM duckdb_tables() WHERE {}", is_table));
        if (about.rows.empty()) throw Error(ErrorKind::usage, "{} has no table \"{}\"", path_, table.name);
        info.comment = about.rows[0][0].value_or("");
        if (about.rows[0][1]) info.rows_estimate = std::stoull(*about.rows[0][1]);
        const engine::Result columns = engine_.query(fmt::format("SELECT column_name, is_nullable, comment FROM duckdb_columns() WHERE {}", is_table));
        for (const auto& row : columns.rows) {
            const auto column = std::find_if(info.columns.begin(), info.columns.end(), [&](const DeclaredColumn& known) { return known.name == row[0]; });
            if (column == info.columns.end()) continue;
            column->is_nullable = row[1] == "true";
            column->comment = row[2].value_or("");
        }
        add_keys(info, is_table);
        return info;
    }

    std::vector<DeclaredColumn> describe(const std::string& query, std::stop_token) override {
        std::vector<DeclaredColumn> columns;
        for (engine::ReadColumn& column : engine_.describe(query)) {
            columns.push_back({.name = std::move(column.name), .declared = column.sql_type, .type = column.type, .precision = bits_of(column.sql_type)});
        }
        return columns;
    }

    std::string bound_literal(const Value& value, const DeclaredColumn& column, BoundSide side) const override {
        if (const auto* integer = value.get_if<std::int64_t>()) return std::to_string(*integer);
        if (const auto* real = value.get_if<double>()) return double_literal(*real);
        if (const auto* decimal = value.get_if<schema::Decimal>()) return schema::to_plain_text(*decimal);
        if (const auto* date = value.get_if<schema::Date>()) return fmt::format("DATE {}", quote_literal(schema::to_iso_text(*date)));
        if (const auto* time = value.get_if<schema::Time>()) {
            const schema::Time bound{.us = time->us + (side == BoundSide::upper && column.declared == "TIME_NS" ? 1 : 0)};
            return fmt::format("TIME {}", quote_literal(schema::to_iso_text(bound)));
        }
        if (const auto* timestamp = value.get_if<schema::Timestamp>()) {
            schema::Timestamp bound = *timestamp;
            bound.offset_seconds = 0;
            // Nanoseconds are cut where they are read, so the greatest value lies before what is stored.
            if (side == BoundSide::upper && column.declared == "TIMESTAMP_NS") ++bound.us;
            return fmt::format("{} {}", timestamp->is_aware ? "TIMESTAMPTZ" : "TIMESTAMP", quote_literal(schema::to_iso_text(bound)));
        }
        if (const auto* text = value.get_if<std::string>()) return quote_literal(*text);
        throw Error(ErrorKind::usage, "column \"{}\" of type {} cannot be a cursor: its values have no order", column.name, column.declared);
    }

    /// What comes as text is compared as text, by code point: so is an ENUM, whose own order is that of its declaration.
    std::string order_expression(const DeclaredColumn& column) const override {
        const bool is_text = column.type && column.type->type == DataType::text;
        return is_text ? fmt::format("CAST({} AS VARCHAR) COLLATE C", quote_identifier(column.name)) : quote_identifier(column.name);
    }

    /// Nobody can write the file while it is open.
    void begin_snapshot(std::stop_token) override {}
    /// The engine itself reads with several threads.
    std::unique_ptr<Database> another(std::stop_token) override { return nullptr; }
    std::vector<std::string> split(const TableInfo&, const std::string&, std::size_t, std::stop_token) override { return {""}; }

    CursorBound bound(const CursorQuery& cursor, std::stop_token stop) override {
        CursorQuery finite = cursor;
        // Behind what is infinite there would never be anything new.
        if (may_be_infinite(cursor.column)) {
            const std::string condition = fmt::format("isfinite({})", quote_identifier(cursor.column.name));
            finite.condition = cursor.condition.empty() ? condition : fmt::format("({}) AND {}", cursor.condition, condition);
        }
        return {.upper = greatest_value(*this, finite, std::move(stop)).value_or(Value()),
                .memory = {},
                .is_guaranteed = true,
                .explanation = "nobody writes the file while it is read, so nothing is missed that has a greater value"};
    }

    void read(const Select& select, std::size_t batch_rows, std::size_t /*batch_bytes*/, std::stop_token stop, const std::function<bool(Rows)>& take) override {
        engine_.read(select.sql, batch_rows, std::move(stop), [&](columns::Batch batch) {
            // An expression has another name than the column that it gives.
            for (std::size_t i = 0; i < batch.names.size(); ++i) batch.names[i] = select.columns[i].name;
            return take(std::move(batch));
        });
    }

private:
    static std::optional<int> bits_of(const std::string& type) {
        if (type == "SMALLINT" || type == "TINYINT" || type == "UTINYINT") return 16;
        if (type == "INTEGER" || type == "USMALLINT") return 32;
        return std::nullopt;
    }

    std::vector<std::string> names_in(std::string_view list, const std::string& condition) {
        std::vector<std::string> names;
        for (const auto& row : engine_.query(unnested(list, "duckdb_constraints()", condition)).rows) names.push_back(row[0].value_or(""));
        return names;
    }

    void add_keys(TableInfo& info, const std::string& is_table) {
        info.primary_key = names_in("constraint_column_names", is_table + " AND constraint_type = 'PRIMARY KEY'");
        const engine::Result keys = engine_.query(fmt::format("SELECT constraint_index, referenced_table FROM duckdb_constraints() WHERE {} AND constraint_type = 'FOREIGN KEY'", is_table));
        for (const auto& row : keys.rows) {
            const std::string is_key = fmt::format("{} AND constraint_index = {}", is_table, row[0].value_or("0"));
            info.foreign_keys.push_back({.columns = names_in("constraint_column_names", is_key),
                                         .referenced = {.schema = info.name.schema, .name = row[1].value_or("")},
                                         .referenced_columns = names_in("referenced_column_names", is_key)});
        }
    }

    std::string path_;
    engine::Engine engine_;
};

}  // namespace

DatabaseKind duckdb_kind() {
    return {.name = "duckdb",
            .schemes = {"duckdb"},
            .endings = {".duckdb", ".ddb"},
            .options = {},
            .owns_file = [](std::string_view head) { return head.size() >= 12 && head.substr(8, 4) == "DUCK"; },
            .open = [](const config::Options& options, const Log&) -> std::unique_ptr<Database> {
                return std::make_unique<DuckdbDatabase>(path_of_uri(options.require("uri"), options.find("folder").value_or("")));
            }};
}

}  // namespace tipple::sources::sql
