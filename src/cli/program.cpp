#include "cli/program.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "cli/version.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::cli {

std::string data_folder(const GlobalArguments& global) {
    if (!global.data_folder.empty()) return global.data_folder;
    if (const char* base = std::getenv("XDG_DATA_HOME"); base != nullptr && *base == '/') return io::join_path(base, "tipple");
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return io::join_path(home, ".local/share/tipple");
    throw Error(ErrorKind::usage, "HOME is not set, so there is no place for tipple's packages and locks; give one with --data-dir");
}

LoadTarget open_load_target(Program& program, const LoadTargetOptions& options) {
    LoadTarget target;
    pipeline::PipelineConfig& config = target.config;
    config.workers = options.workers > 0 ? options.workers : std::max(1U, std::thread::hardware_concurrency());
    config.memory_bytes = options.memory_bytes;
    config.data_folder = io::join_path(data_folder(program.global), "pipelines");
    config.tool_version = version_text();

    const destination::DestinationEntry& entry = program.destinations.require_for(options.target);
    destination::DestinationContext context;
    context.options = entry.parse(options.target);
    context.dataset = options.dataset;
    context.tool_version = config.tool_version;
    context.memory_bytes = pipeline::destination_memory(config);
    context.threads = config.workers;
    context.lock_timeout = std::chrono::milliseconds(static_cast<std::int64_t>(options.lock_timeout_seconds * 1000));
    context.stop = options.stop;
    context.adopt_tables = options.adopts_tables;
    context.files = program.files.get();
    context.clock = &program.clock;
    context.log = program.log;
    const std::unique_ptr<destination::Destination> probe = entry.make(context);
    config.dataset = options.dataset.empty() ? probe->capabilities().default_dataset : options.dataset;
    config.name = options.pipeline.empty() ? fmt::format("load_{}", config.dataset) : options.pipeline;
    config.schema_name = config.name;
    context.dataset = config.dataset;
    context.pipeline = config.name;
    context.schema_name = config.schema_name;
    context.temp_folder = io::join_path(pipeline::pipeline_folder(config, *probe), "temp");
    target.destination = entry.make(context);
    return target;
}

std::unique_ptr<destination::Destination> open_target(const Program& program, const std::string& target, const std::string& dataset) {
    const destination::DestinationEntry& entry = program.destinations.require_for(target);
    destination::DestinationContext context;
    context.options = entry.parse(target);
    context.dataset = dataset;
    context.tool_version = version_text();
    context.memory_bytes = limits::memory_default;
    context.threads = std::max(1U, std::thread::hardware_concurrency());
    context.files = program.files.get();
    context.clock = &program.clock;
    context.log = program.log;
    return entry.make(context);
}

}  // namespace tipple::cli
