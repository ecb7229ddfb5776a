#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/stored.h"
#include "tipple/destinations/duckdb/load.h"
#include "tipple/destinations/duckdb/session.h"
#include "tipple/destinations/duckdb/types.h"
#include "tipple/engine/column_types.h"
#include "tipple/io/process.h"

namespace tipple::destinations {

namespace {

using duckdb::Session;

/// Reading state and schemas needs little.
constexpr std::size_t read_memory_bytes = std::size_t{128} << 20;

Error no_permission(const std::string& file, const std::string& what) {
    return Error(ErrorKind::local, "cannot write the database file \"{}\": Permission denied; check the permissions of {}. Nothing was read", file, what);
}

class DuckdbDestination final : public destination::Destination {
public:
    explicit DuckdbDestination(const destination::DestinationContext& context)
        : context_(context),
          place_{
              .path = engine::canonical_path(context.options.require("path")),
              .dataset = context.dataset.empty() ? capabilities_.default_dataset : context.dataset,
              .lock_timeout = context.lock_timeout,
              .stop = context.stop} {}

    const destination::Capabilities& capabilities() const override { return capabilities_; }
    std::string description() const override { return place_.path; }
    std::string identity() const override { return place_.path; }

    void check_writable() override {
        const std::unique_ptr<io::FileInfo> file = context_.files->find(place_.path);
        if (file != nullptr && file->is_directory) throw Error(ErrorKind::usage, "\"{}\" is a folder, and not a database file", place_.path);
        const std::string folder = io::parent_folder(place_.path);
        if (context_.files->find(folder) == nullptr) throw Error(ErrorKind::usage, "the folder \"{}\" of the database file does not exist; make it, or correct the destination. Nothing was read", folder);
        if (file != nullptr && !io::may_write(place_.path)) throw no_permission(place_.path, "the file");
        // The engine's log lies beside the file while it is written.
        if (!io::may_write(folder)) throw no_permission(place_.path, fmt::format("its folder \"{}\", where files are made while it is written", folder));
    }

    std::optional<destination::StoredDataset> read_dataset() override {
        if (!exists()) return std::nullopt;
        Session session(place_, read_options(read_memory_bytes), context_.log);
        std::optional<destination::StoredDataset> stored =
            destination::read_dataset(session, context_.pipeline);
        session.close();
        return stored;
    }

    bool has_load(const destination::LoadKey& load) override {
        if (!exists()) return false;
        Session session(place_, read_options(read_memory_bytes), context_.log);
        const bool is_there = destination::has_load(session, load);
        session.close();
        return is_there;
    }

    std::unique_ptr<destination::LoadTransaction> begin(const package::Package& package) override {
        return std::make_unique<duckdb::Load>(place_, context_, capabilities_, package);
    }

    destination::QueryResult query(std::string_view sql,
                                   const destination::QueryOptions& options) override {
        if (!exists())
            throw Error(ErrorKind::usage, "database file {} does not exist", place_.path);
        if (!context_.temp_folder.empty()) context_.files->create_folders(context_.temp_folder);
        Session session(place_, read_options(context_.memory_bytes), context_.log);
        const std::string database = engine::quote_identifier(session.database());
        session.engine().execute(
            session.has_dataset()
                ? fmt::format("USE {}.{}", database, engine::quote_identifier(place_.dataset))
                : fmt::format("USE {}", database));
        engine::Result result = session.engine().query(sql, options.rows_max);
        destination::QueryResult converted{
            .columns = {}, .rows = std::move(result.rows), .is_truncated = result.is_truncated};
        for (engine::ResultColumn& column : result.columns) {
            converted.columns.push_back({std::move(column.name), std::move(column.type)});
        }
        return converted;
    }

    void read_rows(std::string_view sql, std::stop_token stop, const std::function<void(const destination::RowTexts&)>& take) override {
        Session session(place_, read_options(read_memory_bytes), context_.log);
        session.engine().execute(fmt::format("USE {}", engine::quote_identifier(session.database())));
        session.engine().read_texts(sql, std::move(stop), take);
    }

    std::string quote_table(std::string_view table) const override {
        return engine::quote_identifier(place_.dataset) + "." + engine::quote_identifier(table);
    }

    std::string create_table_sql(const schema::Table& table) const override {
        return destination::SqlWriter(duckdb::dialect(), engine::quote_identifier(place_.dataset))
                   .create_table(table, destination::SqlLayout::lines) +
               ";";
    }

    std::string reference_type() const override { return "dlt.destinations.duckdb"; }

private:
    bool exists() const { return context_.files->find(place_.path) != nullptr; }
    duckdb::SessionOptions read_options(std::size_t memory_bytes) const {
        return {.mode = engine::AttachMode::read_only,
                .engine = {.memory_bytes = memory_bytes,
                           .threads = context_.threads,
                           .temp_folder = context_.temp_folder},
                .layout = {}};
    }

    const destination::Capabilities capabilities_{
        .identifier_length_max = 65'536,
        .is_case_sensitive = duckdb::name_rule.is_case_sensitive,
        .has_transactions = true,
        .parallel_jobs_max = 1,
        .batch_rows = 122'880,
        .loads_file_references = true,
        .loads_row_ranges = true,
        .widens_columns = true,
        .deletes_missing = true,
        .replaces_rows = true,
        .default_dataset = "main",
        .dispositions = {schema::Disposition::append, schema::Disposition::replace,
                         schema::Disposition::merge},
        .merge_strategies = {schema::MergeStrategy::delete_insert, schema::MergeStrategy::upsert,
                             schema::MergeStrategy::insert_only, schema::MergeStrategy::cdc,
                             schema::MergeStrategy::scd2},
        .replace_strategies = {destination::ReplaceStrategy::truncate_and_insert,
                               destination::ReplaceStrategy::insert_from_staging},
        .reads_rows = true,
        .kept_time_digits = engine::kept_time_digits,
        .adds_not_null_columns = false};
    destination::DestinationContext context_;
    duckdb::Place place_;
};

/// `duckdb:///abs/path.duckdb`, `duckdb://relative.duckdb`, or a path.
config::Options parse(std::string_view text) {
    std::string_view path = text;
    if (const std::size_t scheme = text.find("://"); scheme != std::string_view::npos)
        path = text.substr(scheme + 3);
    if (path.empty()) throw Error(ErrorKind::usage, "\"{}\" does not name a file", excerpt(text));
    if (path.starts_with(":memory:")) {
        throw Error(ErrorKind::usage,
                    "a database in memory would be gone after the load; name a file");
    }
    config::Options options;
    options.set("path", std::string(path));
    return options;
}

std::unique_ptr<destination::Destination> make(const destination::DestinationContext& context) {
    return std::make_unique<DuckdbDestination>(context);
}

}  // namespace

destination::DestinationEntry duckdb_destination() {
    return {.name = "duckdb",
            .summary = "Loads into a DuckDB database file.",
            .options = {{.name = "path",
                         .summary = "Database file; created when missing.",
                         .kind = config::OptionKind::path,
                         .is_required = true,
                         .reference_name = "database"}},
            .schemes = {"duckdb"},
            .endings = {".duckdb", ".db", ".ddb"},
            .parse = parse,
            .make = make};
}

}  // namespace tipple::destinations
