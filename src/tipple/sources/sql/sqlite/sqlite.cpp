#include <algorithm>
#include <chrono>
#include <cmath>
#include <map>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/settings.h"
#include "tipple/sources/sql/sqlite/connection.h"
#include "tipple/sources/sql/sqlite/row_reader.h"
#include "tipple/sources/sql/sqlite/types.h"
#include "tipple/sources/sql/statement.h"

namespace tipple::sources::sql {

namespace sqlite {

namespace {

using schema::DataType;
using schema::Value;
namespace civil = schema::civil;

/// There is no word for it; this is beyond what a double holds.
constexpr std::string_view infinity_literal = "9e999";
constexpr std::int64_t us_per_ms = 1'000;

bool is_time(const DeclaredColumn& column) {
    return column.type && (column.type->type == DataType::timestamp || column.type->type == DataType::date);
}

/// Microseconds since 1970 of a date or timestamp.
std::optional<std::int64_t> us_of(const Value& value) {
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return timestamp->us;
    if (const auto* date = value.get_if<schema::Date>()) return date->days * civil::us_per_day;
    return std::nullopt;
}

/// A file of SQLite. It has one writer at a time and no transaction commits behind another one's back, so whatever was read is all there was.
class SqliteDatabase final : public Database {
public:
    SqliteDatabase(std::string path, std::chrono::milliseconds busy_timeout) : connection_(path, busy_timeout), path_(std::move(path)), busy_timeout_(busy_timeout) {}

    std::string description() const override { return path_; }
    std::string default_schema() const override { return {}; }
    std::string quote(std::string_view name) const override { return quote_name(name); }

    std::vector<TableName> tables(std::stop_token stop) override {
        std::vector<TableName> tables;
        Query rows = connection_.query(
            "SELECT name, type = 'view' FROM pragma_table_list WHERE schema = 'main' AND type IN ('table', 'view', 'virtual') AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name", stop);
        while (rows.step()) tables.push_back({.schema = {}, .name = std::string(rows.text(0)), .is_view = rows.integer(1) != 0});
        return tables;
    }

    TableInfo reflect(const TableName& table, std::stop_token stop) override {
        TableInfo info{.name = table, .columns = {}, .primary_key = {}, .foreign_keys = {}, .comment = {}};
        std::vector<std::pair<std::int64_t, std::string>> key;
        // Columns that a virtual table hides are its commands.
        Query columns = connection_.query(fmt::format("SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo({}) WHERE hidden <> 1 ORDER BY cid", quote_text(table.name)), stop);
        while (columns.step()) {
            DeclaredColumn column = declared_column(std::string(columns.text(0)), std::string(columns.text(1)));
            column.is_nullable = columns.integer(2) == 0;
            if (columns.integer(3) > 0) key.emplace_back(columns.integer(3), column.name);
            info.columns.push_back(std::move(column));
        }
        if (info.columns.empty()) throw Error(ErrorKind::usage, "{} has no table \"{}\"", path_, table.name);
        std::sort(key.begin(), key.end());
        for (auto& [place, name] : key) info.primary_key.push_back(std::move(name));
        add_foreign_keys(info, stop);
        if (const std::string number = row_number(info, stop); !number.empty()) info.rows_estimate = count_estimate(info, number, stop);
        return info;
    }

    std::vector<DeclaredColumn> describe(const std::string& query, std::stop_token stop) override {
        const Query rows = connection_.query(query, stop);
        if (!rows.is_select()) throw Error(ErrorKind::usage, "a query must be a SELECT, and is: {}", excerpt(query, 200));
        std::vector<DeclaredColumn> columns;
        for (int i = 0; i < rows.columns(); ++i) columns.push_back(declared_column(rows.name(i), rows.declared_type(i)));
        return columns;
    }

