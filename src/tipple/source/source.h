#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/config/node.h"
#include "tipple/config/option_spec.h"
#include "tipple/core/log.h"
#include "tipple/incremental/spec.h"
#include "tipple/json/value.h"
#include "tipple/schema/delete_missing.h"
#include "tipple/schema/hints.h"
#include "tipple/source/checkpoint.h"
#include "tipple/source/condition.h"
#include "tipple/source/page.h"
#include "tipple/source/steps.h"

/// Where records come from. One kind of source = one file in src/tipple/sources. The namespace has another name than the module because
/// `tipple::source` is the function by which programs make a source.
namespace tipple::extract {

/// One thing that can be read and becomes one root table with its nested tables, or, where records choose their tables, several. Plain data.
struct ResourceSpec {
    std::string name;
    /// Empty = the resource's name. Normalized by the pipeline.
    std::string table;
    /// Instead of `table`: every record chooses its own.
    std::optional<schema::TableByField> table_by;
    schema::Disposition disposition = schema::Disposition::append;
    /// For the disposition merge.
    schema::MergeOptions merge;
    std::vector<std::string> primary_key;
    std::vector<std::string> merge_key;
    /// Hints, possibly incomplete, with the names of the source.
    std::vector<schema::Column> columns;
    /// Columns as the source declares them. What they say of types and nulls holds for columns that are new; one that is at the destination keeps
    /// its type, so that values of another one become variants.
    std::vector<schema::Column> declared = {};
    /// What the user has defined it by, when that has another name than the resource: a pattern of names, for instance.
    std::string definition = {};
    /// Records come in the order of the cursor, whichever that is.
    bool follows_cursor = false;
    /// All that can be read of it comes as columns: it is known before anything is read.
    bool comes_as_columns = false;
    std::optional<int> max_nesting;
    /// Null = none of its own; else as schema::parse_contract reads it.
    json::Value schema_contract;
    /// Only records whose cursor has moved on are read.
    std::optional<incremental::Spec> incremental;
    /// What is read is all there is: rows of other records go. For the disposition merge with a primary key.
    std::optional<schema::DeleteMissing> delete_missing = {};
    /// Reading ends after so many pages that had records left.
    std::optional<std::uint64_t> limit;
    /// Reading ends after so many records of the root table, behind what conditions and cursors leave out.
    std::optional<std::uint64_t> records_max = {};
    /// Records that do not meet it are left out, before the cursor looks at them. Where a source has a language of its own for this, it asks itself and this is nothing.
    std::shared_ptr<const Condition> where = {};
    /// What is done to its records before anything else looks at them: conditions, the cursor and limits see what is left. nullptr = nothing, or the source does it itself.
    std::shared_ptr<const std::vector<Step>> steps = {};
    /// Resources of the source, by name or definition, that are read before this one when they are read in the same run.
    std::vector<std::string> depends = {};
    /// Resources of one chain are read one after the other, on a thread that other chains of the source do not share: those are read at the same time. Empty = nothing else
    /// is read meanwhile. Of a resource in a chain, `Output` hears of no inputs (begin_input, restart_input).
    std::string chain = {};
    /// Where the user says something of it, such as `tipple.toml:12`, for messages; empty = in no file.
    std::string place = {};
    /// What it reads is committed in parts; nothing = in one.
    std::optional<Checkpoint> checkpoint;
    /// Without a cursor, the source itself says by Output::checkpoint() up to where what was written and what is remembered belong together.
    bool marks_checkpoints = false;
    /// Its inputs are entered in a ledger, a table of its own, in the load that brings their rows, and it reads what is not entered yet.
    bool keeps_ledger = false;
    /// The column that says of which input a record is, with the name of the source. Rows of an input that takes the place of an earlier version go by it;
    /// empty = there are no such inputs.
    std::string input_column = {};
    /// An input that cannot be read to its end is left out and reported, and the others are loaded.
    bool skips_bad_inputs = false;
    /// Others are read by its records, or it by theirs: what they bring belongs into one load.
    bool is_linked = false;
    /// It is read by the records of another one, and can keep a cursor for each of them (incremental::Scope::parent).
    bool has_parent = false;
    /// Further hints for the table as schema documents write them.
    json::Object table_hints;
    std::vector<schema::NestedHints> nested;
};

/// What a resource and its source remember from run to run. Changes are committed with the rows of the run, in one transaction, and are gone
/// when it fails. Objects are live, and good until another function is called. One thread: that of the read.
class State {
public:
    virtual ~State() = default;
    /// The resource's own. Made when it is not there.
    virtual json::Object& resource() = 0;
    /// The same of another resource `name` of its chain, or of one that is not loaded itself and read for this one alone.
    virtual json::Object& resource(std::string_view name) = 0;
    /// The source's, shared by its resources. What they remember is its member `resources`.
    virtual json::Object& source() = 0;
    /// The same to look at only. A source that does no more than that remembers nothing itself, so a cursor alone says where a checkpoint may be.
    virtual const json::Object& source() const = 0;
    /// To be held while what `source` returns is used, where resources that are read at the same time may use it too. Owns no mutex where none are.
    virtual std::unique_lock<std::mutex> lock_source() const { return {}; }

