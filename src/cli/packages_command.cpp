#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/confirmation.h"
#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/progress_view.h"
#include "cli/rows_printer.h"
#include "cli/signals.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/pipeline/pipeline.h"

namespace tipple::cli {

namespace {

using pipeline::PackageInfo;

json::Object package_object(const PackageInfo& info) {
    json::Array tables;
    for (const pipeline::PackageTable& table : info.tables) {
        tables.push_back(json::Object{
            {"table", table.table}, {"disposition", table.disposition}, {"rows", table.rows}, {"bytes", table.bytes}, {"files", static_cast<std::uint64_t>(table.files)}});
    }
    json::Array journal;
    for (const json::Value& line : info.journal) journal.push_back(line);
    return {{"v", 1},
            {"load_id", info.load_id},
            {"state", package::to_text(info.state)},
            {"schema", info.schema_name},
            {"created_at", info.created_at},
            {"tool_version", info.tool_version},
            {"folder", info.folder},
            {"rows", info.rows},
            {"tables", std::move(tables)},
            {"error", info.error.empty() ? json::Value() : json::Value(info.error)},
            {"journal", std::move(journal)}};
}

/// The one of that id, or, without an id, the only one that waits, else the newest.
const PackageInfo& choose(const std::vector<PackageInfo>& packages, const std::string& id) {
    if (packages.empty()) throw Error(ErrorKind::usage, "there are no packages");
    if (id.empty()) {
        const auto waiting = std::find_if(packages.begin(), packages.end(), [](const PackageInfo& info) { return info.state == package::PackageState::normalized; });
        return waiting != packages.end() ? *waiting : packages.back();
    }
    std::vector<std::string> ids;
    for (const PackageInfo& info : packages) {
        if (info.load_id == id) return info;
        ids.push_back(info.load_id);
    }
    const std::optional<std::string> near = did_you_mean(id, ids);
    throw Error(ErrorKind::usage, "there is no package {}{}; tipple packages list shows them", id, near ? fmt::format(", did you mean {}?", *near) : "");
}

int list(const Program& program, const std::vector<PackageInfo>& packages) {
    if (program.global.is_json) {
        json::Array list;
        for (const PackageInfo& info : packages) list.push_back(package_object(info));
        fmt::print("{}\n", json::to_text(list));
        return exit_done;
    }
    destination::QueryResult result;
    result.columns = {{"package", "VARCHAR"}, {"state", "VARCHAR"}, {"made at", "VARCHAR"}, {"rows", "BIGINT"}, {"tables", "BIGINT"}, {"error", "VARCHAR"}};
    for (const PackageInfo& info : packages) {
        const std::string_view state = info.state == package::PackageState::normalized ? "waits" : package::to_text(info.state);
        const std::string error = info.state == package::PackageState::loaded ? "" : info.error.substr(0, info.error.find('\n'));
        result.rows.push_back({info.load_id, std::string(state), info.created_at.substr(0, 19), std::to_string(info.rows), std::to_string(info.tables.size()), error});
    }
    fmt::print("{}", format_table(result, program.terminal));
    return exit_done;
}

int show(const Program& program, const PackageInfo& info) {
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(package_object(info)));
        return exit_done;
    }
    fmt::print("package {}  {}\nschema {}  made at {} by {}\n{}\n\n", info.load_id, package::to_text(info.state), info.schema_name, info.created_at, info.tool_version,
               info.folder);
    destination::QueryResult tables;
    tables.columns = {{"table", "VARCHAR"}, {"disposition", "VARCHAR"}, {"rows", "BIGINT"}, {"files", "BIGINT"}, {"bytes", "BIGINT"}};
    for (const pipeline::PackageTable& table : info.tables) {
        tables.rows.push_back({table.table, table.disposition, std::to_string(table.rows), std::to_string(table.files), std::to_string(table.bytes)});
    }
    fmt::print("{}\n", format_table(tables, program.terminal));
    for (const json::Value& line : info.journal) {
        const json::Object& entry = line.as_object();
        const auto text = [&](const char* name) {
            const json::Value* value = entry.find(name);
            return value != nullptr && value->is_text() ? value->as_text() : std::string();
        };
        fmt::print("{:<27} {:<25} {}\n", text("at"), text("step"), text("message"));
    }
    return exit_done;
}

