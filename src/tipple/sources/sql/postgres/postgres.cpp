#include <algorithm>
#include <array>
#include <set>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/postgres/quoting.h"
#include "tipple/postgres/target.h"
#include "tipple/sources/sql/database.h"
#include "tipple/sources/sql/postgres/bound.h"
#include "tipple/sources/sql/postgres/catalog.h"
#include "tipple/sources/sql/postgres/copy_decoder.h"
#include "tipple/sources/sql/postgres/split.h"
#include "tipple/sources/sql/postgres/types.h"

namespace tipple::sources::sql {

namespace {

using tipple::postgres::Connection;
using tipple::postgres::quote_literal;

/// How long one more connection may wait for a server behind a pooler.
constexpr std::chrono::seconds connection_patience{3};
constexpr int version_with_transaction_timeout = 170'000;
constexpr int version_min = 130'000;
constexpr std::string_view no_privilege = "42501";

/// What is the same for all connections of a source.
struct Settings {
    tipple::postgres::Target target;
    columns::ColumnType unlimited_numeric;
    postgres::Infinity infinity = postgres::Infinity::keep;
    Log log;
};

class PostgresDatabase final : public Database {
public:
    explicit PostgresDatabase(Settings settings) : settings_(std::move(settings)) {}

    std::string description() const override { return settings_.target.description; }
    std::string default_schema() const override { return "public"; }
    std::string quote(std::string_view name) const override { return tipple::postgres::quote_identifier(name); }
    std::string bound_literal(const schema::Value& value, const DeclaredColumn& column, BoundSide /*side*/) const override { return postgres::literal(value, column); }
    std::string select_expression(const DeclaredColumn& column) const override { return postgres::select_expression(column); }
    std::string order_expression(const DeclaredColumn& column) const override { return postgres::order_expression(column); }

    std::vector<TableName> tables(std::stop_token stop) override {
        is_listed_ = true;
        std::vector<TableName> names;
        in_transaction(stop, [&] { names = postgres::list_tables(*connection_, stop); });
        return names;
    }

    TableInfo reflect(const TableName& table, std::stop_token stop) override {
        const std::pair<std::string, std::string> key(table.schema.empty() ? default_schema() : table.schema, table.name);
        if (!reflected_.contains(key)) {
            // Whoever asked for all tables will want to know what they are: in one go.
            const TableName wanted = is_listed_ ? TableName() : TableName{.schema = key.first, .name = key.second};
            in_transaction(stop, [&] { reflected_.merge(postgres::reflect_tables(*connection_, {.table = wanted, .unlimited_numeric = settings_.unlimited_numeric}, stop)); });
        }
        const auto found = reflected_.find(key);
        if (found == reflected_.end()) {
            throw Error(ErrorKind::usage, "{} has no table {}.{}, or this user may not use its schema", description(), excerpt(key.first), excerpt(key.second));
        }
        if (found->second.has_row_security && warned_.insert(key).second) {
            settings_.log.warning("{}.{} has row security, which hides rows from this user: what is hidden is not read", key.first, key.second);
        }
        return found->second.info;
    }

    std::vector<DeclaredColumn> describe(const std::string& query, std::stop_token stop) override {
        std::vector<DeclaredColumn> columns;
        in_transaction(stop, [&] {
            const tipple::postgres::Result result = connection_->describe(query, stop);
            columns = postgres::describe_columns(*connection_, result, settings_.unlimited_numeric, stop);
        });
        return columns;
    }

    void begin_snapshot(std::stop_token stop) override {
        end_snapshot();
        connect(stop);
        connection_->execute(begin_statement(), stop);
        snapshot_ = connection_->query("SELECT pg_catalog.pg_export_snapshot()", 1, stop).rows.at(0).at(0).value();
    }

    std::unique_ptr<Database> another(std::stop_token stop) override {
        if (snapshot_.empty()) return nullptr;
        auto other = std::make_unique<PostgresDatabase>(settings_);
        try {
            other->connect(stop);
        } catch (const Error& error) {
            if (error.kind() != ErrorKind::transient) throw;
            settings_.log.warning("{}: there are no more connections, so what is read at once shares one: {}", description(), error.what());
            return nullptr;
        }
        std::string why = fmt::format("a server was not free within {} seconds", connection_patience.count());
        try {
            if (other->connection_->execute_within(begin_statement(), connection_patience, stop)) {
                other->snapshot_ = snapshot_;
                return other;
            }
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::cancelled) throw;
            why = error.what();
        }
        settings_.log.warning("{}: one more connection does not get to the same snapshot, as behind some poolers, so all is read over one: {}", description(), why);
        return nullptr;
    }

