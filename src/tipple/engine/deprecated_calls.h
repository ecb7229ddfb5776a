#pragma once

#include "tipple/columns/arrow_c.h"
#include "tipple/engine/handles.h"

// Private to the module: the calls that the library marks as deprecated without having a
// replacement. When one comes, only this seam changes.
namespace tipple::engine {

/// Makes `stream` readable as a view in the default schema. The stream must outlive every query on
/// it. The library never releases it.
duckdb_state create_stream_view(duckdb_connection connection, const char* name,
                                ArrowArrayStream* stream);

/// Starts a statement whose result is fetched while it runs, instead of being collected first.
duckdb_state start_streaming(duckdb_prepared_statement statement, duckdb_pending_result* out);

/// A value of a result that was collected, as text; nullptr when NULL. Not for nested types.
char* collected_value_text(duckdb_result* result, idx_t column, idx_t row);
idx_t collected_row_count(duckdb_result* result);

}  // namespace tipple::engine
