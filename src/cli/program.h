#pragma once

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/io/file_system.h"
#include "tipple/pipeline/options.h"
#include "tipple/project/project.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// What commands work with.
struct Program {
    /// Of the file that was called: programs with sources of their own have other names than tipple.
    std::string name = "tipple";
    extract::Registry sources;
    destination::Registry destinations;
    std::unique_ptr<io::FileSystem> files;
    SystemClock clock;
    GlobalArguments global;
    Terminal terminal;
    Log log;
    config::Environment environment;
    /// As `find_project` found it.
    std::optional<project::Project> project = {};
    bool has_looked_for_project = false;

    project::ProjectOptions project_options() const;
};

/// The project of the folder, or nullptr. Throws Error(usage) when its file is broken.
const project::Project* find_project(Program& program);
/// Throws Error(usage) when there is none.
const project::Project& require_project(Program& program);

// Each returns the exit code and throws Error.
int run_load(Program& program, const LoadArguments& arguments);
int run_run(Program& program, const RunArguments& arguments);
int run_query(Program& program, const QueryArguments& arguments);
int run_preview(Program& program, const PreviewArguments& arguments);
int run_schema(Program& program, const SchemaArguments& arguments);
int run_quarantine(Program& program, const QuarantineArguments& arguments);
int run_undo(Program& program, const UndoArguments& arguments);
int run_verify(Program& program, const VerifyArguments& arguments);
int run_packages(Program& program, const PackagesArguments& arguments);
int run_list(Program& program);
int run_connections(Program& program);
int run_show(Program& program, const ShowArguments& arguments);
int run_runs(Program& program, const RunsArguments& arguments);
int run_jobs(Program& program, const JobsArguments& arguments);
int run_state(Program& program, const StateArguments& arguments);
int run_drop(Program& program, const DropArguments& arguments);
int run_sync(Program& program, const SyncArguments& arguments);
int run_plan(Program& program, const PlanArguments& arguments);
int run_check(Program& program, const CheckArguments& arguments);
int run_config(Program& program, const ConfigArguments& arguments);
int run_init(Program& program, const InitArguments& arguments);
int run_import(Program& program, const ImportArguments& arguments);
int run_completion(const Program& program, const CompletionArguments& arguments);
int run_version(Program& program);
int run_help(Program& program, const HelpArguments& arguments);

/// Throws Error(usage) when `target` is a path of this machine that leads nowhere: to say that nothing is in it would hide a typo.
void require_there(const Program& program, const std::string& target);

/// Tells people what has failed: on stderr, as a line of the log where that is JSON, and in the log's file. `name`: as say_lines has it.
void say_error(const Program& program, const Log& log, std::string_view text, const std::string& name = {});

/// `~/.local/share/tipple`, `$XDG_DATA_HOME/tipple`, or what was given.
std::string data_folder(const GlobalArguments& global);

/// What TARGET of a command names: a pipeline of the project, else a connection, also with `/dataset` behind it, else a path or URL.
struct Target {
    project::DestinationChoice destination;
    std::string dataset;   ///< empty = the destination's default
    std::string pipeline;  ///< empty = it names none
};
/// `dataset`: as a flag gives it; it wins over what the target says. Throws Error(usage).
Target resolve_target(Program& program, const std::string& target, const std::string& dataset);

/// Where a command loads to, and as which pipeline.
struct LoadTarget {
    pipeline::PipelineConfig config;
    std::unique_ptr<destination::Destination> destination;
};
inline constexpr double lock_timeout_seconds_default = 10;

/// What a load may use.
struct LoadResources {
    std::size_t workers = 0;  ///< 0 = one per core
    std::size_t memory_bytes = limits::memory_default;  ///< `open_load_target`: 0 = the pipeline's, or the default
    double lock_timeout_seconds = lock_timeout_seconds_default;
    bool adopts_tables = false;
    std::stop_token stop;
};
/// The target's pipeline when it names one, else that of `tipple load` into the dataset.
/// `pipeline`: what it is called, when it is neither.
LoadTarget open_load_target(Program& program, const std::string& target, const std::string& dataset, LoadResources resources,
                            const std::string& pipeline = {});
/// `config` has no folder and version yet; what it leaves out of name and dataset is that of `tipple load`.
LoadTarget make_load_target(Program& program, const project::DestinationChoice& choice, pipeline::PipelineConfig config, const LoadResources& resources);

/// A pipeline of the project, read and checked. Throws Error(usage).
project::PipelineDefinition read_pipeline(Program& program, const std::string& name);

/// The destination that `target` names, to be read.
std::unique_ptr<destination::Destination> open_target(Program& program, const std::string& target, const std::string& dataset);
/// The same with what a pipeline has stored there of itself.
std::unique_ptr<destination::Destination> open_target(Program& program, const Target& target);

}  // namespace tipple::cli
