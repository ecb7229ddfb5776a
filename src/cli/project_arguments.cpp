#include "cli/project_arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <map>

#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

constexpr const char* target_text = "A pipeline of the project, or a database (file or URL) that tipple load filled";

CLI::App* add_with_target(CLI::App& app, const char* name, const char* help, std::string& target) {
    CLI::App* command = app.add_subcommand(name, help);
    command->add_option("TARGET", target, target_text)->required()->option_text(" ");
    return command;
}

constexpr const char* state_help =
    "Shows and changes what a pipeline remembers: cursors, and values of its sources.\n\n"
    "  tipple state show TARGET                all of it\n"
    "  tipple state get TARGET PATH            a part, as resources.orders.incremental\n"
    "  tipple state set TARGET PATH VALUE      changes it, in a commit of its own\n"
    "  tipple state reset TARGET RESOURCE...   forgets what resources remember; their tables stay";

constexpr const char* config_help =
    "Shows the settings of the project, with all that goes on top of the file. Secrets are masked.\n\n"
    "  tipple config show            all settings\n"
    "  tipple config explain KEY     where the value of one comes from, and what else could set it: connection.warehouse.uri";

constexpr const char* pipeline_help =
    "Takes the commands of dlt pipeline, under their names there.\n\n"
    "  tipple pipeline NAME [info]                   the same as tipple show NAME\n"
    "  tipple pipeline NAME trace                    tipple trace NAME\n"
    "  tipple pipeline NAME failed-jobs              tipple jobs NAME --failed\n"
    "  tipple pipeline NAME load-package [LOAD_ID]   tipple packages show NAME [LOAD_ID]\n"
    "  tipple pipeline NAME drop RESOURCE...         tipple drop NAME RESOURCE...\n"
    "  tipple pipeline NAME abort-packages           tipple packages discard NAME, as drop-pending-packages\n"
    "  tipple pipeline NAME sync                     tipple sync NAME\n"
    "  tipple pipeline NAME schema                   tipple schema NAME\n"
    "  tipple pipeline --list-pipelines              tipple list";

/// What can be asked of `dlt pipeline NAME`.
enum class DltOperation { info, trace, failed_jobs, load_package, drop, drop_pending, sync, schema };

/// `ACTION TARGET...`; what is no action is an error that names the nearest one.
template <typename Action>
Action take_action(const char* command, std::vector<std::string>& places, const std::map<std::string, Action>& actions) {
    std::vector<std::string> known;
    for (const auto& [name, action] : actions) known.push_back(name);
    const auto found = actions.find(places.front());
    if (found == actions.end()) {
        const std::optional<std::string> near = did_you_mean(places.front(), known);
        throw CLI::ValidationError(command, fmt::format("{} is no action{}; known: {}", places.front(), near ? fmt::format(" (did you mean {}?)", *near) : "",
                                                        join(known, ", ")));
    }
    places.erase(places.begin());
    return found->second;
}

}  // namespace

struct ProjectCommands::Impl {
    CLI::App* list = nullptr;
    CLI::App* show = nullptr;
    CLI::App* runs = nullptr;
    CLI::App* trace = nullptr;
    CLI::App* jobs = nullptr;
    CLI::App* state = nullptr;
    CLI::App* drop = nullptr;
    CLI::App* sync = nullptr;
    CLI::App* plan = nullptr;
    CLI::App* check = nullptr;
    CLI::App* config = nullptr;
    CLI::App* connections = nullptr;
    CLI::App* init = nullptr;
    CLI::App* import = nullptr;
    CLI::App* completion = nullptr;
    CLI::App* pipeline = nullptr;

    ShowArguments show_arguments;
    RunsArguments runs_arguments;
    RunsArguments trace_arguments{.shows_newest = true};
    JobsArguments jobs_arguments;
    std::vector<std::string> state_places;
    bool is_state_dry_run = false;
    bool is_state_confirmed = false;
    DropArguments drop_arguments;
    SyncArguments sync_arguments;
    PlanArguments plan_arguments;
    CheckArguments check_arguments;
    std::vector<std::string> config_places;
    InitArguments init_arguments;
    ImportArguments import_arguments;
    std::string import_kind;
    CompletionArguments completion_arguments;
    std::vector<std::string> pipeline_places;
    bool lists_pipelines = false;
    bool is_pipeline_confirmed = false;
    DropArguments pipeline_drop;
    SchemaArguments pipeline_schema;

