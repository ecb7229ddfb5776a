#pragma once

#include <gtest/gtest.h>

#include <cstdlib>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/postgres/connection.h"
#include "tipple/postgres/quoting.h"
#include "tipple/postgres/target.h"
#include "tipple/schema/coerce.h"
#include "tipple/sources/sql/database.h"

namespace tipple::sources::sql::postgres {

/// Texts of a row; nothing = null.
using TextRow = std::vector<std::optional<std::string>>;

/// A server of the test's own, whose URL is in TIPPLE_TEST_POSTGRES. Each test finds the schema `public` empty.
class PostgresServer : public testing::Test {
protected:
    static constexpr std::size_t many_rows = 100'000;
    static constexpr std::size_t many_bytes = std::size_t{16} << 20;

    void SetUp() override {
        if (std::getenv("TIPPLE_TEST_POSTGRES") == nullptr) GTEST_SKIP() << "TIPPLE_TEST_POSTGRES has no URL of a server";
        admin_ = connect();
        run("DROP SCHEMA public CASCADE; CREATE SCHEMA public; GRANT ALL ON SCHEMA public TO public");
    }

    static std::string url() { return std::getenv("TIPPLE_TEST_POSTGRES"); }
    static config::Options options(const std::vector<std::pair<std::string, std::string>>& more = {}) {
        config::Options options;
        options.set("uri", url());
        for (const auto& [name, value] : more) options.set(name, value);
        return options;
    }
    static std::unique_ptr<tipple::postgres::Connection> connect() {
        config::Options options;
        options.set("url", url());
        return std::make_unique<tipple::postgres::Connection>(tipple::postgres::parse_target(options));
    }
    static std::unique_ptr<Database> open(const std::vector<std::pair<std::string, std::string>>& more = {}) { return postgres_kind().open(options(more), Log()); }

    void run(const std::string& sql) { admin_->execute(sql); }
    std::vector<TextRow> ask(const std::string& sql) { return admin_->query(sql, many_rows, {}).rows; }
    bool has_extension(const std::string& name) { return !ask(fmt::format("SELECT 1 FROM pg_available_extensions WHERE name = '{}'", name)).empty(); }
    std::string value(const std::string& sql) { return ask(sql).at(0).at(0).value_or("null"); }

    /// The statement that reads columns of a table, or those that a query gives.
    static Select select(Database& database, const std::string& from, const std::vector<DeclaredColumn>& columns, const std::string& rest = "") {
        Select select{.sql = "SELECT ", .columns = columns};
        for (std::size_t i = 0; i < columns.size(); ++i) select.sql += (i > 0 ? ", " : "") + database.select_expression(columns[i]);
        select.sql += " FROM " + from + " " + rest;
        return select;
    }
    static Select select_all(Database& database, const std::string& table, const std::string& rest = "") {
        return select(database, "public." + tipple::postgres::quote_identifier(table), database.reflect({.schema = "public", .name = table}, {}).columns, rest);
    }

    static std::vector<TextRow> read(Database& database, const Select& select, std::size_t batch_rows = many_rows, std::size_t batch_bytes = many_bytes) {
        std::vector<TextRow> rows;
        database.read(select, batch_rows, batch_bytes, {}, [&](Rows part) {
            const auto& batch = std::get<columns::Batch>(part);
            EXPECT_LE(batch.rows, batch_rows);
            for (std::size_t row = 0; row < batch.rows; ++row) {
                TextRow texts;
                for (const columns::ColumnBuilder& column : batch.columns) {
                    EXPECT_EQ(column.length(), batch.rows);
                    texts.push_back(text_of(column.view(), row));
                }
                rows.push_back(std::move(texts));
            }
            return true;
        });
        return rows;
    }

    /// Points in time as microseconds, days as days, bytes as digits.
    static std::optional<std::string> text_of(const columns::ColumnView& column, std::size_t row) {
        const schema::Value value = columns::value_at(column, row);
        if (value.is_null()) return std::nullopt;
        if (const auto* timestamp = value.get_if<schema::Timestamp>()) return std::to_string(timestamp->us);
        if (const auto* date = value.get_if<schema::Date>()) return std::to_string(date->days);
        if (const auto* time = value.get_if<schema::Time>()) return std::to_string(time->us);
        if (const auto* json = value.get_if<schema::Json>()) return json->text;
        if (const auto* text = value.get_if<std::string>()) return *text;
        if (const auto* number = value.get_if<double>()) return fmt::format("{}", *number);
        if (const auto* flag = value.get_if<bool>()) return *flag ? "true" : "false";
        if (const auto* binary = value.get_if<schema::Binary>()) {
            std::string digits;
            for (const char byte : binary->bytes) digits += fmt::format("{:02x}", static_cast<unsigned char>(byte));
            return digits;
        }
        if (const auto* decimal = value.get_if<schema::Decimal>()) {
            std::string digits = decimal->digits;
            const auto scale = static_cast<std::size_t>(-decimal->exponent);
            if (digits.size() <= scale) digits.insert(0, scale + 1 - digits.size(), '0');
            if (scale > 0) digits.insert(digits.size() - scale, ".");
            return (decimal->negative ? "-" : "") + digits;
        }
        return schema::coerce(schema::DataType::text, value).value().as<std::string>();
    }

    template <typename Action>
    static std::string failure(ErrorKind kind, Action action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return "";
    }

    std::unique_ptr<tipple::postgres::Connection> admin_;
};

}  // namespace tipple::sources::sql::postgres
