#include <fmt/format.h>
#include <sys/stat.h>

#include <algorithm>
#include <cstdio>
#include <optional>

#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/pipeline_session.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "cli/signals.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/file_ledger.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/pipeline/run_history.h"
#include "tipple/pipeline/source_state.h"

namespace tipple::cli {

namespace {

using json::Object;
using json::Value;

/// Everything as the pipeline says.
const LoadResources as_defined{.memory_bytes = 0, .lock_timeout_seconds = 0};

std::vector<std::string> names_or_all(Program& program, const std::vector<std::string>& names) {
    return names.empty() ? require_project(program).pipelines() : names;
}

/// Statements that the run would have run at the destination, for people.
std::vector<std::string> statements(const pipeline::RunReport& report, const destination::Destination& destination) {
    std::vector<std::string> list;
    for (const pipeline::TableReport& table : report.tables) {
        if (table.is_new) {
            list.push_back(destination.create_table_sql(report.schema.require(table.table)));
            continue;
        }
        for (const schema::Column& column : table.new_columns) {
            list.push_back(fmt::format("ALTER TABLE {} ADD COLUMN \"{}\" {};", destination.quote_table(table.table), column.name(), schema::to_text(*column.data_type())));
        }
    }
    return list;
}

json::Array cursors_of(const LoadTarget& target) {
    json::Array list;
    const std::optional<destination::StoredDataset> stored = target.destination->read_dataset();
    if (!stored || !stored->state || !stored->state->document.is_object()) return list;
    const Value* sources = stored->state->document.as_object().find("sources");
    if (sources == nullptr || !sources->is_object()) return list;
    for (const pipeline::CursorReport& cursor : pipeline::compare_cursors(sources->as_object(), sources->as_object())) {
        list.push_back(Object{{"resource", cursor.resource}, {"cursor", cursor.cursor}, {"value", cursor.after}});
    }
    return list;
}

void print_cursors(const json::Array& cursors) {
    for (const Value& cursor : cursors) {
        const Object& entry = cursor.as_object();
        fmt::print("cursor   {}.{} stands at {}\n", entry.find("resource")->as_text(), entry.find("cursor")->as_text(), json::to_text(*entry.find("value")));
    }
}

Object plan_pipeline(Program& program, const project::PipelineDefinition& definition, const PlanArguments& arguments, const SignalWatch& signals) {
    PipelineSession session = open_pipeline(program, definition, {}, {.memory_bytes = 0, .lock_timeout_seconds = 0, .stop = signals.token()});
    pipeline::RunOptions options = definition.options;
    options.is_dry_run = true;
    if (arguments.limit > 0) options.limit = arguments.limit;
    const std::string folder = pipeline::pipeline_folder(session.target.config, *session.target.destination);
    const std::vector<std::string> waiting = package::PackageStore(*program.files, folder).pending_ids();
    pipeline::Observer observer;
    pipeline::Pipeline pipeline(session.target.config, *session.target.destination, *program.files, program.clock, program.log);
    const pipeline::RunReport report = pipeline.run(*session.source, options, observer, signals.token());
    json::Array ddl;
    for (const std::string& statement : statements(report, *session.target.destination)) ddl.emplace_back(statement);
    json::Array packages(waiting.begin(), waiting.end());
    Object plan{{"pipeline", definition.name}, {"destination", report.destination}, {"dataset", report.dataset}};
    plan.set("records_read", report.records);
    plan.set("statements", std::move(ddl));
    plan.set("waiting_packages", std::move(packages));
    plan.set("cursors", cursors_of(session.target));
    return plan;
}

/// Errors name the pipeline.
Object plan_or_fail(Program& program, const project::PipelineDefinition& definition, const PlanArguments& arguments, const SignalWatch& signals) {
    try {
        return plan_pipeline(program, definition, arguments, signals);
    } catch (const Error& error) {
        throw error.with_context(fmt::format("pipeline \"{}\"", definition.name));
    }
}

void print_plan(const Object& plan, const Program& program) {
    fmt::print("{}  into {}, dataset {}\n", program.terminal.styled(Style::bold, "pipeline " + plan.find("pipeline")->as_text()), plan.find("destination")->as_text(),
               plan.find("dataset")->as_text());
    for (const Value& package : plan.find("waiting_packages")->as_array()) fmt::print("package  {} of an earlier run is loaded first\n", package.as_text());
    print_cursors(plan.find("cursors")->as_array());
    const json::Array& list = plan.find("statements")->as_array();
    if (list.empty()) fmt::print("schema   nothing new in {} read\n", counted(static_cast<std::uint64_t>(plan.find("records_read")->as_double()), "record"));
    for (const Value& statement : list) fmt::print("{}\n", statement.as_text());
}

}  // namespace

int run_plan(Program& program, const PlanArguments& arguments) {
    const std::vector<project::PipelineDefinition> definitions = read_pipelines(program, names_or_all(program, arguments.pipelines));
    const SignalWatch signals([](int) {});
    json::Array plans;
    bool has_changes = false;
    for (const project::PipelineDefinition& definition : definitions) {
        Object plan = plan_or_fail(program, definition, arguments, signals);
        has_changes = has_changes || !plan.find("statements")->as_array().empty() || !plan.find("waiting_packages")->as_array().empty();
        if (!program.global.is_json) print_plan(plan, program);
        plans.push_back(std::move(plan));
    }
    if (program.global.is_json) fmt::print("{}\n", json::to_text(Object{{"v", 1}, {"plans", std::move(plans)}}, {.spacing = json::Spacing::pretty}));
    return has_changes && arguments.has_exit_code ? exit_changes : exit_done;
}

namespace {

/// One line of `tipple check`.
struct Finding {
    std::string pipeline;
    std::string what;  ///< a part of the settings, or a resource
    std::string result;  ///< empty = good
    std::string detail;
    int exit_code = exit_done;
};

/// Runs one test; what it throws is what it found.
template <typename Test>
void add_finding(std::vector<Finding>& findings, const std::string& pipeline, const char* what, Test&& test) {
    Finding finding{.pipeline = pipeline, .what = what};
    try {
        finding.detail = test();
    } catch (const Error& error) {
        finding.result = error.what();
        finding.exit_code = to_exit_code(error.kind());
    }
    findings.push_back(std::move(finding));
}

/// Bytes below which a load is likely to fail for want of room.
constexpr std::uint64_t free_bytes_min = std::uint64_t{1} << 30;

std::string check_disk(Program& program) {
    const std::string folder = data_folder(program.global);
    program.files->create_folders(folder);
    const std::uint64_t free = program.files->free_bytes(folder);
    if (free < free_bytes_min) throw Error(ErrorKind::local, "only {} are free in {}; packages of a load need room there", format_bytes(free), folder);
    return fmt::format("{} free in {}", format_bytes(free), folder);
}

std::string check_secrets_file(const project::Project& project) {
    if (!project.has_secrets()) return "no " + project.secrets_path();
    struct stat status {};
    if (stat(project.secrets_path().c_str(), &status) == 0 && (status.st_mode & 077) != 0) {
        throw Error(ErrorKind::usage, "others may read {}; run chmod 600 {}", project.secrets_path(), project.secrets_path());
    }
    return project.secrets_path() + ", readable for you alone";
}

/// What the destination has of a pipeline. Nothing when it cannot be asked, which the look at the destination itself says.
class Remembered {
public:
    explicit Remembered(const LoadTarget& target) : target_(target) {
        try {
            stored_ = target.destination->read_dataset();
            is_known_ = true;
        } catch (const Error&) {
            return;
        }
        const json::Object* document = stored_ && stored_->state && stored_->state->document.is_object() ? &stored_->state->document.as_object() : nullptr;
        const Value* sources = document != nullptr ? document->find("sources") : nullptr;
        if (sources != nullptr && sources->is_object()) state_ = pipeline::source_state(sources->as_object(), target.config.schema_name);
    }

