#include <algorithm>
#include <type_traits>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/sql.h"
#include "tipple/destinations/filesystem/dataset_bucket.h"
#include "tipple/destinations/filesystem/dataset_folder.h"
#include "tipple/destinations/filesystem/load.h"
#include "tipple/destinations/filesystem/views.h"
#include "tipple/engine/column_types.h"
#include "tipple/store/open_store.h"

namespace tipple::destinations {

namespace {

using filesystem::Dataset;

constexpr std::string_view default_dataset = "main";
/// How often a query is begun anew because a load took its files away.
constexpr int query_attempts_max = 5;

std::string option(const config::Options& options, std::string_view name) { return options.find(name).value_or(""); }

/// The path in `file:///abs/folder`, `file://relative` or a plain path.
std::string path_of(std::string_view text) {
    constexpr std::string_view scheme = "file://";
    if (text.starts_with(scheme)) {
        text.remove_prefix(scheme.size());
    } else if (text.find("://") != std::string_view::npos) {
        throw Error(ErrorKind::usage, "\"{}\": datasets of files are loaded into folders (a path, or file:///path) and buckets (s3://bucket/path, gs://bucket/path)", excerpt(text));
    }
    while (text.size() > 1 && text.ends_with('/')) text.remove_suffix(1);
    if (text.empty()) throw Error(ErrorKind::usage, "no folder is named; write a path that ends in \"/\", or file:///path");
    return std::string(text);
}

/// Where datasets lie: as the options name it.
std::string place_of(const config::Options& options) {
    const std::optional<std::string> path = options.find("path");
    const std::optional<std::string> url = options.find("bucket_url");
    if (!path && !url) throw Error(ErrorKind::usage, "destination filesystem needs the option \"path\": the folder that datasets lie in, or \"bucket_url\"");
    return path ? *path : *url;
}

bool appends_merges(const config::Options& options) {
    const std::string merge = option(options, "merge");
    if (merge.empty() || merge == "refuse") return false;
    if (merge == "append") return true;
    throw Error(ErrorKind::usage, "there is no merge \"{}\"; there are refuse, append", excerpt(merge));
}

class FilesystemDestination final : public destination::Destination {
public:
    explicit FilesystemDestination(const destination::DestinationContext& context) : context_(context), layout_(option(context.options, "layout")) {
        place_ = {.open = [this] { return open(); },
                  .dataset = context.dataset.empty() ? std::string(default_dataset) : context.dataset,
                  .format = filesystem::require_file_format(context.options.find("format").value_or("jsonl"), option(context.options, "compression"))};
        if (place_.dataset.find('/') != std::string::npos || place_.dataset == "." || place_.dataset == "..") {
            throw Error(ErrorKind::usage, "dataset \"{}\": its name becomes that of a folder, and must have no \"/\"", excerpt(place_.dataset));
        }
        if (!layout_.empty()) filesystem::Layout{layout_};
        const std::string place = place_of(context.options);
        if (store::is_bucket_url(place)) {
            open_bucket(place);
        } else {
            root_ = engine::canonical_path(path_of(place));
            identity_ = "file://" + root_;
        }
        if (appends_merges(context.options)) {
            capabilities_.dispositions.push_back(schema::Disposition::merge);
            capabilities_.appends_merges = true;
        }
    }

    const destination::Capabilities& capabilities() const override { return capabilities_; }
    std::string description() const override { return root_ + "/"; }
    std::string identity() const override { return identity_; }

    std::optional<destination::StoredDataset> read_dataset() override {
        const std::unique_ptr<Dataset> dataset = open();
        if (!dataset->exists()) return std::nullopt;
        return unmoved(*dataset, [&](const filesystem::Snapshot& snapshot) {
            destination::StoredDataset stored{.schemas = filesystem::schemas_of(*dataset, snapshot), .state = {}, .newest_load_id = {}, .catalog = {}};
            if (!snapshot.loads.empty()) stored.newest_load_id = snapshot.loads.back().id;
            stored.catalog = filesystem::catalog_of(stored.schemas);
            if (const filesystem::SystemFile* state = snapshot.newest_state(context_.pipeline)) stored.state = filesystem::stored_state(*dataset, *state);
            return std::optional(std::move(stored));
        });
    }

    bool has_load(const destination::LoadKey& load) override {
        const std::unique_ptr<Dataset> dataset = open();
        return dataset->exists() && dataset->has_load(load, context_.lock_timeout, context_.stop);
    }

    std::unique_ptr<destination::LoadTransaction> begin(const package::Package& package) override {
        return std::make_unique<filesystem::Load>(place_, context_, capabilities_, package);
    }

