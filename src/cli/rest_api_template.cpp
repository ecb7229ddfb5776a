#include "cli/rest_api_template.h"

#include <fmt/format.h>

#include "cli/exit_code.h"
#include "tipple/core/error.h"

namespace tipple::cli {

namespace {

constexpr const char* project_text = R"text(# An API as a source. What may stand here: tipple help rest_api, and docs/guide/rest-api.md.
# It reads a public API as it is: tipple check, then tipple run, then tipple preview pokeapi pokemon.
version = 1

[connection.warehouse]
uri = "warehouse.duckdb"

[pipeline.pokeapi]
source = { type = "rest_api", base_url = "https://pokeapi.co/api/v2", concurrency = 4, rate_limit = "10/s" }
# With a token: auth = { type = "bearer", token = "${secret:pokeapi.token}" } in the braces, and in .tipple/secrets.toml
# [pokeapi]
# token = "..."
destination = "warehouse"

# One resource is one table. Pages and the place of records are found out when nothing is said:
# paginator = { type = "cursor", cursor_path = "meta.next", cursor_param = "after" }
# select = "data.items"
[pipeline.pokeapi.resources.names]
path = "pokemon"
params = { limit = 20 }
max_pages = 1
disposition = "replace"
# Only what is new, for APIs with times of change:
# params = { since = "{cursor.start|iso}" }
# cursor = { field = "updated_at", start = "2026-01-01T00:00:00Z" }

# One request for each record of another resource.
[pipeline.pokeapi.resources.pokemon]
parent = "names"
path = "pokemon/{parent.name}"
steps = [{ keep = ["id", "name", "weight", "types"] }]
disposition = "merge"
primary_key = "id"
)text";

}  // namespace

int init_rest_api(Program& program, const InitArguments& arguments) {
    const std::string folder = arguments.folder.empty() ? "." : arguments.folder;
    const std::string path = folder == "." ? std::string(project::file_name) : io::join_path(folder, project::file_name);
    if (program.files->find(path) != nullptr) throw Error(ErrorKind::usage, "{} is there already, and is left as it is; name another folder: tipple init --source rest_api FOLDER", path);
    program.files->create_folders(folder);
    program.files->write_text_durably(path, project_text);
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"files", json::Array{path}}}));
    } else if (!program.global.is_quiet) {
        fmt::print("wrote {}\n\nnext:  {}tipple check\n       tipple run pokeapi\n", path, folder == "." ? "" : fmt::format("cd {}\n       ", folder));
    }
    return exit_done;
}

}  // namespace tipple::cli
