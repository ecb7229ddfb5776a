#include "store.h"
#include "tipple/engine/engine.h"
#include "tipple/io/file_system.h"

namespace tipple::golden {

namespace {

/// The file is open only while something is asked of it: tipple must find it free.
class DuckdbStore final : public Store {
public:
    explicit DuckdbStore(const std::string& folder) : path_(io::join_path(folder, "golden.duckdb")) {}

    std::string destination() const override { return "duckdb"; }
    config::Options options() const override {
        config::Options options;
        options.set("path", path_);
        return options;
    }
    /// The folder is the case's own, or has what the case is to find.
    void clear() override {}

    void execute(const std::string& sql) override { open(engine::AttachMode::read_write)->execute(sql); }
    std::vector<Row> query(const std::string& sql) override {
        if (reader_ == nullptr) reader_ = open(engine::AttachMode::read_only);
        return reader_->query(sql).rows;
    }
    void close() override { reader_.reset(); }

    std::vector<Column> columns(const std::string& dataset, const std::string& table) override {
        std::vector<Column> columns;
        for (const Row& row : query(fmt::format("SELECT column_name, data_type, is_nullable FROM information_schema.columns WHERE table_catalog = 'golden' "
                                                "AND table_schema = {} AND table_name = {} ORDER BY ordinal_position",
                                                quote_literal(dataset), quote_literal(table)))) {
            columns.push_back({*row[0], *row[1], *row[2] == "YES"});
        }
        return columns;
    }

    std::string value_sql(const Column& column) const override { return duckdb_value_sql(column); }

private:
    std::unique_ptr<engine::Engine> open(engine::AttachMode mode) const {
        auto engine = std::make_unique<engine::Engine>(engine::EngineOptions{.memory_bytes = std::size_t{256} << 20, .threads = 1});
        engine->attach(path_, "golden", mode);
        engine->execute("USE golden");
        return engine;
    }

    std::string path_;
    std::unique_ptr<engine::Engine> reader_;
};

}  // namespace

std::string duckdb_value_sql(const Store::Column& column) {
    const std::string name = quote_identifier(column.name);
    const std::string& type = column.type;
    const auto padded = [](const std::string& text, int length) { return fmt::format("lpad({}, {}, '0')", text, length); };
    if (type == "TIMESTAMP WITH TIME ZONE") return padded(fmt::format("strftime({} AT TIME ZONE 'UTC', '%Y-%m-%dT%H:%M:%S.%fZ')", name), 27);
    if (type.starts_with("TIMESTAMP")) return padded(fmt::format("strftime({}::TIMESTAMP, '%Y-%m-%dT%H:%M:%S.%f')", name), 26);
    if (type == "DATE") return padded(fmt::format("strftime({}, '%Y-%m-%d')", name), 10);
    if (type == "TIME") return fmt::format("strftime(DATE '2000-01-01' + {}, '%H:%M:%S.%f')", name);
    if (type == "BLOB") return fmt::format("to_base64({})", name);
    return name;
}

std::unique_ptr<Store> duckdb_store(const std::string& folder) { return std::make_unique<DuckdbStore>(folder); }

}  // namespace tipple::golden
