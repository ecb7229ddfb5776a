#pragma once

#include <atomic>
#include <cstdint>
#include <exception>
#include <functional>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tipple/core/memory_budget.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/normalize/columnar.h"
#include "tipple/normalize/shredder.h"
#include "tipple/package/package.h"
#include "tipple/pipeline/extract.h"
#include "tipple/pipeline/file_ledger.h"
#include "tipple/source/record_filter.h"
#include "tipple/source/record_steps.h"

/// A page on its way through the extract step, and what a worker does with it.
namespace tipple::pipeline {

/// Tables, by normalized name, that the schema contract leaves out.
using UnwantedTables = std::set<std::string, std::less<>>;

/// A resource while it is read.
struct Reading {
    explicit Reading(const ActiveResource& active) : resource(active) {}

    const ActiveResource& resource;
    /// Its start is fixed; the rest belongs to whoever admits.
    std::optional<incremental::Cursor> cursor;
    std::uint64_t yields = 0;
    /// That were admitted.
    std::uint64_t records = 0;
    /// No more is wanted. What the source has written meanwhile is not part of the run.
    std::atomic<bool> is_closed{false};
    /// The first page that is not.
    std::uint64_t end_number = 0;
    /// What it reads now; of the reading thread.
    std::shared_ptr<Input> input;
    /// Between Output::begin_input and the end of that input; of the reading thread.
    bool is_input_open = false;
    std::optional<LedgerWriter> ledger;
    /// Pages of other resources come between its own.
    bool is_side_by_side = false;
};

/// A page between extract and admission.
struct WorkItem {
    std::uint64_t number = 0;
    Reading* reading = nullptr;
    std::shared_ptr<Input> input;
    extract::Page page;
    MemoryHold hold;
};

/// A page that was normalized and encoded. Its raw form stays until it is admitted: it may have to be done again.
struct DoneItem {
    WorkItem work;
    normalize::PageResult result;  ///< without rows: those are encoded
    std::vector<package::EncodedBatch> batches;
    std::exception_ptr error;
    /// Of the cursor, as of then or before: incremental::Cursor::crowded_value.
    schema::Value crowded_value;
    /// All pages before it are admitted. Before that, one whose cursor judges in order is not normalized.
    bool is_next = false;
    /// Of each record that the steps of the resource have left or made, where it was; when there are steps.
    std::optional<extract::RecordOrigins> step_origins;
    /// Places of the records that do not meet the resource's condition, when it has one.
    std::optional<std::vector<std::size_t>> unwanted_records;
    /// What the cursor said of the others, when the resource has one.
    std::optional<incremental::PageFold> fold;
    /// What the page was normalized against, and Stage::routing_columns_ as of then or before.
    std::shared_ptr<const schema::Schema> snapshot;
    std::uint64_t routing_columns = 0;
    /// Stage::rollbacks_ then.
    std::uint64_t rollbacks = 0;

    /// Whether the cursor can look at it; else it has to wait until it is next.
    bool is_judged_now() const;
    /// The place in the page of a record, by its place among those that are left.
    std::size_t place_of(std::size_t record) const;
    /// The same of one among those that conditions have left, before the cursor.
    std::size_t place_before_conditions(std::size_t record) const;
    /// Where the text at this byte of the page was in the page as it came.
    std::size_t offset_of(std::size_t offset) const;
};

/// What of an ExtractResult goes when pages are taken back, as it was before them: of lists that grow only, how long they were.
class ResultMark {
public:
    /// `ledger`: the only one in which entries can be taken back; empty = none.
    ResultMark(const ExtractResult& result, const std::string& ledger);
    void roll_back(ExtractResult& result, const std::string& ledger) &&;

private:
    std::uint64_t records_in_place_;
    std::uint64_t filtered_records_;
    std::uint64_t unwanted_records_;
    std::uint64_t skipped_count_;
    std::uint64_t quarantined_count_;
    std::uint64_t discarded_rows_;
    std::uint64_t discarded_values_;
    std::uint64_t filtered_rows_;
    std::uint64_t filtered_values_;
    std::uint64_t bad_input_count_;
    std::size_t skipped_;
    std::size_t null_only_;
    std::size_t births_;
    std::size_t bad_inputs_;
    std::size_t chosen_tables_;
    std::size_t replaced_;
    std::vector<DataWarning> notes_;
    normalize::KindLog kinds_;
    std::map<std::string, std::uint64_t> rows_;
    std::set<std::string> reached_;
};

/// All that admitting pages changes, as it was before the first page of a resource or an input.
struct AdmissionMark {
    ResultMark result;
    std::shared_ptr<const schema::Schema> schema;
    std::optional<incremental::Cursor> cursor;
    std::uint64_t yields = 0;
    std::uint64_t reading_records = 0;
    std::uint64_t routing_columns = 0;
    std::set<std::string> declared;
    std::shared_ptr<const UnwantedTables> unwanted;
    std::uint64_t records = 0;
    std::uint64_t rows = 0;
};

/// Where the page comes from.
const extract::Origin& origin_of(const extract::Page& page);
/// The table the page names itself; empty = its resource's.
const std::string& table_of(const extract::Page& page);
/// What the page takes until it is admitted.
std::size_t page_memory(const extract::Page& page);
/// `offset`, `line`, `record_index`: in a page of that origin.
RecordPlace place_in(const extract::Origin& origin, std::size_t offset, std::size_t line, std::size_t record_index);

/// Takes columns away that the schema has a type for, or that are names of objects or lists whose fields have one.
void erase_typed(std::vector<normalize::NullOnlyColumn>& null_only, const schema::Schema& schema, std::string_view separator);

/// What one worker thread owns.
class PageNormalizer {
public:
    /// `rules` outlives it.
    explicit PageNormalizer(const normalize::Rules& rules);

    /// Filters, normalizes and encodes the page: fills everything in `done` but its page. At most `records_max` records count. Throws
    /// Error(data) for what no single record is to blame for.
    void run(DoneItem& done, const std::shared_ptr<const schema::Schema>& snapshot, const UnwantedTables& unwanted, std::size_t records_max);

private:
    void apply_steps(DoneItem& done);
    void leave_out_unwanted(DoneItem& done);
    void filter(DoneItem& done, std::size_t records_max);
    void encode(DoneItem& done);

    const normalize::Rules& rules_;
    normalize::Shredder shredder_;
    normalize::ColumnarNormalizer columnar_;
    extract::RecordSteps steps_;
    extract::RecordFilter condition_filter_;
    incremental::PageFilter filter_;
    format::BatchEncoder encoder_;
};

}  // namespace tipple::pipeline
