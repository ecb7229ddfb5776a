#pragma once

#include "tipple/destinations/filesystem/dataset.h"
#include "tipple/io/file_system.h"

namespace tipple::destinations::filesystem {

/// A dataset in a folder of this machine. Whoever changes it holds a lock; a load is written down before its first file comes, and there when its
/// load record is.
class DatasetFolder final : public Dataset {
public:
    /// `files` outlives this.
    DatasetFolder(io::FileSystem& files, std::string folder, std::string layout);

    std::string name() const override { return folder_; }
    std::string path(std::string_view relative) const override { return io::join_path(folder_, relative); }
    bool exists() const override;
    std::string local_path(const std::string& relative) const override { return path(relative); }
    std::string local_path(const SystemFile& file) const override { return path(file.path); }
    bool keeps_leftovers() const override { return false; }
    bool has_load(const destination::LoadKey& load, std::chrono::milliseconds timeout, std::stop_token stop) override;
    /// Makes the folder. Forgets the layout of a dataset in which no load is finished.
    std::unique_ptr<WriteGuard> lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) override;
    void settle(const Snapshot& snapshot) override;
    std::string staging_folder(const std::string& load_id) override;
    void commit(Changes& changes, const Layout& layout, const Snapshot& before) override;
    void tidy_up(const Changes&) override { settle(*intent_, true); }
    void roll_back(const Changes& changes) override;

private:
    std::optional<Pending> pending() const override;
    bool has_file(std::string_view relative) const override { return files_.find(path(relative)) != nullptr; }
    std::string read_text(std::string_view relative) const override { return files_.read_text(path(relative)); }
    std::vector<std::string> list(std::string_view folder) const override;
    void list_below(const std::string& relative, std::vector<std::string>& found) const;
    void write_description(const Layout& layout);
    void write_intent(const Intent& intent);
    void settle(const Intent& intent, bool is_finished);
    void move_in(const std::vector<StagedFile>& staged);
    void write_object(const SystemRow& row);

    io::FileSystem& files_;
    std::string folder_;
    std::optional<Intent> intent_;  ///< once it may be written down
};

}  // namespace tipple::destinations::filesystem
