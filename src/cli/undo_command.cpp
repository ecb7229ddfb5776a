#include <fmt/format.h>

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

std::string plan_text(const pipeline::UndoPlan& plan, const Terminal& terminal) {
    std::string text = fmt::format("load{} {}:\n", plan.load_ids.size() == 1 ? "" : "s", join(plan.load_ids, ", "));
    destination::QueryResult rows;
    rows.columns = {{"table", "VARCHAR"}, {"rows to be removed", "BIGINT"}};
    for (auto undone = plan.rows.rbegin(); undone != plan.rows.rend(); ++undone) rows.rows.push_back({undone->table, format_count(undone->rows)});
    if (!rows.rows.empty()) text += format_table(rows, terminal);
    if (rows.rows.empty()) text += "no rows of it are there any more; its record goes\n";
    text += plan.moves_state ? "what the source remembers (its cursor) goes back to what it was before: these rows will be read again\n" : "";
    for (const std::string& loss : plan.losses) text += fmt::format("note: {}\n", loss);
    return text;
}

json::Object plan_object(const pipeline::UndoPlan& plan, bool is_done) {
    json::Array loads;
    for (const std::string& id : plan.load_ids) loads.emplace_back(id);
    json::Object rows;
    for (const package::UndoneRows& undone : plan.rows) rows.set(undone.table, undone.rows);
    json::Array losses;
    for (const std::string& loss : plan.losses) losses.emplace_back(loss);
    return {{"v", 1}, {"undone", is_done}, {"loads", std::move(loads)}, {"rows", std::move(rows)}, {"moves_state", plan.moves_state}, {"losses", std::move(losses)}};
}

}  // namespace

int run_undo(Program& program, const UndoArguments& arguments) {
    const SignalWatch signals([](int) {});
    const LoadTarget target = open_load_target(program, arguments.target, arguments.dataset, {.stop = signals.token()}, arguments.pipeline);
    const pipeline::UndoOptions options{
        .load_id = arguments.load_id, .through = arguments.through, .keeps_cursor = arguments.keeps_cursor, .rows_only = arguments.rows_only};
    const pipeline::UndoPlan plan = pipeline::plan_undo(*target.destination, target.config.name, options);
    const auto print_json = [&](bool is_done) { fmt::print("{}\n", json::to_text(plan_object(plan, is_done))); };
    if (arguments.is_dry_run) {
        if (program.global.is_json) {
            print_json(false);
        } else {
            fmt::print("{}", plan_text(plan, program.terminal));
        }
        return exit_done;
    }
    if (!confirm(program, plan_text(plan, program.terminal), arguments.is_confirmed)) return exit_done;
    const std::unique_ptr<pipeline::Observer> view = make_progress_view(program.global, program.terminal, program.clock);
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
    const pipeline::RunReport report = pipeline.undo(options, *view, signals.token());
    if (program.global.is_json) {
        print_json(true);
    } else if (!program.global.is_quiet) {
        fmt::print("{} removed from {} by load {}\n", counted(plan.row_count(), "row"), target.destination->description(),
                   report.load_ids.back());
    }
    return exit_done;
}

}  // namespace tipple::cli
