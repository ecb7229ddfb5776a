#include <cstdlib>
#include <map>
#include <set>

#include "store.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/engine/column_types.h"
#include "tipple/engine/engine.h"
#include "tipple/io/file_system.h"
#include "tipple/json/value.h"
#include "tipple/schema/schema.h"
#include "tipple/store/open_store.h"

namespace tipple::golden {

namespace {

/// Tables of a database in memory, made of the files as they lie there once nothing is on its way: JSON lines whose name begins with the id of a load that has a record.
class FilesystemStore final : public Store {
public:
    explicit FilesystemStore(const std::string& folder) : root_(io::join_path(folder, "lake")) {
        const char* bucket = std::getenv("TIPPLE_TEST_S3");
        if (bucket == nullptr) return;
        url_ = std::string(bucket) + "/golden";
        bucket_ = store::open_bucket(url_, {}, {.files = files_.get(), .clock = &clock_}).store;
    }

    std::string destination() const override { return "filesystem"; }
    config::Options options() const override {
        config::Options options;
        bucket_ != nullptr ? options.set("bucket_url", url_) : options.set("path", root_);
        return options;
    }
    void clear() override {
        files_->remove(root_);
        for (const io::ObjectInfo& object : objects()) bucket_->remove(object.key, {});
    }

    void execute(const std::string&) override { throw Error(ErrorKind::usage, "files are not changed by SQL"); }
    std::vector<Row> query(const std::string& sql) override { return engine().query(sql).rows; }
    void close() override { engine_.reset(); }

    std::vector<Column> columns(const std::string& dataset, const std::string& table) override {
        std::vector<Column> columns;
        for (const Row& row : query(fmt::format("SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_schema = {} AND table_name = {} "
                                                "ORDER BY ordinal_position",
                                                quote_literal(dataset), quote_literal(table)))) {
            columns.push_back({*row[0], *row[1], *row[2] == "YES"});
        }
        return columns;
    }

    std::string value_sql(const Column& column) const override { return duckdb_value_sql(column); }

private:
    std::vector<io::ObjectInfo> objects() {
        std::vector<io::ObjectInfo> found;
        if (bucket_ == nullptr) return found;
        bucket_->list(key_prefix, {}, [&](const io::ObjectInfo& object) {
            found.push_back(object);
            return true;
        });
        return found;
    }

    /// What lies in a bucket is looked at as a copy.
    void copy_objects() {
        if (bucket_ != nullptr) files_->remove(root_);
        for (const io::ObjectInfo& object : objects()) {
            const std::string path = io::join_path(root_, object.key.substr(key_prefix.size()));
            std::string text(static_cast<std::size_t>(object.size), '\0');
            if (object.size > 0) bucket_->open_read(object, {})->read_at(0, text.data(), text.size());
            files_->create_folders(io::parent_folder(path));
            files_->write_text_durably(path, text);
        }
    }

    engine::Engine& engine() {
        if (engine_ != nullptr) return *engine_;
        copy_objects();
        engine_ = std::make_unique<engine::Engine>(engine::EngineOptions{.memory_bytes = std::size_t{512} << 20, .threads = 1});
        for (const io::FileInfo& dataset : files_->list(root_)) {
            if (dataset.is_directory) read_dataset(dataset.path);
        }
        return *engine_;
    }

    void read_dataset(const std::string& folder) {
        const std::string dataset = io::file_name(folder);
        engine_->execute("CREATE SCHEMA IF NOT EXISTS " + quote_identifier(dataset));
        std::set<std::string> loads;
        for (const char* table : {"_dlt_loads", "_dlt_version", "_dlt_pipeline_state"}) {
            const std::string files = io::join_path(folder, table);
            if (files_->find(files) == nullptr) continue;
            engine_->execute(fmt::format("CREATE TABLE {} AS SELECT * FROM read_json({}, format = 'newline_delimited', convert_strings_to_integers = false)", quoted(dataset, table),
                                         quote_literal(files + "/*.jsonl")));
        }
        for (const Row& row : query(fmt::format("SELECT CAST(load_id AS VARCHAR) FROM {}", quoted(dataset, "_dlt_loads")))) loads.insert(*row[0]);
        const std::vector<Row> versions = query(fmt::format("SELECT CAST(schema AS VARCHAR) FROM (SELECT *, row_number() OVER (PARTITION BY schema_name ORDER BY inserted_at DESC) AS n FROM {}) "
                                                            "WHERE n = 1",
                                                            quoted(dataset, "_dlt_version")));
        for (const Row& row : versions) {
            const schema::Schema schema = schema::Schema::from_document(json::parse(*row[0]));
            for (const auto& table : schema.tables()) {
                if (!table->is_internal() && table->has_complete_columns()) read_table(folder, dataset, *table, loads);
            }
        }
    }

    void read_table(const std::string& folder, const std::string& dataset, const schema::Table& table, const std::set<std::string>& loads) {
        std::vector<std::string> definitions;
        std::vector<std::string> types;
        std::vector<std::string> values;
        for (const schema::Column& column : table.columns()) {
            if (!column.is_complete()) continue;
            const std::string name = quote_identifier(column.name());
            const std::string type = engine::column_type(column);
            const bool is_binary = type == "BLOB";
            definitions.push_back(fmt::format("{} {}{}", name, type, column.is_nullable() ? "" : " NOT NULL"));
            types.push_back(fmt::format("{}: {}", name, quote_literal(is_binary ? "VARCHAR" : type)));
            values.push_back(is_binary ? fmt::format("from_base64({})", name) : name);
        }
        engine_->execute(fmt::format("CREATE TABLE {} ({})", quoted(dataset, table.name()), join(definitions, ", ")));
        for (const io::FileInfo& file : files_->list(io::join_path(folder, table.name()))) {
            const std::string name = io::file_name(file.path);
            if (!loads.contains(name.substr(0, name.find('.', name.find('.') + 1)))) continue;
            engine_->execute(fmt::format("INSERT INTO {} SELECT {} FROM read_json({}, format = 'newline_delimited', columns = {{{}}})", quoted(dataset, table.name()), join(values, ", "),
                                         engine::quote_path(file.path), join(types, ", ")));
        }
    }

    const std::string key_prefix = "golden/";
    std::string root_;
    std::string url_;
    SystemClock clock_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    std::unique_ptr<io::WritableObjectStore> bucket_;
    std::unique_ptr<engine::Engine> engine_;
};

}  // namespace

std::unique_ptr<Store> filesystem_store(const std::string& folder) { return std::make_unique<FilesystemStore>(folder); }

}  // namespace tipple::golden