    CursorBound bound(const CursorQuery& cursor, std::stop_token stop) override {
        TIPPLE_ASSERT(snapshot_.empty());
        connect(stop);
        return guarded([&] { return postgres::find_bound(*connection_, cursor, postgres::writers_patience, stop); });
    }

    std::vector<std::string> split(const TableInfo& table, const std::string& by, std::size_t parts, std::stop_token stop) override {
        std::vector<std::string> conditions;
        in_transaction(stop, [&] { conditions = postgres::split_table(*connection_, {.table = table, .by = by, .parts = parts}, stop); });
        return conditions;
    }

    void read(const Select& select, std::size_t batch_rows, std::size_t batch_bytes, std::stop_token stop, const std::function<bool(Rows)>& take) override {
        in_transaction(stop, [&] {
            postgres::CopyDecoder decoder(description(), copy_columns(select, stop),
                                          {.batch_rows = batch_rows, .batch_bytes = batch_bytes, .infinity = settings_.infinity});
            bool wants_more = true;
            const auto take_batch = [&](columns::Batch batch) { return wants_more = take(std::move(batch)); };
            // On a line of its own, so that a comment at the end of a query does not reach further.
            connection_->start_copy_out(fmt::format("COPY (\n{}\n) TO STDOUT (FORMAT binary)", select.sql), stop);
            try {
                while (wants_more) {
                    const std::size_t bytes = connection_->receive(decoder.room(), stop);
                    if (bytes == 0) return decoder.finish(take_batch), true;
                    decoder.add(bytes, take_batch);
                }
            } catch (const Error& error) {
                // Not the server's, which still sends: what others read of the snapshot goes on.
                if (error.kind() == ErrorKind::data && !connection_->is_ready()) connection_->abandon_copy_out();
                throw;
            }
            connection_->abandon_copy_out();
            return false;
        });
    }

private:
    void connect(const std::stop_token& stop) {
        if (connection_ != nullptr) return;
        connection_ = std::make_unique<Connection>(settings_.target, stop);
        if (const int version = connection_->server_version(); version < version_min) {
            throw Error(ErrorKind::usage, "{} is Postgres {}; what is needed is {} at least", description(), version / 10'000, version_min / 10'000);
        }
    }

    /// Of a transaction that sees one state, that of the snapshot when there is one, and changes nothing. Only for itself: behind a pooler, what is set
    /// for a session is somebody else's next.
    std::string begin_statement() const {
        std::string sql = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY; ";
        if (!snapshot_.empty()) sql += fmt::format("SET TRANSACTION SNAPSHOT {}; ", quote_literal(snapshot_));
        sql +=
            "SET LOCAL statement_timeout = 0; SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = "
            "'postgres'; SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'; SET LOCAL synchronize_seqscans = off";
        if (connection_ != nullptr && connection_->server_version() >= version_with_transaction_timeout) sql += "; SET LOCAL transaction_timeout = 0";
        return sql;
    }

    void end_snapshot() {
        if (snapshot_.empty()) return;
        snapshot_.clear();
        if (connection_ != nullptr) connection_->execute("COMMIT");
    }

    void disconnect() {
        connection_.reset();
        snapshot_.clear();
    }

    /// A connection that has broken is not used again, nor is its snapshot.
    template <typename Work>
    auto guarded(const Work& work) -> decltype(work()) {
        try {
            return work();
        } catch (const Error& error) {
            if (error.kind() == ErrorKind::cancelled || error.kind() == ErrorKind::transient || !connection_->is_ready()) disconnect();
            throw;
        }
    }

