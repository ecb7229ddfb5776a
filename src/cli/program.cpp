#include "cli/program.h"

#include <algorithm>
#include <cstdlib>
#include <thread>

#include "cli/version.h"

namespace tipple::cli {

std::string data_folder(const GlobalArguments& global) {
    if (!global.data_folder.empty()) return global.data_folder;
    if (const char* base = std::getenv("XDG_DATA_HOME"); base != nullptr && *base == '/') return io::join_path(base, "tipple");
    if (const char* home = std::getenv("HOME"); home != nullptr && *home != '\0') return io::join_path(home, ".local/share/tipple");
    throw Error(ErrorKind::usage, "HOME is not set, so there is no place for tipple's packages and locks; give one with --data-dir");
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
