#include "tipple/destination/merge.h"

namespace tipple::destination {

/// scd2: versions that are active already are not inserted, active versions that are absent from the load are closed. Rows below
/// versions only come.
void Merge::keep_versions(std::stop_token stop) {
    if (root().existed) collect_positions(sql_.select_active_versions(), *root().dropped, stop);
    // Ids made of content say by themselves whether a row is there. Otherwise only rows below versions that come may come.
    const bool follows_parents = plan_.has_random_ids || !plan_.source_filter.empty();
    if (follows_parents && tables_.size() > 1) {
        const bool leaves_out = plan_.has_random_ids && root().existed;
        keep_row_keys(leaves_out ? sql_.select_new_version_row_keys() : sql_.select_staged_row_keys(), stop);
    }
    for (MergeTable& table : tables_) {
        if (&table != &root()) find_dropped_versions(table, stop);
    }
    if (root().existed) session_.execute(sql_.retire_absent(), stop);
}

/// Parents come before what is below them, so the keys that are kept grow from level to level.
void Merge::find_dropped_versions(MergeTable& table, std::stop_token stop) {
    if (table.rows == 0) return;
    const std::vector<std::string> columns = staged_columns(schema_, plan_, schema_.require(table.name));
    const std::string row_key = session_.sql().name(columns[0]);
    const std::string parent_key = session_.sql().name(columns[1]);
    const std::string staged = temporary("children");
    stage(table, staged, columns, stop);
    if (has_kept_keys_) {
        const std::string has_parent = fmt::format("EXISTS (SELECT 1 FROM {} AS k WHERE k.row_key = c.{})", temporary("kept"), parent_key);
        collect_positions(fmt::format("SELECT c.{} FROM {} AS c WHERE NOT {}", position(), staged, has_parent), *table.dropped, stop);
        session_.execute(fmt::format("INSERT INTO {} SELECT c.{} FROM {} AS c WHERE {}", temporary("kept"), row_key, staged, has_parent), stop);
    }
    find_known_children(table, staged, stop);
    drop("children");
}

}  // namespace tipple::destination
