#include "tipple/destination/stored.h"

#include "tipple/core/error.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destination {

bool has_load(SqlSession& session, const std::string& load_id) {
    if (session.read_catalog().find(loads_table, session.names()) == nullptr) return false;
    return session.query_value(session.sql().select_load(load_id)).has_value();
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
