#include "cli/arguments.h"

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdio>
#include <map>
#include <memory>

#include "cli/exit_code.h"
#include "cli/help_of_arguments.h"
#include "cli/help_text.h"
#include "cli/project_arguments.h"
#include "cli/terminal.h"
#include "cli/version.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/contract.h"

namespace tipple::cli {

namespace {

std::string contract_check(const std::string& text) {
    try {
        parse_contract_argument(text);
        return {};
    } catch (const Error& error) {
        return error.what();
    }
}

constexpr const char* load_summary = "Loads files, databases and APIs into tables of a database, or into files.\n\n"
    "Types are inferred, lists become tables of their own, and new columns are added. Rows, schema and load record come in one "
    "transaction: all of it, or nothing.";
constexpr const char* load_examples =
    "DEST is a DuckDB file (shop.duckdb), a Postgres database (postgresql://user@host/name), a folder of files that ends with a slash (lake/, "
    "s3://bucket/lake/), or a connection of the project. A default stands in [brackets], a variable that sets a flag in (parentheses).\n\n"
    "Examples:\n"
    "  tipple load orders.jsonl shop.duckdb\n"
    "  tipple load 'events/*.json.gz' shop.duckdb --as events --key id\n"
    "  tipple load postgresql://ann@db/shop shop.duckdb -r public.orders\n"
    "  curl -s https://api.example.com/users |\n"
    "    tipple load - shop.duckdb --as users --select data";

constexpr const char* load_positionals = "SOURCE... DEST";

std::size_t require_size(const std::string& text) {
    const std::optional<std::uint64_t> size = parse_size(text);
    if (!size) throw CLI::ValidationError("--memory", fmt::format("\"{}\" is not a size; write 512MiB, 2GB, …", text));
    if (*size < limits::memory_min) {
        throw CLI::ValidationError("--memory", fmt::format("{} is too little; at least {}MiB", text, limits::memory_min >> 20));
    }
    return static_cast<std::size_t>(*size);
}

template <typename Enum>
CLI::CheckedTransformer choices(std::map<std::string, Enum> values) {
    return CLI::CheckedTransformer(std::move(values));
}

void add_global_flags(CLI::App& app, GlobalArguments& global) {
    app.add_flag("-q,--quiet", global.is_quiet, "Print errors only, and records that were left out")->group("Common");
    app.add_flag("-v,--verbose", global.verbosity, "Say more, and all tables of a long summary; -vv for a debug log")->group("Common");
    app.add_flag("--json", global.is_json, "Print JSON only: one document, or, of load and run, one object per line")->group("Common")->envname("TIPPLE_JSON");
    app.add_option("--progress", global.progress, "auto, bar, lines, json or none [auto: a bar on a terminal, else lines]")
        ->transform(choices<ProgressMode>({{"auto", ProgressMode::automatic},
                                           {"bar", ProgressMode::bar},
                                           {"lines", ProgressMode::lines},
                                           {"json", ProgressMode::json},
                                           {"none", ProgressMode::none}}))
        ->group("Common")
        ->envname("TIPPLE_PROGRESS")
        ->option_text("MODE");
    app.add_option("--color", global.color, "auto, always or never; NO_COLOR is heeded [auto: on a terminal]")
        ->transform(choices<ColorMode>({{"auto", ColorMode::automatic}, {"always", ColorMode::always}, {"never", ColorMode::never}}))
        ->group("Common")
        ->envname("TIPPLE_COLOR")
        ->option_text("MODE");
    app.add_option("--data-dir", global.data_folder, "Folder of this machine for packages that wait, locks and run records [~/.local/share/tipple]")
        ->group("Common")
        ->envname("TIPPLE_DATA_DIR")
        ->option_text("DIR");
    app.add_option("-C", global.project_folder, "Look for tipple.toml in this folder and above it [the working folder]")->group("Common")->option_text("DIR");
    app.add_option("-f,--file", global.project_file, "The project file itself, whatever it is called")->group("Common")->envname("TIPPLE_FILE")->option_text("FILE");
    app.add_option("--profile", global.profile, "Settings under [profile.NAME] of the project go on top of the others")->group("Common")->envname("TIPPLE_PROFILE")->option_text("NAME");
    app.add_option("-c,--set", global.settings, "A setting on top of the project's, such as pipeline.shop.dataset=test")
        ->group("Common")
        ->option_text("KEY=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--log-file", global.log_file, "Append the log to this file [standard error]")->group("Common")->envname("TIPPLE_LOG_FILE")->option_text("FILE");
    app.add_option("--log-format", global.log_format, "text, or json: one object per line [text]")
        ->transform(choices<LogFormat>({{"text", LogFormat::text}, {"json", LogFormat::json}}))
        ->group("Common")
        ->envname("TIPPLE_LOG_FORMAT")
        ->option_text("FORMAT");
}

void add_load(CLI::App& app, LoadArguments& load, std::vector<std::string>& places, std::string& memory) {
    app.add_option(load_positionals, places, "Paths and patterns of files, - for standard input, a database (URL or file), or the name of a source; last, where it goes")->required()->expected(2, -1)->option_text(" ");
    app.add_option("--as", load.table, "Table for the records [the file's name without endings]")->option_text("TABLE");
    app.add_option("--dataset", load.dataset, "Schema of the database that the tables go to [main; in Postgres public]")->option_text("NAME")->envname("TIPPLE_DATASET");
    app.add_option("--format", load.format, "jsonl, json, csv, tsv or parquet [found out from content and name]")->option_text("FORMAT");
    app.add_option("--select", load.select, "Where the records are inside a JSON document, as data or result.items[*] [the document]")->option_text("PATH");
    app.add_option("--csv-delimiter", load.csv_delimiter, "Between the fields of a CSV line, as ';' [found out]")->option_text("TEXT");
    app.add_flag("--csv-header,!--no-csv-header", load.has_csv_header, "Whether the first line of a CSV file names the columns [yes]");
    app.add_option("--encoding", load.encoding, "Of JSON and CSV: utf-16le, latin-1, windows-1252 … [UTF-8, or what a mark says]")->option_text("NAME");
    app.add_flag("--metadata", load.has_metadata, "Add _source_file, _source_line and _source_modified to each record");
    app.add_flag("--hive", load.has_folder_columns, "Folders such as year=2024 are columns of the records below them");
    app.add_option("--option", load.source_options, "An option of the source; several times for several. tipple help files lists those of files, tipple help sql those of databases")
        ->option_text("NAME=VALUE")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("-r,--resource", load.resources, "Only this resource of the source, or this table or pattern of a database; several times for several [all]")
        ->option_text("NAME")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--disposition", load.disposition, "append: add rows; replace: the table has only these rows afterwards; merge: by --key [append; merge with --key]")
        ->check(CLI::IsMember({"append", "replace", "merge"}))
        ->option_text("MODE");
    app.add_option("--strategy", load.strategy, "How to merge: delete-insert, upsert, insert-only (known keys stay), cdc (and absent ones go), scd2 (versions are kept) [the table's, else delete-insert]")
        ->check(CLI::IsMember({"delete-insert", "upsert", "insert-only", "cdc", "scd2"}))
        ->option_text("STRATEGY");
    app.add_option("--key", load.keys, "Column by which records are the same, for merge; several times for a composite key")->option_text("COLUMN")->expected(1)->take_all()->allow_extra_args(false);
    app.add_option("--delete-missing", load.delete_missing, "The source has all records there are: rows whose key it does not have are flagged (soft) or removed (hard)")
        ->check(CLI::IsMember({"soft", "hard"}))
        ->option_text("MODE");
    app.add_option("--max-delete", load.max_delete, "Rows that may be missing, as 25% or 500; more stop the load [10%]")->option_text("LIMIT")->needs("--delete-missing");
    app.add_flag("--allow-empty", load.allows_empty, "Believe a snapshot without records: all rows go")->needs("--delete-missing");
    app.add_option("--limit", load.limit, "Stop after so many records, over all sources [no limit]")->check(CLI::NonNegativeNumber)->option_text("N");
    app.add_option("--max-table-nesting", load.max_nesting, "Levels of objects and lists that are opened below a record; what is deeper stays JSON [1000]")
        ->check(CLI::Range(0, limits::json_depth_max))
        ->option_text("N");
    app.add_option("--contract", load.contract, "What a new table or column, or a value of another type does: evolve (is added), freeze (ends the run), discard_row, discard_value, quarantine; for all, or as columns=freeze,data_type=evolve [evolve]")
        ->check(contract_check)
        ->option_text("MODE");
    app.add_option("--column", load.columns, "Type and hints of a column, as id:bigint:key or 'total:decimal(10,2)'; several times for several")
        ->option_text("NAME:TYPE[:HINT]")
        ->expected(1)
        ->take_all()
        ->allow_extra_args(false);
    app.add_option("--collisions", load.collisions, "When two names of a record become one column: keep (the last value), fail, or suffix (name_2) [keep]")
        ->check(CLI::IsMember({"keep", "fail", "suffix"}))
        ->option_text("MODE");
    app.add_flag("--widen", load.widens, "Make a column's type wider where no value changes, as bigint to double, instead of adding a variant column");
    app.add_option("--schema-import", load.schema_import_folder, "Folder with a schema document to edit; made when there is none")->option_text("DIR");
    app.add_option("--schema-export", load.schema_export_folder, "Folder for the schema document of each load")->option_text("DIR");
    app.add_option("--on-bad-record", load.on_bad_record, "A record that cannot be loaded: fail (ends the run), skip (exit code 7), quarantine (kept to be replayed; exit code 7) [fail]")
        ->check(CLI::IsMember({"fail", "skip", "quarantine"}))
        ->option_text("MODE");
    app.add_option("--cursor", load.cursor, "Load only records in which this field, as updated_at, has grown since the last load")->option_text("FIELD");
    app.add_option("--cursor-start", load.cursor_start, "Where the first load begins [the first record]")->option_text("VALUE")->needs("--cursor");
    app.add_option("--cursor-lag", load.cursor_lag, "Read again what lies so far behind the cursor: 5m, 2d, or a number")->option_text("LAG")->needs("--cursor");
    app.add_option("--cursor-missing", load.cursor_missing, "A record without the field: raise (ends the run), include, exclude [raise]")
        ->check(CLI::IsMember({"raise", "include", "exclude"}))
        ->option_text("MODE")
        ->needs("--cursor");
    app.add_flag("--full-refresh", load.is_full_refresh, "Drop the tables, forget the cursor, load everything anew");
    app.add_flag("--dry-run", load.is_dry_run, "Read everything, say which tables and columns it would make, write nothing");
    app.add_flag("--adopt", load.adopts_tables, "Load into tables that are there and that neither tipple nor dlt made");
    app.add_option("--workers", load.workers, "Threads that normalize, 1 to 256; they change nothing but the time [one per core]")->option_text("N")->check(CLI::Range(1, 256))->envname("TIPPLE_WORKERS");
    app.add_option("--memory", memory, "Memory for the whole process, at least 128MiB [512MiB]")->option_text("SIZE")->envname("TIPPLE_MEMORY");
    app.add_option("--retry-budget", load.retry_budget_seconds, "Seconds to wait, all attempts together, for a destination that does not answer; 0 = one attempt [60]")
        ->check(CLI::NonNegativeNumber)
        ->option_text("SECONDS");
    app.add_option("--lock-timeout", load.lock_timeout_seconds, "Seconds to wait for a database that another process holds [10]")
        ->check(CLI::NonNegativeNumber)
        ->option_text("SECONDS");
}

constexpr const char* run_summary = "Runs pipelines of the project file (tipple.toml): reads what is new, and loads it.\n\n"
    "Each pipeline is one transaction. Packages of an earlier run that wait are loaded first.";
constexpr const char* run_examples =
    "Examples:\n"
    "  tipple run                       the only pipeline\n"
    "  tipple run shop events           these, one after the other\n"
    "  tipple run shop -r orders        only this resource\n"
    "  tipple run --all --keep-going    all, even if one fails\n"
    "  tipple run --all --parallel 4    all, four at a time";

extract::Checkpoint require_checkpoint(const std::string& text) {
    const std::optional<extract::Checkpoint> checkpoint = extract::parse_checkpoint(text);
    if (!checkpoint) throw CLI::ValidationError("--checkpoint", fmt::format("\"{}\" is neither a number of records, as 500000, nor a time, as 90s, 10m or 2h", text));
    return *checkpoint;
}

void add_run(CLI::App& app, RunArguments& run, std::string& memory, std::string& timeout) {
    app.add_option("PIPELINE", run.pipelines, "Pipelines of the project, one after the other [the only one]")->option_text(" ");
    app.add_flag("--all", run.runs_all, "All pipelines of the project");
    app.add_option("-r,--resource", run.resources, "Only this resource; several times for several")->option_text("NAME")->expected(1)->take_all()->allow_extra_args(false);
    app.add_flag_callback("--full-refresh", [&run] { run.refresh = "drop_resources"; }, "Drop the resources' tables, forget their cursors, load everything anew; the same as --refresh drop_resources");
    app.add_option("--refresh", run.refresh, "drop_sources (all tables and state), drop_resources (those that are run), drop_data (rows and cursors; tables stay)")
        ->check(CLI::IsMember({"drop_sources", "drop_resources", "drop_data"}))
        ->option_text("MODE");
    app.add_option("--since", run.since, "Read from this cursor value on, whatever was read before, as 2024-05-01")->option_text("VALUE");
    app.add_option("--until", run.until, "Read up to this cursor value, without it; the cursor stays where it is")->option_text("VALUE");
    app.add_option("--max-delete", run.max_delete, "Of resources with delete_missing: rows that may be missing, as 25% or 500 [as the project says]")->option_text("LIMIT");
    app.add_flag("--allow-empty", run.allows_empty, "Of resources with delete_missing: believe a snapshot without records");
    app.add_option("--limit", run.limit, "Stop after so many records of each pipeline [no limit]")->check(CLI::NonNegativeNumber)->option_text("N");
    app.add_option_function<std::string>(
           "--checkpoint", [&run](const std::string& text) { run.checkpoint = require_checkpoint(text); },
           "Commit what was read after so many records, or so much time, as 500000 or 10m: a run that is killed goes on from there. For resources that are read in the order of a cursor")
        ->option_text("N|TIME");
    app.add_flag("--dry-run", run.is_dry_run, "Read everything, say which tables and columns it would make, write nothing");
    app.add_flag("--keep-going", run.keeps_going, "When a pipeline fails, go on with the next; the exit code at the end is 7");
    app.add_option("--parallel", run.parallel, "Pipelines that run at the same time, in the memory of --memory together [1]")
        ->check(CLI::Range(1, 64))
        ->option_text("N")
        ->envname("TIPPLE_PARALLEL");
    app.add_flag("--adopt", run.adopts_tables, "Load into tables that are there and that neither tipple nor dlt made");
    app.add_option("--timeout", timeout, "Stop in order after so long, as 30s, 5m or 2h; the exit code is then 124 [no limit]")->option_text("TIME");
    app.add_option("--workers", run.workers, "Threads that normalize, 1 to 256; they change nothing but the time [one per core]")->option_text("N")->check(CLI::Range(1, 256))->envname("TIPPLE_WORKERS");
    app.add_option("--memory", memory, "Memory for the whole process, at least 128MiB [512MiB]")->option_text("SIZE")->envname("TIPPLE_MEMORY");
    app.add_option("--retry-budget", run.retry_budget_seconds, "Seconds to wait, all attempts together, for a destination that does not answer; 0 = one attempt [60]")
        ->check(CLI::NonNegativeNumber)
        ->option_text("SECONDS");
    app.add_option("--lock-timeout", run.lock_timeout_seconds, "Seconds to wait for a database that another process holds [10]")
        ->check(CLI::NonNegativeNumber)
        ->option_text("SECONDS");
}

double require_seconds(const std::string& text) {
    const std::optional<double> seconds = parse_duration_seconds(text);
    if (!seconds || !(*seconds > 0)) throw CLI::ValidationError("--timeout", fmt::format("\"{}\" is no time; write 30s, 5m, 2h or 1d", text));
    return *seconds;
}

void add_output(CLI::App& app, std::string& output, std::size_t& limit, const std::string& limit_text) {
    app.add_option("-o,--output", output, "table, csv, json (a list) or jsonl (an object per line) [table]")->check(CLI::IsMember({"table", "csv", "json", "jsonl"}))->option_text("FORMAT");
    app.add_option("--limit", limit, limit_text)->check(CLI::NonNegativeNumber)->option_text("N");
}

constexpr const char* target_text = "A pipeline or connection of the project, a database file, or a postgresql:// URL";
constexpr const char* actions_text = "See above; TARGET is a pipeline or connection of the project, a database file, or a postgresql:// URL";

constexpr const char* schema_help =
    "Shows tables, columns, types, keys and links, and what changed when.\n\n"
    "  tipple schema TARGET [TABLE]               what is there now\n"
    "  tipple schema history TARGET               every stored version, the load that made it, what it changed\n"
    "  tipple schema diff TARGET [A [B]]          between two versions [the last two; B: the newest]\n"
    "  tipple schema blame TARGET TABLE.COLUMN    which load and record made a column, and why it has its type";

void add_schema(CLI::App& app, SchemaArguments& schema, std::vector<std::string>& places) {
    app.add_option("[ACTION] TARGET [ARGUMENT...]", places, actions_text)->required()->expected(1, 4)->option_text(" ");
    app.add_option("--dataset", schema.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    app.add_option("-o,--output", schema.output, "text, yaml, json, sql or mermaid, of what is there now [text]")
        ->check(CLI::IsMember({"text", "yaml", "json", "sql", "mermaid"}))
        ->option_text("FORMAT");
    app.add_flag("--exit-code", schema.has_exit_code, "diff: exit code 8 when there are differences, else 0");
}

constexpr const char* quarantine_help =
    "Shows, loads again or discards records that a load has put aside.\n\n"
    "They are put aside by --contract quarantine and --on-bad-record quarantine, and wait in the table _tipple_quarantine.\n\n"
    "  tipple quarantine [list] TARGET            what is there, and why\n"
    "  tipple quarantine show TARGET ID...        all of a record\n"
    "  tipple quarantine replay TARGET ID...      load them again; what still does not fit stays\n"
    "  tipple quarantine discard TARGET ID...     take them out for good";

void add_quarantine(CLI::App& app, QuarantineArguments& quarantine, std::vector<std::string>& places) {
    app.add_option("[ACTION] TARGET [ID...]", places, actions_text)->required()->expected(1, -1)->option_text(" ");
    app.add_flag("--all", quarantine.takes_all, "replay, discard: all records, instead of ID");
    app.add_option("--contract", quarantine.contract, "replay: what may change in this run, whatever the stored contract says: evolve, freeze, discard_row, discard_value or quarantine")
        ->check(contract_check)
        ->option_text("MODE");
    app.add_option("--dataset", quarantine.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    app.add_option("-o,--output", quarantine.output, "list: text, or as a table, csv, json (a list) or jsonl (an object per line) [text]")
        ->check(CLI::IsMember({"text", "table", "csv", "json", "jsonl"}))
        ->option_text("FORMAT");
    app.add_option("--limit", quarantine.limit, "list: records shown at most; 0 = all [100]")->check(CLI::NonNegativeNumber)->option_text("N");
}

constexpr const char* undo_help =
    "Removes what a load has brought, with its nested rows and its record, in one transaction.\n\n"
    "What the source remembers goes back as well, so that the next run reads the rows again.";

void add_undo(CLI::App& app, UndoArguments& undo) {
    app.add_option("TARGET", undo.target, target_text)->required()->option_text(" ");
    app.add_option("LOAD_ID", undo.load_id, "The load: its id is in the summary of the run, in tipple packages list, and in the table _dlt_loads")->required()->option_text(" ");
    app.add_flag("--through", undo.through, "The load and all that came after it");
    app.add_flag("--keep-cursor", undo.keeps_cursor, "What the source remembers stays: the next run does not read the rows again");
    app.add_flag("--rows-only", undo.rows_only, "Also where the load, or a later one, has merged or replaced: what that took away does not come back");
    app.add_flag("--dry-run", undo.is_dry_run, "Say what would be removed, and remove nothing");
    app.add_flag("-y,--yes", undo.is_confirmed, "Do not ask; needed where there is no terminal to ask on");
    app.add_option("--dataset", undo.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    app.add_option("--pipeline", undo.pipeline, "Pipeline that made the load [TARGET, if it is one; else that of tipple load]")->option_text("NAME");
}

void add_verify(CLI::App& app, VerifyArguments& verify) {
    app.add_option("TARGET", verify.target, target_text)->required()->option_text(" ");
    app.add_option("--dataset", verify.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
}

constexpr const char* packages_help =
    "Shows load packages, and loads, discards or copies those that wait.\n\n"
    "A package is what a run has read, on its way to the destination. One that could not be loaded waits for the next run.\n\n"
    "  tipple packages [list] TARGET              those that wait, and the last ones that were loaded or failed\n"
    "  tipple packages show TARGET [ID]           one of them: tables, rows, steps, error [the one that waits, else the newest]\n"
    "  tipple packages retry TARGET               loads what waits, and reads nothing new\n"
    "  tipple packages discard TARGET [ID]        deletes what waits; the next run reads it again\n"
    "  tipple packages export TARGET ID FOLDER    copies one out: rows as Arrow files, documents as JSON\n"
    "  tipple packages verify TARGET [ID]         compares every file with its checksum";

void add_packages(CLI::App& app, PackagesArguments& packages, std::vector<std::string>& places, std::string& memory) {
    app.add_option("[ACTION] TARGET [ARGUMENT...]", places, actions_text)->required()->expected(1, 4)->option_text(" ");
    app.add_flag("--dry-run", packages.is_dry_run, "discard: say what would be deleted, and delete nothing");
    app.add_flag("-y,--yes", packages.is_confirmed, "discard: do not ask; needed where there is no terminal to ask on");
    app.add_option("--dataset", packages.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    app.add_option("--memory", memory, "retry: memory for the whole process [512MiB]")->option_text("SIZE")->envname("TIPPLE_MEMORY");
}

void split_packages_places(const std::vector<std::string>& places, PackagesArguments& packages) {
    static const std::map<std::string, PackagesAction> actions = {{"list", PackagesAction::list},       {"show", PackagesAction::show},
                                                                  {"retry", PackagesAction::retry},     {"discard", PackagesAction::discard},
                                                                  {"export", PackagesAction::export_},  {"verify", PackagesAction::verify}};
    const auto action = actions.find(places[0]);
    const std::size_t first = action == actions.end() ? 0 : 1;
    if (action != actions.end()) packages.action = action->second;
    if (action == actions.end() && places.size() > 1) {
        const std::optional<std::string> near = did_you_mean(places[0], {"list", "show", "retry", "discard", "export", "verify"});
        throw CLI::ValidationError("packages", fmt::format("{} is no action{}; known: list, show, retry, discard, export, verify", places[0],
                                                           near ? fmt::format(" (did you mean {}?)", *near) : ""));
    }
    if (places.size() == first) throw CLI::ValidationError("packages", "TARGET is required: a database file");
    packages.target = places[first];
    if (places.size() > first + 1) packages.load_id = places[first + 1];
    if (places.size() > first + 2) packages.folder = places[first + 2];
    const std::size_t most = packages.action == PackagesAction::export_ ? 3 : packages.action == PackagesAction::list || packages.action == PackagesAction::retry ? 1 : 2;
    if (places.size() > first + most) throw CLI::ValidationError("packages", fmt::format("unexpected argument {}", places[first + most]));
}

void split_quarantine_places(const std::vector<std::string>& places, QuarantineArguments& quarantine) {
    static const std::map<std::string, QuarantineAction> actions = {{"list", QuarantineAction::list},
                                                                    {"show", QuarantineAction::show},
                                                                    {"replay", QuarantineAction::replay},
                                                                    {"discard", QuarantineAction::discard}};
    const auto action = actions.find(places[0]);
    const std::size_t first = action == actions.end() ? 0 : 1;
    if (action != actions.end()) quarantine.action = action->second;
    if (places.size() == first) throw CLI::ValidationError("quarantine", "TARGET is required: a pipeline, a connection, or a database file");
    quarantine.target = places[first];
    quarantine.ids.assign(places.begin() + static_cast<std::ptrdiff_t>(first) + 1, places.end());
    if (action == actions.end() && !quarantine.ids.empty()) {
        const std::optional<std::string> near = did_you_mean(places[0], {"list", "show", "replay", "discard"});
        throw CLI::ValidationError("quarantine", fmt::format("{} is no action{}; known: list, show, replay, discard", places[0],
                                                             near ? fmt::format(" (did you mean {}?)", *near) : ""));
    }
    if (quarantine.action == QuarantineAction::list && !quarantine.ids.empty()) {
        throw CLI::ValidationError("quarantine", fmt::format("unexpected argument {}", quarantine.ids[0]));
    }
}

/// `[ACTION] TARGET [ARGUMENT...]`. A file that is called like an action is named as ./diff.
void split_schema_places(const std::vector<std::string>& places, SchemaArguments& schema) {
    static const std::map<std::string, SchemaAction> actions = {
        {"show", SchemaAction::show}, {"diff", SchemaAction::diff}, {"history", SchemaAction::history}, {"blame", SchemaAction::blame}};
    const auto action = actions.find(places[0]);
    const std::size_t first = action == actions.end() ? 0 : 1;
    if (action != actions.end()) schema.action = action->second;
    std::vector<std::string*> targets = {&schema.target};
    if (schema.action == SchemaAction::show) targets.push_back(&schema.table);
    if (schema.action == SchemaAction::blame) targets.push_back(&schema.column);
    if (schema.action == SchemaAction::diff) targets.insert(targets.end(), {&schema.version_a, &schema.version_b});
    if (places.size() - first > targets.size()) throw CLI::ValidationError("schema", fmt::format("unexpected argument {}", places.back()));
    for (std::size_t i = first; i < places.size(); ++i) *targets[i - first] = places[i];
    if (schema.target.empty()) throw CLI::ValidationError("schema", "TARGET is required: a pipeline, a connection, or a database file");
    if (schema.action == SchemaAction::blame && schema.column.empty()) {
        throw CLI::ValidationError("schema", "blame needs a column: tipple schema blame TARGET TABLE.COLUMN");
    }
    if (schema.output != "text" && schema.action != SchemaAction::show) {
        throw CLI::ValidationError("--output", fmt::format("is for what is there now; of {} there is text, and JSON with --json", places[0]));
    }
    if (schema.has_exit_code && schema.action != SchemaAction::diff) throw CLI::ValidationError("--exit-code", "is for schema diff");
}

std::vector<std::string> option_names(const CLI::App& app) {
    std::vector<std::string> names;
    for (const CLI::Option* option : app.get_options()) {
        for (const std::string& name : option->get_lnames()) names.push_back("--" + name);
    }
    return names;
}

/// CLI11's message, with the nearest name when a flag or command is unknown.
std::string explain(const CLI::ParseError& error, const CLI::App& app) {
    const CLI::App* used = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
    std::vector<std::string> known = option_names(*used);
    for (const std::string& name : option_names(app)) known.push_back(name);
    if (used == &app) {
        for (const CLI::App* command : app.get_subcommands({})) known.push_back(command->get_name());
    }
    const std::vector<std::string> extras = app.remaining(true);
    for (const std::string& extra : extras) {
        const std::string name = extra.substr(0, extra.find('='));
        if (const std::optional<std::string> near = did_you_mean(name, known)) {
            return fmt::format("unknown argument {}; did you mean {}?", extra, *near);
        }
        return fmt::format("unknown argument {}", extra);
    }
    std::string text = error.what();
    // The library only counts.
    if (text.starts_with(load_positionals)) return "load needs what to load and, last, where to: tipple load orders.jsonl shop.duckdb";
    return text;
}

}  // namespace

json::Value parse_contract_argument(const std::string& text) {
    json::Value contract = text;
    if (text.find('=') != std::string::npos) {
        json::Object modes;
        for (std::size_t at = 0; at <= text.size();) {
            const std::size_t end = std::min(text.find(',', at), text.size());
            const std::string part = text.substr(at, end - at);
            const std::size_t equals = std::min(part.find('='), part.size());
            const std::string what = part.substr(0, equals);
            if (modes.find(what) != nullptr) throw Error(ErrorKind::usage, "\"{}\" is there twice", what);
            modes.set(what, part.substr(std::min(equals + 1, part.size())));
            at = end + 1;
        }
        contract = std::move(modes);
    }
    schema::parse_contract(contract);
    return contract;
}

Arguments parse_arguments(int argc, const char* const* argv) {
    Arguments arguments;
    LoadArguments load;
    RunArguments run;
    std::string timeout;
    QueryArguments query;
    PreviewArguments preview;
    SchemaArguments schema;
    QuarantineArguments quarantine;
    UndoArguments undo;
    VerifyArguments verify;
    PackagesArguments packages;
    HelpArguments help;
    std::vector<std::string> places;
    std::string memory;

    CLI::App app("tipple loads data: files, databases and APIs into related tables, each record once.", "tipple");
    app.set_version_flag("--version", version_text(), "Print the version");
    app.require_subcommand(0, 1);
    app.fallthrough();
    app.formatter(make_help_formatter(help_width(Terminal::detect(ColorMode::never))));
    app.set_help_flag("-h,--help", "Print this page");
    add_global_flags(app, arguments.global);
    app.footer("Begin with: tipple load orders.jsonl shop.duckdb, or, for a project: tipple init shop\n\ntipple COMMAND --help explains a command, tipple help NAME a source or destination (files, sql, rest_api, postgres, …).\nDocumentation: docs/guide");

    CLI::App* load_app = app.add_subcommand("load", load_summary);
    load_app->footer(load_examples);
    add_load(*load_app, load, places, memory);
    CLI::App* run_app = app.add_subcommand("run", run_summary);
    run_app->footer(run_examples);
    add_run(*run_app, run, memory, timeout);
    CLI::App* query_app = app.add_subcommand("query", "Runs an SQL query on a database, read only.\n\nThe SQL is that of the database: DuckDB's for files, Postgres' there.");
    query_app->add_option("TARGET", query.target, target_text)->required()->option_text(" ");
    query_app->add_option("SQL", query.sql, "The query, as 'SELECT * FROM orders', or - to read it from standard input")->required()->option_text(" ");
    query_app->add_option("--dataset", query.dataset, "Schema in which table names are looked up [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    add_output(*query_app, query.output, query.limit, "Rows printed at most; 0 = all [1000]");
    CLI::App* preview_app = app.add_subcommand("preview", "Shows the tables of a database, or the first rows of one.");
    preview_app->add_option("TARGET", preview.target, target_text)->required()->option_text(" ");
    preview_app->add_option("TABLE", preview.table, "The table whose rows are shown [a list of all tables]")->option_text(" ");
    preview_app->add_option("--dataset", preview.dataset, "Schema of the database [that of the pipeline; else main, in Postgres public]")->option_text("NAME");
    add_output(*preview_app, preview.output, preview.limit, "Rows shown at most; 0 = all [10]");
    CLI::App* schema_app = app.add_subcommand("schema", schema_help);
    std::vector<std::string> schema_places;
    add_schema(*schema_app, schema, schema_places);
    CLI::App* quarantine_app = app.add_subcommand("quarantine", quarantine_help);
    std::vector<std::string> quarantine_places;
    add_quarantine(*quarantine_app, quarantine, quarantine_places);
    CLI::App* packages_app = app.add_subcommand("packages", packages_help);
    std::vector<std::string> packages_places;
    add_packages(*packages_app, packages, packages_places, memory);
    CLI::App* undo_app = app.add_subcommand("undo", undo_help);
    add_undo(*undo_app, undo);
    CLI::App* verify_app = app.add_subcommand("verify", "Checks a dataset: rows without parents, ids that are there twice, loads without record.\n\n"
                                                   "Changes nothing. The exit code is 3 when something is wrong.");
    add_verify(*verify_app, verify);
    const ProjectCommands project_commands(app);
    std::optional<Command> project_command;
    CLI::App* version_app = app.add_subcommand("version", "Prints the versions of tipple and of the libraries in it.");
    CLI::App* help_app = app.add_subcommand("help", "Explains a command, a source or a destination.");
    help_app->add_option("TOPIC", help.topic, "Name of a command, a source or a destination [the list of all commands]")->option_text(" ");

    help_app->add_flag("--reference", help.prints_reference, "All sources and destinations with their options, as a page of Markdown");
    try {
        app.parse(argc, argv);
        if (schema_app->parsed()) split_schema_places(schema_places, schema);
        if (quarantine_app->parsed()) split_quarantine_places(quarantine_places, quarantine);
        project_command = project_commands.parsed();
        if (packages_app->parsed()) split_packages_places(packages_places, packages);
        if (!memory.empty()) load.memory_bytes = run.memory_bytes = packages.memory_bytes = require_size(memory);
        if (!timeout.empty()) run.timeout_seconds = require_seconds(timeout);
    } catch (const CLI::CallForHelp&) {
        const CLI::App* used = app.get_subcommands().empty() ? &app : app.get_subcommands().front();
        std::fputs(used->help(used == &app ? "" : "tipple").c_str(), stdout);
        return arguments;
    } catch (const CLI::CallForVersion&) {
        fmt::print("{}\n", version_text());
        return arguments;
    } catch (const CLI::ParseError& error) {
        fmt::print(stderr, "error: {}\n", explain(error, app));
        fmt::print(stderr, "  see: tipple {}--help\n", app.get_subcommands().empty() ? "" : app.get_subcommands().front()->get_name() + " ");
        arguments.command = DoneArguments{.exit_code = to_exit_code(ErrorKind::usage)};
        return arguments;
    }

    if (project_command) {
        arguments.command = *std::move(project_command);
    } else if (load_app->parsed()) {
        load.destination = places.back();
        places.pop_back();
        load.sources = places;
        arguments.command = load;
    } else if (run_app->parsed()) {
        arguments.command = run;
    } else if (query_app->parsed()) {
        arguments.command = query;
    } else if (preview_app->parsed()) {
        arguments.command = preview;
    } else if (schema_app->parsed()) {
        arguments.command = schema;
    } else if (quarantine_app->parsed()) {
        arguments.command = quarantine;
    } else if (packages_app->parsed()) {
        arguments.command = packages;
    } else if (undo_app->parsed()) {
        arguments.command = undo;
    } else if (verify_app->parsed()) {
        arguments.command = verify;
    } else if (version_app->parsed()) {
        arguments.command = VersionArguments{};
    } else if (help_app->parsed()) {
        for (const CLI::App* command : app.get_subcommands({})) {
            if (command->get_name() == help.topic) {
                std::fputs(command->help("tipple").c_str(), stdout);
                return arguments;
            }
        }
        if (help.topic.empty() && !help.prints_reference) {
            // app.help() would be the help of `help`, the command that was given.
            std::fputs(app.get_formatter()->make_help(&app, "tipple", CLI::AppFormatMode::Normal).c_str(), stdout);
            return arguments;
        }
        arguments.command = help;
    } else {
        std::fputs(app.help().c_str(), stdout);
    }
    return arguments;
}

}  // namespace tipple::cli