    destination::QueryResult query(std::string_view sql, const destination::QueryOptions& options) override {
        const std::unique_ptr<Dataset> dataset = open();
        if (!dataset->exists()) {
            throw Error(ErrorKind::usage, "there is no dataset \"{}\" in {}: {} is no folder that something was loaded into", place_.dataset, root_, dataset->name());
        }
        return unmoved(*dataset, [&](const filesystem::Snapshot& snapshot) {
            const filesystem::Tables tables = filesystem::tables_of(*dataset, snapshot, filesystem::schemas_of(*dataset, snapshot));
            try {
                return query_tables(tables, sql, options, filesystem::line_bytes_default);
            } catch (const Error& error) {
                const std::string_view text = error.what();
                if (text.find("maximum_object_size") == std::string_view::npos && text.find("Maximum line size") == std::string_view::npos) throw;
                return query_tables(tables, sql, options, filesystem::line_bytes_max);
            }
        });
    }

    void read_rows(std::string_view sql, std::stop_token stop, const std::function<void(const destination::RowTexts&)>& take) override {
        const std::unique_ptr<Dataset> dataset = open();
        unmoved(*dataset, [&](const filesystem::Snapshot& snapshot) {
            if (!context_.temp_folder.empty()) context_.files->create_folders(context_.temp_folder);
            engine::Engine engine({.memory_bytes = context_.memory_bytes, .threads = context_.threads, .temp_folder = context_.temp_folder});
            filesystem::create_views(engine, filesystem::tables_of(*dataset, snapshot, filesystem::schemas_of(*dataset, snapshot)), place_.dataset, sql, filesystem::line_bytes_default);
            engine.read_texts(sql, stop, take);
        });
    }

    std::vector<destination::StorageFinding> check_storage() override {
        const std::unique_ptr<Dataset> dataset = open();
        if (!dataset->exists()) return {};
        const filesystem::Snapshot snapshot = dataset->read(dataset->layout());
        std::vector<destination::StorageFinding> findings;
        if (!snapshot.unfinished.empty()) {
            findings.push_back({.check = "unfinished_files",
                                .count = snapshot.unfinished.size(),
                                .example = snapshot.unfinished.front(),
                                .meaning = "files are of loads that are not recorded as complete; nobody who follows _dlt_loads sees them"});
        }
        if (!snapshot.foreign.empty()) {
            findings.push_back({.check = "foreign_files",
                                .count = snapshot.foreign.size(),
                                .example = snapshot.foreign.front(),
                                .meaning = fmt::format("files are not named as the layout {} says, and are no part of a table", dataset->layout().text())});
        }
        return findings;
    }

    std::string quote_table(std::string_view table) const override { return engine::quote_identifier(place_.dataset) + "." + engine::quote_identifier(table); }

    std::string create_table_sql(const schema::Table& table) const override {
        destination::SqlDialect dialect;
        dialect.quote_identifier = engine::quote_identifier;
        dialect.quote_literal = engine::quote_literal;
        dialect.column_type = engine::column_type;
        return destination::SqlWriter(dialect, engine::quote_identifier(place_.dataset)).create_table(table, destination::SqlLayout::lines) + ";";
    }

    std::string reference_type() const override { return "dlt.destinations.filesystem"; }

private:
    void open_bucket(const std::string& url) {
        store::BucketLocation bucket = store::open_bucket(url, context_.options, {.files = context_.files, .clock = context_.clock, .log = context_.log});
        prefix_ = bucket.key;
        while (prefix_.ends_with('/')) prefix_.pop_back();
        root_ = bucket.store->url(prefix_);
        while (root_.ends_with('/')) root_.pop_back();
        identity_ = prefix_.empty() ? bucket.identity : bucket.identity + "/" + prefix_;
        bucket_ = std::move(bucket.store);
    }

    std::unique_ptr<Dataset> open() const {
        if (bucket_ == nullptr) return std::make_unique<filesystem::DatasetFolder>(*context_.files, io::join_path(root_, place_.dataset), layout_);
        return std::make_unique<filesystem::DatasetBucket>(*bucket_, prefix_.empty() ? place_.dataset : prefix_ + "/" + place_.dataset, layout_,
                                                           filesystem::LocalFiles{.files = context_.files, .temp_folder = context_.temp_folder}, context_.stop);
    }

    /// What `action` makes of the folder. Files that a load took away meanwhile are no error: it is done again.
    template <typename Action>
    std::invoke_result_t<Action, const filesystem::Snapshot&> unmoved(const Dataset& dataset, Action action) const {
        const filesystem::Layout layout = dataset.layout();
        for (int attempt = 1;; ++attempt) {
            const filesystem::Snapshot snapshot = dataset.read(layout);
            try {
                return action(snapshot);
            } catch (const Error&) {
                const filesystem::Snapshot now = dataset.read(layout);
                const bool is_same = std::equal(now.loads.begin(), now.loads.end(), snapshot.loads.begin(), snapshot.loads.end(),
                                                [](const auto& a, const auto& b) { return a.path == b.path; });
                if (is_same || attempt == query_attempts_max) throw;
            }
        }
    }