int retry(Program& program, pipeline::Pipeline& pipeline, std::stop_token stop) {
    const std::unique_ptr<pipeline::Observer> view = make_progress_view(program.global, program.terminal, program.clock);
    const pipeline::RunReport report = pipeline.retry(*view, std::move(stop));
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(report_event(report, exit_done, program.clock)));
    } else if (!program.global.is_quiet) {
        fmt::print("{} loaded, {}\n", counted(report.pending_finished, "package"), counted(report.rows, "row"));
    }
    return exit_done;
}

void print_discarded(const std::vector<std::string>& ids) {
    fmt::print("{}\n", json::to_text(json::Object{{"v", 1}, {"discarded_packages", json::Array(ids.begin(), ids.end())}}));
}

int discard(const Program& program, pipeline::Pipeline& pipeline, const std::vector<PackageInfo>& packages, const PackagesArguments& arguments) {
    std::vector<std::string> ids;
    std::string plan;
    for (const PackageInfo& info : packages) {
        if (info.state != package::PackageState::normalized || (!arguments.load_id.empty() && info.load_id != arguments.load_id)) continue;
        ids.push_back(info.load_id);
        plan += fmt::format("package {} of {}, {} in {}, is deleted; the next run reads its data again\n", info.load_id, info.created_at.substr(0, 19),
                            counted(info.rows, "row"), counted(info.tables.size(), "table"));
    }
    if (ids.empty() && !arguments.load_id.empty()) {
        throw Error(ErrorKind::usage, "package {} does not wait to be loaded, so there is nothing to discard", choose(packages, arguments.load_id).load_id);
    }
    if (ids.empty()) {
        if (program.global.is_json) print_discarded({});
        if (!program.global.is_quiet) fmt::print(stderr, "no package waits\n");
        return exit_done;
    }
    if (arguments.is_dry_run) {
        show_plan(program, plan);
        return exit_done;
    }
    if (!confirm(program, plan, arguments.is_confirmed)) return exit_done;
    for (const std::string& id : ids) pipeline.discard_package(id);
    if (program.global.is_json) {
        print_discarded(ids);
    } else if (!program.global.is_quiet) {
        fmt::print("{} deleted\n", counted(ids.size(), "package"));
    }
    return exit_done;
}

int verify(Program& program, const PackageInfo& info) {
    const package::Package package(*program.files, info.folder);
    if (info.state != package::PackageState::normalized) {
        if (!program.global.is_quiet) fmt::print("package {} is {}: its documents are whole, its rows were deleted\n", info.load_id, package::to_text(info.state));
        return exit_done;
    }
    package.verify();
    if (!program.global.is_quiet) fmt::print("package {} is whole: {}, every file as it was written\n", info.load_id, counted(info.rows, "row"));
    return exit_done;
}

/// Job files are Arrow IPC, documents JSON: copied as they are, any tool can read them.
int copy_out(Program& program, const PackageInfo& info, const std::string& folder) {
    if (folder.empty()) throw Error(ErrorKind::usage, "where to? tipple packages export TARGET ID FOLDER");
    if (program.files->find(folder) != nullptr) throw Error(ErrorKind::usage, "{} exists already; name a folder that does not", folder);
    const package::Package package(*program.files, info.folder);
    program.files->copy_folder(info.folder, folder);
    if (!program.global.is_quiet) fmt::print("package {} is in {}: rows in jobs/*.arrow (Arrow IPC), schema.json, state.json, manifest.json\n", info.load_id, folder);
    return exit_done;
}

}  // namespace

int run_packages(Program& program, const PackagesArguments& arguments) {
    const SignalWatch signals([](int) {});
    const LoadTarget target = open_load_target(program, arguments.target, arguments.dataset, {.memory_bytes = arguments.memory_bytes, .stop = signals.token()});
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
    if (arguments.action == PackagesAction::retry) return retry(program, pipeline, signals.token());
    const std::vector<PackageInfo> packages = pipeline.packages();
    switch (arguments.action) {
        case PackagesAction::show:
            return show(program, choose(packages, arguments.load_id));
        case PackagesAction::discard:
            return discard(program, pipeline, packages, arguments);
        case PackagesAction::verify:
            return verify(program, choose(packages, arguments.load_id));
        case PackagesAction::export_:
            return copy_out(program, choose(packages, arguments.load_id), arguments.folder);
        default:
            return list(program, packages);
    }
}

}  // namespace tipple::cli
