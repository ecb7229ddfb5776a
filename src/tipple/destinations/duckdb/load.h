#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/destinations/duckdb/memory_plan.h"
#include "tipple/destinations/duckdb/merge.h"
#include "tipple/destinations/duckdb/session.h"

namespace tipple::destinations::duckdb {

/// One package on its way into a database file: one engine, one transaction.
class Load final : public destination::LoadTransaction {
public:
    /// Begins the transaction; see Destination::begin.
    Load(const Place& place, const destination::DestinationContext& context,
         const destination::Capabilities& capabilities, const package::Package& package);
    ~Load() override;

    const destination::Catalog& catalog() const override { return catalog_; }
    void drop(const std::vector<std::string>& tables) override;
    void truncate(const std::vector<std::string>& tables) override;
    void apply(const destination::DdlPlan& plan) override;
    void undo() override;
    void load(const destination::LoadJob& job, std::stop_token stop) override;
    std::vector<destination::LoadedTable> finish() override;
    void commit() override;

private:
    /// What is known of one table of the package.
    struct TableState {
        std::string name;
        std::string root;
        schema::Disposition disposition = schema::Disposition::append;
        std::vector<package::SegmentColumn> columns;
        /// Columns that are not read but the same for all rows, with their values as SQL text: `_dlt_load_id` of a root table.
        std::vector<std::pair<std::string, std::string>> constants;
        std::uint64_t rows = 0;
        std::uint64_t job_rows = 0;  ///< of those, in job files and not by reference
        bool is_loaded = false;
        std::shared_ptr<DroppedRows> dropped;
        std::string stream;
        std::string key_stream;
        std::vector<std::string> key_columns;
        destination::LoadedTable loaded;

        std::vector<std::string> constant_names() const;
    };

    void add_tables();
    void add_merge(const package::TableLoad& load);
    void add_table(const package::TableLoad& load, const std::string& name);
    bool has_root_numbers(const std::string& root) const;
    void register_streams();
    void check_fence();
    void check_foreign_tables();
    void check_types();
    TableState& state_of(const std::string& table);
    Merge& prepare_merge(const std::string& root, std::stop_token stop);
    KeySelects key_selects(const TableState& table) const;
    std::string reference_select(const package::JobFile& job,
                                 const std::vector<std::string>& expressions,
                                 const std::string& condition) const;
    void insert_rows(TableState& table, std::stop_token stop);
    void insert_reference(TableState& table, const package::JobFile& job, std::uint64_t first,
                          std::stop_token stop);
    void check_reference(const package::JobFile& job) const;
    void check_counts(const TableState& table) const;
    void write_system_rows();
    bool is_committed();
    void remove_spills();

    const Place place_;
    const destination::DestinationContext context_;
    const destination::Capabilities& capabilities_;
    package::Package package_;
    std::string temp_folder_;
    MemoryPlan memory_;
    std::vector<TableState> tables_;
    std::unique_ptr<Session> session_;
    destination::Catalog catalog_;         ///< before the load
    std::map<std::string, destination::MergePlan> plans_;  ///< by root
    std::map<std::string, Merge> merges_;  ///< by root, once prepared
    std::function<void(std::uint64_t rows)> on_rows_;  ///< of the job that is being loaded
    bool is_finished_ = false;
};

}  // namespace tipple::destinations::duckdb