    destination::QueryResult query_tables(const filesystem::Tables& tables, std::string_view sql, const destination::QueryOptions& options, std::size_t line_bytes) const {
        // Buffers of long lines are larger than what a query may take.
        const std::size_t memory = line_bytes == filesystem::line_bytes_default ? context_.memory_bytes : 0;
        if (!context_.temp_folder.empty()) context_.files->create_folders(context_.temp_folder);
        engine::Engine engine({.memory_bytes = memory, .threads = context_.threads, .temp_folder = context_.temp_folder});
        filesystem::create_views(engine, tables, place_.dataset, sql, line_bytes);
        engine::Result result = engine.query(sql, options.rows_max);
        destination::QueryResult converted{.columns = {}, .rows = std::move(result.rows), .is_truncated = result.is_truncated};
        for (engine::ResultColumn& column : result.columns) converted.columns.push_back({std::move(column.name), std::move(column.type)});
        return converted;
    }

    destination::Capabilities capabilities_{
        .identifier_length_max = 65'536,
        .is_case_sensitive = false,
        .has_transactions = true,
        .parallel_jobs_max = 1,
        .loads_file_references = false,
        .widens_columns = true,
        .default_dataset = std::string(default_dataset),
        .dispositions = {schema::Disposition::append, schema::Disposition::replace},
        .merge_strategies = {},
        .without_merge = "files are written once and never changed: load into a database, replace the table (--disposition replace), or let rows be appended, whatever "
                         "their keys are, by the destination's option merge = \"append\"",
        .replace_strategies = {destination::ReplaceStrategy::truncate_and_insert, destination::ReplaceStrategy::insert_from_staging},
        .reads_rows = true,
        .adds_not_null_columns = true};
    destination::DestinationContext context_;
    std::string layout_;
    std::string root_;  ///< a path, or a URL without a slash at its end
    std::string identity_;
    std::string prefix_;  ///< of all keys in the bucket
    std::unique_ptr<io::WritableObjectStore> bucket_;
    filesystem::Place place_;
};

std::vector<config::OptionSpec> option_specs() {
    using config::OptionKind;
    std::vector<config::OptionSpec> specs = {{.name = "path", .summary = "Folder that datasets lie in; made when missing.", .kind = OptionKind::path},
            {.name = "bucket_url", .summary = "The same as dlt calls it: a path, file:///path, s3://bucket/path or gs://bucket/path."},
            {.name = "format", .summary = "jsonl, parquet or csv; files of other formats that are there stay readable.", .default_value = "jsonl"},
            {.name = "compression", .summary = "none, gzip, zstd, and snappy for Parquet; gzip for jsonl and csv, zstd for parquet when nothing says otherwise."},
            {.name = "layout", .summary = "Where files lie in a dataset's folder; {table_name}/{load_id}.{file_id}.{ext} when nothing says otherwise."},
            {.name = "merge", .summary = "What becomes of rows that are to be merged: refuse, or append.", .default_value = "refuse"}};
    for (config::OptionSpec& spec : store::option_specs()) specs.push_back(std::move(spec));
    return specs;
}

/// A path or a URL; `?format=parquet&layout=…` behind the latter sets options.
config::Options parse(std::string_view text) {
    config::Options options;
    const bool is_bucket = store::is_bucket_url(text);
    const std::size_t question = is_bucket || text.starts_with("file://") ? text.find('?') : std::string_view::npos;
    if (is_bucket) {
        options.set("bucket_url", std::string(text.substr(0, question)));
    } else {
        options.set("path", path_of(text.substr(0, question)));
    }
    if (question == std::string_view::npos) return options;
    for (std::string_view rest = text.substr(question + 1); !rest.empty();) {
        const std::string_view pair = rest.substr(0, rest.find('&'));
        rest.remove_prefix(std::min(rest.size(), pair.size() + 1));
        const std::size_t equals = pair.find('=');
        if (equals == std::string_view::npos) throw Error(ErrorKind::usage, "\"{}\" in the URL is no option=value", excerpt(pair));
        options.set(std::string(pair.substr(0, equals)), std::string(pair.substr(equals + 1)));
    }
    // Defaults come later: settings of other places stand above them.
    config::check_options(options, option_specs(), "the URL");
    return options;
}

std::unique_ptr<destination::Destination> make(const destination::DestinationContext& context) { return std::make_unique<FilesystemDestination>(context); }

}  // namespace

destination::DestinationEntry filesystem_destination() {
    return {.name = "filesystem",
            .summary = "Loads into files of a folder or a bucket: JSON lines, Parquet or CSV.",
            .options = option_specs(),
            .schemes = {"file", "s3", "s3a", "gs", "gcs"},
            .endings = {"/"},
            .is_place =
                [](const std::string& path) {
                    const std::unique_ptr<io::FileInfo> info = io::local_file_system()->find(path);
                    return info != nullptr && info->is_directory;
                },
            .parse = parse,
            .make = make};
}

}  // namespace tipple::destinations
