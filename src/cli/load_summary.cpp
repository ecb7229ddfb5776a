#include "cli/load_summary.h"

#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/rows_printer.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

using pipeline::RunReport;
using pipeline::TableReport;

/// New columns that are named one by one; the rest is counted.
constexpr std::size_t columns_named_max = 6;
constexpr std::size_t null_only_named_max = 8;
/// Tables that a summary shows unless it is asked for all.
constexpr std::size_t tables_shown_max = 20;

std::string rate(double amount, double seconds, const char* unit) {
    if (seconds <= 0.0005) return {};
    return fmt::format("{} {}/s", format_count(static_cast<std::uint64_t>(amount / seconds)), unit);
}

/// What there is none of is not named.
std::string left_out(std::uint64_t rows, const char* rows_name, std::uint64_t values) {
    if (values == 0) return counted(rows, rows_name);
    if (rows == 0) return counted(values, "value");
    return fmt::format("{} and {}", counted(rows, rows_name), counted(values, "value"));
}

std::string change_text(const TableReport& table) {
    if (table.is_new) return "new table, " + counted(table.new_columns.size(), "column");
    std::vector<std::string> widened;
    for (const pipeline::WidenedType& column : table.widened_columns) {
        widened.push_back(fmt::format("{} {} -> {}", column.column, schema::to_text(column.from), schema::to_text(column.to)));
    }
    if (table.new_columns.empty()) return join(widened, ", ");
    std::vector<std::string> names;
    for (const schema::Column& column : table.new_columns) {
        if (names.size() == columns_named_max) break;
        names.push_back(fmt::format("{} {}", column.name(), schema::to_text(*column.data_type())));
    }
    std::string text = fmt::format("+{}: {}", counted(table.new_columns.size(), "column"), join(names, ", "));
    if (table.new_columns.size() > names.size()) text += ", ...";
    if (!widened.empty()) text += "; " + join(widened, ", ");
    return text;
}

std::string quoted_argument(const std::string& text) {
    return text.find_first_of(" '\"\\$*?[]();&|<>#~!`") == std::string::npos ? text : fmt::format("'{}'", text);
}

std::string target_text(const SummaryOptions& options) {
    return quoted_argument(without_password(options.target)) + (options.dataset.empty() ? "" : " --dataset " + quoted_argument(options.dataset));
}

/// Those that a summary shows: all, or of many those with most rows.
std::vector<const TableReport*> shown_tables(const RunReport& report, const SummaryOptions& options) {
    std::vector<const TableReport*> tables;
    for (const TableReport& table : report.tables) tables.push_back(&table);
    if (options.shows_all_tables || tables.size() <= tables_shown_max) return tables;
    std::stable_sort(tables.begin(), tables.end(), [](const TableReport* a, const TableReport* b) { return a->rows > b->rows; });
    tables.resize(tables_shown_max);
    return tables;
}

/// What is said of the tables that are not shown; empty when all are.
std::string rest_text(const RunReport& report, const std::vector<const TableReport*>& shown, const SummaryOptions& options) {
    if (shown.size() == report.tables.size()) return {};
    const auto is_changed = [](const TableReport& table) { return table.is_new || !table.new_columns.empty() || !table.widened_columns.empty(); };
    std::uint64_t rows = report.rows;
    auto changed = std::count_if(report.tables.begin(), report.tables.end(), is_changed);
    for (const TableReport* table : shown) {
        rows -= table->rows;
        if (is_changed(*table)) --changed;
    }
    const std::string changes = changed == 0 ? "" : fmt::format(", {} of them new or changed", format_count(static_cast<std::uint64_t>(changed)));
    const std::string where = options.is_dry_run ? "" : fmt::format(", or tipple schema {}", target_text(options));
    return fmt::format("and {} with {}{}; to see all: -v{}\n", counted(report.tables.size() - shown.size(), "more table"), counted(rows, "row"), changes, where);
}

std::string tables_text(const std::vector<const TableReport*>& tables, const Terminal& terminal) {
    destination::QueryResult result;
    result.columns = {{"table", "VARCHAR"}, {"rows", "BIGINT"}, {"schema", "VARCHAR"}};
    for (const TableReport* table : tables) result.rows.push_back({table->table, format_count(table->rows), change_text(*table)});
    return format_table(result, terminal);
}

