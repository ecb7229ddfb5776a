#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tipple/destination/load_plan.h"
#include "tipple/destinations/filesystem/dataset.h"
#include "tipple/engine/engine.h"

namespace tipple::destinations::filesystem {

/// What a load needs to know of the place it goes to.
struct Place {
    /// Opens the dataset for one load or query.
    std::function<std::unique_ptr<Dataset>()> open;
    std::string dataset;
    FileFormat format;
};

/// Types of the columns of all tables of the dataset, as its schemas say.
destination::Catalog catalog_of(const std::map<std::string, schema::Schema, std::less<>>& schemas);

/// One package on its way into a dataset of files. They are written on this machine, moved in, and seen by readers at one moment, last of all:
/// docs/internals/files-destination.md.
class Load final : public destination::LoadTransaction {
public:
    /// Takes the dataset's lock and holds it; see Destination::begin.
    Load(const Place& place, const destination::DestinationContext& context, const destination::Capabilities& capabilities, const package::Package& package);
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
    using TableState = destination::TableLoadState;
    void check_fence(const Snapshot& now) const;
    void check_names(const destination::SqlDialect& dialect) const;
    void check_foreign_tables() const;
    std::uint64_t count_rows(const std::string& table, const std::vector<DataFile>& files);
    void write_job(TableState& table, const package::JobFile& job, std::stop_token stop);
    columns::ArrowSource rows_of(const TableState& table, const package::JobFile& job) const;
    std::size_t batch_rows(const std::string& table) const;
    void prepare_system_rows();
    /// What is to be removed of the dataset as it is `now`.
    std::set<std::string> removed_of(const Snapshot& now) const;
    void rebase(const Snapshot& now, Changes& changes) const;

    const Place place_;
    const destination::DestinationContext context_;
    package::Package package_;
    destination::LoadPlan plan_;
    std::unique_ptr<Dataset> dataset_;
    std::unique_ptr<WriteGuard> guard_;
    Layout layout_;
    Snapshot before_;
    std::map<std::string, schema::Schema, std::less<>> schemas_;
    destination::Catalog catalog_;
    std::size_t batch_bytes_ = 0;
    engine::Engine engine_;
    Changes changes_;
    std::set<std::string> emptied_;  ///< tables whose files go
    std::set<std::string> removed_;  ///< files of system tables and of loads that are undone
    std::function<void(std::uint64_t rows)> on_rows_;  ///< of the job that is being loaded
    std::uint64_t streams_ = 0;
    bool is_finished_ = false;
};

}  // namespace tipple::destinations::filesystem
