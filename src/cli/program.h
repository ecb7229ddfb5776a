#pragma once

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tipple/core/clock.h"
#include "tipple/core/log.h"
#include "tipple/destination/destination.h"
#include "tipple/io/file_system.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// What commands work with.
struct Program {
    source::Registry sources;
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
int run_version(Program& program);
int run_help(Program& program, const HelpArguments& arguments);

/// `~/.local/share/tipple`, `$XDG_DATA_HOME/tipple`, or what was given.
std::string data_folder(const GlobalArguments& global);

/// The destination that `target` names, to be read.
std::unique_ptr<destination::Destination> open_target(const Program& program, const std::string& target, const std::string& dataset);

}  // namespace tipple::cli
