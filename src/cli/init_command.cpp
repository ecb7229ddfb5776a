#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cctype>
#include <cstdio>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rest_api_template.h"
#include "cli/source_template.h"
#include "cli/sql_template.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

constexpr const char* project_text =
    R"text(# A tipple project. What may stand here: docs/guide/project.md, or tipple help.
version = 1

# Where data goes. Relative paths start at this file's folder.
[connection.warehouse]
uri = "warehouse.duckdb"

# Where it comes from, and how it is loaded: tipple run shop
[pipeline.shop]
source = { type = "files", uri = "data" }
destination = "warehouse"
# dataset = "shop"                 # schema of the database; the pipeline's name when not given
# on_bad_record = "quarantine"     # put records aside that cannot be loaded, instead of ending the run

# What holds for every resource that does not say otherwise.
[pipeline.shop.defaults]
disposition = "merge"              # or append, replace
primary_key = "id"

# Each resource becomes a table, and a table for every list in it.
[pipeline.shop.resources.orders]
glob = "orders-*.jsonl"
cursor = { field = "updated_at", lag = "1h" }      # only what is new, and the hour before it
columns = { total = "decimal(10,2)" }

[pipeline.shop.resources.customers]
glob = "customers.csv"

# Other settings for another place: tipple run shop --profile test
[profile.test.connection.warehouse]
uri = "test.duckdb"

# Secrets stay out of this file: password = "${secret:warehouse.password}" is looked for in .tipple/secrets.toml,
# "${env:WAREHOUSE_PASSWORD}" in the environment.
)text";

constexpr const char* secrets_text =
    "# Secrets of this project, for you alone: never commit this file.\n"
    "# [warehouse]\n"
    "# password = \"...\"\n";

constexpr const char* orders_text =
    R"text({"id": 1, "updated_at": "2026-03-01T09:30:00Z", "customer_id": 1, "total": 17.5, "lines": [{"sku": "tea", "qty": 2}, {"sku": "cup", "qty": 1}]}
{"id": 2, "updated_at": "2026-03-02T10:05:00Z", "customer_id": 2, "total": 4, "lines": [{"sku": "tea", "qty": 1}]}
{"id": 3, "updated_at": "2026-03-02T11:00:00Z", "customer_id": 1, "total": 9.25, "lines": []}
)text";

constexpr const char* customers_text = "id,name,since\n1,Ann,2024-05-01\n2,Bob,2025-01-17\n";

constexpr const char* ignore_text = ".tipple/\n*.duckdb\n*.duckdb.wal\n";

void write_new(io::FileSystem& files, const std::string& path, const char* text) {
    if (files.find(path) != nullptr) return;
    files.create_folders(io::parent_folder(path));
    files.write_text_durably(path, text);
}

constexpr const char* bash_text = R"text({function}() {{
    local current=${{COMP_WORDS[COMP_CWORD]}} command=${{COMP_WORDS[1]}}
    if [ "$COMP_CWORD" = 1 ]; then
        COMPREPLY=($(compgen -W "{commands}" -- "$current"))
    elif [[ $current == -* ]]; then
        COMPREPLY=($(compgen -W "$({program} "$command" --help 2>/dev/null | grep -oE -- '--[a-z][a-z-]+')" -- "$current"))
    else
        COMPREPLY=($(compgen -f -W "$({program} list --json 2>/dev/null | sed -n 's/.*"pipeline": "\(.*\)".*/\1/p')" -- "$current"))
    fi
}}
complete -o filenames -F {function} {program}
)text";

constexpr const char* fish_text = R"text(complete -c {program} -n __fish_use_subcommand -f -a "{commands}"
complete -c {program} -n 'not __fish_use_subcommand' -a "({program} list --json 2>/dev/null | string replace -rf '.*\"pipeline\": \"(.*)\".*' '\$1')"
complete -c {program} -n 'not __fish_use_subcommand' -f -a "({program} (commandline -opc)[2] --help 2>/dev/null | string match -rag -- '(--[a-z][a-z-]+)')"
)text";

}  // namespace

int run_init(Program& program, const InitArguments& arguments) {
    if (arguments.source == "rest_api") return init_rest_api(program, arguments);
    if (arguments.source == "sql") return init_sql(program, arguments);
    if (!arguments.source.empty()) return init_source(program, arguments);
    io::FileSystem& files = *program.files;
    const std::string folder = arguments.folder.empty() ? "." : arguments.folder;
    const auto place = [&](std::string_view name) { return folder == "." ? std::string(name) : io::join_path(folder, name); };
    const std::string project = place(project::file_name);
    if (files.find(project) != nullptr) throw Error(ErrorKind::usage, "{} is there already, and is left as it is; name another folder: tipple init FOLDER", project);
    write_new(files, place("data/orders-2026-03.jsonl"), orders_text);
    write_new(files, place("data/customers.csv"), customers_text);
    write_new(files, place(".gitignore"), ignore_text);
    const std::string secrets = place(project::secrets_file_name);
    write_new(files, secrets, secrets_text);
    if (chmod(secrets.c_str(), S_IRUSR | S_IWUSR) != 0) throw Error(ErrorKind::local, "{}: cannot be made readable for you alone", secrets);
    write_new(files, project, project_text);
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"files", json::Array{project, secrets, place(".gitignore"), place("data/orders-2026-03.jsonl"), place("data/customers.csv")}}}));
        return exit_done;
    }
    if (program.global.is_quiet) return exit_done;
    fmt::print("wrote {}, with data to try it with in {}\n\nnext:  {}tipple run shop\n       tipple query shop 'SELECT * FROM orders'\n       tipple show shop\n", project,
               place("data"), folder == "." ? "" : fmt::format("cd {}\n       ", folder));
    return exit_done;
}

int run_completion(const Program& program, const CompletionArguments& arguments) {
    std::vector<std::string> names(command_names.begin(), command_names.end());
    const std::string commands = join(names, " ");
    if (arguments.shell == "fish") {
        fmt::print(fmt::runtime(fish_text), fmt::arg("program", program.name), fmt::arg("commands", commands));
        return exit_done;
    }
    std::string function = "_" + program.name;
    std::replace_if(function.begin(), function.end(), [](char c) { return std::isalnum(static_cast<unsigned char>(c)) == 0; }, '_');
    if (arguments.shell == "zsh") fmt::print("autoload -U +X bashcompinit && bashcompinit\n");
    fmt::print(fmt::runtime(bash_text), fmt::arg("program", program.name), fmt::arg("function", function), fmt::arg("commands", commands));
    return exit_done;
}

}  // namespace tipple::cli
