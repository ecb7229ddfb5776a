#include <fmt/format.h>

#include <algorithm>
#include <cstdio>

#include "cli/exit_code.h"
#include "cli/load_summary.h"
#include "cli/program.h"
#include "cli/progress_view.h"
#include "cli/rows_printer.h"
#include "cli/signals.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/destination/sql.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/pipeline/quarantine.h"

namespace tipple::cli {

namespace {

using pipeline::quarantine_table;

/// `rows`: what was found of those ids, each with its id first.
void require_all(const std::vector<std::string>& ids, const destination::QueryResult& rows) {
    std::vector<std::string> missing;
    for (const std::string& id : ids) {
        if (std::none_of(rows.rows.begin(), rows.rows.end(), [&](const destination::QueryRow& row) { return row[0] == id; })) missing.push_back(id);
    }
    if (missing.empty()) return;
    constexpr std::size_t named_max = 5;
    const std::size_t more = missing.size() > named_max ? missing.size() - named_max : 0;
    missing.resize(missing.size() - more);
    throw Error(ErrorKind::usage, "{}{} not in the quarantine; ids are in tipple quarantine list", join(missing, ", "),
                more > 0 ? fmt::format(" and {} more are", format_count(more)) : missing.size() == 1 ? " is" : " are");
}

/// The rows that the arguments mean, oldest first: those of the ids, or all.
destination::QueryResult select_rows(destination::Destination& destination, const std::vector<std::string>& ids, const std::string& columns, std::size_t limit) {
    const std::string where = ids.empty() ? "" : " WHERE id " + destination::standard_in_list(ids);
    const std::string sql = fmt::format("SELECT {} FROM {}{} ORDER BY _dlt_load_id, length(id), id", columns, destination.quote_table(quarantine_table), where);
    destination::QueryResult rows = destination.query(sql, {.rows_max = limit});
    require_all(ids, rows);
    return rows;
}

void say_empty(destination::Destination& destination) { fmt::print(stderr, "nothing is in quarantine in {}\n", destination.description()); }

bool has_quarantine(destination::Destination& destination) {
    const std::optional<destination::StoredDataset> stored = destination.read_dataset();
    return stored && stored->catalog.find(quarantine_table) != nullptr;
}

/// Three lines of a record: which it is and where it came from, why it is there, and how it begins. A table has no room for them.
void print_record(const destination::QueryRow& row, const Terminal& terminal) {
    const auto text = [&](std::size_t i) { return row[i].value_or(""); };
    const pipeline::RecordPlace place{.origin = text(4), .byte_offset = destination::to_count(row[8]), .line = destination::to_count(row[5]), .record = destination::to_count(row[6])};
    fmt::print("{}  {}{}  {}\n", text(0), text(1), row[2] ? "." + *row[2] : "", pipeline::to_text(place));
    fmt::print("  {}\n  {}\n", prose(text(3), 2, terminal), fit(excerpt(text(7), 400), terminal.width - 2, terminal));
}

int list(const Program& program, const QuarantineArguments& arguments, destination::Destination& destination) {
    const bool is_text = arguments.output == "text" && !program.global.is_json;
    const std::size_t limit = arguments.limit == 0 ? SIZE_MAX : arguments.limit;
    const std::string columns = "id, table_name AS \"table\", column_name AS \"column\", reason, source, line, record_number AS record_no, left(record, 60) AS record";
    const std::string text_columns = "id, table_name, column_name, reason, source, line, record_number, left(record, 400) AS record, byte_offset";
    const destination::QueryResult rows = select_rows(destination, {}, is_text ? text_columns : columns, limit);
    if (!is_text) {
        print_rows(rows, program.global.is_json ? RowsFormat::json : require_rows_format(arguments.output), program.terminal);
    } else if (rows.rows.empty()) {
        say_empty(destination);
    } else {
        for (const destination::QueryRow& row : rows.rows) print_record(row, program.terminal);
        if (!program.global.is_quiet) fmt::print("\nnext:  tipple quarantine replay {} --all --contract evolve\n", arguments.target);
    }
    if (rows.is_truncated) fmt::print(stderr, "only the first {} are shown; --limit 0 shows all\n", format_count(limit));
    return exit_done;
}

int show(const Program& program, const QuarantineArguments& arguments, destination::Destination& destination) {
    if (arguments.ids.empty()) throw Error(ErrorKind::usage, "which record? tipple quarantine show TARGET ID; ids are in tipple quarantine list");
    const destination::QueryResult rows = select_rows(
        destination, arguments.ids, "id, _dlt_load_id AS load_id, resource, root_table, table_name, column_name, reason, source, line, byte_offset, record_number, record",
        SIZE_MAX);
    if (program.global.is_json) {
        print_rows(rows, RowsFormat::json, program.terminal);
        return exit_done;
    }
    for (const destination::QueryRow& row : rows.rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            if (row[i]) fmt::print("{:<14} {}\n", rows.columns[i].name, *row[i]);
        }
        fmt::print("\n");
    }
    return exit_done;
}

std::vector<pipeline::QuarantinedRecord> read_records(destination::Destination& destination, const std::vector<std::string>& ids) {
    const destination::QueryResult rows =
        select_rows(destination, ids, "id, resource, root_table, record, source, byte_offset, line, record_number", SIZE_MAX);
    std::vector<pipeline::QuarantinedRecord> records;
    for (const destination::QueryRow& row : rows.rows) {
        records.push_back({.id = row[0].value_or(""),
                           .resource = row[1].value_or(""),
                           .root_table = row[2].value_or(""),
                           .text = row[3].value_or(""),
                           .origin = {.name = row[4].value_or(""), .byte_offset = destination::to_count(row[5]), .line = destination::to_count(row[6]), .record = destination::to_count(row[7])}});
        // Of the page before the record.
        extract::Origin& origin = records.back().origin;
        origin.record -= std::min<std::uint64_t>(origin.record, 1);
    }
    return records;
}

/// Loads the records again, or with `is_discarded` only takes them away.
int settle(Program& program, const QuarantineArguments& arguments, bool is_discarded) {
    if (arguments.ids.empty() && !arguments.takes_all) {
        throw Error(ErrorKind::usage, "which records? give ids of tipple quarantine list, or --all");
    }
    const SignalWatch signals([](int) {});
    const LoadTarget target = open_load_target(program, arguments.target, arguments.dataset, {.stop = signals.token()});
    if (!has_quarantine(*target.destination)) throw Error(ErrorKind::usage, "nothing is in quarantine in {}", target.destination->description());
    std::vector<pipeline::QuarantinedRecord> records = read_records(*target.destination, arguments.ids);
    pipeline::RunOptions options;
    options.on_bad_record = pipeline::OnBadRecord::quarantine;
    options.keeps_contract = true;
    if (!arguments.contract.empty()) options.schema_contract = parse_contract_argument(arguments.contract);
    for (const pipeline::QuarantinedRecord& record : records) options.settled_quarantine.push_back(record.id);
    const std::size_t count = records.size();
    if (is_discarded) records.clear();
    const std::optional<destination::StoredDataset> stored = target.destination->read_dataset();
    const auto schema = stored->schemas.find(target.config.schema_name);
    const std::unique_ptr<extract::SourceDriver> source =
        pipeline::make_quarantine_source(std::move(records), schema != stored->schemas.end() ? schema->second : schema::Schema());

    const std::unique_ptr<pipeline::Observer> view = make_progress_view(program.global, program.terminal, program.clock);
    pipeline::Pipeline pipeline(target.config, *target.destination, *program.files, program.clock, program.log);
    const pipeline::RunReport report = pipeline.run(*source, options, *view, signals.token());
    const std::uint64_t again = report.quarantined_count;
    const int exit_code = again > 0 ? exit_partial : exit_done;
    if (program.global.is_json) {
        fmt::print("{}\n", json::to_text(report_event(report, exit_code, program.clock)));
    } else if (!program.global.is_quiet) {
        if (is_discarded) {
            fmt::print("{} taken out of the quarantine for good\n", counted(count, "record"));
        } else {
            fmt::print("{} of {} loaded; {} stay{} in quarantine\n", format_count(count - again), counted(count, "record"), format_count(again), again == 1 ? "s" : "");
        }
    }
    if (!program.global.is_quiet) say_lines(format_notes(report, program.terminal), "");
    return exit_code;
}

}  // namespace

int run_quarantine(Program& program, const QuarantineArguments& arguments) {
    if (arguments.action == QuarantineAction::replay) return settle(program, arguments, false);
    if (arguments.action == QuarantineAction::discard) return settle(program, arguments, true);
    const std::unique_ptr<destination::Destination> destination = open_target(program, arguments.target, arguments.dataset);
    if (!has_quarantine(*destination)) {
        if (program.global.is_json) fmt::print("[]\n");
        require_there(program, arguments.target);
        say_empty(*destination);
        return exit_done;
    }
    return arguments.action == QuarantineAction::show ? show(program, arguments, *destination) : list(program, arguments, *destination);
}

}  // namespace tipple::cli
