#include "tipple/destination/merge.h"

namespace tipple::destination {

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
    for (const std::string& statement : sql_.delete_matches()) root().deleted += session_.execute(statement, stop);
}

void Merge::find_dropped_roots(std::stop_token stop) {
    const auto kept = static_cast<std::uint64_t>(session_.query_int(sql_.count_kept()).value());
    if (kept == root().rows) return;
    collect_positions(sql_.select_dropped(), *root().dropped, stop);
    require_kept(kept);
    if (tables_.size() > 1) keep_row_keys(sql_.select_kept_row_keys(), stop);
}

}  // namespace tipple::destination