    void add_looking(CLI::App& app) {
        list = app.add_subcommand("list", "Lists the pipelines of the project: last run, rows, packages that wait.");
        show = add_with_target(app, "show", "Shows a pipeline: source, destination, resources, last run, cursors.", show_arguments.target);
        runs = add_with_target(app, "runs", "Lists the runs of a pipeline, or shows one: steps, tables, cursors, error.", runs_arguments.target);
        runs->add_option("RUN", runs_arguments.run, "The run's name, or the beginning of it [a list of runs]")->option_text(" ");
        runs->add_flag("--failed", runs_arguments.only_failed, "Only runs that did not end well");
        runs->add_option("--limit", runs_arguments.limit, "Runs listed at most [20]")->check(CLI::PositiveNumber)->option_text("N");
        trace = add_with_target(app, "trace", "Shows the last run of a pipeline: steps, tables, jobs, cursors, error.", trace_arguments.target);
        jobs = add_with_target(app, "jobs", "Lists the job files of a pipeline's packages, and whether they were loaded.\n\nA job file holds rows of one table.", jobs_arguments.target);
        jobs->add_flag("--failed", jobs_arguments.only_failed, "Only those of packages that were given up");
        jobs->add_flag("--exit-code", jobs_arguments.has_exit_code, "Exit code 7 when a package was given up, else 0");
        connections = app.add_subcommand("connections", "Lists the connections of the project.");
        config = app.add_subcommand("config", config_help);
        config->add_option("ACTION [KEY]", config_places, "See above")->required()->expected(1, 2)->option_text(" ");
    }

    void add_changing(CLI::App& app) {
        state = app.add_subcommand("state", state_help);
        state->add_option("ACTION TARGET [ARGUMENT...]", state_places, "See above; TARGET is a pipeline of the project, or a database (file or URL) that tipple load filled")
            ->required()
            ->expected(1, -1)
            ->option_text(" ");
        state->add_flag("--dry-run", is_state_dry_run, "set, reset: say what would change, and change nothing");
        state->add_flag("-y,--yes", is_state_confirmed, "set, reset: do not ask; needed where there is no terminal to ask on");
        drop = add_with_target(app, "drop", "Drops the tables of resources, and what they remember, in one commit.\n\nThe next run reads them from the beginning. Says what it would drop, and asks.", drop_arguments.target);
        drop->add_option("RESOURCE", drop_arguments.resources, "Names of resources, or patterns as re:events_.*")->option_text(" ");
        drop->add_flag("--all", drop_arguments.drops_all, "All resources");
        drop->add_flag("--state-only", drop_arguments.is_state_only, "Only what the resources remember is forgotten; the tables stay");
        drop->add_flag("--dry-run", drop_arguments.is_dry_run, "Say what would be dropped, and drop nothing");
        drop->add_flag("-y,--yes", drop_arguments.is_confirmed, "Do not ask; needed where there is no terminal to ask on");
        sync = add_with_target(app, "sync", "Forgets what this machine keeps of a pipeline: the destination alone counts.\n\n"
                                                                         "Packages that wait are lost with it; the next run reads their records again. Tables, cursors and state of the destination stay.",
                               sync_arguments.target);
        sync->add_flag("--dry-run", sync_arguments.is_dry_run, "Say what would be forgotten, and forget nothing");
        sync->add_flag("-y,--yes", sync_arguments.is_confirmed, "Do not ask; needed where there is no terminal to ask on");
    }

