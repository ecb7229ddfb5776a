#pragma once

#include <cstdint>
#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/json/value.h"
#include "tipple/pipeline/own_rows.h"
#include "tipple/schema/naming.h"
#include "tipple/schema/schema.h"
#include "tipple/source/source.h"

/// Which files a resource has loaded: a table of the dataset, written in the package that holds the files' rows (docs/internals/file-ledger.md).
namespace tipple::pipeline {

/// Every ledger's table begins with it; the resource's name follows.
inline constexpr std::string_view ledger_prefix = "_tipple_files_";

/// The column of a ledger that names the file.
inline constexpr std::string_view ledger_file_column = "file";

/// The resource's ledger as the destination names it.
std::string ledger_table(std::string_view resource, const schema::NamingConvention& naming);
bool is_ledger(std::string_view table);

/// Definition for the schema document.
schema::Table ledger_definition(std::string_view table, const std::string& resource);

/// Defines the ledger unless `schema` has it. It is replaced when its resource's tables are.
void declare_ledger(schema::Schema& schema, std::string_view table, const std::string& resource, schema::Disposition disposition);

/// What sources remember, but for how many files their ledgers have got.
json::Object without_ledgers(json::Object sources);

/// What one file, or other input of a resource, has come to in this run. Guarded by whoever admits pages.
struct Input {
    explicit Input(extract::InputFile read) : file(std::move(read)) {}

    extract::InputFile file;
    /// The first page behind it, once it was read to its end.
    std::uint64_t end_number = UINT64_MAX;
    std::uint64_t records = 0;
    /// What it brought is taken back, and what may still come of it does not count.
    bool is_discarded = false;
    /// A checkpoint has committed what it had brought by then: it cannot be taken back any more.
    bool is_committed = false;
    /// It is in ExtractResult::inputs.
    bool is_noted = false;
};

/// The rows of a resource's ledger in one run. One thread at a time.
class LedgerWriter {
public:
    /// `load_id` of the load the rows belong to; ids are made of it. `state`: what the resource remembers from earlier runs; nullptr = nothing.
    LedgerWriter(const std::string& table, std::string load_id, const json::Object* state);

    /// The input was read to its end; its pages may still be on their way.
    void finish(std::shared_ptr<const Input> input) { finished_.push_back(std::move(input)); }
    /// Makes rows of the finished inputs whose pages are all before `head`.
    void collect(std::uint64_t head);
    /// Whether there were rows since `remember`.
    bool has_moved() const { return has_moved_; }
    /// Notes in `state`, what the resource remembers, how many rows there were: so the fence of a load sees that another run has loaded files.
    void remember(json::Object& state);
    /// Inputs and rows that were not taken.
    std::uint64_t waiting() const { return finished_.size() + rows_.size(); }
    std::uint64_t rows() const { return rows_.size(); }
    /// Files among them that take the place of an earlier version, and forgets them.
    std::vector<std::string> take_replaced() { return std::exchange(replaced_, {}); }
    /// The rows as a batch, and forgets them. Nothing when there are none.
    std::optional<package::EncodedBatch> take() { return rows_.take(); }

private:
    OwnRows rows_;
    std::deque<std::shared_ptr<const Input>> finished_;
    std::vector<std::string> replaced_;
    /// Of all runs.
    std::int64_t files_ = 0;
    std::string digest_;
    bool has_moved_ = false;
};

/// A ledger as the destination has it.
class StoredLedger final : public extract::FileLedger {
public:
    /// An empty `table`: there is none. Both outlive it.
    StoredLedger(destination::Destination& destination, std::string table) : destination_(destination), table_(std::move(table)) {}
    void read(std::stop_token stop, const std::function<void(const extract::LedgerEntry&)>& take) override;
    std::optional<std::int64_t> newest_modified_us(std::stop_token stop) override;

private:
    destination::Destination& destination_;
    std::string table_;
};

/// The ledger of a resource as a dataset has it, without a run. `stored`: nullptr = there is no dataset yet. `schema`: the source's. `destination` outlives what is returned.
StoredLedger stored_ledger(destination::Destination& destination, const destination::StoredDataset* stored, std::string_view schema, std::string_view resource);

}  // namespace tipple::pipeline
