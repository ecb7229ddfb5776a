#include <fmt/format.h>

#include <algorithm>

#include "cli/program.h"
#include "cli/run_session.h"
#include "cli/signals.h"
#include "tipple/config/secret.h"
#include "tipple/core/text.h"
#include "tipple/project/resource_hints.h"
#include "tipple/schema/column_hint.h"
#include "tipple/source/hinted_source.h"

namespace tipple::cli {

namespace {

/// The cursor that flags describe, read as the project file's is.
incremental::Spec cursor_of(const LoadArguments& arguments) {
    const std::vector<std::pair<const char*, const std::string&>> keys = {
        {"field", arguments.cursor}, {"start", arguments.cursor_start}, {"lag", arguments.cursor_lag}, {"on_missing", arguments.cursor_missing}};
    config::Node table{.place = {.source = "--cursor"}};
    for (const auto& [key, value] : keys) {
        if (!value.empty()) table[key] = config::make_text(value, {.source = "--cursor"});
    }
    config::Problems problems;
    std::optional<incremental::Spec> spec = project::read_cursor(table, "the cursor", problems);
    problems.throw_if_any();
    return *std::move(spec);
}

/// Whether SOURCE is the name of a source. A file of that name comes first; a folder does not: a source's own code often lies in one.
bool names_source(const Program& program, const LoadArguments& arguments) {
    if (arguments.sources.size() != 1 || program.sources.find(arguments.sources.front()) == nullptr) return false;
    const std::unique_ptr<io::FileInfo> file = program.files->find(arguments.sources.front());
    return file == nullptr || file->is_directory;
}

/// The source that reads the database or service that SOURCE is the URL or file of; nullptr when it is something else.
const extract::SourceEntry* find_place(const Program& program, const LoadArguments& arguments) {
    return arguments.sources.size() == 1 && !names_source(program, arguments) ? program.sources.find_for(arguments.sources.front()) : nullptr;
}

void refuse_file_flags(const LoadArguments& arguments, bool has_table) {
    const std::pair<const char*, bool> file_flags[] = {{"--as", has_table && !arguments.table.empty()},
                                                       {"--format", !arguments.format.empty()},
                                                       {"--select", !arguments.select.empty()},
                                                       {"--csv-delimiter", !arguments.csv_delimiter.empty()},
                                                       {"--no-csv-header", !arguments.has_csv_header},
                                                       {"--encoding", !arguments.encoding.empty()},
                                                       {"--metadata", arguments.has_metadata},
                                                       {"--hive", arguments.has_folder_columns}};
    for (const auto& [flag, is_given] : file_flags) {
        if (is_given) {
            throw Error(ErrorKind::usage, "{} is for files, but \"{}\" is a source; its options are given with --option NAME=VALUE", flag,
                        config::mask_url(arguments.sources.front()));
        }
    }
}

/// `NAME=VALUE`
std::pair<std::string, std::string> split_option(const std::string& option) {
    const std::size_t end = option.find('=');
    if (end == 0 || end == std::string::npos) throw Error(ErrorKind::usage, "--option \"{}\" is not of the form NAME=VALUE", option);
    return {option.substr(0, end), option.substr(end + 1)};
}

/// What was given with --option.
void set_options(const LoadArguments& arguments, config::Options& options) {
    for (const std::string& option : arguments.source_options) {
        auto [name, value] = split_option(option);
        options.set(std::move(name), std::move(value));
    }
}

std::unique_ptr<extract::SourceDriver> make_named_source(const Program& program, const LoadArguments& arguments) {
    refuse_file_flags(arguments, true);
    extract::SourceContext context;
    context.log = program.log;
    set_options(arguments, context.options);
    return program.sources.make(arguments.sources.front(), context);
}

bool has_option(const std::vector<config::OptionSpec>& options, const std::string& name) {
    return std::any_of(options.begin(), options.end(), [&](const config::OptionSpec& option) { return option.name == name; });
}

[[noreturn]] void fail_unknown_option(const extract::SourceEntry& entry, const std::string& name) {
    std::vector<std::string> known;
    for (const std::vector<config::OptionSpec>* options : {&entry.options, &entry.resource_options}) {
        for (const config::OptionSpec& option : *options) known.push_back(option.name);
    }
    const std::optional<std::string> near = did_you_mean(name, known);
    throw Error(ErrorKind::usage, "source \"{}\" has no option \"{}\"; {}", entry.name, excerpt(name),
                near ? fmt::format("did you mean \"{}\"?", *near) : fmt::format("tipple help {} lists them", entry.name));
}

/// Resources are what is named by -r, else all; an option of resources is that of each.
std::unique_ptr<extract::SourceDriver> make_place_source(const Program& program, const extract::SourceEntry& entry, const LoadArguments& arguments) {
    refuse_file_flags(arguments, false);
    extract::SourceContext context;
    context.log = program.log;
    context.options.set("uri", arguments.sources.front());
    config::Options of_resources;
    for (const std::string& option : arguments.source_options) {
        auto [name, value] = split_option(option);
        const bool is_of_resources = !has_option(entry.options, name);
        if (is_of_resources && !has_option(entry.resource_options, name)) fail_unknown_option(entry, name);
        (is_of_resources ? of_resources : context.options).set(std::move(name), std::move(value));
    }
    for (const std::string& resource : arguments.resources) context.resources.push_back({.name = resource, .options = of_resources});
    const bool has_one_name = arguments.resources.size() == 1 || (arguments.resources.empty() && of_resources.find("query"));
    if (!arguments.table.empty() && !has_one_name) throw Error(ErrorKind::usage, "--as names the table of one resource; say which with -r");
    if (arguments.resources.empty() && !of_resources.values().empty()) {
        if (of_resources.find("query") && arguments.table.empty()) throw Error(ErrorKind::usage, "the rows of a query need a table: name it with --as");
        context.resources.push_back({.name = of_resources.find("query") ? arguments.table : "*", .options = of_resources});
    } else if (!arguments.table.empty()) {
        context.resources.front().options.set("from", arguments.resources.front());
        context.resources.front().name = arguments.table;
    }
    return program.sources.make(entry.name, context);
}

/// `postgers://ann@db/shop` is meant for no file, and `postgresql://ann@db/shop` beside a file neither.
void refuse_places(const Program& program, const std::string& source) {
    const std::size_t scheme_end = source.find("://");
    if (program.sources.find_for(source) != nullptr) {
        throw Error(ErrorKind::usage, "\"{}\" is loaded alone: give it as the one SOURCE, and the others in a command of their own", config::mask_url(source));
    }
    if (scheme_end == std::string::npos) return;
    std::vector<std::string> known;
    for (const extract::SourceEntry& entry : program.sources.entries()) known.insert(known.end(), entry.schemes.begin(), entry.schemes.end());
    const std::optional<std::string> near = did_you_mean(source.substr(0, scheme_end), known);
    if (near) throw Error(ErrorKind::usage, "nothing reads \"{}\"; did you mean {}://?", config::mask_url(source), *near);
}

std::unique_ptr<extract::SourceDriver> make_file_source(const Program& program, const LoadArguments& arguments) {
    for (const std::string& source : arguments.sources) refuse_places(program, source);
    if (!arguments.resources.empty()) {
        throw Error(ErrorKind::usage, "--resource is for databases and sources by name, but \"{}\" is neither", config::mask_url(arguments.sources.front()));
    }
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
    set("encoding", arguments.encoding);
    set("metadata", arguments.has_metadata ? "all" : "");
    set("hive", arguments.has_folder_columns ? "true" : "");
    set_options(arguments, context.options);
    return program.sources.make(is_stdin ? "stdin" : "files", context);
}

std::unique_ptr<extract::SourceDriver> make_source(const Program& program, const LoadArguments& arguments) {
    extract::ResourceHints hints;
    if (!arguments.cursor.empty()) hints.incremental = cursor_of(arguments);
    if (const extract::SourceEntry* place = find_place(program, arguments)) {
        // What is there says which columns are the key, so only it can say that there is none.
        if (arguments.disposition == "merge" && !arguments.strategy) hints.disposition = schema::Disposition::merge;
        if (!arguments.keys.empty()) hints.primary_key = arguments.keys;
        return extract::with_hints(make_place_source(program, *place, arguments), {.all = std::move(hints)});
    }
    std::unique_ptr<extract::SourceDriver> source = names_source(program, arguments) ? make_named_source(program, arguments) : make_file_source(program, arguments);
    if (arguments.cursor.empty()) return source;
    return extract::with_hints(std::move(source), {.all = std::move(hints)});
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
        has_key = has_key || hint.is_key;
        schema::add_column_hint(std::move(hint), text, options.columns, options.nested);
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

schema::DeleteMissing delete_missing(const LoadArguments& arguments) {
    schema::DeleteMissing missing{.mode = schema::require_delete_mode(*arguments.delete_missing), .allows_empty = arguments.allows_empty};
    if (arguments.max_delete) missing.limit = schema::DeleteLimit::parse(*arguments.max_delete);
    return missing;
}

enum class Keys { of_user, of_source };

pipeline::RunOptions run_options(const LoadArguments& arguments, Keys keys) {
    pipeline::RunOptions options;
    const bool has_key = set_columns(options, arguments.columns) || !arguments.keys.empty();
    const bool asks_for_merge = arguments.disposition == "merge" || arguments.strategy;
    options.disposition = disposition_of(arguments, has_key || (keys == Keys::of_source && asks_for_merge));
    if (arguments.strategy) options.merge.strategy = schema::require_merge_strategy(*arguments.strategy);
    if (!arguments.keys.empty()) options.primary_key = arguments.keys;
    options.max_nesting = arguments.max_nesting;
    options.limit = arguments.limit;
    if (arguments.delete_missing) options.delete_missing = delete_missing(arguments);
    options.on_bad_record = on_bad_record(arguments.on_bad_record);
    options.collisions = collisions(arguments.collisions);
    options.is_dry_run = arguments.is_dry_run;
    if (arguments.is_full_refresh) options.refresh = pipeline::Refresh::drop_resources;
    if (!arguments.contract.empty()) options.schema_contract = parse_contract_argument(arguments.contract);
    if (keys == Keys::of_user) options.select = arguments.resources;
    return options;
}

}  // namespace

int run_load(Program& program, const LoadArguments& arguments) {
    const pipeline::RunOptions options = run_options(arguments, find_place(program, arguments) != nullptr ? Keys::of_source : Keys::of_user);
    const SignalWatch signals([&](int signal) { say_stopping(program, signal); });
    const std::unique_ptr<extract::SourceDriver> source = make_source(program, arguments);
    LoadTarget target = open_load_target(program, arguments.destination, arguments.dataset,
                                         {.workers = arguments.workers,
                                          .memory_bytes = arguments.memory_bytes,
                                          .lock_timeout_seconds = arguments.lock_timeout_seconds,
                                          .adopts_tables = arguments.adopts_tables,
                                          .stop = signals.token()});
    // What a source by name remembers is kept under its own name, so that several can load into one dataset.
    if (names_source(program, arguments)) target.config.schema_name = source->name();
    target.config.widens = arguments.widens;
    target.config.retry_budget_seconds = arguments.retry_budget_seconds;
    target.config.schema_import_folder = arguments.schema_import_folder;
    target.config.schema_export_folder = arguments.schema_export_folder;
    return run_and_report(program, target, *source, options,
                          {.target = arguments.destination, .dataset = arguments.dataset, .is_dry_run = arguments.is_dry_run, .shows_all_tables = program.global.verbosity > 0}, signals);
}

}  // namespace tipple::cli
