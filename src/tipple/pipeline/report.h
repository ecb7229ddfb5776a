#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/normalize/page_result.h"
#include "tipple/schema/schema.h"

namespace tipple::pipeline {

/// Where a record came from.
struct RecordPlace {
    std::string origin;             ///< file or "stdin"
    std::uint64_t byte_offset = 0;
    std::uint64_t line = 0;         ///< from 1; 0 = not known
    std::uint64_t record = 0;       ///< from 1; 0 = the whole of `origin`
};
/// `orders.jsonl:17 (byte 1,234)`, `orders.csv, record 17`
std::string to_text(const RecordPlace& place);

/// A record that was left out, and where it came from.
struct SkippedRecord {
    std::string origin;             ///< file or "stdin"
    std::uint64_t byte_offset = 0;
    std::uint64_t line = 0;         ///< from 1; 0 = not known
    std::uint64_t record = 0;       ///< from 1
    std::string table;
    std::string column;
    std::string reason;
    std::string text_excerpt;

    std::string place() const { return to_text(RecordPlace{origin, byte_offset, line, record}); }
};

/// A file that could not be read to its end and was left out.
struct BadInput {
    std::string resource;
    std::string path;
    std::string error;
};

/// What the user should hear of the data that was loaded.
struct DataWarning {
    normalize::DataNote note;
    std::string place;  ///< of the first record it concerns
};
std::string to_text(const DataWarning& warning);

/// A column that got a type which holds more.
struct WidenedType {
    std::string column;
    schema::DataType from = schema::DataType::text;
    schema::DataType to = schema::DataType::text;  ///< the same when only its digits are more
};

/// What a run did to one table.
struct TableReport {
    std::string table;
    std::string parent;
    std::uint64_t rows = 0;
    bool is_new = false;
    std::vector<schema::Column> new_columns;
    std::vector<WidenedType> widened_columns;
};

/// A file of rows that was loaded.
struct JobReport {
    std::string load_id;
    std::string name;
    std::string table;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;
};

/// Where a cursor stood before a run and after it, as the state has it. Null = nowhere.
struct CursorReport {
    std::string resource;
    std::string cursor;
    json::Value before;
    json::Value after;
};

/// What sources counted: by resource, then by the figure's name.
using Metrics = std::map<std::string, std::map<std::string, std::int64_t>>;

struct StepSeconds {
    double extract = 0;  ///< extract and normalize overlap; this is the time of both
    double load = 0;
    double total = 0;
};

/// What a run did, or, for a dry run, would have done.
struct RunReport {
    std::string run_id;
    std::string pipeline;
    std::string dataset;
    std::string destination;
    /// Loads that were committed in this run: pending ones first, then the run's own.
    std::vector<std::string> load_ids;
    std::size_t pending_finished = 0;
    std::vector<TableReport> tables;
    std::vector<JobReport> jobs;
    std::vector<CursorReport> cursors;
    std::uint64_t records = 0;
    /// Of those, in files that the load reads where they lie: the extract step only looked at their columns.
    std::uint64_t records_in_place = 0;
    std::uint64_t rows = 0;
    /// Records that cursors left out; not among `records`.
    std::uint64_t filtered_records = 0;
    /// Records that did not meet the condition (`where`) of their resource; not among `records`.
    std::uint64_t unwanted_records = 0;
    std::uint64_t bytes_read = 0;
    std::uint64_t package_bytes = 0;
    std::uint64_t skipped_count = 0;
    std::vector<SkippedRecord> skipped;  ///< the first ones
    std::uint64_t quarantined_count = 0;  ///< of those, put aside in the quarantine
    std::uint64_t bad_input_count = 0;
    std::vector<BadInput> bad_inputs;  ///< the first ones
    /// By table: rows that were removed or flagged, because a full snapshot does not have them.
    std::map<std::string, std::uint64_t> missing_rows;
    std::uint64_t discarded_rows = 0;    ///< by schema contracts
    std::uint64_t discarded_values = 0;
    std::uint64_t filtered_rows = 0;  ///< by filters of the schema, see schema::Filters
    std::uint64_t filtered_values = 0;
    std::vector<normalize::NullOnlyColumn> null_only;
    std::vector<std::string> warnings;
    Metrics metrics;
    StepSeconds seconds;
    schema::Schema schema;
};

}  // namespace tipple::pipeline