    /// `ledger` and this outlive what is returned.
    extract::ProbeContext context(const std::string& resource, std::optional<pipeline::StoredLedger>& ledger, const std::stop_token& stop) const {
        if (!is_known_) return {.stop = stop};
        ledger.emplace(pipeline::stored_ledger(*target_.destination, stored_ ? &*stored_ : nullptr, target_.config.schema_name, resource));
        return {.stop = stop, .ledger = &*ledger, .memory = state_.find_resource(resource)};
    }

private:
    const LoadTarget& target_;
    std::optional<destination::StoredDataset> stored_;
    pipeline::SourceState state_{json::Object()};
    bool is_known_ = false;
};

/// What a look at the resource itself says; no line for sources that have no say in that.
void add_probe(extract::SourceDriver& source, const extract::ResourceSpec& resource, const Remembered& remembered, const project::PipelineDefinition& definition,
               const std::stop_token& stop, std::vector<Finding>& findings) {
    std::vector<Finding> own;
    add_finding(own, definition.name, resource.name.c_str(), [&] {
        pipeline::check_resource(resource, definition.options);
        std::optional<pipeline::StoredLedger> ledger;
        return source.probe(resource, remembered.context(resource.name, ledger, stop));
    });
    if (!own.front().detail.empty() || !own.front().result.empty()) findings.push_back(std::move(own.front()));
}

void check_pipeline(Program& program, const std::string& name, const std::stop_token& stop, std::vector<Finding>& findings) {
    std::optional<project::PipelineDefinition> definition;
    add_finding(findings, name, "settings", [&] {
        definition = read_pipeline(program, name);
        return std::string();
    });
    if (!definition) return;
    std::optional<PipelineSession> session;
    std::vector<extract::ResourceSpec> specs;
    add_finding(findings, name, "source", [&] {
        session = open_pipeline(program, *definition, {}, as_defined);
        specs = session->source->resources(stop);
        std::vector<std::string> resources;
        for (const extract::ResourceSpec& resource : specs) resources.push_back(resource.name);
        return fmt::format("{}: {}", definition->source.entry->name, join(resources, ", "));
    });
    if (!specs.empty()) {
        const Remembered remembered(session->target);
        for (const extract::ResourceSpec& resource : specs) {
            if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            add_probe(*session->source, resource, remembered, *definition, stop, findings);
        }
    }
    add_finding(findings, name, "destination", [&] {
        const LoadTarget target = make_load_target(program, definition->destination, definition->config, {});
        target.destination->check_writable();
        const std::optional<destination::StoredDataset> stored = target.destination->read_dataset();
        return fmt::format("{}, dataset {}{}", target.destination->description(), target.config.dataset, stored ? "" : ", which is not there yet");
    });
}

}  // namespace

namespace {

/// Of `ok` and `no`.
constexpr std::size_t mark_width = 2;

/// On a terminal the lines below the first stand under its beginning, which is in column `indent`; elsewhere, for other programs, there is one line.
std::string wrap_finding(const std::string& text, std::size_t indent, const Terminal& terminal) {
    constexpr std::size_t width_min = 30;
    if (!terminal.is_stdout_terminal || terminal.width < indent + width_min) return text;
    return wrap_words(text, {.used = indent, .indent = indent, .width = terminal.width});
}

}  // namespace

int run_check(Program& program, const CheckArguments& arguments) {
    const project::Project& project = require_project(program);
    const SignalWatch signals([](int) {});
    std::vector<Finding> findings;
    add_finding(findings, "", "secrets", [&] { return check_secrets_file(project); });
    add_finding(findings, "", "disk", [&] { return check_disk(program); });
    for (const std::string& name : names_or_all(program, arguments.pipelines)) check_pipeline(program, name, signals.token(), findings);
    int exit_code = exit_done;
    json::Array list;
    std::size_t pipeline_width = 0;
    std::size_t what_width = 0;
    for (const Finding& finding : findings) {
        pipeline_width = std::max(pipeline_width, display_width(finding.pipeline));
        what_width = std::max(what_width, display_width(finding.what));
    }
    for (const Finding& finding : findings) {
        const bool is_good = finding.result.empty();
        if (!is_good && exit_code == exit_done) exit_code = finding.exit_code;
        list.push_back(Object{{"pipeline", finding.pipeline}, {"check", finding.what}, {"ok", is_good}, {"detail", is_good ? finding.detail : finding.result}});
        if (program.global.is_json) continue;
        const std::string start = fmt::format("  {:<{}}  {:<{}}  ", finding.pipeline, pipeline_width, finding.what, what_width);
        const std::string& text = is_good ? finding.detail : finding.result;
        const std::string mark = is_good ? program.terminal.styled(Style::green, "ok") : program.terminal.styled(Style::red, "no");
        fmt::print("{}{}{}\n", mark, start, wrap_finding(text, mark_width + display_width(start), program.terminal));
    }
    if (program.global.is_json) fmt::print("{}\n", json::to_text(Object{{"v", 1}, {"checks", std::move(list)}}, {.spacing = json::Spacing::pretty}));
    return exit_code;
}

namespace {

/// What the pipeline reads. Its secrets may be on another machine, where it runs; the rest is shown all the same.
json::Array add_source(Program& program, const std::string& pipeline, Object& shown, std::string& description) {
    json::Array resources;
    try {
        const project::PipelineDefinition definition = read_pipeline(program, pipeline);
        if (!definition.description.empty()) description = definition.description;
        shown.set("source", definition.source.entry->name);
        const PipelineSession session = open_pipeline(program, definition, {}, as_defined);
        if (definition.description.empty()) description = session.source->description();
        for (const extract::ResourceSpec& resource : session.source->resources({})) {
            resources.push_back(Object{{"resource", resource.name},
                                       {"disposition", std::string(schema::to_text(resource.disposition))},
                                       {"primary_key", join(resource.primary_key, ", ")},
                                       {"cursor", resource.incremental ? resource.incremental->cursor_path : ""}});
        }
    } catch (const Error& error) {
        if (error.kind() != ErrorKind::usage) throw;
        const Terminal terminal = program.terminal.of_stderr();
        constexpr std::string_view mark = "warning:";
        say_lines(fmt::format("{} {}", terminal.styled(Style::yellow, mark), prose(fmt::format("the resources cannot be shown: {}", error.what()), mark.size() + 1, terminal)), {});
    }
    return resources;
}

/// What the source said of itself when it was loaded; of several sources nothing.
std::string stored_description(const destination::StoredDataset& stored) {
    if (stored.schemas.size() != 1) return {};
    const Value* text = stored.schemas.begin()->second.extras().find("description");
    return text != nullptr && text->is_text() ? text->as_text() : std::string();
}

/// A source by name loads into a database under a schema of its own.
std::string shown_schema(const destination::StoredDataset& stored, const LoadTarget& target) {
    const bool is_own = stored.schemas.size() != 1 || stored.schemas.contains(target.config.schema_name);
    return is_own ? target.config.schema_name : stored.schemas.begin()->first;
}

}  // namespace

int run_show(Program& program, const ShowArguments& arguments) {
    const LoadTarget target = open_load_target(program, arguments.target, "", {});
    const std::string folder = pipeline::pipeline_folder(target.config, *target.destination);
    const std::vector<std::string> waiting = package::PackageStore(*program.files, folder).pending_ids();
    const std::vector<Object> runs = pipeline::RunHistory(*program.files, folder).newest(1);
    const std::optional<destination::StoredDataset> stored = target.destination->read_dataset();
    const json::Array cursors = cursors_of(target);
    Object shown{{"v", 1}, {"pipeline", target.config.name}, {"schema", stored ? shown_schema(*stored, target) : target.config.schema_name}, {"destination", target.destination->description()}, {"dataset", target.config.dataset}};
    json::Array resources;
    std::string description = stored ? stored_description(*stored) : "";
    const project::Project* project = find_project(program);
    if (project != nullptr && project->has_pipeline(arguments.target)) {
        resources = add_source(program, arguments.target, shown, description);
    }
    if (!description.empty()) shown.set("description", description);
    shown.set("resources", resources);
    shown.set("state_version", stored && stored->state ? Value(stored->state->version) : Value());
    shown.set("newest_load", stored ? stored->newest_load_id : "");
    shown.set("waiting_packages", json::Array(waiting.begin(), waiting.end()));
    shown.set("cursors", cursors);
    shown.set("last_run", runs.empty() ? Value() : Value(runs.front()));
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(shown, {.spacing = json::Spacing::pretty}));
        return exit_done;
    }
    for (const char* key : {"pipeline", "description", "source", "destination", "dataset", "schema", "newest_load"}) {
        const Value* value = shown.find(key);
        if (value != nullptr && value->is_text() && !value->as_text().empty()) fmt::print("{:<14} {}\n", key, value->as_text());
    }
    if (!runs.empty()) fmt::print("{:<14} {} ({} UTC)\n", "last run", runs.front().find("status")->as_text(), runs.front().find("started_at")->as_text().substr(0, 19));
    for (const std::string& id : waiting) fmt::print("{:<14} {} of an earlier run\n", "package waits", id);
    print_cursors(cursors);
    destination::QueryResult table{.columns = {{"resource", "VARCHAR"}, {"disposition", "VARCHAR"}, {"primary key", "VARCHAR"}, {"cursor", "VARCHAR"}}, .rows = {}};
    for (const Value& value : resources) {
        const Object& resource = value.as_object();
        table.rows.push_back({resource.find("resource")->as_text(), resource.find("disposition")->as_text(), resource.find("primary_key")->as_text(), resource.find("cursor")->as_text()});
    }
    if (!table.rows.empty()) {
        const std::string text = "\n" + format_table(table, program.terminal);
        std::fwrite(text.data(), 1, text.size(), stdout);
    }
    return exit_done;
}

}  // namespace tipple::cli
