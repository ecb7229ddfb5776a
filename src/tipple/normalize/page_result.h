#pragma once

#include <compare>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/schema/schema.h"

namespace tipple::normalize {

/// Why a column has its type.
enum class TypeReason {
    value,      ///< the type of its first value
    detected,   ///< the first value reads as one
    preferred,  ///< a rule of the schema prefers it for columns of that name
    variant,    ///< the first value did not fit the column of its name
    source,     ///< the source has columns, and says so
};

/// Which record of a page made a column.
struct ColumnOrigin {
    TypeReason reason = TypeReason::value;
    std::size_t offset = 0;        ///< of the record in the page
    std::size_t record_index = 0;  ///< records of the page before it
    /// Of a variant: the value that did not fit the column, for messages.
    std::string value = {};
};

/// What a page would add to one table of the schema. Columns come in the order in which the reference would meet them.
struct TableProposal {
    std::string table;
    std::string parent;  ///< empty for a root table
    bool is_new = false;
    /// What rows were let through depends on the table being new: if another page has made it meanwhile, this page must be shredded again.
    bool must_be_new = false;
    std::vector<schema::Column> columns;
    /// Of `columns`, in their order.
    std::vector<ColumnOrigin> origins = {};
    /// Columns that are there, and that must get at least these digits.
    std::vector<schema::Column> wider = {};
};

/// Rows of one table, borrowed from the worker that made them.
struct TableRows {
    std::string_view table;
    std::size_t rows = 0;
    std::vector<std::string_view> names;
    std::vector<columns::ColumnView> columns;
};

/// What helps a value that has more digits than its column: BadRecord::remedy.
inline constexpr std::string_view remedy_more_digits = "to keep all digits, declare the column with more of them (--column, or columns in a project); to round them";

/// A record that could not be loaded as it is.
struct BadRecord {
    std::size_t offset = 0;       ///< in the page
    std::size_t line = 0;         ///< lines of the page before it
    std::size_t record_index = 0;  ///< records of the page before it, bad ones included
    std::string table;            ///< empty when it is no JSON at all
    std::string column;
    std::string reason;
    std::string text_excerpt;
    /// A schema contract forbids it: that ends the run, whatever is to be done with bad records.
    bool breaks_contract = false;
    /// A schema contract wants it put aside.
    bool is_quarantined = false;
    /// Of one that breaks a contract: what helps, up to the contract under which it would be loaded; empty = only another contract.
    std::string remedy = {};
    /// The whole record, when it may be put aside: as it came, or as JSON.
    std::string text = {};
    /// The table the record has chosen, normalized; empty = it chose none, and goes where the page goes.
    std::string chosen_table = {};
};

/// Something about the data that the user should hear of, though the records are loaded.
struct DataNote {
    enum class Kind {
        names_met,       ///< `name` and `other` of one record became one column: one value was kept
        lists_met,       ///< the same of lists, which became one table: the rows of one were kept
        parents_met,     ///< rows of a nested table are below rows of table `name`, others below `other`, which the schema has as its parent
        rounded,         ///< numbers had more digits than the column holds
        times_rounded,   ///< times had more digits behind the second than the destination keeps in the column
        nanoseconds_cut,  ///< times had nanoseconds, and the column keeps microseconds
        table_left_out,  ///< the schema contract does not let the table in
    };
    Kind kind = Kind::names_met;
    std::string table;
    std::string column;  ///< empty where the table is meant
    std::string name;    ///< names of the data, from the record down
    std::string other;
    std::uint64_t count = 0;
    /// The first record it concerns, as in BadRecord.
    std::size_t offset = 0;
    std::size_t line = 0;
    std::size_t record_index = 0;

    bool is_same_as(const DataNote& note) const {
        return kind == note.kind && table == note.table && column == note.column && name == note.name && other == note.other;
    }
};

/// A name that got nothing but nulls: no column was made for it.
struct NullOnlyColumn {
    std::string table;
    std::string column;
    auto operator<=>(const NullOnlyColumn&) const = default;
};

/// What the values of one column of a page are like, where widening has to know.
struct ColumnKinds {
    std::string table;
    std::string column;
    bool has_large_integers = false;  ///< whole numbers that are no doubles
    bool has_dates = false;           ///< texts that read as dates
    bool has_timestamps = false;      ///< texts that read as timestamps
    bool has_other_text = false;
};

/// One page after normalization.
struct PageResult {
    std::vector<TableRows> tables;
    std::vector<TableProposal> proposals;
    /// Tables that records of the page have chosen for themselves and that are not unwanted: names not normalized, in the order of records.
    std::vector<std::string> chosen_tables;
    std::vector<BadRecord> bad_records;
    std::vector<NullOnlyColumn> null_only;
    std::vector<DataNote> notes;
    std::vector<ColumnKinds> kinds;  ///< with Rules::widens
    std::size_t records = 0;
    /// What schema contracts left out.
    std::size_t discarded_rows = 0;
    std::size_t discarded_values = 0;
    /// What filters of the schema left out: nested rows with all below them, and values of rows that stay.
    std::size_t filtered_rows = 0;
    std::size_t filtered_values = 0;

    void clear() {
        tables.clear();
        proposals.clear();
        chosen_tables.clear();
        bad_records.clear();
        null_only.clear();
        notes.clear();
        kinds.clear();
        records = 0;
        discarded_rows = 0;
        discarded_values = 0;
        filtered_rows = 0;
        filtered_values = 0;
    }
};

}  // namespace tipple::normalize
