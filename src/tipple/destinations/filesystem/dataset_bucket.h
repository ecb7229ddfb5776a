#pragma once

#include "tipple/destinations/filesystem/dataset.h"
#include "tipple/io/file_system.h"
#include "tipple/io/object_store.h"

namespace tipple::destinations::filesystem {

/// Where files of this machine may lie for a while.
struct LocalFiles {
    io::FileSystem* files = nullptr;
    std::string temp_folder;  ///< empty = the system's
};

/// A dataset in a bucket, which knows neither locks nor renames: commits are numbered, and each number is taken once, by a write that succeeds only where
/// nothing is yet. Nobody waits for anybody.
class DatasetBucket final : public Dataset {
public:
    /// `folder`: beginning of all keys, without a slash at its end. `store` outlives this.
    DatasetBucket(io::WritableObjectStore& store, std::string folder, std::string layout, LocalFiles local, std::stop_token stop);
    ~DatasetBucket() override;

    std::string name() const override { return store_.url(folder_); }
    std::string path(std::string_view relative) const override { return store_.url(key(relative)); }
    bool exists() const override;
    std::string local_path(const std::string& relative) const override;
    std::string local_path(const SystemFile& file) const override;
    bool keeps_leftovers() const override { return true; }
    bool has_load(const destination::LoadKey& load, std::chrono::milliseconds timeout, std::stop_token stop) override;
    /// Locks nothing. Throws Error(usage) for a store that ignores conditions of writes.
    std::unique_ptr<WriteGuard> lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) override;
    void settle(const Snapshot& snapshot) override;
    std::string staging_folder(const std::string& load_id) override;
    void commit(Changes& changes, const Layout& layout, const Snapshot& before) override;
    void tidy_up(const Changes& changes) override;
    void roll_back(const Changes& changes) override;

private:
    /// What a commit has written down of itself.
    struct Commit {
        std::uint64_t number = 0;  ///< 0 = there is none yet
        std::string load_id;
        std::string package;           ///< as in Changes
        std::vector<SystemFile> rows;  ///< of schema and state, with their texts
        std::optional<SystemFile> record;
        std::vector<std::string> removed;
        /// Of all commits so far.
        std::set<std::string> undone;
        /// Rows and record are in their places, and what is removed is gone.
        bool is_settled = true;

        /// Whether it is that of this load: `Changes`, or another Commit.
        bool is_of(const auto& load) const { return load_id == load.load_id && package == load.package; }
    };

    std::optional<Pending> pending() const override;
    bool has_file(std::string_view relative) const override { return store_.find(key(relative), stop_).has_value(); }
    std::string read_text(std::string_view relative) const override;
    std::vector<std::string> list(std::string_view folder) const override;

    std::string key(std::string_view relative) const { return folder_ + "/" + std::string(relative); }
    Commit newest_commit() const;
    /// Nothing when others have gone on so far meanwhile that it is no longer kept.
    std::optional<Commit> try_newest_commit() const;
    Commit read_commit(std::uint64_t number) const;
    Commit parse_commit(std::uint64_t number, const std::string& content) const;
    void settle(const Commit& commit);
    /// Whether the load was there once, undone or not.
    bool is_settled(const std::string& load_id) const;
    void write_description(const Layout& layout);
    void upload(const std::vector<StagedFile>& files, const Snapshot& before);
    /// The one step that commits, and what has to be there before it.
    void publish(Changes& changes, const Layout& layout, const Snapshot& before);
    /// True when the number is the commit's. Else it is somebody else's, and `commit` never was.
    bool claim(const Commit& commit);
    std::string temp_folder() const;

    io::WritableObjectStore& store_;
    const std::string folder_;
    const LocalFiles local_;
    const std::stop_token stop_;
    mutable std::string temp_folder_;
    mutable std::map<std::string, std::string> copies_;  ///< by path below the dataset's folder
    std::vector<std::string> uploaded_;                  ///< the same; what is removed when nothing comes of the load
    std::optional<Commit> own_;
};

}  // namespace tipple::destinations::filesystem
