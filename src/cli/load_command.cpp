#include <fmt/format.h>

#include <algorithm>
#include <csignal>
#include <cstdio>
#include <thread>

#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/progress_view.h"
#include "cli/signals.h"
#include "cli/version.h"
#include "tipple/io/process.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/schema/column_hint.h"

namespace tipple::cli {

namespace {

std::unique_ptr<extract::SourceDriver> make_source(const Program& program, const LoadArguments& arguments) {
    extract::SourceContext context;
    context.log = program.log;
    const bool is_stdin = arguments.sources.size() == 1 && arguments.sources.front() == "-";
    if (!is_stdin) {
        std::string paths;
        for (const std::string& source : arguments.sources) {
            if (source == "-") throw Error(ErrorKind::usage, "- (standard input) cannot be loaded together with files");
            paths += paths.empty() ? source : "\n" + source;
        }
        context.options.set("paths", paths);
    }
    const auto set = [&](const char* name, const std::string& value) {
        if (!value.empty()) context.options.set(name, value);
    };
    set("table", arguments.table);
    set("format", arguments.format);
    set("select", arguments.select);
    set("csv_delimiter", arguments.csv_delimiter);
    set("csv_header", arguments.has_csv_header ? "true" : "false");
    return program.sources.make(is_stdin ? "stdin" : "files", context);
}

/// A key and a strategy mean merge; a merge needs a key, unless it keeps versions of whole records.
std::optional<schema::Disposition> disposition_of(const LoadArguments& arguments, bool has_key) {
    const bool has_merge_options = has_key || arguments.strategy;
    if (!arguments.disposition && !has_merge_options) return std::nullopt;
    const schema::Disposition disposition =
        arguments.disposition ? schema::find_disposition(*arguments.disposition).value() : schema::Disposition::merge;
    const bool has_flags = !arguments.keys.empty() || arguments.strategy;
    if (disposition != schema::Disposition::merge && has_flags) {
        throw Error(ErrorKind::usage, "{} is for --disposition merge, but --disposition {} was given", arguments.keys.empty() ? "--strategy" : "--key",
                    *arguments.disposition);
    }
    if (disposition == schema::Disposition::merge && !has_key && arguments.strategy != "scd2") {
        throw Error(ErrorKind::usage, "{} needs to know which records are the same: give --key COLUMN",
                    arguments.strategy ? "--strategy " + *arguments.strategy : "--disposition merge");
    }
    return disposition;
}

/// Hints for columns go to the records' table or to the one nested in it that they name. True when one of them makes a key of the records' table.
bool set_columns(pipeline::RunOptions& options, const std::vector<std::string>& texts) {
    bool has_key = false;
    for (const std::string& text : texts) {
        schema::ColumnHint hint = schema::parse_column_hint(text);
        if (hint.path.empty()) {
            has_key = has_key || hint.is_key;
            options.columns.push_back(std::move(hint.column));
            continue;
        }
        if (hint.is_key) throw Error(ErrorKind::usage, "column hint \"{}\": a nested table has no key of its own here", text);
        const auto same = std::find_if(options.nested.begin(), options.nested.end(), [&](const auto& nested) { return nested.path == hint.path; });
        schema::NestedHints& nested = same != options.nested.end() ? *same : options.nested.emplace_back(schema::NestedHints{.path = hint.path, .hints = {}});
        nested.hints.columns.push_back(std::move(hint.column));
    }
    return has_key;
}

normalize::Collisions collisions(const std::string& name) {
    if (name == "fail") return normalize::Collisions::fail;
    return name == "suffix" ? normalize::Collisions::suffix : normalize::Collisions::keep;
}

pipeline::OnBadRecord on_bad_record(const std::string& name) {
    if (name == "quarantine") return pipeline::OnBadRecord::quarantine;
    return name == "skip" ? pipeline::OnBadRecord::skip : pipeline::OnBadRecord::fail;
}

pipeline::RunOptions run_options(const LoadArguments& arguments) {
    pipeline::RunOptions options;
    const bool has_key = set_columns(options, arguments.columns) || !arguments.keys.empty();
    options.disposition = disposition_of(arguments, has_key);
    if (arguments.strategy) options.merge.strategy = schema::require_merge_strategy(*arguments.strategy);
    if (!arguments.keys.empty()) options.primary_key = arguments.keys;
    options.max_nesting = arguments.max_nesting;
    options.limit = arguments.limit;
    options.on_bad_record = on_bad_record(arguments.on_bad_record);
    options.collisions = collisions(arguments.collisions);
    options.is_dry_run = arguments.is_dry_run;
    if (!arguments.contract.empty()) options.schema_contract = arguments.contract;
    return options;
}

}  // namespace

int run_load(Program& program, const LoadArguments& arguments) {
    const pipeline::RunOptions options = run_options(arguments);
    const SignalWatch signals([&](int) {
        if (!program.global.is_quiet) fmt::print(stderr, "\nstopping; again to stop at once (nothing is lost either way)\n");
    });
    const std::unique_ptr<extract::SourceDriver> source = make_source(program, arguments);

    const LoadTarget target = open_load_target(program, {.target = arguments.destination,
                                                         .dataset = arguments.dataset,
                                                         .workers = arguments.workers,
                                                         .memory_bytes = arguments.memory_bytes,
                                                         .lock_timeout_seconds = arguments.lock_timeout_seconds,
                                                         .adopts_tables = arguments.adopts_tables,
                                                         .stop = signals.token()});
    const std::unique_ptr<pipeline::Observer> view = make_progress_view(program.global, program.terminal, program.clock);
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
    pipeline::RunReport report;
    try {
        report = pipeline.run(*source, options, *view, signals.token());
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::cancelled) throw;
        fmt::print(stderr, "stopped: {} is as it was before this run; run the same command again to load\n", target.destination->description());
        return signals.received() == SIGTERM ? exit_terminated : exit_interrupted;
    }
    const int exit_code = report.skipped_count > 0 ? exit_partial : exit_done;
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(report_event(report, exit_code, program.clock)));
    } else if (!program.global.is_quiet) {
        const std::string text = format_summary(report, arguments, io::process_usage(), program.terminal);
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    if (!program.global.is_quiet || report.skipped_count > 0) print_notes(report, program.terminal);
    return exit_code;
}

}  // namespace tipple::cli
