#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/columns/column.h"
#include "tipple/columns/widen.h"
#include "tipple/core/clock.h"
#include "tipple/io/file_system.h"
#include "tipple/json/value.h"
#include "tipple/schema/delete_missing.h"
#include "tipple/schema/schema.h"

/// Load packages: what one run extracted and normalized, on disk, complete and checked, so that it can be loaded now, later, or again.
/// The layout on disk: docs/internals/package-format.md.
namespace tipple::columns {
class SpareBatches;
}

namespace tipple::package {

/// One column of a segment of a job file.
struct SegmentColumn {
    std::string name;
    columns::ColumnType type;
    bool operator==(const SegmentColumn&) const = default;
};

/// Rows of one table, encoded by a worker as one Arrow IPC record batch message, ready to be written.
struct EncodedBatch {
    std::string table;
    std::vector<SegmentColumn> columns;
    std::uint64_t rows = 0;
    std::uint64_t raw_bytes = 0;  ///< of the columns, not compressed
    std::string message;
};

/// A local Parquet file that is loaded as it lies, instead of being copied. It must not change until the package is loaded.
struct FileReference {
    std::string path;
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    /// Column of the file -> column of the table, in table order.
    std::vector<std::pair<std::string, SegmentColumn>> columns;
    /// Row ids are this prefix and the row's number in the file.
    std::string row_id_prefix;
    bool operator==(const FileReference&) const = default;
};

/// One file of rows of one table.
struct JobFile {
    /// `<table>.<number>.arrow`, inside the folder `jobs` of the package; of a reference, `<table>.<number>.ref`, and there is no such
    /// file. The table is cut to a few safe characters; the number is unique in the package.
    std::string name;
    std::string table;
    std::uint64_t rows = 0;
    std::uint64_t bytes = 0;      ///< on disk
    std::uint64_t raw_bytes = 0;  ///< of the columns, not compressed; of a reference, the file's size
    /// Of them, those of the largest batch, which tells of single values that are very long.
    std::uint64_t batch_bytes = 0;
    std::uint64_t checksum = 0;  ///< xxh3_64 of the file; of a reference, 0
    std::optional<FileReference> reference;
};

/// Rows at the destination that go, with all below them, before the package's come: those of a root table with one of these texts in a column.
struct ReplacedRows {
    std::string column;
    std::vector<std::string> values;
    bool operator==(const ReplacedRows&) const = default;
};

/// What the load does with one table and its nested tables.
struct TableLoad {
    std::string root;
    schema::Disposition disposition = schema::Disposition::append;
    /// The root and those nested tables that take part, parents first. For replace and merge also tables that got no rows in this package
    /// but may hold some at the destination.
    std::vector<std::string> tables;
    /// Rows at the destination whose primary key the package does not have go. For merge.
    std::optional<schema::DeleteMissing> delete_missing = {};
    /// For append and merge.
    std::optional<ReplacedRows> replaced = {};
    bool operator==(const TableLoad&) const = default;
};

/// What earlier loads have brought into one table, to be taken away.
struct UndoneRows {
    std::string table;
    std::uint64_t rows = 0;  ///< as counted when the package was made; another number ends the load
    bool operator==(const UndoneRows&) const = default;
};

/// What is taken away, in the same transaction, before anything else happens. Tables that are not there are fine.
struct Removal {
    std::vector<std::string> dropped;
    std::vector<std::string> truncated;
    /// Loads whose rows and records are taken away.
    std::vector<std::string> undone_loads;
    /// Their rows: nested tables before their parents.
    std::vector<UndoneRows> undone_rows;
    bool empty() const { return dropped.empty() && truncated.empty() && undone_loads.empty(); }
    bool operator==(const Removal&) const = default;
};

/// A column that the destination has and that must get a wider type: that of the package's schema.
struct WidenedColumn {
    std::string table;
    std::string column;
    schema::DataType from = schema::DataType::text;
    bool operator==(const WidenedColumn&) const = default;
};

struct Manifest {
    std::string load_id;
    std::string pipeline;
    std::string dataset;
    std::string schema_name;
    /// Identity of the destination the package was made for, without secrets. Another destination must not load it.
    std::string destination;
    std::string created_at;  ///< UTC; `PackageWriter::close` fills it in when it is empty
    std::string tool_version;
    std::vector<JobFile> jobs;
    std::vector<TableLoad> loads;
    Removal removal;
    std::vector<columns::ColumnMove> moves;
    std::vector<WidenedColumn> widened;
    /// Whether `state.json` differs from what the destination has, so that a state row is written.
    bool has_new_state = false;
    /// Anything the run wants to say about the package later: counts of skipped records, source names.
    json::Object notes;

    std::uint64_t rows_of(std::string_view table) const;
    std::uint64_t rows() const;
    std::uint64_t raw_bytes_of(std::string_view table) const;
};

/// What the run saw at the destination when it started; the load is refused when it is no longer so.
struct Fence {
    std::optional<std::int64_t> state_version;
    std::string state_hash;
    std::string schema_hash;
    bool operator==(const Fence&) const = default;
};

/// Where a package stands.
enum class PackageState { extracting, normalized, loaded, failed };
std::string_view to_text(PackageState state);

/// A package that was closed: immutable, except for its journal.
class Package {
public:
    /// Reads and checks everything but the rows. Throws Error(corrupt) that names the file and what is wrong with it, Error(usage) when a
    /// newer version has written it.
    Package(io::FileSystem& files, std::string folder);
    const std::string& folder() const { return folder_; }
    const Manifest& manifest() const { return manifest_; }
    const std::string& load_id() const { return manifest_.load_id; }
    /// The whole schema as it will be after the load.
    const schema::Schema& schema() const { return schema_; }
    /// Tables and columns the package adds to what the destination had, for reports: table -> list of column names.
    const json::Object& schema_change() const { return schema_change_; }
    /// The pipeline's state after the load, as a document.
    const json::Value& state() const { return *state_; }
    const Fence& fence() const { return fence_; }

