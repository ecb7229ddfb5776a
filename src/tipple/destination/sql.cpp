#include "tipple/destination/sql.h"

#include <algorithm>
#include <charconv>

#include "tipple/core/error.h"
#include "tipple/core/random.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"
#include "tipple/schema/widening.h"

namespace tipple::destination {

namespace {

std::string in_quotes(std::string_view text, char quote) {
    std::string out(1, quote);
    for (const char c : text) out.append(c == quote ? 2 : 1, c);
    return out + quote;
}

}  // namespace

std::string standard_name(std::string_view name) { return in_quotes(name, '"'); }

std::string standard_literal(std::string_view text) { return in_quotes(text, '\''); }

std::string standard_in_list(const std::vector<std::string>& texts) {
    std::vector<std::string> literals;
    for (const std::string& text : texts) literals.push_back(standard_literal(text));
    return "IN (" + join(literals, ", ") + ")";
}

std::uint64_t to_count(const std::optional<std::string>& value) {
    std::uint64_t count = 0;
    if (value) std::from_chars(value->data(), value->data() + value->size(), count);
    return count;
}

std::string count_large_integers(std::string_view table, std::string_view column) {
    return fmt::format("SELECT count(*) FROM {} WHERE {} NOT BETWEEN -{} AND {}", table, column, schema::double_integer_max, schema::double_integer_max);
}

std::string SqlWriter::list(const std::vector<std::string>& columns) const {
    std::vector<std::string> quoted;
    for (const std::string& column : columns) quoted.push_back(name(column));
    return join(quoted, ", ");
}

std::string SqlWriter::literal(const Constant& constant) const {
    if (const auto* text = std::get_if<std::string>(&constant.value)) return literal(*text);
    if (const auto* time_us = std::get_if<std::int64_t>(&constant.value)) return dialect_.timestamp_literal(*time_us);
    return "NULL";
}

std::string SqlWriter::create_temporary(const std::string& temporary, const std::vector<std::string>& columns) const {
    return fmt::format("CREATE TEMP TABLE {} ({}){}", temporary, join(columns, ", "), dialect_.temporary_suffix);
}

std::string SqlWriter::create_temporary_as(const std::string& temporary, const std::string& select) const {
    return fmt::format("CREATE TEMP TABLE {}{} AS {}", temporary, dialect_.temporary_suffix, select);
}

std::string SqlWriter::create_table(const schema::Table& table, SqlLayout layout) const {
    std::vector<std::string> clauses;
    for (const schema::Column& column : table.columns()) {
        if (!column.is_complete()) continue;
        const std::string storage = dialect_.column_storage != nullptr ? dialect_.column_storage(column) : "";
        clauses.push_back(fmt::format("{} {}{}{}", name(column.name()), dialect_.column_type(column), storage,
                                      column.is_nullable() ? "" : " NOT NULL"));
    }
    const bool is_line = layout == SqlLayout::line || clauses.empty();
    const std::string columns = is_line ? join(clauses, ", ") : fmt::format("\n    {}\n", join(clauses, ",\n    "));
    return fmt::format("CREATE TABLE {}{} ({})", table.is_internal() ? "IF NOT EXISTS " : "", this->table(table.name()), columns);
}

std::string SqlWriter::add_column(std::string_view table, const schema::Column& column) const {
    return fmt::format("ALTER TABLE {} ADD COLUMN {} {}{}", this->table(table), name(column.name()),
                       dialect_.column_type(column), column.is_nullable() ? "" : " NOT NULL");
}

std::string SqlWriter::widen_column(std::string_view table, const schema::Column& column) const {
    return fmt::format("ALTER TABLE {} ALTER COLUMN {} TYPE {}", this->table(table), name(column.name()), dialect_.column_type(column));
}

std::string SqlWriter::insert_schema(const schema::Schema& schema, std::int64_t time_us) const {
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({}, {}, {}, {}, {}, {})", table(version_table),
        list({"version", "engine_version", "inserted_at", "schema_name", "version_hash", "schema"}),
        schema.version(), schema::engine_version, dialect_.timestamp_literal(time_us),
        literal(schema.name()), literal(schema.version_hash()),
        literal(json::to_text(schema.to_document())));
}