    /// Runs `work` in the transaction of the snapshot, or in one of its own. What fails, or is given up (`work` returns false), leaves the snapshot as it was.
    template <typename Work>
    void in_transaction(const std::stop_token& stop, const Work& work) {
        connect(stop);
        const bool is_own = snapshot_.empty();
        guarded([&] {
            connection_->execute(is_own ? begin_statement() : "SAVEPOINT tipple", stop);
            bool is_complete = true;
            try {
                if constexpr (std::is_same_v<decltype(work()), bool>) {
                    is_complete = work();
                } else {
                    work();
                }
            } catch (const Error& error) {
                if (error.kind() == ErrorKind::cancelled || !connection_->is_ready()) throw;
                roll_back(is_own);
                throw;
            }
            if (!is_complete) {
                // Nothing of it is needed any more.
                if (connection_->is_ready()) return roll_back(is_own);
                settings_.log.warning("{} did not end a read that was given up; what follows is read over a new connection", description());
                return disconnect();
            }
            connection_->execute(is_own ? "COMMIT" : "RELEASE SAVEPOINT tipple");
        });
    }

    void roll_back(bool is_own) { connection_->execute(is_own ? "ROLLBACK" : "ROLLBACK TO SAVEPOINT tipple; RELEASE SAVEPOINT tipple"); }

    std::vector<postgres::CopyColumn> copy_columns(const Select& select, std::stop_token stop) {
        const tipple::postgres::Result described = connection_->describe(select.sql, stop);
        if (described.names.size() != select.columns.size()) {
            throw Error(ErrorKind::usage, "{}: a statement gives {} columns instead of {}: {}", description(), described.names.size(), select.columns.size(), excerpt(select.sql, 200));
        }
        std::vector<postgres::CopyColumn> columns;
        for (std::size_t i = 0; i < select.columns.size(); ++i) {
            const DeclaredColumn& declared = select.columns[i];
            const columns::ColumnType type = declared.type.value_or(columns::ColumnType{});
            const std::optional<postgres::Wire> wire = postgres::find_wire(described.types[i].oid);
            if (!wire || !postgres::can_read(*wire, type)) {
                throw Error(ErrorKind::usage, "{}: column \"{}\" does not come as {}, which it was declared as; when the table was changed meanwhile, run again", description(), declared.name,
                            declared.declared);
            }
            columns.push_back({.name = declared.name, .wire = *wire, .type = type});
        }
        return columns;
    }

    const Settings settings_;
    std::unique_ptr<Connection> connection_;
    /// While it is not empty, a transaction is open that sees it.
    std::string snapshot_;
    bool is_listed_ = false;
    postgres::ReflectedTables reflected_;
    std::set<std::pair<std::string, std::string>> warned_;
};

postgres::Infinity parse_infinity(std::string_view text) {
    if (text == "keep") return postgres::Infinity::keep;
    if (text == "null") return postgres::Infinity::null;
    if (text == "refuse") return postgres::Infinity::refuse;
    throw Error(ErrorKind::usage, "option \"infinity\": \"{}\" is none of keep, null and refuse", excerpt(text));
}

}  // namespace

DatabaseKind postgres_kind() {
    using config::OptionKind;
    return {.name = "postgres",
            .schemes = {"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"},
            .endings = {},
            .options = {{.name = "host", .summary = "Host, or the folder of a Unix socket; several with commas between."},
                        {.name = "port", .summary = "Port; 5432 when nothing says otherwise."},
                        {.name = "database", .summary = "Database."},
                        {.name = "username", .summary = "User."},
                        {.name = "password", .summary = "Password; ~/.pgpass and PGPASSWORD are read too.", .kind = OptionKind::secret},
                        {.name = "sslmode", .summary = "disable, prefer, require, verify-ca or verify-full."},
                        {.name = "numeric", .summary = "What numbers without digits in their type become: decimal(PRECISION,SCALE), text or double.", .default_value = "decimal(38,9)"},
                        {.name = "infinity", .summary = "What becomes of infinite dates and times: keep, null or refuse.", .default_value = "keep"}},
            .owns_file = {},
            .open = [](const config::Options& options, Log log) -> std::unique_ptr<Database> {
                config::Options known = options;
                if (const auto uri = options.find("uri")) known.set("url", *uri);
                return std::make_unique<PostgresDatabase>(Settings{.target = tipple::postgres::parse_target(known),
                                                                   .unlimited_numeric = postgres::parse_numeric_option(options.find("numeric").value_or("decimal(38,9)")),
                                                                   .infinity = parse_infinity(options.find("infinity").value_or("keep")),
                                                                   .log = std::move(log)});
            }};
}

}  // namespace tipple::sources::sql
