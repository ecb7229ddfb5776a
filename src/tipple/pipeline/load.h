#pragma once

#include <stop_token>
#include <utility>
#include <vector>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/job_failure.h"
#include "tipple/pipeline/observer.h"

namespace tipple::pipeline {

enum class PackageOrigin {
    this_run,     ///< just closed: it cannot be at the destination
    earlier_run,  ///< may have been committed before its run ended
};

/// What packages are loaded with.
struct LoadContext {
    destination::Destination& destination;
    io::FileSystem& files;
    const Clock& clock;
    const Log& log;
    double retry_budget_seconds = 0;
};

/// The destination did not say whether the load is there, because it could not be asked: that says nothing about the package.
class LoadInDoubt : public Error {
public:
    explicit LoadInDoubt(const Error& error) : Error(error) {}
};

/// A package was not loaded, and which of its jobs is at fault.
class LoadFailed final : public Error {
public:
    LoadFailed(const Error& error, JobFailure failure) : Error(error), failure_(std::move(failure)) {}
    const JobFailure& failure() const { return failure_; }

private:
    JobFailure failure_;
};

/// Loads a package in one transaction, or finds that its load record is at the destination already, and then returns nothing. Transient errors are
/// tried again, each time after asking whether the attempt before was committed after all, until the budget of waiting is used up. Throws LoadFailed, which names
/// the row when the destination refused one and it could be found, or Error(cancelled), or Error(usage) for a package of another destination; the destination is then as
/// before. Throws LoadInDoubt when it cannot be asked.
std::vector<destination::LoadedTable> load_package(package::Package package, PackageOrigin origin, const LoadContext& context, Observer& observer,
                                                   std::stop_token stop);

}  // namespace tipple::pipeline
