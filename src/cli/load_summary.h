#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "cli/arguments.h"
#include "cli/terminal.h"
#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/io/process.h"
#include "tipple/json/value.h"
#include "tipple/pipeline/report.h"

namespace tipple::cli {

/// What a person reads at the end of a load: tables, what is new, times and rates, and the next command to try.
struct SummaryOptions {
    /// What names the destination in further commands, and the dataset, when that has to be said.
    std::string target;
    std::string dataset;
    bool is_dry_run = false;
    /// However many there are; else, of many, those with most rows.
    bool shows_all_tables = false;
};
std::string format_summary(const pipeline::RunReport& report, const SummaryOptions& options, const io::ProcessUsage& usage, const Terminal& terminal);

/// Lines for stderr: records left out, with their places; names that got only nulls; whatever the run wants to say.
std::string format_notes(const pipeline::RunReport& report, const Terminal& terminal);

/// Prints whole lines on stderr, at once. `name`: of the pipeline that says so when others run at the same time; each line begins with it. Empty = it is the only one.
void say_lines(std::string_view text, const std::string& name);

/// The last event of `--json` of a run that failed. `pipeline` may be empty.
json::Value failure_event(const std::string& pipeline, const Error& error, const Clock& clock);

/// The last event of `--json`.
/// Of each table that the run made or changed: `schema.changed`.
std::vector<json::Value> schema_events(const pipeline::RunReport& report, const Clock& clock);

json::Value report_event(const pipeline::RunReport& report, int exit_code, const Clock& clock);

}  // namespace tipple::cli
