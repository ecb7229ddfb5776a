#include "cli/run.h"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>
#include <exception>
#include <filesystem>
#include <new>

#include "cli/commands.h"
#include "cli/exit_code.h"
#include "cli/help_text.h"
#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/version.h"
#include "tipple/core/text.h"
#include "tipple/destinations/builtin.h"
#include "tipple/engine/engine.h"
#include "tipple/sources/builtin.h"

namespace tipple::cli {

int run_version(Program& program) {
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"tipple", version_text().substr(7)}, {"duckdb", engine::library_version()}}));
    } else {
        fmt::print("{}\nDuckDB {}\n", version_text(), engine::library_version());
    }
    return exit_done;
}

int run_help(Program& program, const HelpArguments& arguments) {
    if (arguments.prints_reference) {
        fmt::print("{}", reference_page(program.sources, program.destinations));
        return exit_done;
    }
    const std::size_t width = help_width(program.terminal);
    if (const extract::SourceEntry* entry = program.sources.find(arguments.topic)) {
        fmt::print("{}", help_of(*entry, width));
        return exit_done;
    }
    if (const destination::DestinationEntry* entry = program.destinations.find(arguments.topic)) {
        fmt::print("{}", help_of(*entry, width));
        return exit_done;
    }
    std::vector<std::string> topics(command_names.begin(), command_names.end());
    for (const auto& entry : program.sources.entries()) topics.push_back(entry.name);
    for (const auto& entry : program.destinations.entries()) topics.push_back(entry.name);
    const std::optional<std::string> near = did_you_mean(arguments.topic, topics);
    throw Error(ErrorKind::usage, "no help on \"{}\"{}; there is help on {}", excerpt(arguments.topic), near ? fmt::format(" (did you mean \"{}\"?)", *near) : "",
                fmt::join(topics, ", "));
}

namespace {

struct RunCommand {
    Program& program;
    int operator()(const DoneArguments& done) const { return done.exit_code; }
    int operator()(const LoadArguments& arguments) const { return run_load(program, arguments); }
    int operator()(const RunArguments& arguments) const { return run_run(program, arguments); }
    int operator()(const QueryArguments& arguments) const { return run_query(program, arguments); }
    int operator()(const PreviewArguments& arguments) const { return run_preview(program, arguments); }
    int operator()(const SchemaArguments& arguments) const { return run_schema(program, arguments); }
    int operator()(const QuarantineArguments& arguments) const { return run_quarantine(program, arguments); }
    int operator()(const UndoArguments& arguments) const { return run_undo(program, arguments); }
    int operator()(const VerifyArguments& arguments) const { return run_verify(program, arguments); }
    int operator()(const PackagesArguments& arguments) const { return run_packages(program, arguments); }
    int operator()(const ListArguments&) const { return run_list(program); }
    int operator()(const ConnectionsArguments&) const { return run_connections(program); }
    int operator()(const ShowArguments& arguments) const { return run_show(program, arguments); }
    int operator()(const RunsArguments& arguments) const { return run_runs(program, arguments); }
    int operator()(const JobsArguments& arguments) const { return run_jobs(program, arguments); }
    int operator()(const StateArguments& arguments) const { return run_state(program, arguments); }
    int operator()(const DropArguments& arguments) const { return run_drop(program, arguments); }
    int operator()(const SyncArguments& arguments) const { return run_sync(program, arguments); }
    int operator()(const PlanArguments& arguments) const { return run_plan(program, arguments); }
    int operator()(const CheckArguments& arguments) const { return run_check(program, arguments); }
    int operator()(const ConfigArguments& arguments) const { return run_config(program, arguments); }
    int operator()(const InitArguments& arguments) const { return run_init(program, arguments); }
    int operator()(const ImportArguments& arguments) const { return run_import(program, arguments); }
    int operator()(const CompletionArguments& arguments) const { return run_completion(program, arguments); }
    int operator()(const VersionArguments&) const { return run_version(program); }
    int operator()(const HelpArguments& arguments) const { return run_help(program, arguments); }
};

Log make_log(const GlobalArguments& global) {
    const LogLevel level = global.verbosity >= 2 ? LogLevel::debug : global.verbosity == 1 ? LogLevel::info : global.is_quiet ? LogLevel::error : LogLevel::warning;
    return global.log_file.empty() ? Log::to_stderr(level, global.log_format) : Log::to_file(global.log_file, level, global.log_format);
}

config::Environment read_environment() {
    config::Environment environment;
    for (char** entry = environ; entry != nullptr && *entry != nullptr; ++entry) {
        const std::string_view text(*entry);
        const std::size_t equals = text.find('=');
        if (equals != std::string_view::npos) environment.emplace(text.substr(0, equals), text.substr(equals + 1));
    }
    return environment;
}

int report_error(const Program& program, const Error& error) {
    const int exit_code = to_exit_code(error.kind());
    if (program.global.is_json) fmt::print("{}\n", json::to_text(failure_event({}, error, program.clock)));
    say_error(program, program.log, error.what());
    return exit_code;
}

/// A name that is built in cannot be given to something else.
template <typename Registry, typename Entry>
void add_own(Registry& registry, const std::vector<Entry>& own) {
    for (const Entry& entry : own) {
        if (registry.find(entry.name) != nullptr) {
            throw Error(ErrorKind::usage, "this program names a source or destination \"{}\", which there is already; give it another name", entry.name);
        }
        registry.add(entry);
    }
}

}  // namespace

int run(int argc, const char* const* argv, const Entries& own) {
    const Arguments arguments = parse_arguments(argc, argv);
    if (const auto* done = std::get_if<DoneArguments>(&arguments.command)) return done->exit_code;
    Program program;
    if (argc > 0) program.name = std::filesystem::path(argv[0]).filename().string();
    program.global = arguments.global;
    program.terminal = Terminal::detect(arguments.global.color);
    try {
        program.log = make_log(arguments.global);
        program.environment = read_environment();
        program.files = io::local_file_system();
        sources::add_builtin(program.sources);
        destinations::add_builtin(program.destinations);
        add_own(program.sources, own.sources);
        add_own(program.destinations, own.destinations);
        return std::visit(RunCommand{program}, arguments.command);
    } catch (const Error& error) {
        return report_error(program, error);
    } catch (const std::bad_alloc&) {
        return report_error(program, Error(ErrorKind::local, "out of memory; close other programs, or give less with --memory"));
    } catch (const std::exception& error) {
        fmt::print(stderr, "this is a defect of tipple, please report it: {}\n", error.what());
        return exit_bug;
    }
}

}  // namespace tipple::cli
