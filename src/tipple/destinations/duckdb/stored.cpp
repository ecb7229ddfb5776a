#include "tipple/destinations/duckdb/stored.h"

#include "tipple/core/error.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destinations::duckdb {

bool has_table(const destination::Catalog& catalog, std::string_view table) {
    return catalog.find(table, name_rule) != nullptr;
}

bool has_load(Session& session, const std::string& load_id) {
    if (!has_table(session.read_catalog(), destination::loads_table)) return false;
    return session.engine()
        .query_value(fmt::format("SELECT 1 FROM {} WHERE load_id = {}",
                                 session.sql().table(destination::loads_table),
                                 session.sql().literal(load_id)))
        .has_value();
}

std::optional<destination::StoredDataset> read_dataset(Session& session,
                                                       const std::string& pipeline) {
    if (!session.has_dataset()) return std::nullopt;
    engine::Engine& engine = session.engine();
    const destination::SqlWriter& sql = session.sql();
    destination::StoredDataset stored;
    stored.catalog = session.read_catalog();
    if (has_table(stored.catalog, destination::version_table)) {
        for (const auto& row : engine.query(sql.select_schemas()).rows) {
            const std::string name = row[0].value_or("");
            try {
                stored.schemas.emplace(name, schema::Schema::from_document(
                                                 destination::decode_schema(row[1].value_or(""))));
            } catch (const Error& error) {
                throw error.with_context(
                    fmt::format("schema \"{}\" of dataset \"{}\"", name, session.dataset()));
            }
        }
    }
    if (!has_table(stored.catalog, destination::loads_table)) return stored;
    stored.newest_load_id = engine
                                .query_value(fmt::format("SELECT max(load_id) FROM {}",
                                                         sql.table(destination::loads_table)))
                                .value_or("");
    if (!has_table(stored.catalog, destination::state_table)) return stored;
    const engine::Result state = engine.query(sql.select_state(pipeline));
    if (state.rows.empty()) return stored;
    const auto& row = state.rows[0];
    stored.state =
        destination::StoredState{.version = std::stoll(row[0].value_or("0")),
                                 .version_hash = row[1].value_or(""),
                                 .load_id = row[2].value_or(""),
                                 .document = destination::decode_state(row[3].value_or(""))};
    return stored;
}

}  // namespace tipple::destinations::duckdb
