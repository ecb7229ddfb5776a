#pragma once

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/io/file_system.h"
#include "tipple/pipeline/options.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// What commands work with.
struct Program {
    extract::Registry sources;
    destination::Registry destinations;
    std::unique_ptr<io::FileSystem> files;
    SystemClock clock;
    GlobalArguments global;
    Terminal terminal;
    Log log;
};

// Each returns the exit code and throws Error.
int run_load(Program& program, const LoadArguments& arguments);
int run_query(Program& program, const QueryArguments& arguments);
int run_preview(Program& program, const PreviewArguments& arguments);
int run_schema(Program& program, const SchemaArguments& arguments);
int run_quarantine(Program& program, const QuarantineArguments& arguments);
int run_undo(Program& program, const UndoArguments& arguments);
int run_verify(Program& program, const VerifyArguments& arguments);
int run_packages(Program& program, const PackagesArguments& arguments);
int run_version(Program& program);
int run_help(Program& program, const HelpArguments& arguments);

/// `~/.local/share/tipple`, `$XDG_DATA_HOME/tipple`, or what was given.
std::string data_folder(const GlobalArguments& global);

/// Where a command loads to, and as which pipeline.
struct LoadTarget {
    pipeline::PipelineConfig config;
    std::unique_ptr<destination::Destination> destination;
};
struct LoadTargetOptions {
    std::string target;
    std::string dataset;  ///< empty = the destination's default
    std::string pipeline;  ///< empty = `load_<dataset>`
    std::size_t workers = 0;  ///< 0 = one per core
    std::size_t memory_bytes = limits::memory_default;
    double lock_timeout_seconds = 10;
    bool adopts_tables = false;
    std::stop_token stop;
};
LoadTarget open_load_target(Program& program, const LoadTargetOptions& options);

/// The destination that `target` names, to be read.
std::unique_ptr<destination::Destination> open_target(const Program& program, const std::string& target, const std::string& dataset);

}  // namespace tipple::cli
