#include "tipple/destinations/filesystem/dataset_folder.h"

#include <algorithm>
#include <thread>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destinations::filesystem {

namespace {

constexpr std::string_view intent_ending = ".intent";
constexpr std::chrono::milliseconds lock_poll_interval{50};

class FolderLock final : public WriteGuard {
public:
    explicit FolderLock(std::unique_ptr<io::FileLock> lock) : lock_(std::move(lock)) {}

private:
    std::unique_ptr<io::FileLock> lock_;
};

}  // namespace

DatasetFolder::DatasetFolder(io::FileSystem& files, std::string folder, std::string layout) : Dataset(std::move(layout)), files_(files), folder_(std::move(folder)) {}

bool DatasetFolder::exists() const { return has_file(init_file) || has_file(destination::loads_table); }

std::optional<Dataset::Pending> DatasetFolder::pending() const {
    Pending pending;
    for (const io::FileInfo& info : files_.list(path(own_folder))) {
        std::string name = io::file_name(info.path);
        if (!name.ends_with(intent_ending)) continue;
        const std::optional<std::string> text = try_read_text(io::join_path(own_folder, name));
        if (!text) return std::nullopt;
        const json::Object object = parse_object(*text, info.path);
        name.resize(name.size() - intent_ending.size());
        pending.version += name + " ";
        pending.intents.push_back({.load_id = std::move(name), .added = texts_of(object, "added", info.path), .removed = texts_of(object, "removed", info.path)});
    }
    return pending;
}

void DatasetFolder::list_below(const std::string& relative, std::vector<std::string>& found) const {
    for (const io::FileInfo& info : files_.list(path(relative))) {
        const std::string name = io::file_name(info.path);
        if (relative.empty() && (is_system_folder(name) || name == init_file)) continue;
        const std::string inner = io::join_path(relative, name);
        if (info.is_directory) {
            list_below(inner, found);
        } else {
            found.push_back(inner);
        }
    }
}

std::vector<std::string> DatasetFolder::list(std::string_view folder) const {
    std::vector<std::string> found;
    list_below(std::string(folder), found);
    return found;
}

bool DatasetFolder::has_load(const destination::LoadKey& load, std::chrono::milliseconds timeout, std::stop_token stop) {
    // Whoever is about to write the record holds the lock.
    const std::unique_ptr<WriteGuard> guard = lock(timeout, fmt::format("looking for load {}\n", load.load_id), std::move(stop));
    // What its load could not tidy up any more.
    settle(read(layout()));
    return has_record(load);
}

std::unique_ptr<WriteGuard> DatasetFolder::lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) {
    const std::string file = path(fmt::format("{}/lock", own_folder));
    files_.create_folders(path(own_folder));
    const auto start = std::chrono::steady_clock::now();
    while (true) {
        if (std::unique_ptr<io::FileLock> lock = files_.try_lock(file, note)) {
            // A load that died has said how its files were to lie, of which none is left when it has been settled.
            if (list_loads().empty()) files_.remove(path(description_file));
            return std::make_unique<FolderLock>(std::move(lock));
        }
        if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
        const auto waited = std::chrono::steady_clock::now() - start;
        if (waited >= timeout) {
            throw Error(ErrorKind::locked, "{} is being loaded into by somebody else ({}; waited {}; --lock-timeout sets how long)", folder_,
                        excerpt(files_.read_text(file)), format_seconds(std::chrono::duration<double>(waited).count()));
        }
        std::this_thread::sleep_for(lock_poll_interval);
    }
}

std::string DatasetFolder::staging_folder(const std::string& load_id) {
    std::string folder = path(fmt::format("{}/{}", own_folder, load_id));
    files_.create_folders(folder);
    return folder;
}

void DatasetFolder::write_description(const Layout& layout) {
    if (!has_file(init_file)) {
        files_.write_text_durably(path(init_file), init_text);
        files_.sync_folder(io::parent_folder(folder_));
    }
    if (!has_file(description_file)) files_.write_text_durably(path(description_file), description_text(layout));
}

