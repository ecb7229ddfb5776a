#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/io/file_system.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/load.h"
#include "tipple/pipeline/observer.h"
#include "tipple/pipeline/options.h"
#include "tipple/pipeline/packages.h"
#include "tipple/pipeline/report.h"
#include "tipple/pipeline/undo.h"
#include "tipple/schema/naming.h"
#include "tipple/source/source.h"

namespace tipple::normalize {
struct Rules;
class KindLog;
class SchemaWriter;
}  // namespace tipple::normalize

/// The only orchestrator: extract and normalize into a package, then load the package.
namespace tipple::pipeline {

struct ExtractResult;

/// A source of a run, and the schema that its tables and its memory belong to.
struct SourceInput {
    extract::SourceDriver* driver = nullptr;
    /// Empty = the pipeline's own.
    std::string schema_name;
};

struct ActiveResource;

/// One pipeline into one dataset. `run` may be called again and again; one run at a time. Everything referenced outlives the pipeline.
class Pipeline {
public:
    Pipeline(PipelineConfig config, destination::Destination& destination, io::FileSystem& files, const Clock& clock, Log log);

    /// Finishes what earlier runs left behind, then reads all resources of `driver` and loads them in one transaction. Throws Error; the
    /// destination is then as it was, but for packages of earlier runs. Throws Error(locked) when another run of the pipeline goes on.
    RunReport run(extract::SourceDriver& driver, const RunOptions& options, Observer& observer, std::stop_token stop);

    /// The same for several sources. Each schema is a load of its own; they are read in the order of the schemas' names, and all of them before
    /// the first is loaded.
    RunReport run(const std::vector<SourceInput>& sources, const RunOptions& options, Observer& observer, std::stop_token stop);

    /// Drops tables and what is remembered of resources, in one transaction and without reading anything. Throws Error(usage) when a package
    /// of an earlier run waits, or nothing was ever loaded.
    RunReport drop(const DropOptions& options, Observer& observer, std::stop_token stop);

    /// Takes back what loads have brought, in one transaction that is a load itself. Throws Error(usage) when a package of an earlier run waits, and
    /// as `plan_undo` does.
    RunReport undo(const UndoOptions& options, Observer& observer, std::stop_token stop);

    /// Pending, loaded and failed ones, oldest first. May be called while a run of the pipeline goes on, and then throws Error(corrupt) in the rare case
    /// that it meets a package that is just being moved.
    std::vector<PackageInfo> packages();
    /// Loads what waits, and reads nothing new. Throws like `run`.
    RunReport retry(Observer& observer, std::stop_token stop);
    /// Deletes a pending package. What its source remembers is committed with its rows only, so the next run reads them again. Throws Error(usage) when
    /// there is none of that id, or the destination has it already.
    void discard_package(const std::string& load_id);

    /// The folder of this pipeline's packages, lock and spills: keyed by the real destination and dataset, so that no pending package is ever
    /// loaded into another one.
    const std::string& folder() const { return folder_; }

private:
    struct Start;
    struct Draft;
    struct Declaration;
    /// With the resources that the run reads.
    struct SelectedSource {
        extract::SourceDriver* driver = nullptr;
        std::vector<extract::ResourceSpec> resources;
        /// Of its other resources, as they are named there.
        std::vector<std::string> unread_tables = {};
    };

    std::unique_ptr<io::FileLock> lock();
    /// Nothing when a run goes on.
    std::unique_ptr<io::FileLock> try_lock();
    void refuse_pending(const package::PackageStore& store, std::string_view action) const;
    std::vector<package::Manifest> finish_pending(package::PackageStore& store, RunReport& report, Observer& observer, std::stop_token stop);
    Start read_start() const;
    Draft draft(Start& start, const std::string& schema_name) const;
    std::vector<Draft> make_drafts(const std::vector<SourceInput>& inputs, const RunOptions& options, Start& start, std::stop_token stop) const;
    std::shared_ptr<const schema::NamingConvention> naming(const schema::Schema& schema) const;
    void normalize(package::PackageStore& store, Draft& draft, Start& start, const RunOptions& options, RunReport& report, Observer& observer, std::stop_token stop);
    void declare(Declaration& declaration, const RunOptions& options, const schema::Schema& schema) const;
    void check_reload(const ActiveResource& resource, const schema::Schema& schema) const;
    void check_ledger(const ActiveResource& resource, const schema::Schema& schema, Start& start) const;
    void open_ledger(ActiveResource& resource, const schema::NamingConvention& names, const schema::Schema& schema, Start& start, const RunOptions& options) const;
    void conclude(Draft& draft, Declaration& declaration, const RunOptions& options, ExtractResult extracted, RunReport& report) const;
    void read_and_load(package::PackageStore& store, std::vector<Draft>& drafts, Start& start, const std::vector<package::Manifest>& finished, const RunOptions& options,
                       RunReport& report, Observer& observer, std::stop_token stop);
    void load_part(package::PackageStore& store, Draft& draft, Start& start, RunReport& report, Observer& observer, std::stop_token stop);
    void settle(Draft& draft, const Start& start, const normalize::Rules& rules, const normalize::KindLog& kinds, normalize::SchemaWriter& writer) const;
    void close(Draft& draft, std::optional<json::Object> state, RunReport& report);
    void close_all(std::vector<Draft>& drafts, const Start& start, RunReport& report);
    RunReport begin_report() const;
    package::PackageStore open_store();
    void load_removal(package::PackageStore& store, std::vector<Draft>& drafts, const Start& start, RunReport& report, Observer& observer, std::stop_token stop);
    void load_all(package::PackageStore& store, const std::vector<Draft>& drafts, const Start& start, RunReport& report, Observer& observer,
                  std::stop_token stop);
    void load(package::PackageStore& store, const package::Package& package, PackageOrigin origin, RunReport& report, Observer& observer,
              std::stop_token stop);
    void note_error(const package::Package& package, const Error& error, const JobFailure* failure);
    Error still_waits(const package::Package& package, const Error& error) const;
    [[noreturn]] void give_up(package::PackageStore& store, const package::Package& package, PackageOrigin origin, const Error& error,
                              const JobFailure* failure);
    static const package::Manifest* find_repeated(const std::vector<package::Manifest>& finished, const Draft& draft);
    void leave_out_repeated(Draft& draft, const package::Manifest& repeated, RunReport& report);
    void note_inputs(const Start& start, const Draft& draft, RunReport& report);
    void log_inputs(const std::vector<extract::InputFile>& inputs, const std::string& load_id);
    std::string temp_folder() const { return io::join_path(folder_, "temp"); }
    std::string inputs_path() const { return io::join_path(folder_, "inputs.json"); }

    PipelineConfig config_;
    destination::Destination& destination_;
    io::FileSystem& files_;
    const Clock& clock_;
    Log log_;
    std::string folder_;
};

/// What of the pipeline's memory the destination may use.
std::size_t destination_memory(const PipelineConfig& config);

/// `folder/<name>-<hash of destination identity and dataset>`.
std::string pipeline_folder(const PipelineConfig& config, const destination::Destination& destination);

}  // namespace tipple::pipeline
