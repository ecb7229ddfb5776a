#pragma once

#include <map>
#include <memory>
#include <string>
#include <vector>

#include "tipple/destination/load_plan.h"
#include "tipple/destination/merge.h"
#include "tipple/destination/package_rows.h"
#include "tipple/destinations/duckdb/memory_plan.h"
#include "tipple/destinations/duckdb/session.h"

namespace tipple::destinations::duckdb {

/// A database file that a load has made. The destructor removes it unless it was kept; while the engine still has it open and locked, so that nobody
/// else can have put anything into it.
class NewFile {
public:
    NewFile(io::FileSystem& files, std::string path, const Log& log) : files_(files), path_(std::move(path)), log_(log) {}
    NewFile(const NewFile&) = delete;
    NewFile& operator=(const NewFile&) = delete;
    ~NewFile();

    void keep() { is_kept_ = true; }

private:
    io::FileSystem& files_;
    std::string path_;
    const Log& log_;
    bool is_kept_ = false;
};

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
    using TableState = destination::TableLoadState;

    void register_streams();
    destination::Merge& prepare_merge(const std::string& root, std::stop_token stop);
    std::vector<std::string> key_selects(const TableState& table) const;
    std::string reference_select(const package::JobFile& job,
                                 const std::vector<std::string>& expressions,
                                 const std::string& condition) const;
    std::uint64_t insert(const TableState& table, const std::string& statement, const std::string& stream, std::stop_token stop);
    void insert_rows(TableState& table, std::stop_token stop);
    void insert_reference(TableState& table, const package::JobFile& job, std::uint64_t first,
                          std::stop_token stop);
    void check_reference(const package::JobFile& job) const;
    bool is_committed();
    void remove_spills();
    std::string find_largest_column(const std::string& name) const;
    void remove_head() const;

    const Place place_;
    const destination::DestinationContext context_;
    const destination::Capabilities& capabilities_;
    package::Package package_;
    std::string temp_folder_;
    destination::LoadPlan plan_;
    MemoryPlan memory_;
    std::unique_ptr<Session> session_;
    std::unique_ptr<NewFile> new_file_;  ///< goes before the session
    destination::Catalog catalog_;                      ///< before the load
    std::map<std::string, destination::Merge> merges_;  ///< by root, once prepared
    std::function<void(std::uint64_t rows)> on_rows_;  ///< of the job that is being loaded
    bool is_finished_ = false;
};

}  // namespace tipple::destinations::duckdb