    void add_preparing(CLI::App& app) {
        plan = app.add_subcommand("plan", "Says what a run would change: tables, columns, statements, packages that wait.\n\nReads the beginning of each source, and writes nothing.");
        plan->add_option("PIPELINE", plan_arguments.pipelines, "Pipelines of the project [all]")->option_text(" ");
        plan->add_option("--limit", plan_arguments.limit, "Records read of each pipeline; 0 = all [1000]")->check(CLI::NonNegativeNumber)->option_text("N");
        plan->add_flag("--exit-code", plan_arguments.has_exit_code, "Exit code 8 when tables or columns would be made, or a package waits, else 0");
        check = app.add_subcommand("check", "Tests settings, secrets, sources, destinations and disk of pipelines.\n\nChanges nothing. Prints one line for each test, and what to do about those that fail.");
        check->add_option("PIPELINE", check_arguments.pipelines, "Pipelines of the project [all]")->option_text(" ");
        init = app.add_subcommand("init", "Writes a project that runs at once: tipple.toml, and data to try it with.\n\n"
                                          "  tipple init                        tipple.toml with comments, files to load, a DuckDB file to load them into\n"
                                          "  tipple init --source sql           a project that reads a database\n"
                                          "  tipple init --source rest_api      a project that reads an API\n"
                                          "  tipple init --source NAME          a source in C++ of this name, with build files and a test\n\n"
                                          "A tipple.toml that is there already is left as it is (exit code 2).");
        init->add_option("FOLDER", init_arguments.folder, "The folder that it is written to; made when missing [the working folder]")->option_text(" ");
        init->add_option("--source", init_arguments.source, "sql, rest_api, or a name for a source in C++; see above")->option_text("NAME");
        import = app.add_subcommand("import", "Makes a project file out of a description for another tool.\n\n  tipple import rest-api FILE.json    the configuration of dlt's rest_api source, as JSON");
        import->add_option("KIND", import_kind, "rest-api")->required()->check(CLI::IsMember({"rest-api"}))->option_text(" ");
        import->add_option("FILE", import_arguments.file, "The description")->required()->option_text(" ");
        import->add_option("--name", import_arguments.pipeline, "Name of the pipeline [api]")->option_text("NAME");
        import->add_option("--folder", import_arguments.folder, "Where tipple.toml is written [the working folder]")->option_text("DIR");
        completion = app.add_subcommand("completion", "Prints what makes a shell complete commands, flags and names.\n\n  source <(tipple completion bash)");
        completion->add_option("SHELL", completion_arguments.shell, "bash, zsh or fish")
            ->required()
            ->check(CLI::IsMember({"bash", "zsh", "fish"}))
            ->option_text(" ");
        pipeline = app.add_subcommand("pipeline", pipeline_help)->group("");
        pipeline->add_option("NAME [OPERATION] [ARGUMENT...]", pipeline_places, "See above")->expected(1, -1)->option_text(" ");
        pipeline->add_flag("-l,--list-pipelines", lists_pipelines, "List the pipelines");
        pipeline->add_flag("--drop-all", pipeline_drop.drops_all, "drop: all resources");
        pipeline->add_flag("--state-only", pipeline_drop.is_state_only, "drop: only what the resources remember is forgotten; the tables stay");
        pipeline->add_option("--format", pipeline_schema.output, "schema: text, yaml, json, sql or mermaid [text]")
            ->check(CLI::IsMember({"text", "yaml", "json", "sql", "mermaid"}))
            ->option_text("FORMAT");
        pipeline->add_flag("--dry-run", pipeline_drop.is_dry_run, "drop, abort-packages, sync: say what would be taken away, and do nothing");
        pipeline->add_flag("-y,--yes", is_pipeline_confirmed, "drop, abort-packages, sync: do not ask; needed where there is no terminal to ask on");
    }

    Command state_command() const {
        StateArguments arguments;
        std::vector<std::string> places = state_places;
        const std::map<std::string, StateAction> actions = {
            {"show", StateAction::show}, {"get", StateAction::get}, {"set", StateAction::set}, {"reset", StateAction::reset}};
        arguments.is_dry_run = is_state_dry_run;
        arguments.is_confirmed = is_state_confirmed;
        arguments.action = take_action("state", places, actions);
        if (places.empty()) throw CLI::ValidationError("state", "TARGET is required: a pipeline, or a database");
        arguments.target = places.front();
        arguments.arguments.assign(places.begin() + 1, places.end());
        const std::size_t count = arguments.arguments.size();
        const bool fits = arguments.action == StateAction::show ? count == 0
                          : arguments.action == StateAction::get ? count == 1
                          : arguments.action == StateAction::set ? count == 2
                                                                 : count >= 1;
        if (!fits) throw CLI::ValidationError("state", fmt::format("{} arguments behind TARGET do not fit; see tipple state --help", count));
        return arguments;
    }

