#include "tipple/destination/stored.h"

#include "tipple/core/error.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

LoadKey load_key(const package::Package& package) {
    const schema::Schema& schema = package.schema();
    LoadKey key{.load_id = package.load_id(), .schema_name = schema.name(), .schema_hash = schema.version_hash(), .pipeline = package.manifest().pipeline};
    if (package.manifest().has_new_state) key.state_hash = stored_state_hash(package.state().as_object());
    return key;
}

bool has_load(SqlSession& session, const LoadKey& load) {
    const Catalog catalog = session.read_catalog();
    const auto has_table = [&](std::string_view table) { return catalog.find(table, session.names()) != nullptr; };
    if (!has_table(loads_table) || !session.query_value(session.sql().select_load(load))) return false;
    return load.state_hash.empty() || (has_table(state_table) && session.query_value(session.sql().select_state_of(load)));
}

std::optional<StoredDataset> read_dataset(SqlSession& session, const std::string& pipeline) {
    if (!session.has_dataset()) return std::nullopt;
    const SqlWriter& sql = session.sql();
    StoredDataset stored;
    stored.catalog = session.read_catalog();
    const auto has_table = [&](std::string_view table) { return stored.catalog.find(table, session.names()) != nullptr; };
    if (has_table(version_table)) {
        for (const QueryRow& row : session.query(sql.select_schemas())) {
            const std::string name = row[0].value_or("");
            try {
                stored.schemas.emplace(name, schema::Schema::from_document(decode_schema(row[1].value_or(""))));
            } catch (const Error& error) {
                throw error.with_context(fmt::format("schema \"{}\" of dataset \"{}\"", name, session.dataset()));
            }
        }
    }
    if (!has_table(loads_table)) return stored;
    stored.newest_load_id = session.query_value(sql.select_newest_load()).value_or("");
    if (!has_table(state_table)) return stored;
    const std::vector<QueryRow> state = session.query(sql.select_state(pipeline));
    if (state.empty()) return stored;
    const QueryRow& row = state[0];
    stored.state = StoredState{.version = std::stoll(row[0].value_or("0")),
                               .version_hash = row[1].value_or(""),
                               .load_id = row[2].value_or(""),
                               .document = decode_state(row[3].value_or(""))};
    return stored;
}

}  // namespace tipple::destination
