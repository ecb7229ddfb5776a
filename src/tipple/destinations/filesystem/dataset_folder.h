#pragma once

#include <map>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/destination/destination.h"
#include "tipple/destinations/filesystem/file_format.h"
#include "tipple/destinations/filesystem/layout.h"
#include "tipple/io/file_system.h"
#include "tipple/json/value.h"

/// A dataset as files of one folder, as the reference lays it out. What is in it and who sees what when: docs/internals/files-destination.md.
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

    bool has_load(std::string_view load_id) const;
    const SystemFile* newest_schema(std::string_view schema) const;
    const SystemFile* newest_state(std::string_view pipeline) const;
};

class DatasetFolder {
public:
    /// `layout`: what configuration says; empty = what the dataset has been written with. `files` outlives this.
    DatasetFolder(io::FileSystem& files, std::string folder, std::string layout);

    const std::string& folder() const { return folder_; }
    std::string path(std::string_view relative) const { return io::join_path(folder_, relative); }
    /// Whether something was ever loaded into it.
    bool exists() const;
    /// Throws Error(usage) when the dataset has been written with another layout than configuration says, or in a form that is too old.
    Layout layout() const;
    /// Consistent although others load at the same time: it is read again when they did. Waits for nobody.
    Snapshot read(const Layout& layout) const;
    /// The one object in a file of a system table. Throws Error(corrupt) when it is none.
    json::Object read_object(const SystemFile& file) const;

    /// The dataset's own lock, which whoever changes something holds. Makes the folder. Throws Error(locked), naming the holder, after `timeout`.
    std::unique_ptr<io::FileLock> lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) const;

    // Steps of a load, by whoever holds the lock.

    /// Where files of a load lie before they are moved to their places.
    std::string staging_folder(const std::string& load_id) const;
    /// Writes down what the dataset is, if that was not done yet.
    void write_description(const Layout& layout) const;
    void write_intent(const Intent& intent) const;
    /// Does what is left of finished loads, undoes what there is of unfinished ones, and forgets both. The next snapshot has no intents.
    void settle(const Snapshot& snapshot) const;
    void settle(const Intent& intent, bool is_finished) const;
    /// Writes a file of a system table durably.
    void write_object(const std::string& path, const json::Object& object) const;

private:
    std::vector<SystemFile> list_loads() const;
    std::vector<SystemFile> list_system(std::string_view table) const;
    std::vector<Intent> read_intents() const;
    void list_data(const std::string& relative, std::vector<std::string>& found) const;
    std::optional<Snapshot> try_read(const Layout& layout) const;
    std::optional<std::string> stored_layout() const;

    io::FileSystem& files_;
    std::string folder_;
    std::string given_layout_;
};

}  // namespace tipple::destinations::filesystem
