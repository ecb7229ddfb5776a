#pragma once

#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/destinations/filesystem/file_format.h"
#include "tipple/destinations/filesystem/layout.h"
#include "tipple/json/value.h"

/// A dataset as files, as the reference lays it out. What is in it and who sees what when: docs/internals/files-destination.md.
namespace tipple::destinations::filesystem {

/// What a load is about to do, written down before its first file comes and taken away after the last one went. The load is done when its load record
/// is there: then what it removes is gone for readers, though the files may still lie there. Without the record, what it adds never was.
struct Intent {
    std::string load_id;
    /// Paths below the dataset's folder.
    std::vector<std::string> added;
    std::vector<std::string> removed;
};

/// A file of rows.
struct DataFile {
    std::string path;  ///< below the dataset's folder
    FileName name;
    Format format = Format::jsonl;
};

/// A file of `_dlt_loads`, `_dlt_version` or `_dlt_pipeline_state`, by what its name says.
struct SystemFile {
    std::string path;   ///< below the dataset's folder
    std::string owner;  ///< name of the schema or pipeline
    std::string id;     ///< load id; of a schema, the time it was stored at
    std::string hash;   ///< of a schema or state, in hexadecimal digits; empty for a load
    /// What is in it, where that is known without reading it.
    std::optional<std::string> text = {};
};

/// What a folder holds at one moment, as a reader is to see it.
struct Snapshot {
    std::vector<SystemFile> loads;   ///< by load id as text
    std::vector<SystemFile> schemas; ///< in the order in which they were stored
    std::vector<SystemFile> states;  ///< of finished loads, by load id as text
    /// Of finished loads, by table, then in the order of their paths.
    std::map<std::string, std::vector<DataFile>, std::less<>> files;
    /// Files of rows of which no finished load is known: a reader does not see them.
    std::vector<std::string> unfinished;
    /// Files that are not named as the layout says.
    std::vector<std::string> foreign;
    std::vector<Intent> intents;  ///< of loads that are not tidied up, finished or not
    std::uint64_t commits = 0;  ///< number of the newest one, where commits are numbered

    bool has_load(std::string_view load_id) const;
    const SystemFile* newest_schema(std::string_view schema) const;
    const SystemFile* newest_state(std::string_view pipeline) const;
};

/// A file of rows that the engine has written, and where it goes.
struct StagedFile {
    std::string staged;  ///< full path on this machine
    std::string path;    ///< below the dataset's folder
};

/// A file of a system table.
struct SystemRow {
    std::string path;
    json::Object object;
};

/// All that a load does to a dataset.
struct Changes {
    std::string load_id;
    std::string package;  ///< tells loads with one id apart
    std::vector<StagedFile> staged;
    std::vector<SystemRow> rows;  ///< of schema and state
    SystemRow record;
    std::set<std::string> removed;     ///< below the dataset's folder
    std::vector<std::string> undone;   ///< load ids
    /// Makes the changes fit a dataset that others have loaded into meanwhile. Throws Error(conflict) when they cannot.
    std::function<void(const Snapshot& now, Changes& changes)> rebase;
    /// Set before the one step that commits: from then on nothing may be taken back, whatever is thrown.
    bool may_be_there = false;
};

/// Held by whoever changes a dataset.
class WriteGuard {
public:
    virtual ~WriteGuard() = default;
};

/// A dataset, wherever its files are kept. One thread.
class Dataset {
public:
    /// `layout`: what configuration says; empty = what the dataset has been written with.
    explicit Dataset(std::string layout) : given_layout_(std::move(layout)) {}
    virtual ~Dataset() = default;

