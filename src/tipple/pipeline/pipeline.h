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
#include "tipple/pipeline/report.h"
#include "tipple/schema/naming.h"
#include "tipple/source/source.h"

/// The only orchestrator: extract and normalize into a package, then load the package.
namespace tipple::pipeline {

/// One pipeline into one dataset. `run` may be called again and again; one run at a time. Everything referenced outlives the pipeline.
class Pipeline {
public:
    Pipeline(PipelineConfig config, destination::Destination& destination, io::FileSystem& files, const Clock& clock, Log log);

    /// Finishes what earlier runs left behind, then reads all resources of `driver` and loads them in one transaction. Throws Error; the
    /// destination is then as it was, but for packages of earlier runs. Throws Error(locked) when another run of the pipeline goes on.
    RunReport run(source::SourceDriver& driver, const RunOptions& options, Observer& observer, std::stop_token stop);

    /// The folder of this pipeline's packages, lock and spills: keyed by the real destination and dataset, so that no pending package is ever
    /// loaded into another one.
    const std::string& folder() const { return folder_; }

private:
    struct Start;
    struct Normalized;

    std::unique_ptr<io::FileLock> lock();
    std::vector<package::Manifest> finish_pending(package::PackageStore& store, RunReport& report, Observer& observer, std::stop_token stop);
    Start read_start() const;
    std::shared_ptr<const schema::NamingConvention> naming(const schema::Schema& schema) const;
    Normalized normalize(source::SourceDriver& driver, Start& start, package::PackageWriter* package, const RunOptions& options, RunReport& report,
                         Observer& observer, std::stop_token stop);
    std::optional<package::Package> close(package::PackageWriter& package, const Start& start, Normalized& normalized, RunReport& report);
    void load(package::PackageStore& store, const package::Package& package, PackageOrigin origin, RunReport& report, Observer& observer,
              std::stop_token stop);
    [[noreturn]] void give_up(package::PackageStore& store, const package::Package& package, PackageOrigin origin, const Error& error);
    static const package::Manifest* find_repeated(const std::vector<package::Manifest>& finished, const Normalized& normalized, const RunReport& report);
    void note_inputs(const Start& start, const Normalized& normalized, RunReport& report);
    void log_inputs(const std::vector<source::InputFile>& inputs, const std::string& load_id);
    std::string temp_folder() const { return io::join_path(folder_, "temp"); }

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