    /// What any resource of the source remembers, to look at; nullptr when that is nothing. Of one that is read at the same time: what it did when the run began.
    virtual const json::Object* find_resource(std::string_view name) const;
};

/// The cursor of a resource while it is read. One thread: that of the read.
class CursorView {
public:
    virtual ~CursorView() = default;
    /// From where on this run reads, and where it ends; null = from the beginning, no end.
    virtual const schema::Value& start() const = 0;
    virtual const schema::Value& end() const = 0;
    /// The furthest value of what was written so far, else the start. Waits until all of that has been looked at.
    virtual schema::Value last() = 0;
};

/// An input that an earlier load has brought. Valid until the next one comes.
struct LedgerEntry {
    std::string_view file;
    std::string_view version;
    std::string_view load_id;
};

/// The ledger of a resource, as it was when the run began.
class FileLedger {
public:
    virtual ~FileLedger() = default;
    /// Hands over all entries, in no order. Nobody keeps them.
    virtual void read(std::stop_token stop, const std::function<void(const LedgerEntry&)>& take) = 0;
    /// When the newest of all its inputs was written, in microseconds since 1970; nothing when there is none, or where nobody knows.
    virtual std::optional<std::int64_t> newest_modified_us(std::stop_token stop) = 0;
};
/// Work that may block; told to stop when another task of its group has failed.
using Task = std::function<void(std::stop_token stop)>;

/// What a resource reads with.
struct ResourceContext {
    std::stop_token stop;
    /// Of a run never nullptr.
    State* state = nullptr;
    /// nullptr when the resource is not incremental, or keeps its cursors itself.
    CursorView* cursor = nullptr;
    /// Of a run nullptr where the resource keeps none.
    FileLedger* ledger = nullptr;
    /// Bytes a page of raw JSON should have.
    std::size_t page_bytes = 0;
    /// A record larger than this is an error.
    std::size_t record_bytes_max = 0;
    /// For libraries that bring their own threads and memory.
    std::size_t threads = 1;
    std::size_t memory_bytes = 0;
    /// What cannot be read as a record is left out and told to `Output::skip`, instead of ending the read.
    bool skips_bad_records = false;
    /// A folder for files that live no longer than the read.
    std::string temp_folder;
    Log log;
    /// No more records than this are wanted of it; nothing = all.
    std::optional<std::uint64_t> records_max = {};
    /// Reading may end, or be committed, before the resource does.
    bool may_end_early = false;
    /// Runs tasks at the same time, the first one on this thread, and returns when all have ended. Throws what the first one to fail has thrown. Empty = the
    /// resource is read on one thread.
    std::function<void(std::vector<Task> tasks)> run_together = {};
};

/// What a look at a resource may use.
struct ProbeContext {
    std::stop_token stop = {};
    /// What the destination has of it, which may be nothing; nullptr = the destination could not be asked.
    FileLedger* ledger = nullptr;
    /// What the resource remembers from earlier runs; nullptr = nothing, or the destination could not be asked.
    const json::Object* memory = nullptr;
};

/// How far a read has come, for progress.
struct ReadProgress {
    std::uint64_t bytes_read = 0;
    /// Of the whole resource, when it is known.
    std::optional<std::uint64_t> bytes_total;
};

/// A file a resource reads.
struct InputFile {
    std::string path;  ///< absolute where that is known, or a URL
    std::uint64_t size = 0;
    std::int64_t modified_ns = 0;
    /// For the ledger: what changes when the content does.
    std::string version = {};
    /// The load of an earlier version, whose rows go when this one's come.
    std::string replaces_load_id = {};
    bool operator==(const InputFile&) const = default;
};

/// Something that is no record and was left out.
struct SkippedText {
    Origin origin;  ///< of the text itself
    std::string column;
    std::string reason;
    std::string text;
};

/// Takes pages of one resource. Every call blocks while the run is behind (back-pressure), and throws Error(cancelled) once it was
/// stopped. One thread.
class Output {
public:
    virtual ~Output() = default;
    virtual void write(Page page) = 0;
    /// Whether the file will be loaded as it lies; if not, its rows must be written as pages.
    virtual bool offer_file(const FileOffer& offer) = 0;
    /// Forgets what came since the last `begin_input`, because it is read again in another way; where there was none, all that the resource has written.
    virtual void restart_input() = 0;
    virtual void skip(const SkippedText& skipped) = 0;
    /// Asks for the resource's table with its declared columns even if no record comes.
    virtual void materialize() = 0;
    /// Tells which input is read next, so that loading it twice can be noticed.
    virtual void begin_input(const InputFile& input) = 0;
    /// That input was read to its end, and enters the ledger of a resource that keeps one.
    virtual void end_input() {}
    /// Takes back all that the input has brought, since it cannot be read to its end. It is reported, and is no part of the load.
    virtual void discard_input(const Error& /*error*/) {}
    virtual void report(const ReadProgress& progress) = 0;
    /// All that was written and remembered so far may be committed, without what follows. Inside an input, nothing happens when the resource keeps a ledger or
    /// leaves bad inputs out: either takes an input as a whole.
    virtual void checkpoint() {}
    /// Adds to a figure of the resource that the run reports.
    virtual void count(std::string_view /*metric*/, std::int64_t /*by*/) {}
    /// False when no more records are wanted (a limit was reached): the source should end.
    virtual bool wants_more() const = 0;
};

/// Reads resources of one kind of system. One read at a time, each on a thread of the pipeline, but that resources of different chains (ResourceSpec::chain) are read at
/// the same time.
class SourceDriver {
public:
    virtual ~SourceDriver() = default;
    /// Name of the source: the schema's name, unless the pipeline has its own.
    virtual std::string name() const = 0;
    /// A sentence for people, kept in the schema; empty = none.
    virtual std::string description() const { return {}; }
    virtual std::vector<ResourceSpec> resources(std::stop_token stop) = 0;
    /// Whether `resources` itself refuses what the user has defined and is not there.
    virtual bool checks_definitions() const { return false; }
    /// Before the first one of a run is read: which will be, with all that the user says of them. Throws Error.
    virtual void begin(const std::vector<ResourceSpec>& /*resources*/, std::stop_token /*stop*/) {}
    /// No more will be read in this run, also when it has failed: what is held open may be let go.
    virtual void finish() {}
    /// Pushes the resource's pages, in order, until the end.
    virtual void read(const ResourceSpec& resource, const ResourceContext& context, Output& out) = 0;
    /// Reads a little of the resource and says what was found, for people; empty = nothing can be said. Changes nothing. Throws Error.
    virtual std::string probe(const ResourceSpec& /*resource*/, const ProbeContext& /*context*/) { return {}; }
};

/// A resource that the user defines, of a source that leaves that to him.
struct ResourceDefinition {
    std::string name;
    config::Options options;
    /// The same as it was written, with places and what is secret; empty where it comes from flags.
    config::Node settings = {};
    /// False = it is not loaded, but others may depend on it.
    bool is_enabled = true;
};

/// What a source is made from.
struct SourceContext {
    config::Options options;
    /// The same as it was written, with places and what is secret; empty where it comes from flags.
    config::Node settings = {};
    std::vector<ResourceDefinition> resources = {};
    Log log = {};
};

/// One kind of source, as its file announces it.
struct SourceEntry {
    std::string name;
    std::string summary;
    std::vector<config::OptionSpec> options;
    /// Of a resource that the user defines; empty = the source alone says what its resources are.
    std::vector<config::OptionSpec> resource_options = {};
    /// Resources that are switched off are told to the source all the same: others may depend on them.
    bool takes_disabled_resources = false;
    /// Names of the user's resources are patterns, of which the last one that fits counts; one that begins with `-` leaves out what fits it.
    bool names_are_patterns = false;
    /// Of URLs it reads, without `://`, and of files, with the dot: what such a place stands for when somebody names it instead of a source. It is told as
    /// the option `uri`.
    std::vector<std::string> schemes = {};
    std::vector<std::string> endings = {};
    /// URL schemes that its option "folder" takes beside paths.
    std::vector<std::string> folder_schemes = {};
    /// Its options are not listed: whatever is given is handed to it.
    bool takes_any_option = false;
    std::function<std::unique_ptr<SourceDriver>(const SourceContext& context)> make;
};

/// The kinds of source a program knows. A value that is handed down.
class Registry {
public:
    void add(SourceEntry entry);
    const std::vector<SourceEntry>& entries() const { return entries_; }
    const SourceEntry* find(std::string_view name) const;
    /// The one that reads this URL or file, by its scheme or ending; nullptr when none says so.
    const SourceEntry* find_for(std::string_view place) const;
    /// Checks options and makes the driver. Throws Error(usage) for an unknown name or wrong options.
    std::unique_ptr<SourceDriver> make(std::string_view name, const SourceContext& context) const;

private:
    std::vector<SourceEntry> entries_;
};

}  // namespace tipple::extract
