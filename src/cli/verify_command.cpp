#include <fmt/format.h>

#include <cstdio>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "cli/signals.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"
#include "tipple/pipeline/verify.h"

namespace tipple::cli {

namespace {

void print_text(const pipeline::VerifyReport& report, const destination::Destination& destination, const Program& program) {
    if (program.global.verbosity > 0) {
        destination::QueryResult rows;
        rows.columns = {{"load", "VARCHAR"}, {"table", "VARCHAR"}, {"rows", "BIGINT"}};
        for (const pipeline::LoadRows& load : report.rows) rows.rows.push_back({load.load_id, load.table, std::to_string(load.rows)});
        fmt::print("{}\n", format_table(rows, program.terminal));
    }
    if (report.findings.empty()) {
        fmt::print("{} {} of {} {} as {} must be ({})\n", program.terminal.glyph("✔", "ok:"), counted(report.tables, "table"), destination.description(),
                   report.tables == 1 ? "is" : "are", report.tables == 1 ? "it" : "they", counted(report.checks, "check"));
        return;
    }
    destination::QueryResult found;
    found.columns = {{"check", "VARCHAR"}, {"table", "VARCHAR"}, {"count", "BIGINT"}, {"example", "VARCHAR"}, {"what it means", "VARCHAR"}};
    for (const pipeline::Finding& finding : report.findings) {
        found.rows.push_back({finding.check, finding.table, std::to_string(finding.count), finding.example, finding.meaning});
    }
    fmt::print("{}", format_table(found, program.terminal));
}

void print_json(const pipeline::VerifyReport& report) {
    json::Array findings;
    for (const pipeline::Finding& finding : report.findings) {
        findings.push_back(json::Object{
            {"check", finding.check}, {"table", finding.table}, {"count", finding.count}, {"example", finding.example}, {"meaning", finding.meaning}});
    }
    json::Array rows;
    for (const pipeline::LoadRows& load : report.rows) rows.push_back(json::Object{{"load_id", load.load_id}, {"table", load.table}, {"rows", load.rows}});
    fmt::print("{}\n", json::to_text(json::Object{
                           {"v", 1}, {"tables", report.tables}, {"checks", report.checks}, {"findings", std::move(findings)}, {"rows", std::move(rows)}}));
}

}  // namespace

int run_verify(Program& program, const VerifyArguments& arguments) {
    const SignalWatch signals([](int) {});
    const std::unique_ptr<destination::Destination> destination = open_target(program, arguments.target, arguments.dataset);
    const pipeline::VerifyReport report = pipeline::verify(*destination, signals.token());
    if (program.global.is_json) {
        print_json(report);
    } else if (!program.global.is_quiet || !report.findings.empty()) {
        print_text(report, *destination, program);
    }
    return report.findings.empty() ? exit_done : to_exit_code(ErrorKind::data);
}

}  // namespace tipple::cli
