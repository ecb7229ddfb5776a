#include <fmt/format.h>

#include <cstdio>
#include <iostream>
#include <iterator>

#include "cli/exit_code.h"
#include "cli/program.h"
#include "cli/rows_printer.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"

namespace tipple::cli {

namespace {

RowsFormat output_format(const Program& program, const std::string& name) {
    return program.global.is_json ? RowsFormat::json : require_rows_format(name);
}

void note_truncation(const destination::QueryResult& result, std::size_t limit) {
    if (result.is_truncated) fmt::print(stderr, "only the first {} shown; --limit 0 shows all\n", limit == 1 ? "row is" : counted(limit, "row") + " are");
}

/// The tables of the dataset with their row counts.
destination::QueryResult list_tables(destination::Destination& destination, const destination::StoredDataset& stored) {
    destination::QueryResult result;
    result.columns = {{"table", "VARCHAR"}, {"rows", "BIGINT"}, {"columns", "BIGINT"}, {"parent", "VARCHAR"}};
    for (const auto& [name, columns] : stored.catalog.tables) {
        std::string parent;
        for (const auto& [schema_name, schema] : stored.schemas) {
            if (const schema::Table* table = schema.find(name)) parent = table->parent();
        }
        const destination::QueryResult count = destination.query(fmt::format("SELECT count(*) FROM {}", destination.quote_table(name)), {});
        result.rows.push_back({name, count.rows.at(0).at(0), std::to_string(columns.size()), parent});
    }
    return result;
}

}  // namespace

int run_query(Program& program, const QueryArguments& arguments) {
    std::string sql = arguments.sql;
    if (sql == "-") sql.assign(std::istreambuf_iterator<char>(std::cin), {});
    const std::unique_ptr<destination::Destination> destination = open_target(program, arguments.target, arguments.dataset);
    const std::size_t limit = arguments.limit == 0 ? SIZE_MAX : arguments.limit;
    const destination::QueryResult result = destination->query(sql, {.rows_max = limit});
    print_rows(result, output_format(program, arguments.output), program.terminal);
    note_truncation(result, limit);
    return exit_done;
}

int run_preview(Program& program, const PreviewArguments& arguments) {
    const std::unique_ptr<destination::Destination> destination = open_target(program, arguments.target, arguments.dataset);
    const std::optional<destination::StoredDataset> stored = destination->read_dataset();
    if (!stored) throw Error(ErrorKind::usage, "there is no dataset to show in {}", destination->description());
    if (arguments.table.empty()) {
        print_rows(list_tables(*destination, *stored), output_format(program, arguments.output), program.terminal);
        return exit_done;
    }
    if (stored->catalog.find(arguments.table) == nullptr) {
        std::vector<std::string> names;
        for (const auto& [name, columns] : stored->catalog.tables) names.push_back(name);
        const std::optional<std::string> near = did_you_mean(arguments.table, names);
        throw Error(ErrorKind::usage, "there is no table \"{}\" in {}{}", arguments.table, destination->description(),
                    near ? fmt::format("; did you mean \"{}\"?", *near) : fmt::format("; tables: {}", join(names, ", ")));
    }
    const std::size_t limit = arguments.limit == 0 ? SIZE_MAX : arguments.limit;
    const std::string sql = fmt::format("SELECT * FROM {}{}", destination->quote_table(arguments.table),
                                        arguments.limit == 0 ? "" : fmt::format(" LIMIT {}", arguments.limit));
    print_rows(destination->query(sql, {.rows_max = limit}), output_format(program, arguments.output), program.terminal);
    return exit_done;
}

}  // namespace tipple::cli
