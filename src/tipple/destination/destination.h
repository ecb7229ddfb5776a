#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/option_spec.h"
#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/io/file_system.h"
#include "tipple/package/package.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/schema.h"

/// Where packages are loaded into. One store = one file in src/tipple/destinations; what differs
/// between stores is data in `Capabilities`, never a switch on a name.
namespace tipple::destination {

/// How the reference replaces a table. One transaction gives the same result for all; what differs is what readers see meanwhile.
enum class ReplaceStrategy { truncate_and_insert, insert_from_staging, staging_optimized };

struct Capabilities {
    /// Characters of a table or column name.
    std::size_t identifier_length_max = 65'536;
    /// They are bytes and not characters.
    bool counts_identifier_bytes = false;
    /// Whether names that differ in case only are different names.
    bool is_case_sensitive = false;
    /// Data, schema, state and load record commit together.
    bool has_transactions = true;
    /// Threads on which `LoadTransaction::load` may be called at once.
    std::size_t parallel_jobs_max = 1;
    /// Rows per batch that suit the store best.
    std::size_t batch_rows = 122'880;
    /// Whether a local Parquet file can be loaded by reference.
    bool loads_file_references = false;
    /// Whether `LoadTransaction::load` can be asked for a part of a table's rows.
    bool loads_row_ranges = false;
    /// Whether `apply` widens columns.
    bool widens_columns = false;
    /// Whether rows that a full snapshot does not have can be removed or flagged.
    bool deletes_missing = false;
    /// Whether rows of a package can take the place of those that have some values in a column (package::ReplacedRows).
    bool replaces_rows = false;
    /// Where tables go when nobody says otherwise.
    std::string default_dataset = "main";
    std::vector<schema::Disposition> dispositions;
    /// The first one is for tables that do not say.
    std::vector<schema::MergeStrategy> merge_strategies = {schema::MergeStrategy::delete_insert};
    /// What to do about a table that is to be merged where there are no merge strategies; a sentence for people.
    std::string without_merge;
    /// Tables that are to be merged are appended to: their keys do not count.
    bool appends_merges = false;
    std::vector<ReplaceStrategy> replace_strategies = {ReplaceStrategy::truncate_and_insert};
    /// Whether `read_rows` works: what is loaded can be read back.
    bool reads_rows = false;
    /// Digits behind the second that are kept of a complete column of timestamps or times; those behind are rounded. nullptr = all six that there are.
    int (*kept_time_digits)(const schema::Column& column) = nullptr;
    /// Whether a column without nulls can be added NOT NULL to a table that has rows.
    bool adds_not_null_columns = false;
};

/// What is physically there, whoever made it.
struct CatalogColumn {
    std::string name;
    std::string type;  ///< as the store names it
    bool is_nullable = true;
};
/// How a store compares names.
struct NameRule {
    bool is_case_sensitive = false;
    /// Equal for names that are one name for the store.
    std::string key(std::string_view name) const;
};
struct Catalog {
    std::map<std::string, std::vector<CatalogColumn>, std::less<>> tables;
    const std::vector<CatalogColumn>* find(std::string_view table) const;
    const std::vector<CatalogColumn>* find(std::string_view table, const NameRule& rule) const;
    bool has_column(std::string_view table, std::string_view column, const NameRule& rule) const;
};

/// The newest state of a pipeline, decoded.
struct StoredState {
    std::int64_t version = 0;
    std::string version_hash;
    std::string load_id;
    json::Value document;
};

/// One row of `_dlt_loads`.
struct StoredLoad {
    std::string load_id;
    std::string schema_name;
    std::int64_t status = 0;
    std::string inserted_at;
};

/// What tells a load's record from those of others: load ids are times, so two pipelines that begin in the same microsecond make packages with one id.
struct LoadKey {
    std::string load_id;
    /// The others are not compared where they are empty, because nobody knows them. Of the schema as the load leaves it:
    std::string schema_name = {};
    std::string schema_hash = {};
    std::string pipeline = {};
    /// `version_hash` of the state that the load brings; empty when it brings none.
    std::string state_hash = {};
};
LoadKey load_key(const package::Package& package);

/// A dataset as it is at the destination.
struct StoredDataset {
    /// Newest schema of each name.
    std::map<std::string, schema::Schema, std::less<>> schemas;
    /// Newest state of this pipeline whose load is complete.
    std::optional<StoredState> state;
    /// Greatest load id, as text.
    std::string newest_load_id;
    Catalog catalog;
};

/// Tables to create, columns to add, and columns to make wider, in this order.
struct DdlPlan {
    struct AddColumns {
        std::string table;
        std::vector<schema::Column> columns;
    };
    /// A column that is there, as it is to be. Values of a wider type hold all of the old type's; only of whole numbers that become doubles this has
    /// to be seen first.
    struct WidenColumn {
        std::string table;
        schema::Column column;
        schema::DataType from = schema::DataType::text;
    };
    std::vector<schema::Table> create;
    std::vector<AddColumns> add;
    std::vector<WidenColumn> widen;
    bool empty() const { return create.empty() && add.empty() && widen.empty(); }
};

/// What is missing in `catalog` of the complete columns of `tables`, which are names of `schema`.
/// Columns that cannot be added NOT NULL are planned nullable. Names are compared as the store
/// compares them. `widened` columns are planned where they are in `catalog`.
DdlPlan plan_ddl(const schema::Schema& schema, const std::vector<std::string>& tables,
                 const Catalog& catalog, const Capabilities& capabilities,
                 const std::vector<package::WidenedColumn>& widened = {});

/// Rows of a package's table by their positions: first those of job files, in the order in which the package has them, then those of files by reference.
struct RowRange {
    std::uint64_t first = 0;
    std::uint64_t count = UINT64_MAX;  ///< fewer where the table ends
};

/// Rows of a package's table, to be loaded.
struct LoadJob {
    std::string table;
    schema::Disposition disposition = schema::Disposition::append;
    /// Hears how many more rows the store took; from any thread, once per batch. May be empty.
    std::function<void(std::uint64_t rows)> on_rows = {};
    /// Only these rows, to see whether the store takes them: such a transaction is rolled back. Where `Capabilities::loads_row_ranges`.
    RowRange only = {};
};

/// What a finished load did to one table, by the store's own counts.
struct LoadedTable {
    std::string table;
    std::uint64_t inserted = 0;
    std::uint64_t deleted = 0;
    /// Rows of records that a full snapshot does not have: flagged, or among `deleted`.
    std::uint64_t missing = 0;
};

/// Something in a store that is not as it should be, and that no query finds.
struct StorageFinding {
    std::string check;
    std::size_t count = 0;
    std::string example;
    std::string meaning;
};

/// One package on its way in. A repeat repeats the whole transaction; a single `load` is never
/// repeated inside it. The destructor rolls back.
class LoadTransaction {
public:
    virtual ~LoadTransaction() = default;
    /// What is there as this transaction sees it: what `apply` is to be planned against.
    virtual const Catalog& catalog() const = 0;
    /// Takes tables away, and all that is stored of the package's schema; before `apply`, which may make them anew.
    virtual void drop(const std::vector<std::string>& tables) = 0;
    /// Empties tables; after `apply`, before any row.
    virtual void truncate(const std::vector<std::string>& tables) = 0;
    /// Adds and widens, never drops; before any row. Throws Error(conflict) when a column to widen has got values that its wider type does not hold.
    virtual void apply(const DdlPlan& plan) = 0;
    /// Takes away what the loads that the package undoes have brought, and their records; after `apply`, before any row. Throws Error(conflict)
    /// when other numbers of rows went than the package expects.
    virtual void undo() = 0;
    /// Moves the rows of one table in, or into a staging place where the disposition needs one. Throws RowsRefused (refused_rows.h) when the store does not
    /// take one of them.
    virtual void load(const LoadJob& job, std::stop_token stop) = 0;
    /// Merges and replaces, writes schema, state and load record, and compares the store's counts
    /// with the manifest: Error(data) with both numbers when they differ.
    virtual std::vector<LoadedTable> finish() = 0;
    /// After it returned, the load is there for good.
    virtual void commit() = 0;
};

struct QueryColumn {
    std::string name;
    std::string type;  ///< as the store names it
};
/// Values as the store prints them; nothing = NULL.
using QueryRow = std::vector<std::optional<std::string>>;
struct QueryResult {
    std::vector<QueryColumn> columns;
    std::vector<QueryRow> rows;
    bool is_truncated = false;  ///< there were more than `rows_max`
};
/// Values of one row as texts, those that are NULL empty. Valid until the next row comes.
using RowTexts = std::vector<std::string_view>;
struct QueryOptions {
    std::size_t rows_max = 1'000'000;
};

/// A dataset in a store. Holds no connection or lock between calls. One thread at a time.
class Destination {
public:
    virtual ~Destination() = default;
    virtual const Capabilities& capabilities() const = 0;
    /// For people: the file or host, without secrets.
    virtual std::string description() const = 0;
    /// The same for the same place however it was written, different for different places: working
    /// folders are keyed by it.
    virtual std::string identity() const = 0;
    /// Throws what can be known beforehand to keep every load from being written here: Error(usage) when the place is missing and is not made by a
    /// load, Error(local) when rights are missing. Cheap; changes and holds nothing.
    virtual void check_writable() {}
    /// Schema, state and loads as stored, or nothing when the dataset does not exist. Throws
    /// Error(locked) when another process holds it longer than the lock timeout.
    virtual std::optional<StoredDataset> read_dataset() = 0;
    /// Whether the load record is there, with all that `load` knows of it; waits for a commit still in doubt.
    virtual bool has_load(const LoadKey& load) = 0;
    /// Starts the one transaction of a package. Throws Error(locked) when the stored state or
    /// schema is not the one in the package's fence, Error(usage) when a table of the package
    /// exists that no stored schema knows, unless it is adopted.
    virtual std::unique_ptr<LoadTransaction> begin(const package::Package& package) = 0;
    /// Reads only.
    virtual QueryResult query(std::string_view sql, const QueryOptions& options) = 0;
    /// Hands over the rows of a query whose columns are texts, without keeping them; where others change the store meanwhile, maybe more than once.
    virtual void read_rows(std::string_view sql, std::stop_token stop, const std::function<void(const RowTexts&)>& take);
    /// Looks for what lies in the store without being part of the dataset.
    virtual std::vector<StorageFinding> check_storage() { return {}; }
    /// The text that names a table in a query: quoted, with its dataset.
    virtual std::string quote_table(std::string_view table) const = 0;
    /// The statement that makes a table, for people.
    virtual std::string create_table_sql(const schema::Table& table) const = 0;
    /// What the reference calls this kind of destination in a pipeline's state.
    virtual std::string reference_type() const = 0;
};

/// What a destination is made from.
struct DestinationContext {
    /// Values of the destination's `OptionSpec`s by name.
    config::Options options;
    std::string dataset;  ///< empty = the capabilities' default
    std::string pipeline;
    std::string schema_name;
    std::string tool_version;
    /// Bytes the destination may use in this process, engine included, and threads it may run on.
    std::size_t memory_bytes = 0;
    std::size_t threads = 1;
    /// Where spilled data may go while a load runs; a folder of our own.
    std::string temp_folder;
    /// Where a destination that has no place of its own for states and load records keeps them.
    std::string data_folder;
    std::chrono::milliseconds lock_timeout{10'000};
    /// Ends such a wait early.
    std::stop_token stop;
    /// Load into tables that exist but that no stored schema knows.
    bool adopt_tables = false;
    io::FileSystem* files = nullptr;
    const Clock* clock = nullptr;
    Log log;
};

struct DestinationEntry {
    std::string name;
    std::string summary;
    std::vector<config::OptionSpec> options;
    /// URL schemes, and file endings (with dot), by which a text names this kind of destination.
    std::vector<std::string> schemes;
    std::vector<std::string> endings;
    /// Whether a path that starts with `/` or `.` names a place of this kind that is there. May be empty.
    std::function<bool(const std::string& path)> is_place = {};
    /// Options out of such a text. Throws Error(usage).
    std::function<config::Options(std::string_view text)> parse;
    std::function<std::unique_ptr<Destination>(const DestinationContext& context)> make;
    /// How deep records are opened where neither resource nor pipeline says.
    std::optional<int> max_nesting = {};
};

/// The kinds of destination a program knows. A value that is handed down.
class Registry {
public:
    void add(DestinationEntry entry);
    const std::vector<DestinationEntry>& entries() const { return entries_; }
    const DestinationEntry* find(std::string_view name) const;
    /// The kind that `text` (a path or URL) names. Throws Error(usage) with what is known.
    const DestinationEntry& require_for(std::string_view text) const;

private:
    std::vector<DestinationEntry> entries_;
};

}  // namespace tipple::destination
