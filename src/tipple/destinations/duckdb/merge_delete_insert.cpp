#include "tipple/destinations/duckdb/merge.h"

namespace tipple::destinations::duckdb {

/// Rows at the destination that have a key of the load go, with what is below them; all rows of the load come, but for duplicates and
/// rows marked for deletion.
void Merge::delete_insert(std::stop_token stop) {
    find_dropped_roots(stop);
    for (MergeTable& table : tables_) {
        if (&table != &root()) find_dropped_children(table, stop);
    }
    const bool deletes = plan_.keys.has_keys() || !plan_.destination_scope.empty();
    if (!deletes || !root().existed || !session_.has_rows(root().name)) return;
    if (tables_.size() > 1) delete_below(sql_.select_matched_row_keys(), stop);
    for (const std::string& statement : sql_.delete_matches()) root().deleted += session_.engine().execute(statement, stop);
}

void Merge::find_dropped_roots(std::stop_token stop) {
    const auto kept = static_cast<std::uint64_t>(session_.query_int(sql_.count_kept()).value());
    if (kept == root().rows) return;
    collect_positions(sql_.select_dropped(), *root().dropped, stop);
    require_kept(kept);
    keep_row_keys(fmt::format("SELECT k.{} AS row_key FROM {} AS k WHERE k.{} NOT IN ({})", engine::quote_identifier(plan_.keys.row_key),
                              temporary("keys"), position(), sql_.select_dropped()),
                  stop);
}

}  // namespace tipple::destinations::duckdb
