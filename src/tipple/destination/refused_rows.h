#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>

#include "tipple/columns/column.h"
#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/destination/destination.h"
#include "tipple/destination/dropped_rows.h"
#include "tipple/package/package.h"

/// Rows that a store does not take: which one it was, for whoever is to correct it.
namespace tipple::destination {

/// A store does not take the rows of a table.
class RowsRefused final : public Error {
public:
    /// What is known of the row that is at fault.
    struct Known {
        std::string table;
        std::optional<std::uint64_t> position = {};  ///< in the table, as in RowRange
        std::string column = {};                     ///< one in which it has no value; may be empty
        std::shared_ptr<const DroppedRows> dropped = {};  ///< rows that the load had left out
    };
    RowsRefused(const Error& error, Known known) : Error(error), known_(std::move(known)) {}
    const Known& known() const { return known_; }

private:
    Known known_;
};

/// What a row holds, for people: an object as JSON, shortened. Values that are NULL are left out.
std::string describe_row(const columns::BatchView& rows, std::size_t row);

/// What the search for a row works with.
struct RowSearch {
    Destination& destination;
    const package::Package& package;  ///< with its rows
    io::FileSystem& files;
    const Clock& clock;
    /// How long the load took until it failed.
    double load_seconds = 0;
    /// Seconds after which no more parts are loaded; none at all when the load took longer, since
    /// the first of them would take half of that.
    double seconds_max = limits::row_search_seconds_max;
};

/// The position of the row that the store refuses, when that can be found: a row of job files
/// without a value in the column, else by loading halves of the table's rows, each in a transaction
/// that is rolled back. Call it when the transaction that failed is gone.
std::optional<std::uint64_t> find_refused_row(const RowsRefused& refused, const RowSearch& search,
                                              std::stop_token stop);

/// The row that is at fault, and where it lies.
struct RefusedRow {
    std::string table;
    std::string job;
    /// The file that the job refers to; empty = the row is in a file of the package.
    std::string path;
    std::uint64_t row = 0;  ///< from 1: in `path`, else among the rows of the table in the load
    std::string record;     ///< as describe_row has it; empty for a row in `path`
};
/// `row 7 of table "t" in the load, in job file …: {…}`.
std::string to_text(const RefusedRow& row);

/// Nothing when the row was not found, for whatever reason.
std::optional<RefusedRow> locate_refused_row(const RowsRefused& refused, const RowSearch& search, std::stop_token stop);

/// The steps of a package's transaction that come before its rows.
void prepare_tables(LoadTransaction& transaction, const package::Package& package,
                    const Capabilities& capabilities);

}  // namespace tipple::destination
