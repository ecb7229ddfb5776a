#include "tipple/core/error.h"
#include "tipple/destination/merge.h"

namespace tipple::destination {

/// A full snapshot: rows whose primary key it does not have are removed or flagged, with what is below them. Before the strategy does its part,
/// so that the numbers are those of what was there.
void Merge::settle_missing(std::stop_token stop) {
    if (!root().existed) return;
    const auto known = static_cast<std::uint64_t>(session_.query_int(sql_.count_known()).value());
    const auto missing = static_cast<std::uint64_t>(session_.query_int(sql_.count_missing()).value());
    check_limit(missing, known);
    const bool flags = plan_.missing->mode == schema::DeleteMissing::Mode::soft;
    if (missing > 0) {
        if (flags) {
            flag_below(sql_.select_missing_row_keys(), Flag::set, stop);
        } else {
            delete_below(sql_.select_missing_row_keys(), stop);
        }
        root().missing = session_.execute(sql_.settle_missing(), stop);
        if (!flags) root().deleted += root().missing;
        if (root().missing != missing) {
            throw Error(ErrorKind::conflict, "{} rows were missing from the source, but {} were found when they were to be {}: nothing was loaded, run again",
                        missing, root().missing, flags ? "flagged" : "removed");
        }
    }
    if (flags) unflag_returned(stop);
}

void Merge::check_limit(std::uint64_t missing, std::uint64_t known) const {
    const MergeTable& root = tables_.front();
    const bool is_meant = root.rows == 0 && plan_.missing->allows_empty;
    if (is_meant || plan_.missing->limit.allows(missing, known)) return;
    throw Error(ErrorKind::data,
                "{} of its {} rows are not among the {} records of the source. That is more than {}, which --max-delete (max_delete) allows: nothing was "
                "loaded. If these records are really gone, run again with --max-delete {}",
                missing, known, root.rows, plan_.missing->limit.text(), schema::share_text(missing, known));
}

/// Rows that come again replace the flagged ones, and have no flag, unless the strategy leaves known rows alone.
void Merge::unflag_returned(std::stop_token stop) {
    const bool leaves_rows = plan_.strategy == schema::MergeStrategy::insert_only || !plan_.compared.empty();
    if (!leaves_rows) return;
    flag_below(sql_.select_returned_row_keys(), Flag::clear, stop);
    session_.execute(sql_.unflag_returned(), stop);
}

/// What is below the selected rows of the root.
void Merge::flag_below(const std::string& select_row_keys, Flag flag, std::stop_token stop) {
    const std::string column = session_.sql().name(schema::deleted_at_column);
    const bool sets = flag == Flag::set;
    each_below(
        select_row_keys,
        [&](MergeTable& table, const std::string& is_below) {
            const std::uint64_t rows = session_.execute(fmt::format("UPDATE {0} AS c SET {1} = {2} WHERE c.{1} {3} AND {4}", session_.sql().table(table.name), column,
                                                                    sets ? sql_.missing_since() : "NULL", sets ? "IS NULL" : "IS NOT NULL", is_below),
                                                        stop);
            if (sets) table.missing += rows;
        },
        stop);
}

}  // namespace tipple::destination