    Command config_command() const {
        ConfigArguments arguments;
        std::vector<std::string> places = config_places;
        arguments.action = take_action<ConfigAction>("config", places, {{"show", ConfigAction::show}, {"explain", ConfigAction::explain}});
        if (arguments.action == ConfigAction::explain && places.empty()) throw CLI::ValidationError("config", "explain needs a KEY, such as connection.local.uri");
        if (arguments.action == ConfigAction::show && !places.empty()) throw CLI::ValidationError("config", "show takes no KEY; explain does");
        if (!places.empty()) arguments.key = places.front();
        return arguments;
    }

    /// `NAME [OPERATION]`, as dlt has it.
    Command pipeline_command() const {
        if (lists_pipelines) return ListArguments{};
        std::vector<std::string> places = pipeline_places;
        if (places.empty()) throw CLI::ValidationError("pipeline", "NAME is required: a pipeline of the project");
        const std::string name = places.front();
        places.erase(places.begin());
        if (places.empty()) places.push_back("info");
        const std::map<std::string, DltOperation> operations = {{"info", DltOperation::info},
                                                             {"trace", DltOperation::trace},
                                                             {"failed-jobs", DltOperation::failed_jobs},
                                                             {"load-package", DltOperation::load_package},
                                                             {"drop", DltOperation::drop},
                                                             {"abort-packages", DltOperation::drop_pending},
                                                             {"drop-pending-packages", DltOperation::drop_pending},
                                                             {"sync", DltOperation::sync},
                                                             {"schema", DltOperation::schema}};
        const DltOperation operation = take_action("pipeline", places, operations);
        if (const std::size_t most = operation == DltOperation::drop ? places.size() : operation == DltOperation::load_package ? 1 : 0; places.size() > most) {
            throw CLI::ValidationError("pipeline", fmt::format("{} is one argument too many; see tipple pipeline --help", places[most]));
        }
        switch (operation) {
            case DltOperation::info:
                return ShowArguments{.target = name};
            case DltOperation::trace:
                return RunsArguments{.target = name, .shows_newest = true};
            case DltOperation::failed_jobs:
                return JobsArguments{.target = name, .only_failed = true};
            case DltOperation::load_package:
                return PackagesArguments{.action = PackagesAction::show, .target = name, .load_id = places.empty() ? "" : places.front()};
            case DltOperation::drop: {
                DropArguments arguments = pipeline_drop;
                arguments.target = name;
                arguments.resources = places;
                arguments.is_confirmed = is_pipeline_confirmed;
                return arguments;
            }
            case DltOperation::drop_pending:
                return PackagesArguments{.action = PackagesAction::discard, .target = name, .is_dry_run = pipeline_drop.is_dry_run, .is_confirmed = is_pipeline_confirmed};
            case DltOperation::sync:
                return SyncArguments{.target = name, .is_dry_run = pipeline_drop.is_dry_run, .is_confirmed = is_pipeline_confirmed};
            case DltOperation::schema:
                break;
        }
        SchemaArguments arguments = pipeline_schema;
        arguments.target = name;
        return arguments;
    }
};

ProjectCommands::ProjectCommands(CLI::App& app) : impl_(std::make_unique<Impl>()) {
    impl_->add_looking(app);
    impl_->add_changing(app);
    impl_->add_preparing(app);
}

ProjectCommands::~ProjectCommands() = default;

std::optional<Command> ProjectCommands::parsed() const {
    const Impl& given = *impl_;
    if (given.list->parsed()) return ListArguments{};
    if (given.show->parsed()) return given.show_arguments;
    if (given.runs->parsed()) return given.runs_arguments;
    if (given.trace->parsed()) return given.trace_arguments;
    if (given.jobs->parsed()) return given.jobs_arguments;
    if (given.state->parsed()) return given.state_command();
    if (given.drop->parsed()) return given.drop_arguments;
    if (given.sync->parsed()) return given.sync_arguments;
    if (given.plan->parsed()) return given.plan_arguments;
    if (given.check->parsed()) return given.check_arguments;
    if (given.config->parsed()) return given.config_command();
    if (given.connections->parsed()) return ConnectionsArguments{};
    if (given.init->parsed()) return given.init_arguments;
    if (given.import->parsed()) return given.import_arguments;
    if (given.completion->parsed()) return given.completion_arguments;
    if (given.pipeline->parsed()) return given.pipeline_command();
    return std::nullopt;
}

}  // namespace tipple::cli