/// The columns that `--dry-run` shows: everything that would be made of these tables.
std::string columns_text(const std::vector<const TableReport*>& tables, const Terminal& terminal) {
    destination::QueryResult result;
    result.columns = {{"table", "VARCHAR"}, {"column", "VARCHAR"}, {"type", "VARCHAR"}, {"null", "VARCHAR"}};
    for (const TableReport* table : tables) {
        for (const schema::Column& column : table->new_columns) {
            std::string type(schema::to_text(*column.data_type()));
            if (column.flag("variant")) type += " (variant)";
            result.rows.push_back({table->table, column.name(), type, column.is_nullable() ? "yes" : "no"});
        }
    }
    return format_table(result, terminal);
}

/// Over all resources.
std::int64_t files_figure(const RunReport& report, const std::string& name) {
    std::int64_t sum = 0;
    for (const auto& [resource, figures] : report.metrics) {
        if (const auto found = figures.find(name); found != figures.end()) sum += found->second;
    }
    return sum;
}

/// The child table with most rows, for a join worth trying.
const TableReport* largest_child(const RunReport& report) {
    const TableReport* best = nullptr;
    for (const TableReport& table : report.tables) {
        if (!table.parent.empty() && (best == nullptr || table.rows > best->rows)) best = &table;
    }
    return best;
}

/// Two parts of a line, or the second in a line of its own where a terminal is too narrow for both: a terminal breaks anywhere, also inside of words.
std::string side_by_side(const std::string& first, const std::string& second, std::string_view gap, std::size_t indent, const Terminal& terminal) {
    const bool fits = !terminal.is_stdout_terminal || display_width(first) + gap.size() + display_width(second) <= terminal.width;
    return first + (fits ? std::string(gap) : "\n" + std::string(indent, ' ')) + second + "\n";
}

std::string next_commands(const RunReport& report, const SummaryOptions& options, const Terminal& terminal) {
    const auto root = std::find_if(report.tables.begin(), report.tables.end(), [](const TableReport& table) { return table.parent.empty(); });
    if (root == report.tables.end()) return {};
    const std::string target = target_text(options);
    std::string text = fmt::format("next:  tipple preview {} {}\n", target, root->table);
    if (const TableReport* child = largest_child(report)) {
        text += side_by_side(fmt::format("       tipple query {} 'SELECT p.*, c.* FROM \"{}\" p", target, child->parent),
                             fmt::format("JOIN \"{}\" c ON c._dlt_parent_id = p._dlt_id LIMIT 10'", child->table), " ", 11, terminal);
    }
    return text;
}

}  // namespace

std::string format_summary(const RunReport& report, const SummaryOptions& options, const io::ProcessUsage& usage, const Terminal& terminal) {
    std::string out;
    if (report.tables.empty()) {
        const std::int64_t known = files_figure(report, "files_known");
        if (known > 0 && files_figure(report, "files") == 0) {
            out += fmt::format("nothing new: {} file{} loaded before; nothing to load into {}\n", format_count(static_cast<std::uint64_t>(known)), known == 1 ? " was" : "s were", report.destination);
            return out;
        }
        const char* what = report.filtered_records > 0 ? "nothing new" : report.records > 0 || report.unwanted_records > 0 ? "no rows are left" : "no records";
        out += fmt::format("{}: nothing to load into {}\n", what, report.destination);
        return out;
    }
    const std::vector<const TableReport*> shown = shown_tables(report, options);
    out += tables_text(shown, terminal) + rest_text(report, shown, options) + "\n";
    if (options.is_dry_run) {
        out += columns_text(shown, terminal);
        out += fmt::format("\ndry run: {} read in {}, nothing was written to {}\n", counted(report.records, "record"),
                           format_seconds(report.seconds.extract), report.destination);
        return out;
    }
    const auto step = [&](const char* name, double seconds, const std::string& what) {
        out += fmt::format("{:<20} {:>9}   {}\n", name, format_seconds(seconds), what);
    };
    const double extract = report.seconds.extract;
    if (report.records_in_place == report.records && report.records > 0) {
        step("extract + normalize", extract, fmt::format("{}, to be read where it lies", format_bytes(report.bytes_read)));
    } else {
        step("extract + normalize", extract,
             fmt::format("{} read, {}/s, {}", format_bytes(report.bytes_read),
                         format_bytes(static_cast<std::uint64_t>(extract > 0 ? static_cast<double>(report.bytes_read) / extract : 0)),
                         rate(static_cast<double>(report.records - report.records_in_place), extract, "records")));
    }
    if (report.unwanted_records > 0) {
        out += fmt::format("{:<32} {} {} left out by the where of their resource\n", "", counted(report.unwanted_records, "record"), report.unwanted_records == 1 ? "was" : "were");
    }
    if (report.filtered_records > 0) {
        out += fmt::format("{:<32} {} read before {} left out by the cursor\n", "", counted(report.filtered_records, "record"), report.filtered_records == 1 ? "was" : "were");
    }
    step("load", report.seconds.load, rate(static_cast<double>(report.rows), report.seconds.load, "rows"));
    step("total", report.seconds.total, fmt::format("peak memory {}", format_bytes(usage.peak_resident_bytes)));
    const std::string where = fmt::format("{}, dataset {}", report.destination, report.dataset);
    const std::string mark(terminal.glyph("✔", "ok:"));
    const std::string done = side_by_side(fmt::format("{} {} in {} into {}", mark, counted(report.rows, "row"), counted(report.tables.size(), "table"), where),
                                          fmt::format("load {}", report.load_ids.empty() ? "-" : report.load_ids.back()), "   ", 2, terminal);
    out += "\n" + terminal.styled(Style::green, mark) + done.substr(mark.size());
    return out + next_commands(report, options, terminal);
}