    std::vector<const JobFile*> jobs_of(std::string_view table) const;
    std::string path_of(const JobFile& job) const;
    /// Reads every file again and compares sizes, checksums and references. Throws Error(corrupt) naming the file; for a reference that
    /// changed, Error(data).
    void verify() const;

    /// Appends one line to the journal, durably: `{"at":…,"step":…, …details}`.
    void journal(const Clock& clock, std::string_view step, json::Object details = {});
    /// All lines of the journal, each an object; lines that a crash tore are left out.
    std::vector<json::Value> read_journal() const;
    /// normalized while it waits to be loaded; afterwards what `PackageStore::finish` was told.
    PackageState package_state() const;

private:
    friend class PackageWriter;
    io::FileSystem* files_;
    std::string folder_;
    Manifest manifest_;
    schema::Schema schema_;
    json::Object schema_change_;
    std::shared_ptr<const json::Value> state_;  ///< may have megabytes
    Fence fence_;
};

/// What `PackageWriter::close` still has to be told.
struct PackageContent {
    Manifest manifest;      ///< without `load_id` and `jobs`, which the writer knows
    schema::Schema schema;  ///< after `bump`: its hash must fit
    json::Object schema_change;
    json::Value state;
    Fence fence;
};

/// A package being written. One thread. Destroyed without `close`, it leaves nothing behind.
class PackageWriter {
public:
    /// `job_bytes_max`: a job file that is larger is closed and the next one begun. `load_id`: letters, digits, `.`, `_` and `-`. Throws
    /// Error(local) when there is such a package already.
    PackageWriter(io::FileSystem& files, std::string packages_folder, std::string load_id, std::uint64_t job_bytes_max);
    ~PackageWriter();
    PackageWriter(const PackageWriter&) = delete;
    PackageWriter& operator=(const PackageWriter&) = delete;

    /// Appends to the table's current job file; a batch with other columns than the one before starts a new segment in it. After an error
    /// the writer can only be destroyed.
    void write(const EncodedBatch& batch);
    void add_reference(std::string_view table, FileReference reference, std::uint64_t rows);
    /// Where `roll_back` goes back to, from here on; before the first call, to the beginning.
    void mark();
    /// Forgets all that was written since the mark, because what it came from is read again or left out. The mark itself stays.
    void roll_back();

    std::uint64_t rows() const;
    /// On disk, so without references.
    std::uint64_t bytes() const;
    /// Finishes, syncs, reads it back once and renames: from here on the package exists and will be loaded.
    Package close(PackageContent content, const Clock& clock);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

/// The packages of one pipeline. The caller holds the pipeline's lock.
class PackageStore {
public:
    PackageStore(io::FileSystem& files, std::string folder);
    /// Removes what killed runs left behind while extracting. Returns how many.
    std::size_t remove_leftovers();
    /// Closed and not yet loaded, oldest first. Throws Error(corrupt) when one of them cannot be read.
    std::vector<Package> pending() const;
    /// The same without reading them: their load ids.
    std::vector<std::string> pending_ids() const;
    /// Loaded or failed ones that are kept, oldest first.
    std::vector<Package> finished() const;
    std::unique_ptr<PackageWriter> create(std::string load_id, std::uint64_t job_bytes_max);
    /// Moves a package to the finished ones and deletes its rows. Repeatable: fine when it was done before. `state`, loaded or failed,
    /// becomes the journal's last step. `package` itself stays what it was: read it again from `finished()`.
    void finish(const Package& package, PackageState state);
    /// Deletes finished packages, oldest first, until at most `keep` are left.
    void retain(std::size_t keep);
    /// Deletes a pending package for good. Fine when it is not there.
    void discard(const Package& package);
    /// The same for one that may be damaged.
    void discard(const std::string& load_id);

private:
    io::FileSystem* files_;
    std::string folder_;
};

/// What a reader does with columns of a segment that it was not asked for.
enum class OtherColumns { refuse, skip };

/// Reads the rows of one table of a package in order and re-cuts them into batches of any size. Files by reference are not read here.
/// Holds nothing of the package. One thread.
class TableReader {
public:
    /// `columns`: the table's columns at the destination, in order; those that a segment does not have are null. A segment with a column
    /// that is not among them, or whose type is neither that nor narrower, is Error(corrupt); with `OtherColumns::skip` the former is left undecoded.
    /// `batch_bytes_max`: a batch ends early rather than holding more bytes of values; one message is never refused for its size. `only`: the one job that is
    /// read, instead of all of the table.
    TableReader(io::FileSystem& files, const Package& package, std::string_view table, std::vector<SegmentColumn> columns,
                std::size_t batch_rows_max, std::uint64_t batch_bytes_max = limits::text_buffer_bytes_max,
                OtherColumns other_columns = OtherColumns::refuse, const JobFile* only = nullptr);
    ~TableReader();
    TableReader(TableReader&&) noexcept;

    /// Before the first `next`: only `count` rows from the one at position `first` on are given out. Messages before them are not decoded, and what lies
    /// behind them is neither read nor checked.
    void select(std::uint64_t first, std::uint64_t count);

    /// Up to `batch_rows_max` rows, exactly that many except for the last batch and those cut short for their bytes; nothing at the end.
    /// Throws Error(corrupt) as soon as a file is not what the manifest says; that includes checksum and row count, known at its end.
    std::unique_ptr<columns::Batch> next();

    /// Batches that are no longer needed, whose memory the next ones take.
    void use(std::shared_ptr<columns::SpareBatches> spares);

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

}  // namespace tipple::package
