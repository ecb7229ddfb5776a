#undef DUCKDB_API_NO_DEPRECATED
#include "tipple/engine/deprecated_calls.h"

namespace tipple::engine {

duckdb_state create_stream_view(duckdb_connection connection, const char* name,
                                ArrowArrayStream* stream) {
    return duckdb_arrow_scan(connection, name, reinterpret_cast<duckdb_arrow_stream>(stream));
}

duckdb_state start_streaming(duckdb_prepared_statement statement, duckdb_pending_result* out) {
    return duckdb_pending_prepared_streaming(statement, out);
}

char* collected_value_text(duckdb_result* result, idx_t column, idx_t row) {
    return duckdb_value_varchar(result, column, row);
}

idx_t collected_row_count(duckdb_result* result) {
    return duckdb_row_count(result);
}

}  // namespace tipple::engine