std::string SqlWriter::insert_load(const std::string& load_id, const schema::Schema& schema,
                                   std::int64_t time_us) const {
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({}, {}, 0, {}, {})", table(loads_table),
        list({"load_id", "schema_name", "status", "inserted_at", "schema_version_hash"}),
        literal(load_id), literal(schema.name()), dialect_.timestamp_literal(time_us),
        literal(schema.version_hash()));
}

std::string SqlWriter::insert_state(const json::Object& state, const std::string& pipeline,
                                    const std::string& load_id, std::int64_t time_us) const {
    const json::Value* version = state.find("_state_version");
    const json::Value* engine = state.find("_state_engine_version");
    TIPPLE_ASSERT(version != nullptr && version->is_int());
    return fmt::format(
        "INSERT INTO {} ({}) VALUES ({}, {}, {}, $1, {}, {}, {}, {})", table(state_table),
        list({"version", "engine_version", "pipeline_name", "state", "created_at", "version_hash",
              std::string(schema::load_id_column), std::string(schema::id_column)}),
        version->as_int(),
        engine != nullptr && engine->is_int() ? engine->as_int() : state_engine_version,
        literal(pipeline), dialect_.timestamp_literal(time_us),
        literal(stored_state_hash(state)),
        literal(load_id), literal(random_id(state_row_id_length)));
}

std::string SqlWriter::select_state(const std::string& pipeline) const {
    const std::string load_id = name(schema::load_id_column);
    return fmt::format(
        "SELECT s.{0}, s.{1}, s.{2}, s.{3} FROM {4} AS s JOIN {5} AS l ON l.{6} = s.{2} WHERE "
        "s.{7} = {8} AND l.{9} = 0"
        " ORDER BY s.{2} DESC LIMIT 1",
        name("version"), name("version_hash"), load_id, name("state"), table(state_table),
        table(loads_table), name("load_id"), name("pipeline_name"), literal(pipeline),
        name("status"));
}

std::string SqlWriter::select_schemas() const {
    return fmt::format(
        "SELECT {0}, {1} FROM (SELECT {0}, {1}, row_number() OVER (PARTITION BY {0} ORDER BY {2} "
        "DESC) AS n FROM {3}) AS v"
        " WHERE n = 1",
        name("schema_name"), name("schema"), name("inserted_at"), table(version_table));
}

std::string SqlWriter::select_schema_hash(const std::string& schema_name) const {
    return fmt::format("SELECT {} FROM {} WHERE {} = {} ORDER BY {} DESC LIMIT 1",
                       name("version_hash"), table(version_table), name("schema_name"),
                       literal(schema_name), name("inserted_at"));
}

std::string SqlWriter::select_newest_schema_us() const {
    return fmt::format("SELECT {} FROM {}", dialect_.timestamp_us(fmt::format("max({})", name("inserted_at"))), table(version_table));
}

std::string SqlWriter::delete_schemas(const std::string& schema_name) const {
    return fmt::format("DELETE FROM {} WHERE {} = {}", table(version_table), name("schema_name"), literal(schema_name));
}

std::string SqlWriter::select_load(const LoadKey& load) const {
    std::string sql = fmt::format("SELECT 1 FROM {} WHERE {} = {}", table(loads_table), name("load_id"), literal(load.load_id));
    if (!load.schema_name.empty()) sql += fmt::format(" AND {} = {}", name("schema_name"), literal(load.schema_name));
    if (!load.schema_hash.empty()) sql += fmt::format(" AND {} = {}", name("schema_version_hash"), literal(load.schema_hash));
    return sql;
}

std::string SqlWriter::select_state_of(const LoadKey& load) const {
    return fmt::format("SELECT 1 FROM {} WHERE {} = {} AND {} = {} AND {} = {}", table(state_table), name(schema::load_id_column), literal(load.load_id), name("pipeline_name"),
                       literal(load.pipeline), name("version_hash"), literal(load.state_hash));
}

std::string SqlWriter::select_newest_load() const {
    return fmt::format("SELECT max({}) FROM {}", name("load_id"), table(loads_table));
}

}  // namespace tipple::destination