    std::string bound_literal(const Value& value, const DeclaredColumn& column, BoundSide side) const override {
        if (const std::optional<std::int64_t> us = us_of(value)) return time_literal(*us, form_of(column), side);
        if (const auto* integer = value.get_if<std::int64_t>()) return std::to_string(*integer);
        if (const auto* real = value.get_if<double>()) return std::isinf(*real) ? fmt::format("{}{}", *real < 0 ? "-" : "", infinity_literal) : fmt::format("{:.17g}", *real);
        if (const auto* flag = value.get_if<bool>()) return *flag ? "1" : "0";
        if (const auto* decimal = value.get_if<schema::Decimal>()) return schema::to_plain_text(*decimal);
        if (const auto* time = value.get_if<schema::Time>()) return quote_text(schema::to_iso_text(*time));
        if (const auto* text = value.get_if<std::string>()) return quote_text(*text);
        throw Error(ErrorKind::usage, "column \"{}\" cannot be a cursor: its values have no order", column.name);
    }

    /// Whatever order the column has of its own.
    std::string order_expression(const DeclaredColumn& column) const override {
        const bool is_text = !column.type || column.type->type == DataType::text;
        return is_text ? quote_name(column.name) + " COLLATE BINARY" : quote_name(column.name);
    }

    /// Times as text may be written in several forms. To the millisecond, which is what the database's own functions see; what is the same to them sorts as text.
    std::string sort_expression(const DeclaredColumn& column) const override {
        const bool is_text = is_time(column) && form_of(column) == TimeForm::text;
        return is_text ? fmt::format("strftime('%Y-%m-%d %H:%M:%f', {}) || {}", quote_name(column.name), quote_name(column.name)) : order_expression(column);
    }

    void begin_snapshot(std::stop_token stop) override {
        connection_.execute("BEGIN", stop);
        connection_.execute("SELECT count(*) FROM sqlite_schema", stop);
        is_snapshot_ = true;
    }

    std::unique_ptr<Database> another(std::stop_token stop) override {
        // Readers keep a file as it is unless it is in WAL mode: a later reader sees more there.
        if (!is_snapshot_ || is_wal(stop)) return nullptr;
        auto other = std::make_unique<SqliteDatabase>(path_, busy_timeout_);
        other->begin_snapshot(stop);
        return other;
    }

    int stored_form(const CursorQuery& cursor, std::stop_token stop) override {
        if (!is_time(cursor.column)) return static_cast<int>(TimeForm::unknown);
        const std::string rest = fmt::format("({}) FROM {}{}", quote_name(cursor.column.name), quoted_relation(*this, cursor.table.name, cursor.query),
                                             cursor.condition.empty() ? "" : " WHERE " + cursor.condition);
        Query least = connection_.query("SELECT min" + rest, stop);
        Query greatest = connection_.query("SELECT max" + rest, stop);
        if (!least.step() || !greatest.step()) return static_cast<int>(TimeForm::unknown);
        const TimeForm from = time_form(least, 0);
        const TimeForm to = time_form(greatest, 0);
        // Numbers come before texts, and numbers of different units have no common order.
        if (from != to) {
            throw Error(ErrorKind::data, "column \"{}\" holds times in several forms ({} and {}), which have no common order, so it cannot be a cursor; let a query bring them into one",
                        cursor.column.name, excerpt(least.text(0)), excerpt(greatest.text(0)));
        }
        return static_cast<int>(to);
    }

    CursorBound bound(const CursorQuery& cursor, std::stop_token stop) override {
        CursorBound bound{.upper = {}, .condition = {}, .memory = {}, .is_guaranteed = true, .explanation = "transactions of SQLite commit one after the other, so nothing is missed that has a greater value"};
        CursorQuery finite = cursor;
        // Behind what is infinite there would never be anything new. Texts are behind it, and are told apart; where there are any, the greatest value keeps nothing out.
        if (!cursor.column.type || cursor.column.type->type == DataType::double_) {
            bound.condition = fmt::format("{} <> {}", quote_name(cursor.column.name), infinity_literal);
            finite.condition = cursor.condition.empty() ? bound.condition : fmt::format("({}) AND {}", cursor.condition, bound.condition);
        }
        const std::optional<Value> greatest = greatest_value(*this, finite, stop);
        bound.upper = greatest.value_or(Value());
        bound.is_open = !greatest;
        return bound;
    }

