#include "tipple/api/custom_destination.h"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "tipple/api/batch_records.h"
#include "tipple/api/user_code.h"
#include "tipple/core/hash.h"
#include "tipple/io/file_system.h"

namespace tipple {

namespace {

/// Loads that are remembered; packages of older ones cannot be pending.
constexpr std::size_t loads_max = 1'000;

/// What is remembered of a dataset, in a JSON file of our own.
class Memory {
public:
    Memory(io::FileSystem& files, std::string path) : files_(files), path_(std::move(path)) {}

    /// False when there is no such file.
    bool read() {
        if (files_.find(path_) == nullptr) return false;
        document_ = json::parse(files_.read_text(path_), path_).as_object();
        // Version 1 had load ids only.
        json::Array loads;
        for (const json::Value& load : this->loads()) loads.emplace_back(load.is_text() ? json::Value(json::Object{{"load_id", load.as_text()}}) : load);
        document_.set("loads", std::move(loads));
        return true;
    }
    void write() const {
        files_.create_folders(io::parent_folder(path_));
        files_.write_text_durably(path_, json::to_text(document_, {.spacing = json::Spacing::pretty}));
    }

    std::map<std::string, schema::Schema, std::less<>> schemas() const {
        std::map<std::string, schema::Schema, std::less<>> schemas;
        for (const json::Member& member : members("schemas")) schemas.emplace(member.name, schema::Schema::from_document(member.value));
        return schemas;
    }
    std::optional<destination::StoredState> state(std::string_view pipeline) const {
        const json::Value* stored = members("states").find(pipeline);
        if (stored == nullptr) return std::nullopt;
        const json::Object& state = stored->as_object();
        const json::Value& document = *state.find("document");
        return destination::StoredState{.version = document.as_object().find("_state_version")->as_int(),
                                        .version_hash = document.as_object().find("_version_hash")->as_text(),
                                        .load_id = state.find("load_id")->as_text(),
                                        .document = document};
    }
    bool has_load(const destination::LoadKey& load) const {
        const json::Array& loads = this->loads();
        return std::any_of(loads.begin(), loads.end(), [&](const json::Value& known) {
            const auto is_equal = [&](std::string_view name, const std::string& text) {
                const json::Value* value = known.as_object().find(name);
                return text.empty() || value == nullptr || value->as_text() == text;
            };
            return is_equal("load_id", load.load_id) && is_equal("pipeline", load.pipeline) && is_equal("schema_name", load.schema_name) &&
                   is_equal("schema_hash", load.schema_hash);
        });
    }
    std::string newest_load() const {
        std::string newest;
        for (const json::Value& load : loads()) newest = std::max(newest, load.as_object().find("load_id")->as_text());
        return newest;
    }

    void add(const package::Package& package) {
        edit("schemas").set(package.schema().name(), package.schema().to_document());
        if (package.manifest().has_new_state) {
            edit("states").set(package.manifest().pipeline, json::Object{{"load_id", package.load_id()}, {"document", package.state()}});
        }
        json::Array loads = this->loads();
        loads.emplace_back(json::Object{{"load_id", package.load_id()},
                                        {"pipeline", package.manifest().pipeline},
                                        {"schema_name", package.schema().name()},
                                        {"schema_hash", package.schema().version_hash()}});
        if (loads.size() > loads_max) loads.erase(loads.begin());
        document_.set("v", 2);
        document_.set("loads", std::move(loads));
    }

private:
    const json::Object& members(std::string_view name) const {
        static const json::Object none;
        const json::Value* value = document_.find(name);
        return value != nullptr ? value->as_object() : none;
    }
    const json::Array& loads() const {
        static const json::Array none;
        const json::Value* value = document_.find("loads");
        return value != nullptr ? value->as_array() : none;
    }
    json::Object& edit(std::string_view name) {
        json::Value& value = document_[name];
        if (!value.is_object()) value = json::Object();
        return value.as_object();
    }

    io::FileSystem& files_;
    std::string path_;
    json::Object document_;
};

/// What the function is and is called with.
struct Taker {
    std::string name;
    DestinationFunction take;
    CustomDestinationOptions options;
};

destination::Catalog catalog_of(const std::map<std::string, schema::Schema, std::less<>>& schemas) {
    destination::Catalog catalog;
    for (const auto& [name, schema] : schemas) {
        for (const auto& table : schema.tables()) {
            if (!table->has_complete_columns()) continue;
            std::vector<destination::CatalogColumn>& columns = catalog.tables[table->name()];
            for (const schema::Column& column : table->columns()) {
                if (column.is_complete()) columns.push_back({column.name(), std::string(schema::to_text(*column.data_type())), column.is_nullable()});
            }
        }
    }
    return catalog;
}

/// Hands rows over. Nothing can be taken back, so what is remembered is written last.
class Load final : public destination::LoadTransaction {
public:
    Load(const Taker& taker, io::FileSystem& files, Memory memory, const package::Package& package)
        : taker_(taker), files_(files), memory_(std::move(memory)), package_(package), catalog_(catalog_of(memory_.schemas())) {}

