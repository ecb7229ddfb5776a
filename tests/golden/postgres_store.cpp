#include <libpq-fe.h>

#include <cstdlib>

#include "store.h"
#include "tipple/core/error.h"

namespace tipple::golden {

namespace {

/// `name(38,9)` -> `(38,9)`.
std::string arguments_of(const std::string& type) {
    const std::size_t open = type.find('(');
    return open == std::string::npos ? "" : type.substr(open, type.find(')') - open + 1);
}

/// The type that the same column has in DuckDB.
std::string duckdb_type(const std::string& type) {
    if (type.starts_with("character varying")) return "VARCHAR";
    if (type == "numeric(156,78)") return "DECIMAL(38,0)";
    if (type.starts_with("numeric")) return "DECIMAL" + arguments_of(type);
    if (type == "double precision") return "DOUBLE";
    if (type == "bytea") return "BLOB";
    if (type == "jsonb") return "JSON";
    if (type == "timestamp(0) without time zone") return "TIMESTAMP_S";
    if (type.starts_with("timestamp(") && type.ends_with("without time zone")) return "TIMESTAMP_MS";
    if (type.starts_with("timestamp")) return type.ends_with("with time zone") ? "TIMESTAMP WITH TIME ZONE" : "TIMESTAMP";
    if (type.starts_with("time")) return "TIME";
    std::string upper = type;
    for (char& c : upper) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return upper;
}

class PostgresStore final : public Store {
public:
    explicit PostgresStore(std::string url) : url_(std::move(url)), connection_(PQconnectdb(url_.c_str()), PQfinish) {
        if (PQstatus(connection_.get()) != CONNECTION_OK) throw Error(ErrorKind::usage, "TIPPLE_TEST_POSTGRES: {}", PQerrorMessage(connection_.get()));
        execute("SET client_min_messages = error");
    }

    std::string destination() const override { return "postgres"; }
    config::Options options() const override {
        config::Options options;
        options.set("url", url_);
        return options;
    }
    void clear() override {
        for (const Row& row : query("SELECT nspname FROM pg_namespace WHERE nspname NOT LIKE 'pg\\_%' AND nspname <> 'information_schema'")) {
            execute(fmt::format("DROP SCHEMA {} CASCADE", quote_identifier(*row[0])));
        }
    }

    void execute(const std::string& sql) override { query(sql); }
    std::vector<Row> query(const std::string& sql) override {
        const std::unique_ptr<PGresult, void (*)(PGresult*)> result(PQexec(connection_.get(), sql.c_str()), PQclear);
        const ExecStatusType status = PQresultStatus(result.get());
        if (status != PGRES_TUPLES_OK && status != PGRES_COMMAND_OK) throw Error(ErrorKind::usage, "{}: {}", sql, PQresultErrorMessage(result.get()));
        std::vector<Row> rows(static_cast<std::size_t>(PQntuples(result.get())));
        for (int i = 0; i < PQntuples(result.get()); ++i) {
            for (int j = 0; j < PQnfields(result.get()); ++j) {
                rows[static_cast<std::size_t>(i)].push_back(PQgetisnull(result.get(), i, j) != 0 ? std::nullopt
                                                                                                 : std::optional<std::string>(PQgetvalue(result.get(), i, j)));
            }
        }
        return rows;
    }

    std::vector<Column> columns(const std::string& dataset, const std::string& table) override {
        std::vector<Column> columns;
        for (const Row& row : query(fmt::format("SELECT attname, format_type(atttypid, atttypmod), attnotnull FROM pg_attribute WHERE attrelid = {}::regclass "
                                                "AND attnum > 0 AND NOT attisdropped ORDER BY attnum",
                                                quote_literal(quoted(dataset, table))))) {
            columns.push_back({*row[0], duckdb_type(*row[1]), *row[2] == "f"});
        }
        return columns;
    }

    std::string value_sql(const Column& column) const override {
        const std::string name = quote_identifier(column.name);
        const std::string& type = column.type;
        if (type == "TIMESTAMP WITH TIME ZONE") return fmt::format("to_char({} AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')", name);
        if (type.starts_with("TIMESTAMP")) return fmt::format("to_char({}, 'YYYY-MM-DD\"T\"HH24:MI:SS.US')", name);
        if (type == "DATE") return fmt::format("to_char({}, 'YYYY-MM-DD')", name);
        if (type == "TIME") return fmt::format("to_char({}, 'HH24:MI:SS.US')", name);
        if (type == "BLOB") return fmt::format("translate(encode({}, 'base64'), E'\\n', '')", name);
        if (type == "BOOLEAN") return fmt::format("CASE WHEN {0} THEN 'true' WHEN NOT {0} THEN 'false' END", name);
        if (type == "DECIMAL(38,0)") return fmt::format("trim_scale({})", name);
        return name;
    }

private:
    std::string url_;
    std::unique_ptr<PGconn, void (*)(PGconn*)> connection_;
};

}  // namespace

std::unique_ptr<Store> postgres_store() {
    const char* url = std::getenv("TIPPLE_TEST_POSTGRES");
    if (url == nullptr) throw Error(ErrorKind::usage, "set TIPPLE_TEST_POSTGRES to the URL of a database that may be emptied");
    return std::make_unique<PostgresStore>(url);
}

}  // namespace tipple::golden
