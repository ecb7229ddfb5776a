#pragma once

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/system_tables.h"

namespace tipple::support {

/// Where a call of the destination can be told to fail.
enum class FailPoint {
    read,       ///< read_dataset
    find_load,  ///< has_load
    begin,
    apply,
    load,
    finish,
    commit,     ///< before anything became visible
    committed,  ///< everything is there, and only the answer is lost
};

/// A destination in memory that writes down every call and keeps the rows it is given, as JSON.
/// Loads with append and replace.
///
/// What a transaction did becomes visible by its commit, all at once. One thread at a time.
class RecordingDestination final : public destination::Destination {
public:
    explicit RecordingDestination(io::FileSystem& files, std::string name = "memory")
        : files_(files), name_(std::move(name)) {
        capabilities_.widens_columns = true;
        capabilities_.dispositions = {schema::Disposition::append, schema::Disposition::replace};
    }

    // ---- for tests ----

    /// The next `times` calls at `point` end with an error of this kind.
    void fail(FailPoint point, ErrorKind kind, int times = 1) { failures_[point] = {kind, times}; }
    /// Called with each call's line before it is done.
    std::function<void(const std::string&)> on_call;
    /// What a query's one value is. Without it there is no query language.
    std::function<std::string(std::string_view)> on_query;

    /// Every call since the last `take_calls`: `begin 17…`, `apply create=a,b`, `load a append`,
    /// `rollback`, ….
    std::vector<std::string> take_calls() { return std::exchange(calls_, {}); }
    /// Committed rows of a table, in the order in which they were loaded; no table, no rows.
    const json::Array& rows(const std::string& table) const {
        static const json::Array none;
        const auto found = data_.rows.find(table);
        return found == data_.rows.end() ? none : found->second;
    }
    std::vector<std::string> tables() const {
        std::vector<std::string> names;
        for (const auto& [name, columns] : data_.catalog.tables) names.push_back(name);
        return names;
    }
    /// Load ids in the order of their commits.
    const std::vector<std::string>& loads() const { return data_.loads; }
    std::size_t states() const { return data_.states; }
    destination::Capabilities& edit_capabilities() { return capabilities_; }
    /// As if somebody had deleted the dataset.
    void clear() { data_ = {}; }

    // ---- destination::Destination ----

    const destination::Capabilities& capabilities() const override { return capabilities_; }
    std::string description() const override { return name_; }
    std::string identity() const override { return "memory://" + name_; }

    std::optional<destination::StoredDataset> read_dataset() override {
        record("read_dataset", FailPoint::read);
        if (data_.loads.empty()) return std::nullopt;
        return destination::StoredDataset{
            .schemas = data_.schemas,
            .state = data_.state,
            .newest_load_id = *std::max_element(data_.loads.begin(), data_.loads.end()),
            .catalog = data_.catalog};
    }

    bool has_load(const destination::LoadKey& load) override {
        record("has_load " + load.load_id, FailPoint::find_load);
        return std::find(data_.loads.begin(), data_.loads.end(), load.load_id) != data_.loads.end();
    }

    std::unique_ptr<destination::LoadTransaction> begin(const package::Package& package) override {
        record("begin " + package.load_id(), FailPoint::begin);
        package::Fence found;
        if (data_.state) {
            found.state_version = data_.state->version;
            found.state_hash = data_.state->version_hash;
        }
        const auto schema = data_.schemas.find(package.schema().name());
        if (schema != data_.schemas.end()) found.schema_hash = schema->second.version_hash();
        if (!(found == package.fence())) {
            throw Error(ErrorKind::conflict, "the dataset is not what the run saw at its start");
        }
        return std::make_unique<Transaction>(*this, package);
    }

    destination::QueryResult query(std::string_view sql, const destination::QueryOptions&) override {
        if (on_query) return {.columns = {{"value", "text"}}, .rows = {{on_query(sql)}}};
        throw Error(ErrorKind::usage, "a recording destination has no query language");
    }
    /// Knows `SELECT "a", "b" FROM table`.
    void read_rows(std::string_view sql, std::stop_token, const std::function<void(const destination::RowTexts&)>& take) override {
        const std::size_t from = sql.find(" FROM ");
        std::vector<std::string> columns;
        for (std::size_t at = sql.find('"'); at < from; at = sql.find('"', sql.find('"', at + 1) + 1)) columns.emplace_back(sql.substr(at + 1, sql.find('"', at + 1) - at - 1));
        for (const json::Value& row : rows(std::string(sql.substr(from + 6)))) {
            destination::RowTexts texts;
            for (const std::string& column : columns) {
                const json::Value* value = row.as_object().find(column);
                texts.push_back(value != nullptr ? std::string_view(value->as_text()) : std::string_view());
            }
            take(texts);
        }
    }
    std::string quote_table(std::string_view table) const override { return std::string(table); }
    std::string create_table_sql(const schema::Table& table) const override {
        return "CREATE " + table.name();
    }
    std::string reference_type() const override { return "tests.memory"; }

private:
    struct Data {
        std::map<std::string, json::Array> rows;
        destination::Catalog catalog;
        std::map<std::string, schema::Schema, std::less<>> schemas;
        std::optional<destination::StoredState> state;
        std::vector<std::string> loads;
        std::size_t states = 0;
    };
    struct Failure {
        ErrorKind kind = ErrorKind::transient;
        int times = 0;
    };

    class Transaction final : public destination::LoadTransaction {
    public:
        Transaction(RecordingDestination& owner, const package::Package& package)
            : owner_(owner), package_(package), data_(owner.data_) {}
        ~Transaction() override {
            if (!is_committed_) owner_.calls_.emplace_back("rollback");
        }