    std::vector<std::string> split(const TableInfo& table, const std::string& by, std::size_t parts, std::stop_token stop) override {
        const std::string column = by.empty() ? row_number(table, stop) : quote_name(by);
        if (column.empty() || parts < 2) return {""};
        // Apart, each is found in an index without a walk over the table.
        Query range = connection_.query(fmt::format("SELECT (SELECT min({0}) FROM {1}), (SELECT max({0}) FROM {1})", column, quote_name(table.name.name)), stop);
        if (!range.step() || !range.is_integer(0) || !range.is_integer(1)) return {""};
        const std::int64_t least = range.integer(0);
        const std::int64_t greatest = range.integer(1);
        const columns::uint128 span = static_cast<columns::uint128>(static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(least)) + 1;
        const columns::uint128 width = (span + parts - 1) / parts;
        std::vector<std::string> conditions;
        for (std::int64_t from = least;;) {
            const auto left = static_cast<std::uint64_t>(greatest) - static_cast<std::uint64_t>(from);
            const bool is_first = from == least;
            if (width > left) {
                conditions.push_back(is_first ? "" : fmt::format("{} >= {}", column, from));
                return conditions;
            }
            const auto next = static_cast<std::int64_t>(static_cast<std::uint64_t>(from) + static_cast<std::uint64_t>(width));
            conditions.push_back(is_first ? fmt::format("{} < {}", column, next) : fmt::format("{0} >= {1} AND {0} < {2}", column, from, next));
            // A column of the user's may lack values, and may have fractions between those that divide it.
            if (is_first && !by.empty()) conditions.front() += fmt::format(" OR {} IS NULL", column);
            from = next;
        }
    }

    void read(const Select& select, std::size_t batch_rows, std::size_t batch_bytes, std::stop_token stop, const std::function<bool(Rows)>& take) override {
        Query rows = connection_.query(select.sql, stop);
        TIPPLE_ASSERT(rows.columns() == static_cast<int>(select.columns.size()));
        RowReader reader(select.columns);
        while (rows.step()) {
            reader.append(rows);
            const bool is_full = reader.rows() >= batch_rows || reader.bytes() >= batch_bytes;
            if (is_full && !take(reader.take())) return;
        }
        if (reader.rows() > 0) take(reader.take());
    }

private:
    void add_foreign_keys(TableInfo& info, const std::stop_token& stop) {
        std::map<std::int64_t, ForeignKey> keys;
        Query rows = connection_.query(fmt::format("SELECT id, \"table\", \"from\", \"to\" FROM pragma_foreign_key_list({}) ORDER BY id, seq", quote_text(info.name.name)), stop);
        while (rows.step()) {
            ForeignKey& key = keys[rows.integer(0)];
            key.referenced.name = std::string(rows.text(1));
            key.columns.emplace_back(rows.text(2));
            // A key that names no columns refers to the primary key.
            if (!rows.is_null(3)) key.referenced_columns.emplace_back(rows.text(3));
        }
        for (auto& [id, key] : keys) {
            if (key.referenced_columns.empty()) {
                Query columns = connection_.query(fmt::format("SELECT name FROM pragma_table_info({}) WHERE pk > 0 ORDER BY pk", quote_text(key.referenced.name)), stop);
                while (columns.step()) key.referenced_columns.emplace_back(columns.text(0));
            }
            if (key.referenced_columns.size() == key.columns.size()) info.foreign_keys.push_back(std::move(key));
        }
    }