std::string format_notes(const RunReport& report, const Terminal& terminal) {
    std::string out;
    const std::string mark = terminal.of_stderr().styled(Style::yellow, "warning:");
    if (report.pending_finished > 0) {
        out += fmt::format("note: {} of an earlier run {} loaded first\n", counted(report.pending_finished, "package"),
                   report.pending_finished == 1 ? "was" : "were");
    }
    for (const std::string& warning : report.warnings) out += fmt::format("{} {}\n", mark, prose(warning, 9, terminal.of_stderr()));
    for (const auto& [table, rows] : report.missing_rows) {
        const bool is_flagged = report.schema.require(table).find(schema::deleted_at_column) != nullptr;
        out += fmt::format("note: table {}: {} {} because the source does not have {} any more\n", table, counted(rows, "row"),
                   is_flagged ? "flagged" : "removed", rows == 1 ? "it" : "them");
    }
    if (!report.null_only.empty()) {
        std::vector<std::string> names;
        for (const auto& column : report.null_only) {
            if (names.size() == null_only_named_max) break;
            names.push_back(fmt::format("{}.{}", column.table, column.column));
        }
        const std::size_t more = report.null_only.size() - names.size();
        out += fmt::format("note: no column was made for {}{}: only null so far\n", join(names, ", "), more > 0 ? fmt::format(" and {} more", more) : "");
    }
    if (report.discarded_rows > 0 || report.discarded_values > 0) {
        out += fmt::format("{} the schema contract left out {}\n", mark, left_out(report.discarded_rows, "row", report.discarded_values));
    }
    if (report.filtered_rows > 0 || report.filtered_values > 0) {
        out += fmt::format("note: filters of the schema left out {}\n", left_out(report.filtered_rows, "nested row", report.filtered_values));
    }
    if (report.bad_input_count > 0) {
        out += fmt::format("{} {} file{} left out and will be tried again by the next run (exit code 7):\n", mark, format_count(report.bad_input_count),
                   report.bad_input_count == 1 ? " was" : "s were");
        for (const pipeline::BadInput& bad : report.bad_inputs) out += fmt::format("  {}: {}\n", bad.path, bad.error);
        if (report.bad_input_count > report.bad_inputs.size()) {
            out += fmt::format("  ... and {} more\n", format_count(report.bad_input_count - report.bad_inputs.size()));
        }
    }
    if (report.skipped_count == 0) return out;
    const bool is_kept = report.quarantined_count == report.skipped_count;
    const std::string left_out_text = fmt::format("{} record{} {} (exit code 7):", format_count(report.skipped_count), report.skipped_count == 1 ? " was" : "s were",
                                                  is_kept ? "put into quarantine, see tipple quarantine list" : "left out");
    out += fmt::format("{} {}\n", mark, prose(left_out_text, 9, terminal.of_stderr()));
    for (const pipeline::SkippedRecord& record : report.skipped) {
        const std::string column = record.column.empty() ? "" : fmt::format(", column {}", record.column);
        const std::string where = fmt::format("{}: table {}{}: {}", record.place(), record.table, column, record.reason);
        out += fmt::format("  {}\n    {}\n", prose(where, 2, terminal.of_stderr()), record.text_excerpt);
    }
    if (report.skipped_count > report.skipped.size()) {
        out += fmt::format("  ... and {} more\n", format_count(report.skipped_count - report.skipped.size()));
    }
    return out;
}

void say_lines(std::string_view text, const std::string& name) {
    std::string lines;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        lines += fmt::format("{}{}\n", name.empty() ? "" : name + ": ", text.substr(0, end));
        text.remove_prefix(std::min(end + 1, text.size()));
    }
    std::fwrite(lines.data(), 1, lines.size(), stderr);
}