    const destination::Catalog& catalog() const override { return catalog_; }
    void drop(const std::vector<std::string>& tables) override { refuse("dropped", tables); }
    void truncate(const std::vector<std::string>& tables) override { refuse("emptied", tables); }
    void apply(const destination::DdlPlan&) override {}
    void undo() override { throw Error(ErrorKind::usage, "what destination \"{}\" has taken cannot be taken back: it is a function", taker_.name); }

    void load(const destination::LoadJob& job, std::stop_token stop) override {
        const schema::Table& table = package_.schema().require(job.table);
        std::vector<package::SegmentColumn> columns;
        for (const schema::Column& column : table.columns()) {
            const bool is_wanted = taker_.options.has_system_columns || !column.name().starts_with(schema::internal_prefix);
            if (column.is_complete() && is_wanted) columns.push_back({column.name(), columns::column_type(column)});
        }
        package::TableReader reader(files_, package_, job.table, columns, taker_.options.batch_rows, limits::text_buffer_bytes_max,
                                    package::OtherColumns::skip);
        std::uint64_t number = 0;
        while (const std::unique_ptr<columns::Batch> batch = reader.next()) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            const Records rows = api::to_records(*batch);
            call({.table = table, .disposition = job.disposition, .load_id = package_.load_id(), .number = number++, .rows = rows});
            if (job.on_rows) job.on_rows(rows.size());
        }
    }

    std::vector<destination::LoadedTable> finish() override { return {}; }
    void commit() override {
        memory_.add(package_);
        memory_.write();
    }

private:
    void refuse(const char* what, const std::vector<std::string>& tables) const {
        if (tables.empty()) return;
        throw Error(ErrorKind::usage, "table \"{}\" cannot be {} in destination \"{}\", which is a function that takes rows", tables.front(), what, taker_.name);
    }

    void call(const RowBatch& batch) const {
        api::call_user_code([&] { return fmt::format("destination \"{}\", table \"{}\", batch {}", taker_.name, batch.table.name(), batch.number); },
                            [&] { taker_.take(batch); });
    }

    const Taker& taker_;
    io::FileSystem& files_;
    Memory memory_;
    const package::Package& package_;
    destination::Catalog catalog_;
};

class CustomDestination final : public destination::Destination {
public:
    CustomDestination(Taker taker, const destination::DestinationContext& context)
        : taker_(std::move(taker)),
          context_(context),
          path_(io::join_path(context.data_folder,
                              fmt::format("{}-{}.json", taker_.name, to_hex(xxh3_64(taker_.name + "\n" + context.dataset)).substr(0, 12)))) {
        capabilities_.dispositions = {Disposition::append, Disposition::replace, Disposition::merge};
        capabilities_.has_transactions = false;
        capabilities_.batch_rows = taker_.options.batch_rows;
    }

    const destination::Capabilities& capabilities() const override { return capabilities_; }
    std::string description() const override { return taker_.name; }
    std::string identity() const override { return taker_.name + "://"; }

    std::optional<destination::StoredDataset> read_dataset() override {
        Memory memory = this->memory();
        if (!memory.read()) return std::nullopt;
        destination::StoredDataset stored{
            .schemas = memory.schemas(), .state = memory.state(context_.pipeline), .newest_load_id = memory.newest_load(), .catalog = {}};
        stored.catalog = catalog_of(stored.schemas);
        return stored;
    }

    bool has_load(const destination::LoadKey& load) override {
        Memory memory = this->memory();
        return memory.read() && memory.has_load(load);
    }

    std::unique_ptr<destination::LoadTransaction> begin(const package::Package& package) override {
        Memory memory = this->memory();
        memory.read();
        package::Fence found;
        if (const std::optional<destination::StoredState> state = memory.state(context_.pipeline)) {
            found.state_version = state->version;
            found.state_hash = state->version_hash;
        }
        const auto schemas = memory.schemas();
        if (const auto schema = schemas.find(package.schema().name()); schema != schemas.end()) found.schema_hash = schema->second.version_hash();
        if (!(found == package.fence())) {
            throw Error(ErrorKind::conflict, "another run has loaded into \"{}\" meanwhile; run again", taker_.name);
        }
        return std::make_unique<Load>(taker_, *context_.files, std::move(memory), package);
    }

    destination::QueryResult query(std::string_view, const destination::QueryOptions&) override {
        throw Error(ErrorKind::usage, "destination \"{}\" is a function that takes rows: there is nothing to be asked", taker_.name);
    }
    std::string quote_table(std::string_view table) const override { return std::string(table); }
    std::string create_table_sql(const schema::Table&) const override { return {}; }
    std::string reference_type() const override { return "dlt.destinations.destination"; }

private:
    Memory memory() const { return {*context_.files, path_}; }

    Taker taker_;
    destination::DestinationContext context_;
    std::string path_;
    destination::Capabilities capabilities_;
};

}  // namespace

destination::DestinationEntry custom_destination(std::string name, DestinationFunction take, CustomDestinationOptions options) {
    Taker taker{.name = name, .take = std::move(take), .options = options};
    return {.name = name,
            .summary = "A function of this program.",
            .schemes = {name},
            .parse = [](std::string_view) { return config::Options(); },
            .make = [taker = std::move(taker)](const destination::DestinationContext& context) -> std::unique_ptr<destination::Destination> {
                return std::make_unique<CustomDestination>(taker, context);
            },
            .max_nesting = options.max_nesting};
}

}  // namespace tipple
