#include "cli/project_template.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "tipple/core/error.h"

namespace tipple::cli {

int write_project_template(Program& program, const InitArguments& arguments, std::string_view text, std::string_view pipeline) {
    const std::string folder = arguments.folder.empty() ? "." : arguments.folder;
    const std::string path = folder == "." ? std::string(project::file_name) : io::join_path(folder, project::file_name);
    if (program.files->find(path) != nullptr) {
        throw Error(ErrorKind::usage, "{} is there already, and is left as it is; name another folder: tipple init --source {} FOLDER", path, arguments.source);
    }
    program.files->create_folders(folder);
    program.files->write_text_durably(path, text);
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"files", json::Array{path}}}));
    } else if (!program.global.is_quiet) {
        fmt::print("wrote {}\n\nnext:  {}tipple check\n       tipple run {}\n", path, folder == "." ? "" : fmt::format("cd {}\n       ", folder), pipeline);
    }
    return exit_done;
}

}  // namespace tipple::cli
