#include "cli/schema_history.h"

#include <fmt/format.h>

#include "tipple/core/error.h"
#include "tipple/destination/system_tables.h"

namespace tipple::cli {

namespace {

bool has(const schema::Schema& schema, const std::string& table, const std::string& column) {
    const schema::Table* found = schema.find(table);
    if (found == nullptr || !found->has_complete_columns()) return false;
    if (column.empty()) return true;
    const schema::Column* there = found->find(column);
    return there != nullptr && there->is_complete();
}

}  // namespace

std::vector<SchemaVersion> read_schema_history(destination::Destination& destination, const std::string& name) {
    const destination::QueryResult result = destination.query(
        fmt::format("SELECT v.schema, min(v.inserted_at), min(l.load_id), v.schema_name FROM {} v LEFT JOIN {} l ON l.schema_version_hash = v.version_hash "
                    "AND l.schema_name = v.schema_name GROUP BY v.schema_name, v.version_hash, v.schema, v.version "
                    "ORDER BY v.version, min(v.inserted_at)",
                    destination.quote_table(destination::version_table), destination.quote_table(destination::loads_table)),
        {});
    std::vector<SchemaVersion> history;
    for (const destination::QueryRow& row : result.rows) {
        if (row[3] != name) continue;
        try {
            history.push_back({.schema = schema::Schema::from_document(destination::decode_schema(row[0].value_or(""))),
                               .inserted_at = row[1].value_or(""),
                               .load_id = row[2].value_or("")});
        } catch (const Error& error) {
            throw error.with_context(fmt::format("schema \"{}\" of {}, stored at {}", name, destination.description(), row[1].value_or("")));
        }
    }
    return history;
}

const SchemaVersion* version_that_added(const std::vector<SchemaVersion>& history, const std::string& table, const std::string& column) {
    const SchemaVersion* added = nullptr;
    for (auto version = history.rbegin(); version != history.rend() && has(version->schema, table, column); ++version) added = &*version;
    return added;
}

}  // namespace tipple::cli
