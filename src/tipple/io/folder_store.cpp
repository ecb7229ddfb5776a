#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/io/object_store.h"

namespace tipple::io {

namespace {

class FolderStore final : public ObjectStore {
public:
    FolderStore(FileSystem& files, std::string folder) : files_(files), folder_(std::move(folder)) {}

    std::string url(std::string_view key) const override { return join_path(folder_, key); }

    void list(const std::string& prefix, std::stop_token stop, const std::function<bool(ObjectInfo)>& take) override {
        const std::size_t slash = prefix.rfind('/');
        walk(slash == std::string::npos ? std::string() : prefix.substr(0, slash + 1), prefix, stop, take);
    }

    std::optional<ObjectInfo> find(const std::string& key, std::stop_token) override {
        const std::unique_ptr<FileInfo> info = files_.find(url(key));
        if (info == nullptr || info->is_directory) return std::nullopt;
        return object_of(key, *info);
    }

    std::unique_ptr<ReadFile> open_read(const ObjectInfo& object, std::stop_token stop) override {
        std::unique_ptr<ReadFile> file = files_.open_read(url(object.key));
        if (find(object.key, stop) != object) throw Error(ErrorKind::transient, "\"{}\" has changed since it was listed", url(object.key));
        return file;
    }

private:
    static ObjectInfo object_of(std::string key, const FileInfo& info) { return {.key = std::move(key), .size = info.size, .modified_ns = info.modified_ns}; }

    /// `folder`: empty, or a key's beginning that ends with a slash. False when no more is wanted.
    bool walk(const std::string& folder, const std::string& prefix, const std::stop_token& stop, const std::function<bool(ObjectInfo)>& take) {
        if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
        struct Entry {
            std::string key;  ///< of a folder with the slash that all keys in it have, by which it is sorted too
            FileInfo info;
        };
        std::vector<Entry> entries;
        for (FileInfo& info : files_.list(url(folder))) {
            std::string key = folder + file_name(info.path);
            if (info.is_directory) key += '/';
            const bool may_hold = info.is_directory && prefix.starts_with(key);
            if ((info.is_directory && info.is_link) || (!may_hold && !key.starts_with(prefix))) continue;
            entries.push_back({std::move(key), std::move(info)});
        }
        std::sort(entries.begin(), entries.end(), [](const Entry& a, const Entry& b) { return a.key < b.key; });
        return std::all_of(entries.begin(), entries.end(),
                           [&](Entry& entry) { return entry.info.is_directory ? walk(entry.key, prefix, stop, take) : take(object_of(std::move(entry.key), entry.info)); });
    }

    FileSystem& files_;
    const std::string folder_;
};

}  // namespace

std::unique_ptr<ObjectStore> folder_store(FileSystem& files, std::string folder) { return std::make_unique<FolderStore>(files, std::move(folder)); }

}  // namespace tipple::io
