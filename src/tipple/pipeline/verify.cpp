#include "tipple/pipeline/verify.h"

#include <algorithm>
#include <optional>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/merge_sql.h"
#include "tipple/destination/sql.h"
#include "tipple/destination/system_tables.h"

namespace tipple::pipeline {

namespace {

using destination::standard_name;
using destination::to_count;

std::string name_list(const std::vector<std::string>& names) {
    std::vector<std::string> list;
    for (const std::string& name : names) list.push_back(standard_name(name));
    return join(list, ", ");
}

class Verifier {
public:
    Verifier(destination::Destination& destination, const destination::StoredDataset& stored, std::stop_token stop)
        : destination_(destination), stored_(stored), rule_{destination.capabilities().is_case_sensitive}, stop_(std::move(stop)) {}

    VerifyReport check() {
        check_records();
        for (destination::StorageFinding& finding : destination_.check_storage()) {
            report_.findings.push_back({.check = std::move(finding.check), .table = {}, .count = finding.count, .example = std::move(finding.example), .meaning = std::move(finding.meaning)});
        }
        for (const auto& [name, schema] : stored_.schemas) {
            check_hash(schema);
            for (const auto& table : schema.tables()) {
                if (stop_.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
                if (!table->is_internal() && table->has_complete_columns()) check_table(schema, *table);
            }
        }
        return std::move(report_);
    }

private:
    /// `select` gives one row for each thing that must not be; its first column is an example.
    void find(std::string check, std::string_view table, const std::string& select, std::string meaning) {
        ++report_.checks;
        const destination::QueryResult result = destination_.query(fmt::format("SELECT count(*), min(example) FROM ({}) AS found", select), {});
        const std::uint64_t count = to_count(result.rows.at(0).at(0));
        if (count == 0) return;
        report_.findings.push_back(
            {.check = std::move(check), .table = std::string(table), .count = count, .example = result.rows[0].at(1).value_or(""), .meaning = std::move(meaning)});
    }

    std::string place(std::string_view table) const { return destination_.quote_table(table); }

    const std::vector<destination::CatalogColumn>* columns_of(std::string_view table) const { return stored_.catalog.find(table, rule_); }
    bool has_column(std::string_view table, std::string_view column) const {
        const std::vector<destination::CatalogColumn>* columns = columns_of(table);
        return columns != nullptr &&
               std::any_of(columns->begin(), columns->end(), [&](const auto& known) { return rule_.key(known.name) == rule_.key(column); });
    }

    void check_records() {
        find("repeated_loads", destination::loads_table,
             fmt::format("SELECT load_id AS example FROM {} GROUP BY load_id HAVING count(*) > 1", place(destination::loads_table)), "a load is recorded more than once");
        find("unknown_schemas", destination::loads_table,
             fmt::format("SELECT load_id AS example FROM {} WHERE status = 0 AND schema_version_hash NOT IN (SELECT version_hash FROM {})", place(destination::loads_table),
                         place(destination::version_table)),
             "the schema that a load was made with is not stored");
    }

    void check_hash(const schema::Schema& schema) {
        ++report_.checks;
        if (schema.compute_hash() == schema.version_hash()) return;
        report_.findings.push_back({.check = "schema_hash",
                                    .table = std::string(destination::version_table),
                                    .count = 1,
                                    .example = schema.name(),
                                    .meaning = "the stored schema is not the one that its hash was made of"});
    }

    void check_table(const schema::Schema& schema, const schema::Table& table) {
        ++report_.tables;
        if (!check_catalog(table)) return;
        check_ids(table);
        if (table.is_nested()) {
            check_parents(schema, table);
            check_roots(schema, table);
        } else {
            check_loads(table);
            check_keys(schema, table);
        }
    }

    /// False when the table is not there, or lacks a column that the other checks need.
    bool check_catalog(const schema::Table& table) {
        ++report_.checks;
        if (columns_of(table.name()) == nullptr) {
            report_.findings.push_back({.check = "missing_table",
                                        .table = table.name(),
                                        .count = 1,
                                        .example = table.name(),
                                        .meaning = "the schema has a table that is not at the destination; the next load that needs it makes it again, empty"});
            return false;
        }
        std::vector<std::string> missing;
        for (const schema::Column& column : table.columns()) {
            if (column.is_complete() && !has_column(table.name(), column.name())) missing.push_back(column.name());
        }
        if (missing.empty()) return true;
        report_.findings.push_back({.check = "missing_column",
                                    .table = table.name(),
                                    .count = missing.size(),
                                    .example = missing.front(),
                                    .meaning = "the schema has columns that are not at the destination; the next load that needs them adds them again, empty"});
        return std::none_of(missing.begin(), missing.end(), [](const std::string& column) { return column.starts_with("_dlt_"); });
    }

    void check_ids(const schema::Table& table) {
        // Versions of a row have one id under scd2, if they are equal.
        const bool is_versioned = !table.columns_with("x-valid-from").empty();
        const schema::Column* id = table.find(schema::id_column);
        if (id == nullptr || !id->is_complete() || is_versioned) return;
        find("duplicate_ids", table.name(),
             fmt::format("SELECT {0} AS example FROM {1} GROUP BY {0} HAVING count(*) > 1", standard_name(schema::id_column), place(table.name())),
             "rows have the same id: nested rows below them cannot be told apart");
    }

    void check_parents(const schema::Schema& schema, const schema::Table& table) {
        const std::optional<std::string> parent_key = destination::parent_key_of(table);
        const schema::Table* parent = schema.find(table.parent());
        const std::optional<std::string> row_key = parent != nullptr ? destination::row_key_of(*parent) : std::nullopt;
        if (!parent_key || !row_key || columns_of(parent->name()) == nullptr || !has_column(parent->name(), *row_key)) return;
        find("orphans", table.name(),
             fmt::format("SELECT n.{} AS example FROM {} n WHERE n.{} IS NULL OR NOT EXISTS (SELECT 1 FROM {} p WHERE p.{} = n.{})", standard_name(*parent_key), place(table.name()),
                         standard_name(*parent_key), place(parent->name()), standard_name(*row_key), standard_name(*parent_key)),
             fmt::format("nested rows have no row in \"{}\"", parent->name()));
    }

    void check_roots(const schema::Schema& schema, const schema::Table& table) {
        const std::vector<std::string> root_keys = table.columns_with("root_key");
        const schema::Table& root = schema.root_of(table);
        const std::optional<std::string> row_key = destination::row_key_of(root);
        if (root_keys.empty() || !has_column(table.name(), root_keys.front()) || !row_key || !has_column(root.name(), *row_key)) return;
        find("lost_roots", table.name(),
             fmt::format("SELECT n.{0} AS example FROM {1} n WHERE n.{0} IS NOT NULL AND NOT EXISTS (SELECT 1 FROM {2} r WHERE r.{3} = n.{0})", standard_name(root_keys.front()),
                         place(table.name()), place(root.name()), standard_name(*row_key)),
             fmt::format("nested rows name a root row that is not in \"{}\"", root.name()));
    }

    void check_loads(const schema::Table& table) {
        if (!has_column(table.name(), schema::load_id_column)) return;
        const std::string load_id = standard_name(schema::load_id_column);
        find("unknown_loads", table.name(),
             fmt::format("SELECT t.{0} AS example FROM {1} t WHERE NOT EXISTS (SELECT 1 FROM {2} l WHERE l.load_id = t.{0} AND l.status = 0)", load_id, place(table.name()),
                         place(destination::loads_table)),
             "rows are of a load that is not recorded as complete");
        const destination::QueryResult counts =
            destination_.query(fmt::format("SELECT {0}, count(*) FROM {1} GROUP BY {0} ORDER BY {0}", load_id, place(table.name())), {});
        for (const destination::QueryRow& row : counts.rows) {
            report_.rows.push_back({.load_id = row.at(0).value_or(""), .table = table.name(), .rows = to_count(row.at(1))});
        }
    }

    /// What is merged by a key has it once.
    void check_keys(const schema::Schema& schema, const schema::Table& table) {
        if (schema.disposition_of(table) != schema::Disposition::merge || !table.columns_with("x-valid-from").empty()) return;
        const std::vector<std::string> keys = table.columns_with("primary_key");
        if (keys.empty() || !std::all_of(keys.begin(), keys.end(), [&](const std::string& key) { return has_column(table.name(), key); })) return;
        std::string is_whole;
        for (const std::string& key : keys) is_whole += fmt::format("{}{} IS NOT NULL", is_whole.empty() ? "" : " AND ", standard_name(key));
        find("duplicate_keys", table.name(),
             fmt::format("SELECT CAST(min({}) AS varchar) AS example FROM {} WHERE {} GROUP BY {} HAVING count(*) > 1", standard_name(keys.front()), place(table.name()), is_whole,
                         name_list(keys)),
             fmt::format("rows have the same primary key ({}), although loads are merged by it", join(keys, ", ")));
    }

    destination::Destination& destination_;
    const destination::StoredDataset& stored_;
    destination::NameRule rule_;
    std::stop_token stop_;
    VerifyReport report_;
};

}  // namespace

VerifyReport verify(destination::Destination& destination, std::stop_token stop) {
    const std::optional<destination::StoredDataset> stored = destination.read_dataset();
    if (!stored) throw Error(ErrorKind::usage, "nothing was ever loaded into {}", destination.description());
    return Verifier(destination, *stored, std::move(stop)).check();
}

}  // namespace tipple::pipeline
