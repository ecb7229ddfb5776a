#include "tipple/destination/merge.h"

namespace tipple::destination {

using schema::MergeStrategy;

/// upsert, insert-only and cdc: rows are matched by primary key. What becomes of each row of the load is worked out first, then what
/// gives way at the destination goes.
void Merge::upsert(std::stop_token stop) {
    const std::string fates = temporary("fates");
    make(fates, sql_.select_fates(), stop);
    collect_positions(fmt::format("SELECT position FROM {} WHERE {}", fates, sql_.dropped_fates()), *root().dropped, stop);
    require_kept(static_cast<std::uint64_t>(session_.query_int(fmt::format("SELECT count(*) FROM {} WHERE NOT ({})", fates, sql_.dropped_fates())).value()));

    const auto parents = static_cast<std::uint64_t>(
        session_.query_int(fmt::format("SELECT count(*) FROM {} WHERE NOT ({})", fates, sql_.childless_fates())).value());
    if (parents != root().rows) keep_row_keys(fmt::format("SELECT root_number AS row_key FROM {} WHERE NOT ({})", fates, sql_.childless_fates()), stop);
    for (MergeTable& table : tables_) {
        if (&table != &root()) find_dropped_children(table, stop);
    }
    if (plan_.strategy != MergeStrategy::insert_only && root().existed) {
        if (tables_.size() > 1) delete_below(sql_.select_replaced_row_keys(fates), stop);
        for (const std::string& statement : sql_.delete_replaced(fates)) root().deleted += session_.execute(statement, stop);
    }
    drop("fates");
}

}  // namespace tipple::destination