    /// The name by which rows have numbers; empty for a view or a table without them.
    std::string row_number(const TableInfo& table, const std::stop_token& stop) {
        if (table.name.is_view || table.name.name.empty()) return {};
        Query kinds = connection_.query(fmt::format("SELECT wr, type FROM pragma_table_list({}) WHERE schema = 'main'", quote_text(table.name.name)), stop);
        if (!kinds.step() || kinds.integer(0) != 0 || kinds.text(1) != "table") return {};
        for (const char* name : {"rowid", "_rowid_", "oid"}) {
            const bool is_taken = std::any_of(table.columns.begin(), table.columns.end(), [&](const DeclaredColumn& column) { return lower(column.name) == name; });
            if (!is_taken) return name;
        }
        return {};
    }

    /// Never less than there are, unless numbers were given by hand. By the ends of the numbers, for which the table is not walked over.
    std::optional<std::uint64_t> count_estimate(const TableInfo& table, const std::string& number, const std::stop_token& stop) {
        Query range = connection_.query(fmt::format("SELECT (SELECT max({0}) FROM {1}) - (SELECT min({0}) FROM {1}) + 1", number, quote_name(table.name.name)), stop);
        if (!range.step() || range.is_null(0)) return 0;
        return range.integer(0) > 0 ? std::optional(static_cast<std::uint64_t>(range.integer(0))) : std::nullopt;
    }

    bool is_wal(const std::stop_token& stop) {
        Query mode = connection_.query("PRAGMA journal_mode", stop);
        return mode.step() && mode.text(0) == "wal";
    }

    static TimeForm form_of(const DeclaredColumn& column) {
        const auto form = static_cast<TimeForm>(column.stored_form);
        return form == TimeForm::unknown ? TimeForm::text : form;
    }

    /// Texts are compared by their days alone: they may write the time in many ways, and those of one day all begin with it.
    static std::string time_literal(std::int64_t us, TimeForm form, BoundSide side) {
        const bool is_lower = side == BoundSide::lower;
        const auto rounded = [&](std::int64_t unit) { return is_lower ? civil::floor_div(us, unit) : -civil::floor_div(-us, unit); };
        switch (form) {
            case TimeForm::seconds:
                return std::to_string(rounded(civil::us_per_second));
            case TimeForm::milliseconds:
                return std::to_string(rounded(us_per_ms));
            case TimeForm::microseconds:
                return std::to_string(us);
            case TimeForm::julian:
                return fmt::format("{:.17g}", static_cast<double>(us + (is_lower ? -us_per_ms : us_per_ms)) / static_cast<double>(civil::us_per_day) + julian_of_1970);
            default:
                break;
        }
        // Some of them may have a zone, which is less than a day from UTC.
        const std::int64_t days = civil::floor_div(us, civil::us_per_day) + (is_lower ? -1 : 2);
        return quote_text(schema::to_iso_text(schema::Date{static_cast<std::int32_t>(days)}));
    }

    Connection connection_;
    std::string path_;
    std::chrono::milliseconds busy_timeout_;
    bool is_snapshot_ = false;
};

}  // namespace

}  // namespace sqlite

DatabaseKind sqlite_kind() {
    return {.name = "sqlite",
            .schemes = {"sqlite"},
            .endings = {".db", ".sqlite", ".sqlite3", ".db3"},
            .options = {{.name = "busy_timeout", .summary = "SQLite: seconds to wait for a program that writes the file, 10 when not given.", .kind = config::OptionKind::seconds}},
            .owns_file = [](std::string_view head) { return head.starts_with("SQLite format 3"); },
            .open = [](const config::Options& options, const Log&) -> std::unique_ptr<Database> {
                const double seconds = std::stod(options.find("busy_timeout").value_or("10"));
                return std::make_unique<sqlite::SqliteDatabase>(path_of_uri(options.require("uri"), options.find("folder").value_or("")),
                                                                std::chrono::milliseconds(static_cast<std::int64_t>(seconds * 1e3)));
            }};
}

}  // namespace tipple::sources::sql
