#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/stored.h"
#include "tipple/destinations/postgres/load.h"
#include "tipple/destinations/postgres/session.h"
#include "tipple/destinations/postgres/types.h"

namespace tipple::destinations {

namespace {

using postgres::Session;

/// Longer names are cut by the server without a word.
constexpr std::size_t identifier_bytes_max = 63;

class PostgresDestination final : public destination::Destination {
public:
    explicit PostgresDestination(const destination::DestinationContext& context)
        : context_(context),
          place_{.target = tipple::postgres::parse_target(context.options),
                 .dataset = context.dataset.empty() ? capabilities_.default_dataset : context.dataset,
                 .pipeline = context.pipeline,
                 .lock_timeout = context.lock_timeout,
                 .stop = context.stop} {
        if (place_.dataset.size() > identifier_bytes_max) {
            throw Error(ErrorKind::usage, "the name of dataset \"{}\" is longer than the {} bytes that Postgres takes", excerpt(place_.dataset), identifier_bytes_max);
        }
    }

    const destination::Capabilities& capabilities() const override { return capabilities_; }
    std::string description() const override { return place_.target.description; }
    std::string identity() const override { return place_.target.identity; }

    std::optional<destination::StoredDataset> read_dataset() override {
        Session session(place_);
        session.begin_read();
        std::optional<destination::StoredDataset> stored = destination::read_dataset(session, context_.pipeline);
        session.commit();
        return stored;
    }

    bool has_load(const destination::LoadKey& load) override {
        Session session(place_);
        session.begin_write();
        session.lock_pipeline();
        const bool is_there = destination::has_load(session, load);
        session.commit();
        return is_there;
    }

    std::unique_ptr<destination::LoadTransaction> begin(const package::Package& package) override {
        return std::make_unique<postgres::Load>(place_, context_, capabilities_, package);
    }

    destination::QueryResult query(std::string_view sql, const destination::QueryOptions& options) override {
        Session session(place_);
        session.begin_read();
        // Temporary tables come last: behind a pooler they may be somebody else's.
        session.execute(fmt::format("SET LOCAL search_path = {}, public, pg_temp; SET LOCAL TimeZone = 'UTC'; SET LOCAL DateStyle = 'ISO'; SET LOCAL IntervalStyle = 'postgres'; "
                                    "SET LOCAL extra_float_digits = 1; SET LOCAL bytea_output = 'hex'",
                                    postgres::quote_identifier(place_.dataset)));
        // A statement that is cut short leaves nothing to ask in its transaction.
        const tipple::postgres::Result described = session.connection().describe(sql, place_.stop);
        const std::vector<std::string> types = session.type_names(described.types);
        tipple::postgres::Result result = session.connection().query(sql, options.rows_max, place_.stop);
        destination::QueryResult converted{.columns = {}, .rows = std::move(result.rows), .is_truncated = result.is_truncated};
        for (std::size_t i = 0; i < types.size(); ++i) {
            converted.columns.push_back({described.names[i], types[i]});
            if (types[i] == "boolean") spell_out(converted.rows, i);
        }
        return converted;
    }

    void read_rows(std::string_view sql, std::stop_token stop, const std::function<void(const destination::RowTexts&)>& take) override {
        Session session(place_);
        session.begin_read();
        destination::RowTexts texts;
        session.connection().for_each(sql, std::move(stop), [&](const destination::QueryRow& row) {
            texts.assign(row.size(), {});
            for (std::size_t i = 0; i < row.size(); ++i) {
                if (row[i]) texts[i] = *row[i];
            }
            take(texts);
        });
        session.commit();
    }

    std::string quote_table(std::string_view table) const override {
        return postgres::quote_identifier(place_.dataset) + "." + postgres::quote_identifier(table);
    }

    std::string create_table_sql(const schema::Table& table) const override {
        return destination::SqlWriter(postgres::dialect(), postgres::quote_identifier(place_.dataset)).create_table(table, destination::SqlLayout::lines) + ";";
    }

    std::string reference_type() const override { return "dlt.destinations.postgres"; }

private:
    static void spell_out(std::vector<destination::QueryRow>& rows, std::size_t column) {
        for (destination::QueryRow& row : rows) {
            if (row[column]) row[column] = row[column] == "t" ? "true" : "false";
        }
    }

    const destination::Capabilities capabilities_{
        .identifier_length_max = identifier_bytes_max,
        .counts_identifier_bytes = true,
        .is_case_sensitive = postgres::name_rule.is_case_sensitive,
        .has_transactions = true,
        .parallel_jobs_max = 1,
        .loads_file_references = false,
        .loads_row_ranges = true,
        .widens_columns = true,
        .deletes_missing = true,
        .replaces_rows = true,
        .default_dataset = "public",
        .dispositions = {schema::Disposition::append, schema::Disposition::replace, schema::Disposition::merge},
        .merge_strategies = {schema::MergeStrategy::delete_insert, schema::MergeStrategy::upsert, schema::MergeStrategy::insert_only,
                             schema::MergeStrategy::cdc, schema::MergeStrategy::scd2},
        .replace_strategies = {destination::ReplaceStrategy::truncate_and_insert, destination::ReplaceStrategy::insert_from_staging,
                               destination::ReplaceStrategy::staging_optimized},
        .reads_rows = true,
        .kept_time_digits = postgres::kept_digits,
        .adds_not_null_columns = false};
    destination::DestinationContext context_;
    postgres::Place place_;
};

config::Options parse(std::string_view text) {
    config::Options options;
    options.set("url", std::string(text));
    return options;
}

std::unique_ptr<destination::Destination> make(const destination::DestinationContext& context) {
    return std::make_unique<PostgresDestination>(context);
}

}  // namespace

destination::DestinationEntry postgres_destination() {
    using config::OptionKind;
    return {.name = "postgres",
            .summary = "Loads into a Postgres database, also behind a pooler.",
            .options = {{.name = "url", .summary = "postgresql://user:password@host:port/database?sslmode=...; parts below win.", .kind = OptionKind::secret},
                        {.name = "host", .summary = "Host, or the folder of a Unix socket; several with commas between."},
                        {.name = "port", .summary = "Port; 5432 when nothing says otherwise."},
                        {.name = "database", .summary = "Database."},
                        {.name = "username", .summary = "User."},
                        {.name = "password", .summary = "Password; ~/.pgpass and PGPASSWORD are read too.", .kind = OptionKind::secret},
                        {.name = "sslmode", .summary = "disable, prefer, require, verify-ca or verify-full."}},
            .schemes = {"postgresql", "postgres", "postgresql+psycopg2", "postgresql+psycopg"},
            .endings = {},
            .parse = parse,
            .make = make};
}

}  // namespace tipple::destinations
