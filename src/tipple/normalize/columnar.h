#pragma once

#include <memory>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/normalize/page_result.h"
#include "tipple/normalize/row_ids.h"
#include "tipple/normalize/rules.h"
#include "tipple/schema/contract.h"
#include "tipple/schema/schema.h"
#include "tipple/schema/value.h"

namespace tipple::normalize {

/// What a batch has beside the fields of its records.
struct BatchExtras {
    /// So many columns at its end say where a record comes from: ids that are made of what records say leave them out.
    std::size_t origin_columns = 0;
    /// Columns of the source that are not in the batch, because they have nothing but nulls.
    std::span<const std::string> null_columns = {};
};

/// Turns batches with the source's names and types into rows of a root table: names are normalized, ids added, new columns proposed, all per
/// batch. Only a column whose type differs from the table's is converted value by value, what does not fit going to a variant column.
/// Nested Parquet types arrive as JSON columns and stay that. One per worker; not thread-safe.
class ColumnarNormalizer {
public:
    /// `rules` outlives the normalizer.
    explicit ColumnarNormalizer(const Rules& rules) : rules_(rules) {}

    /// Fills `result`, whose views stay good until the next call and as long as `batch`. Throws Error(data) when two names of the batch become
    /// one.
    void normalize(const columns::Batch& batch, std::uint64_t page_number, std::string_view root_table,
                   const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result, const BatchExtras& extras = {});

    /// Puts all rows aside instead. `reason`: why.
    static void put_aside(const columns::Batch& batch, const std::string& reason, PageResult& result);

private:
    /// Rows that do not stay, found while a batch is normalized.
    struct Discards {
        std::vector<bool> rows;
        std::size_t count = 0;
        std::size_t values = 0;
        /// Of those, the rows that are bad or put aside, in the order in which they were found.
        std::vector<BadRecord> bad;
        /// The first row that breaks a contract which ends the run.
        std::optional<BadRecord> forbidden = {};
    };

    struct Target {
        std::string name;
        columns::ColumnBuilder builder;
    };

    void normalize_batch(const columns::Batch& batch, std::uint64_t page_number, std::string_view root_table,
                         const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);
    const std::string& normalized(const std::string& name);
    void add(TableProposal& proposal, const schema::Table* table, schema::Column column, const ColumnOrigin& origin = {.reason = TypeReason::source});
    void convert(const columns::ColumnView& source, const schema::Column& known, const schema::Table* table, TableRows& rows, TableProposal& proposal);
    bool keep_kind(const columns::ColumnView& source, const std::string& name, const schema::Column& known, const schema::Table* table,
                   TableRows& rows, TableProposal& proposal);
    bool admit_column(const columns::ColumnView& source, const std::string& name, const schema::Table* table);
    void discard(schema::ContractMode mode, const std::string& name, std::size_t row, std::string_view what, std::string_view remedy = {});
    bool leave_out(std::size_t row);
    void add_bad(BadRecord bad);
    void check_times(const columns::ColumnView& source, const schema::Column& column);
    columns::ColumnBuilder& variant(const std::string& name, const columns::ColumnView& source, std::size_t row, const schema::Table* table, TableProposal& proposal);
    void find_keyless(const TableRows& rows, const schema::Table* table);
    void note(DataNote::Kind kind, const std::string& column, std::size_t row);
    void add_ids(const columns::Batch& batch, std::uint64_t page_number, const schema::Table* table, TableRows& rows, TableProposal& proposal);
    void append_content_ids(const columns::Batch& batch, columns::ColumnBuilder& ids) const;
    void append_key_ids(const columns::Batch& batch, const std::vector<std::string>& key, columns::ColumnBuilder& ids);

    const Rules& rules_;
    std::unordered_map<std::string, std::string> names_;
    std::vector<std::unique_ptr<Target>> converted_;
    std::string table_name_;
    schema::Contract contract_;
    Discards discards_;
    std::vector<DataNote> notes_;
    BatchExtras extras_;
    std::unique_ptr<columns::Batch> kept_;  ///< the batch without discarded rows
};

/// How the column `type` is declared when it is new.
schema::Column declare_column(const Rules& rules, const std::string& name, const columns::ColumnType& type);

}  // namespace tipple::normalize