    /// Its folder, for people, and the name of a file in it.
    virtual std::string name() const = 0;
    virtual std::string path(std::string_view relative) const = 0;
    /// Whether something was ever loaded into it.
    virtual bool exists() const = 0;
    /// Throws Error(usage) when the dataset has been written with another layout than configuration says, or in a form that is too old.
    Layout layout() const;
    /// Consistent although others load at the same time: it is read again when they did. Waits for nobody.
    Snapshot read(const Layout& layout) const;
    /// The one object in a file of a system table. Throws Error(corrupt) when it is none.
    json::Object read_object(const SystemFile& file) const;
    /// Where the engine finds the file on this machine, as long as this object lives.
    virtual std::string local_path(const std::string& relative) const = 0;
    virtual std::string local_path(const SystemFile& file) const = 0;
    /// Whether files of loads that have died may lie there, unseen, with nobody to take them away.
    virtual bool keeps_leftovers() const = 0;
    /// Whether the load is recorded. Where it is not, only a commit of this very load that is still on its way to a bucket can bring it yet: its repeat
    /// meets that one, and is done.
    virtual bool has_load(const destination::LoadKey& load, std::chrono::milliseconds timeout, std::stop_token stop) = 0;

    // Steps of a load.

    /// Throws Error(locked), naming the holder, after `timeout`.
    virtual std::unique_ptr<WriteGuard> lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) = 0;
    /// Does what is left of finished loads, and undoes what there is of unfinished ones where nobody else can. The next snapshot has no intents.
    virtual void settle(const Snapshot& snapshot) = 0;
    /// A folder of this machine where files of a load lie before they are moved to their places. Made when missing.
    virtual std::string staging_folder(const std::string& load_id) = 0;
    /// All at one moment for whoever reads as this class does, or nothing but what has to be tidied up when a commit of the same load has come in the
    /// meantime. `before`: what the changes are made for.
    virtual void commit(Changes& changes, const Layout& layout, const Snapshot& before) = 0;
    /// What is left to do behind a commit; the next load does it otherwise.
    virtual void tidy_up(const Changes& changes) = 0;
    /// After a commit that has failed, or did not happen. For destructors: nobody waits for a store that does not answer.
    virtual void roll_back(const Changes& changes) = 0;

protected:
    /// What is on the way.
    struct Pending {
        std::vector<Intent> intents;
        /// Files of a load that is finished, which may not be in their places yet.
        std::vector<SystemFile> loads;
        std::vector<SystemFile> schemas;
        std::vector<SystemFile> states;
        /// Loads that were undone: nothing of them counts.
        std::set<std::string> undone;
        /// The same as long as nothing was committed or tidied up.
        std::string version;
        std::uint64_t commits = 0;
    };
    /// Nothing when some of it has gone while it was looked at.
    virtual std::optional<Pending> pending() const = 0;
    virtual bool has_file(std::string_view relative) const = 0;
    virtual std::string read_text(std::string_view relative) const = 0;
    /// Nothing when the file is not there.
    std::optional<std::string> try_read_text(std::string_view relative) const;
    /// All files below a folder of the dataset, or of all of it but its own folder and those of system tables.
    virtual std::vector<std::string> list(std::string_view folder) const = 0;

    std::vector<SystemFile> list_loads() const;
    /// Whether a record is that of the load, and the state that came with it is there too.
    bool has_record(const destination::LoadKey& load) const;
    static bool is_system_folder(std::string_view name);
    static std::optional<SystemFile> parse_system_path(const std::string& path);

private:
    std::vector<SystemFile> list_system(std::string_view table) const;
    std::optional<Snapshot> try_read(const Layout& layout) const;
    std::optional<std::string> stored_layout() const;

    std::string given_layout_;
};

/// Names of files that are the same wherever a dataset lies.
inline constexpr std::string_view init_file = "init";
inline constexpr std::string_view init_text = R"({"initial_version":2,"current_version":2})";
/// What is ours alone.
inline constexpr std::string_view own_folder = "_tipple";
inline constexpr std::string_view description_file = "_tipple/dataset.json";
std::string description_text(const Layout& layout);

json::Object parse_object(const std::string& text, const std::string& path);
/// Throws Error(corrupt).
std::vector<std::string> texts_of(const json::Object& object, std::string_view name, const std::string& path);
json::Array list_of(const std::vector<std::string>& texts);

}  // namespace tipple::destinations::filesystem