void DatasetFolder::write_intent(const Intent& intent) {
    files_.write_text_durably(path(fmt::format("{}/{}{}", own_folder, intent.load_id, intent_ending)),
                              json::to_text(json::Object{{"added", list_of(intent.added)}, {"removed", list_of(intent.removed)}}));
}

void DatasetFolder::settle(const Intent& intent, bool is_finished) {
    // Whoever wrote the record may have died before it was durable, and nothing that it replaces may go before that.
    if (is_finished) files_.sync_folder(path(destination::loads_table));
    std::set<std::string> folders;
    for (const std::string& each : is_finished ? intent.removed : intent.added) {
        const std::string file = path(each);
        // One that is gone already may be so in memory only.
        if (const std::string folder = io::parent_folder(file); files_.find(folder) != nullptr) folders.insert(folder);
        if (files_.find(file) != nullptr) files_.remove(file);
    }
    // The intent hides them, so it must not be gone before they are.
    for (const std::string& folder : folders) files_.sync_folder(folder);
    files_.remove(path(fmt::format("{}/{}", own_folder, intent.load_id)));
    files_.remove(path(fmt::format("{}/{}{}", own_folder, intent.load_id, intent_ending)));
}

void DatasetFolder::settle(const Snapshot& snapshot) {
    for (const Intent& intent : snapshot.intents) {
        const std::vector<SystemFile> loads = list_loads();
        const bool is_finished = std::any_of(loads.begin(), loads.end(), [&](const SystemFile& load) { return load.id == intent.load_id; });
        settle(intent, is_finished);
    }
    // Of loads that died before they had said what they were going to do.
    for (const io::FileInfo& info : files_.list(path(own_folder))) {
        if (info.is_directory || info.path.ends_with(".new")) files_.remove(info.path);
    }
}

void DatasetFolder::write_object(const SystemRow& row) {
    const std::string file = path(row.path);
    const std::string folder = io::parent_folder(file);
    if (files_.find(folder) == nullptr) {
        files_.create_folders(folder);
        files_.sync_folder(folder_);
    }
    files_.write_text_durably(file, json::to_text(row.object));
}

void DatasetFolder::move_in(const std::vector<StagedFile>& staged) {
    std::set<std::string> folders;
    for (const StagedFile& file : staged) {
        const std::string target = path(file.path);
        files_.create_folders(io::parent_folder(target));
        files_.rename(file.staged, target);
        for (std::string folder = io::parent_folder(target); folder.size() >= folder_.size(); folder = io::parent_folder(folder)) folders.insert(folder);
    }
    for (const std::string& folder : folders) files_.sync_folder(folder);
}

void DatasetFolder::commit(Changes& changes, const Layout& layout, const Snapshot&) {
    write_description(layout);
    intent_ = Intent{.load_id = changes.load_id, .added = {}, .removed = {changes.removed.begin(), changes.removed.end()}};
    for (const StagedFile& file : changes.staged) intent_->added.push_back(file.path);
    for (const SystemRow& row : changes.rows) {
        intent_->added.push_back(row.path);
        intent_->added.push_back(row.path + ".new");
    }
    intent_->added.push_back(changes.record.path + ".new");
    write_intent(*intent_);
    move_in(changes.staged);
    for (const SystemRow& row : changes.rows) write_object(row);
    // It may be there although the disk did not say so. Then readers see the load already, and the next run asks for it.
    changes.may_be_there = true;
    try {
        write_object(changes.record);
    } catch (const Error&) {
        changes.may_be_there = has_file(changes.record.path);
        throw;
    }
}

void DatasetFolder::roll_back(const Changes& changes) {
    if (intent_) {
        settle(*intent_, false);
    } else {
        files_.remove(path(fmt::format("{}/{}", own_folder, changes.load_id)));
    }
}

}  // namespace tipple::destinations::filesystem