json::Value failure_event(const std::string& pipeline, const Error& error, const Clock& clock) {
    json::Object event{{"v", 1}, {"ts", utc_text(clock.now_us())}, {"event", "run.finished"}, {"status", "failed"}};
    event.set("exit_code", to_exit_code(error.kind()));
    if (!pipeline.empty()) event.set("pipeline", pipeline);
    event.set("kind", to_text(error.kind()));
    event.set("message", error.what());
    return event;
}

std::vector<json::Value> schema_events(const RunReport& report, const Clock& clock) {
    std::vector<json::Value> events;
    for (const TableReport& table : report.tables) {
        if (!table.is_new && table.new_columns.empty() && table.widened_columns.empty()) continue;
        json::Object added;
        json::Array variants;
        for (const schema::Column& column : table.new_columns) {
            added.set(column.name(), std::string(schema::to_text(*column.data_type())));
            if (column.flag("variant")) variants.emplace_back(column.name());
        }
        json::Object widened;
        for (const pipeline::WidenedType& column : table.widened_columns) {
            widened.set(column.column, json::Object{{"from", std::string(schema::to_text(column.from))}, {"to", std::string(schema::to_text(column.to))}});
        }
        json::Object event{{"v", 1}, {"ts", utc_text(clock.now_us())}, {"event", "schema.changed"}, {"run", report.run_id}, {"pipeline", report.pipeline}, {"table", table.table}};
        event.set("is_new", table.is_new);
        event.set("added", std::move(added));
        event.set("variants", std::move(variants));
        event.set("widened", std::move(widened));
        events.emplace_back(std::move(event));
    }
    return events;
}

json::Value report_event(const RunReport& report, int exit_code, const Clock& clock) {
    json::Object rows;
    json::Object columns;
    json::Object widened;
    for (const TableReport& table : report.tables) {
        rows.set(table.table, table.rows);
        for (const pipeline::WidenedType& column : table.widened_columns) widened.set(table.table + "." + column.column, std::string(schema::to_text(column.to)));
        if (table.new_columns.empty()) continue;
        json::Object types;
        for (const schema::Column& column : table.new_columns) types.set(column.name(), std::string(schema::to_text(*column.data_type())));
        columns.set(table.table, std::move(types));
    }
    json::Array skipped;
    for (const pipeline::SkippedRecord& record : report.skipped) {
        skipped.push_back(json::Object{{"origin", record.origin},
                                       {"line", record.line},
                                       {"byte", record.byte_offset},
                                       {"table", record.table},
                                       {"column", record.column},
                                       {"reason", record.reason}});
    }
    json::Object metrics;
    for (const auto& [resource, figures] : report.metrics) {
        json::Object values;
        for (const auto& [name, value] : figures) values.set(name, value);
        metrics.set(resource, std::move(values));
    }
    json::Array loads;
    for (const std::string& id : report.load_ids) loads.emplace_back(id);
    json::Object event{{"v", 1}, {"ts", utc_text(clock.now_us())}, {"event", "run.finished"}, {"run", report.run_id}};
    event.set("status", exit_code == 0 ? "done" : "partial");
    event.set("exit_code", exit_code);
    event.set("pipeline", report.pipeline);
    event.set("destination", report.destination);
    event.set("dataset", report.dataset);
    event.set("loads", std::move(loads));
    event.set("records", report.records);
    event.set("rows", std::move(rows));
    event.set("new_columns", std::move(columns));
    if (widened.size() > 0) event.set("widened_columns", std::move(widened));
    if (report.unwanted_records > 0) event.set("unwanted_records", report.unwanted_records);
    event.set("bytes_read", report.bytes_read);
    event.set("skipped_count", report.skipped_count);
    event.set("skipped", std::move(skipped));
    event.set("quarantined_count", report.quarantined_count);
    if (report.bad_input_count > 0) {
        json::Array bad;
        for (const pipeline::BadInput& input : report.bad_inputs) {
            bad.push_back(json::Object{{"resource", input.resource}, {"path", input.path}, {"error", input.error}});
        }
        event.set("bad_file_count", report.bad_input_count);
        event.set("bad_files", std::move(bad));
    }
    if (!report.missing_rows.empty()) {
        json::Object missing;
        for (const auto& [table, count] : report.missing_rows) missing.set(table, count);
        event.set("missing_rows", std::move(missing));
    }
    if (!metrics.empty()) event.set("metrics", std::move(metrics));
    event.set("duration_s", report.seconds.total);
    event.set("extract_s", report.seconds.extract);
    event.set("load_s", report.seconds.load);
    event.set("peak_memory", io::process_usage().peak_resident_bytes);
    return event;
}

}  // namespace tipple::cli
