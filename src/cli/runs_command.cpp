#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "tipple/core/text.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/pipeline/run_history.h"

namespace tipple::cli {

namespace {

using json::Object;
using json::Value;

std::string text_of(const Object& object, std::string_view name) {
    const Value* value = object.find(name);
    if (value == nullptr || value->is_null()) return {};
    return value->is_text() ? value->as_text() : json::to_text(*value);
}

double number_of(const Object& object, std::string_view name) {
    const Value* value = object.find(name);
    return value != nullptr && value->is_number() ? value->as_double() : 0;
}

std::uint64_t count_of(const Object& object, std::string_view name) { return static_cast<std::uint64_t>(number_of(object, name)); }

const json::Array& list_of(const Object& object, std::string_view name) {
    static const json::Array none;
    const Value* value = object.find(name);
    return value != nullptr && value->is_array() ? value->as_array() : none;
}

/// `2026-03-01 09:30:00`.
std::string short_time(const Object& record) {
    std::string text = text_of(record, "started_at").substr(0, 19);
    std::replace(text.begin(), text.end(), 'T', ' ');
    return text;
}

std::string error_of(const Object& record) {
    const Value* error = record.find("error");
    if (error == nullptr || !error->is_object()) return {};
    const std::string message = text_of(error->as_object(), "message");
    return message.substr(0, message.find('\n'));
}

std::string folder_of(Program& program, const std::string& text) {
    const LoadTarget target = open_load_target(program, text, "", {});
    return pipeline::pipeline_folder(target.config, *target.destination);
}

void print_document(const Value& value) { fmt::print("{}\n", json::to_text(value, {.spacing = json::Spacing::pretty})); }

void print_table(const destination::QueryResult& table, const Program& program) {
    const std::string text = format_table(table, program.terminal);
    std::fwrite(text.data(), 1, text.size(), stdout);
}

void print_steps(const Object& run, const Program& program) {
    destination::QueryResult steps{.columns = {{"step", "VARCHAR"}, {"status", "VARCHAR"}, {"seconds", "DOUBLE"}, {"records", "BIGINT"}, {"rows", "BIGINT"}}, .rows = {}};
    for (const Value& value : list_of(run, "steps")) {
        const Object& step = value.as_object();
        steps.rows.push_back({text_of(step, "step"), text_of(step, "status"), fmt::format("{:.2f}", number_of(step, "seconds")), text_of(step, "records"), text_of(step, "rows")});
    }
    if (!steps.rows.empty()) print_table(steps, program);
}

void print_tables(const Object& run, const Program& program) {
    destination::QueryResult tables{.columns = {{"table", "VARCHAR"}, {"rows", "BIGINT"}, {"new columns", "VARCHAR"}}, .rows = {}};
    for (const Value& value : list_of(run, "tables")) {
        const Object& table = value.as_object();
        std::vector<std::string> names;
        if (const Value* columns = table.find("new_columns"); columns != nullptr && columns->is_object()) {
            for (const json::Member& column : columns->as_object()) names.push_back(column.name);
        }
        tables.rows.push_back({text_of(table, "table"), format_count(count_of(table, "rows")), join(names, ", ")});
    }
    if (!tables.rows.empty()) print_table(tables, program);
}

void print_cursors(const Object& run, const Program& program) {
    destination::QueryResult cursors{.columns = {{"resource", "VARCHAR"}, {"cursor", "VARCHAR"}, {"before", "VARCHAR"}, {"after", "VARCHAR"}}, .rows = {}};
    for (const Value& value : list_of(run, "cursors")) {
        const Object& cursor = value.as_object();
        cursors.rows.push_back({text_of(cursor, "resource"), text_of(cursor, "cursor"), text_of(cursor, "before"), text_of(cursor, "after")});
    }
    if (!cursors.rows.empty()) print_table(cursors, program);
}

void print_run(const Object& run, const Program& program) {
    fmt::print("run {}  {}  {} UTC  {}\n", text_of(run, "run"), text_of(run, "status"), short_time(run), format_seconds(number_of(run, "seconds")));
    fmt::print("{} -> {}, dataset {}\n\n", text_of(run, "source"), text_of(run, "destination"), text_of(run, "dataset"));
    print_steps(run, program);
    print_tables(run, program);
    print_cursors(run, program);
    const json::Array& loads = list_of(run, "loads");
    for (const Value& load : loads) fmt::print("load {}\n", load.as_text());
    for (const Value& warning : list_of(run, "warnings")) fmt::print("warning: {}\n", prose(warning.as_text(), 9, program.terminal));
    if (const Value* error = run.find("error"); error != nullptr && error->is_object()) {
        const std::string text = fmt::format("{} ({})", text_of(error->as_object(), "message"), text_of(error->as_object(), "kind"));
        fmt::print("\n{} {}\n\n", program.terminal.styled(Style::red, "error:"), prose(text, 7, program.terminal));
    }
    fmt::print("peak memory {}, {:.1f} s of processor time\n", format_bytes(count_of(run, "peak_memory")), number_of(run, "cpu_seconds"));
}

int list_runs(const Program& program, const RunsArguments& arguments, std::vector<Object> runs) {
    if (arguments.only_failed) {
        std::erase_if(runs, [](const Object& run) { return text_of(run, "status") == "done"; });
        if (runs.size() > arguments.limit) runs.resize(arguments.limit);
    }
    if (program.global.is_json) {
        json::Array list(runs.begin(), runs.end());
        print_document(Object{{"v", 1}, {"runs", std::move(list)}});
        return exit_done;
    }
    destination::QueryResult table{
        .columns = {{"run", "VARCHAR"}, {"started (UTC)", "VARCHAR"}, {"status", "VARCHAR"}, {"rows", "BIGINT"}, {"seconds", "DOUBLE"}, {"error", "VARCHAR"}}, .rows = {}};
    for (const Object& run : runs) {
        table.rows.push_back({text_of(run, "run"), short_time(run), text_of(run, "status"), format_count(count_of(run, "rows")),
                              fmt::format("{:.1f}", number_of(run, "seconds")), error_of(run)});
    }
    print_table(table, program);
    return exit_done;
}

/// A pipeline as it is listed: what is known without opening its destination.
Object list_entry(Program& program, const std::string& name) {
    Object entry{{"pipeline", name}};
    try {
        const std::string folder = folder_of(program, name);
        const std::vector<Object> runs = pipeline::RunHistory(*program.files, folder).newest(1);
        entry.set("last_run", runs.empty() ? Value() : Value(text_of(runs.front(), "started_at")));
        entry.set("status", runs.empty() ? "never run" : text_of(runs.front(), "status"));
        entry.set("rows", runs.empty() ? Value() : Value(count_of(runs.front(), "rows")));
        entry.set("waiting_packages", package::PackageStore(*program.files, folder).pending_ids().size());
        entry.set("error", runs.empty() ? "" : error_of(runs.front()));
    } catch (const Error& error) {
        entry.set("status", "broken");
        entry.set("error", error.what());
    }
    return entry;
}

/// One job may be why its load failed, and the others fail with it.
void add_failure(const Object& failure, const std::string& job, Object& entry) {
    const bool is_at_fault = text_of(failure, "job") == job;
    entry.set("is_at_fault", is_at_fault);
    for (const char* fact : {"file", "row", "record", "kind", "retryable"}) {
        const Value* value = is_at_fault ? failure.find(fact) : nullptr;
        if (value != nullptr) entry.set(fact, *value);
    }
}

/// What the loads of these jobs ended with, each once: tables have no room for it.
void print_messages(const json::Array& jobs) {
    std::string last;
    for (const Value& value : jobs) {
        const Object& job = value.as_object();
        const std::string load = text_of(job, "load");
        if (text_of(job, "message").empty() || load == last) continue;
        fmt::print("\nload {}: {}\n  package: {}\n", load, text_of(job, "message"), text_of(job, "folder"));
        last = load;
    }
}

}  // namespace

int run_list(Program& program) {
    json::Array list;
    for (const std::string& name : require_project(program).pipelines()) list.push_back(list_entry(program, name));
    if (program.global.is_json) {
        print_document(Object{{"v", 1}, {"pipelines", std::move(list)}});
        return exit_done;
    }
    destination::QueryResult table{
        .columns = {{"pipeline", "VARCHAR"}, {"last run (UTC)", "VARCHAR"}, {"status", "VARCHAR"}, {"rows", "BIGINT"}, {"waiting", "BIGINT"}, {"error", "VARCHAR"}}, .rows = {}};
    for (const Value& value : list) {
        const Object& entry = value.as_object();
        const std::string time = text_of(entry, "last_run");
        table.rows.push_back({text_of(entry, "pipeline"), time.empty() ? "" : time.substr(0, 10) + " " + time.substr(11, 8), text_of(entry, "status"),
                              text_of(entry, "rows"), text_of(entry, "waiting_packages"), text_of(entry, "error").substr(0, text_of(entry, "error").find('\n'))});
    }
    print_table(table, program);
    return exit_done;
}

int run_runs(Program& program, const RunsArguments& arguments) {
    const pipeline::RunHistory history(*program.files, folder_of(program, arguments.target));
    if (arguments.run.empty() && !arguments.shows_newest) {
        return list_runs(program, arguments, history.newest(arguments.only_failed ? pipeline::RunHistory::kept_max : arguments.limit));
    }
    std::optional<Object> run;
    if (arguments.run.empty()) {
        if (std::vector<Object> newest = history.newest(1); !newest.empty()) run = std::move(newest.front());
    } else {
        run = history.find(arguments.run);
    }
    if (!run) {
        throw Error(ErrorKind::usage, "{}", arguments.run.empty() ? fmt::format("\"{}\" has not been run yet", arguments.target)
                                                                  : fmt::format("there is no run \"{}\"; see tipple runs {}", arguments.run, arguments.target));
    }
    if (program.global.is_json) {
        print_document(*run);
    } else {
        print_run(*run, program);
    }
    return exit_done;
}

int run_jobs(Program& program, const JobsArguments& arguments) {
    const package::PackageStore store(*program.files, folder_of(program, arguments.target));
    std::vector<package::Package> packages = store.finished();
    for (package::Package& waiting : store.pending()) packages.push_back(std::move(waiting));
    bool has_failed = false;
    json::Array list;
    for (const package::Package& package : packages) {
        const std::string state(package::to_text(package.package_state()));
        const bool is_failed = package.package_state() == package::PackageState::failed;
        has_failed = has_failed || is_failed;
        if (arguments.only_failed && !is_failed) continue;
        const pipeline::PackageInfo info = pipeline::describe_package(package);
        for (const package::JobFile& job : package.manifest().jobs) {
            Object entry{{"load", package.load_id()}, {"job", job.name}, {"table", job.table}, {"state", state}, {"rows", job.rows}, {"bytes", job.bytes}};
            if (!info.error.empty()) {
                entry.set("folder", package.folder());
                entry.set("message", info.error);
                add_failure(info.failure, job.name, entry);
            }
            list.emplace_back(std::move(entry));
        }
    }
    const int exit_code = has_failed && arguments.has_exit_code ? exit_partial : exit_done;
    if (program.global.is_json) {
        print_document(Object{{"v", 1}, {"jobs", std::move(list)}});
        return exit_code;
    }
    destination::QueryResult table{
        .columns = {{"load", "VARCHAR"}, {"job", "VARCHAR"}, {"table", "VARCHAR"}, {"state", "VARCHAR"}, {"rows", "BIGINT"}, {"bytes", "BIGINT"}}, .rows = {}};
    const bool has_rows_at_fault = std::any_of(list.begin(), list.end(), [](const Value& job) { return !text_of(job.as_object(), "row").empty(); });
    if (has_rows_at_fault) table.columns.emplace_back("row at fault", "BIGINT");
    for (const Value& value : list) {
        const Object& job = value.as_object();
        table.rows.push_back({text_of(job, "load"), text_of(job, "job"), text_of(job, "table"), text_of(job, "state"), format_count(count_of(job, "rows")), format_bytes(count_of(job, "bytes"))});
        if (has_rows_at_fault) table.rows.back().emplace_back(text_of(job, "row"));
    }
    print_table(table, program);
    print_messages(list);
    return exit_code;
}

}  // namespace tipple::cli
