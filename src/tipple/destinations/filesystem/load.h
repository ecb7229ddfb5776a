#pragma once

#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tipple/destination/load_plan.h"
#include "tipple/destinations/filesystem/dataset_folder.h"
#include "tipple/engine/engine.h"

namespace tipple::destinations::filesystem {

/// What a load needs to know of the place it goes to.
struct Place {
    std::string folder;  ///< of the dataset
    std::string dataset;
    std::string layout;  ///< as given; empty = that of the dataset
    FileFormat format;
};

/// Types of the columns of all tables of the dataset, as its schemas say.
destination::Catalog catalog_of(const std::map<std::string, schema::Schema, std::less<>>& schemas);

/// One package on its way into a folder. Files are written beside the dataset, moved in, and seen by readers when the load record comes, last of all:
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
    struct StagedFile {
        std::string staged;  ///< full path
        std::string path;    ///< below the dataset's folder
    };
    struct SystemRow {
        std::string path;
        json::Object object;
    };

    void check_fence() const;
    void check_foreign_tables() const;
    void remove_files_of(std::string_view table);
    std::uint64_t count_rows(const std::string& table, const std::vector<DataFile>& files);
    void write_job(TableState& table, const package::JobFile& job, std::stop_token stop);
    columns::ArrowSource rows_of(const TableState& table, const package::JobFile& job) const;
    std::size_t batch_rows(const std::string& table) const;
    void prepare_system_rows();
    void prune_states();
    void move_in();
    void roll_back();
    void write_record();

    const Place place_;
    const destination::DestinationContext context_;
    package::Package package_;
    destination::LoadPlan plan_;
    DatasetFolder folder_;
    std::unique_ptr<io::FileLock> lock_;
    Layout layout_;
    Snapshot before_;
    std::map<std::string, schema::Schema, std::less<>> schemas_;
    destination::Catalog catalog_;
    std::size_t batch_bytes_ = 0;
    engine::Engine engine_;
    std::vector<StagedFile> staged_;
    std::set<std::string> removed_;  ///< below the dataset's folder
    std::vector<SystemRow> rows_;    ///< of schema and state
    SystemRow record_;
    std::function<void(std::uint64_t rows)> on_rows_;  ///< of the job that is being loaded
    std::uint64_t streams_ = 0;
    std::optional<Intent> intent_;  ///< once it may be written down
    bool is_finished_ = false;
    bool is_committed_ = false;
};

}  // namespace tipple::destinations::filesystem
