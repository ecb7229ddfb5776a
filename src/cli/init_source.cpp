#include <fmt/format.h>

#include "cli/exit_code.h"
#include "cli/source_template.h"

namespace tipple::cli {

int init_source(Program& program, const InitArguments& arguments) {
    const std::vector<std::string> paths = write_source_project(*program.files, arguments.source, arguments.folder.empty() ? "." : arguments.folder);
    if (program.global.is_json) {
        json::Array files;
        for (const std::string& path : paths) files.emplace_back(path);
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"files", std::move(files)}}));
        return exit_done;
    }
    if (program.global.is_quiet) return exit_done;
    for (const std::string& path : paths) fmt::print("{}\n", path);
    const std::string project = io::parent_folder(paths.front());
    fmt::print("next:  cmake -S {0} -B {0}/build && cmake --build {0}/build && ctest --test-dir {0}/build\n", project);
    return exit_done;
}

}  // namespace tipple::cli