        const destination::Catalog& catalog() const override { return data_.catalog; }

        void drop(const std::vector<std::string>& tables) override {
            owner_.record("drop " + join(tables, ","), FailPoint::apply);
            for (const std::string& table : tables) {
                data_.catalog.tables.erase(table);
                data_.rows.erase(table);
            }
        }
        void truncate(const std::vector<std::string>& tables) override {
            owner_.record("truncate " + join(tables, ","), FailPoint::apply);
            for (const std::string& table : tables) data_.rows[table].clear();
        }

        void apply(const destination::DdlPlan& plan) override {
            std::string line = "apply";
            for (const schema::Table& table : plan.create) {
                line += " create=" + table.name();
                add_columns(table.name(), table.columns());
            }
            for (const destination::DdlPlan::AddColumns& addition : plan.add) {
                line += " add=" + addition.table;
                for (const schema::Column& column : addition.columns) line += "." + column.name();
                add_columns(addition.table, addition.columns);
            }
            for (const destination::DdlPlan::WidenColumn& wider : plan.widen) {
                line += fmt::format(" widen={}.{}:{}", wider.table, wider.column.name(), schema::to_text(*wider.column.data_type()));
            }
            owner_.record(line, FailPoint::apply);
        }

        void undo() override { throw Error(ErrorKind::usage, "rows of a recording destination do not say by which load they came"); }

        void load(const destination::LoadJob& job, std::stop_token) override {
            owner_.record(fmt::format("load {} {}", job.table, schema::to_text(job.disposition)),
                          FailPoint::load);
            TIPPLE_ASSERT(loaded_.insert(job.table).second);
            json::Array& rows = data_.rows[job.table];
            if (job.disposition == schema::Disposition::replace) rows.clear();
            append_rows(job, rows);
        }

        std::vector<destination::LoadedTable> finish() override {
            owner_.record("finish", FailPoint::finish);
            const std::string& name = package_.schema().name();
            data_.schemas.insert_or_assign(name, package_.schema());
            if (package_.manifest().has_new_state) {
                const json::Object& document = package_.state().as_object();
                data_.state = destination::StoredState{
                    .version = document.find("_state_version")->as_int(),
                    .version_hash = document.find("_version_hash")->as_text(),
                    .load_id = package_.load_id(),
                    .document = document};
                ++data_.states;
            }
            data_.loads.push_back(package_.load_id());
            return {};
        }

        void commit() override {
            owner_.record("commit", FailPoint::commit);
            owner_.data_ = std::move(data_);
            is_committed_ = true;
            owner_.fail_if_told(FailPoint::committed);
        }

    private:
        void add_columns(const std::string& table, const std::vector<schema::Column>& columns) {
            for (const schema::Column& column : columns) {
                if (!column.is_complete()) continue;
                data_.catalog.tables[table].push_back(
                    {.name = column.name(),
                     .type = std::string(schema::to_text(*column.data_type()))});
            }
        }

        void append_rows(const destination::LoadJob& job, json::Array& rows) {
            std::vector<package::SegmentColumn> columns;
            for (const schema::Column& column : package_.schema().require(job.table).columns()) {
                if (column.is_complete())
                    columns.push_back({column.name(), columns::column_type(column)});
            }
            // Small batches: a table is seldom cut where its files are.
            package::TableReader reader(owner_.files_, package_, job.table, columns, 1'000);
            while (const std::unique_ptr<columns::Batch> batch = reader.next()) {
                const columns::BatchView view = batch->view();
                for (std::size_t row = 0; row < view.rows; ++row) {
                    json::Object object;
                    for (std::size_t i = 0; i < view.columns.size(); ++i) {
                        if (!view.columns[i].is_null(row))
                            object.set(columns[i].name, value_of(view.columns[i], row));
                    }
                    rows.emplace_back(std::move(object));
                }
                if (job.on_rows) job.on_rows(view.rows);
            }
        }

        static json::Value value_of(const columns::ColumnView& column, std::size_t row) {
            switch (columns::layout_of(column.type.type)) {
                case columns::Layout::bits:
                    return column.boolean(row);
                case columns::Layout::int32:
                    return static_cast<std::int64_t>(column.value<std::int32_t>(row));
                case columns::Layout::int64:
                    return column.value<std::int64_t>(row);
                case columns::Layout::float64:
                    return column.value<double>(row);
                case columns::Layout::decimal:
                    return static_cast<std::int64_t>(column.value<columns::int128>(row));
                case columns::Layout::bytes:
                    return std::string(column.text(row));
            }
            return {};
        }

        RecordingDestination& owner_;
        const package::Package& package_;
        Data data_;
        std::set<std::string> loaded_;
        bool is_committed_ = false;
    };

    void record(std::string line, FailPoint point) {
        if (on_call) on_call(line);
        calls_.push_back(std::move(line));
        fail_if_told(point);
    }
    void fail_if_told(FailPoint point) {
        const auto failure = failures_.find(point);
        if (failure == failures_.end() || failure->second.times == 0) return;
        --failure->second.times;
        Error error(failure->second.kind, "told to fail");
        // Nobody waits for a fake.
        if (failure->second.kind == ErrorKind::transient)
            error.set_retry_after(std::chrono::milliseconds(1));
        throw error;
    }

    io::FileSystem& files_;
    std::string name_;
    destination::Capabilities capabilities_;
    std::map<FailPoint, Failure> failures_;
    std::vector<std::string> calls_;
    Data data_;
};

}  // namespace tipple::support
