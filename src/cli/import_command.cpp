#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "tipple/core/text.h"
#include "tipple/project/import_rest_api.h"

namespace tipple::cli {

int run_import(Program& program, const ImportArguments& arguments) {
    const json::Value config = json::parse(program.files->read_text(arguments.file), arguments.file);
    const project::ImportedProject imported = project::import_dlt_rest_api(config, arguments.pipeline);
    const std::string folder = arguments.folder.empty() ? "." : arguments.folder;
    const std::string path = folder == "." ? std::string(project::file_name) : io::join_path(folder, project::file_name);
    if (program.files->find(path) != nullptr) throw Error(ErrorKind::usage, "{} is there already, and is left as it is; name another folder: --folder NAME", path);
    program.files->create_folders(folder);
    program.files->write_text_durably(path, imported.text);
    if (program.global.is_json) {
        json::Array problems(imported.problems.begin(), imported.problems.end());
        json::Array notes(imported.notes.begin(), imported.notes.end());
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"file", path}, {"problems", std::move(problems)}, {"notes", std::move(notes)}}));
    } else {
        fmt::print("wrote {}\n", path);
        for (const std::string& note : imported.notes) fmt::print("note  {}\n", note);
        if (imported.problems.empty()) fmt::print("next:  tipple check {}\n", arguments.pipeline);
    }
    for (const std::string& problem : imported.problems) fmt::print(stderr, "{} {}\n", program.terminal.of_stderr().styled(Style::red, "error:"), problem);
    return imported.problems.empty() ? exit_done : exit_partial;
}

}  // namespace tipple::cli
