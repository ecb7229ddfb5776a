#include "tipple/destinations/filesystem/dataset_bucket.h"

#include <algorithm>
#include <charconv>
#include <filesystem>

#include "tipple/core/error.h"
#include "tipple/core/random.h"
#include "tipple/core/hash.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destinations::filesystem {

namespace {

constexpr std::string_view commits_folder = "_tipple/commits";
constexpr std::string_view conditions_file = "_tipple/conditions";
/// Older ones are taken away. Whoever claims a number that is there no longer sees a newer one.
constexpr std::uint64_t commits_kept_max = 100;
constexpr int claims_max = 50;
constexpr std::size_t copy_bytes = std::size_t{1} << 20;

std::string commit_path(std::uint64_t number) { return fmt::format("{}/{:010}.json", commits_folder, number); }

/// 0 for another file.
std::uint64_t commit_number(const std::string& path) {
    const std::string name = io::file_name(path);
    std::uint64_t number = 0;
    const auto [end, error] = std::from_chars(name.data(), name.data() + name.size(), number);
    return error == std::errc() && std::string_view(end) == ".json" ? number : 0;
}

/// Hands over what is left of `from`, piece by piece.
void for_each_piece(io::ReadFile& from, const std::function<void(std::string_view)>& take) {
    std::string buffer(copy_bytes, '\0');
    while (const std::size_t count = from.read(buffer.data(), buffer.size())) take(std::string_view(buffer).substr(0, count));
}

/// All that is left of `from`, which `to` then is closed behind.
void copy(io::ReadFile& from, io::WriteFile& to) {
    for_each_piece(from, [&](std::string_view piece) { to.write(piece); });
    to.close();
}

json::Object row_object(const SystemFile& row) { return {{"path", row.path}, {"text", row.text.value_or("")}}; }

json::Value parsed(const json::Object& object, std::string_view name) {
    const json::Value* value = object.find(name);
    return value != nullptr ? *value : json::Value();
}

}  // namespace

DatasetBucket::DatasetBucket(io::WritableObjectStore& store, std::string folder, std::string layout, LocalFiles local, std::stop_token stop)
    : Dataset(std::move(layout)), store_(store), folder_(std::move(folder)), local_(std::move(local)), stop_(std::move(stop)) {}

DatasetBucket::~DatasetBucket() {
    if (temp_folder_.empty()) return;
    try {
        local_.files->remove(temp_folder_);
    } catch (const std::exception&) {
        // In a folder for what lives no longer than the process.
    }
}

bool DatasetBucket::exists() const { return has_file(init_file) || !list(destination::loads_table).empty(); }

// ---- reading ----

std::string DatasetBucket::read_text(std::string_view relative) const {
    // In one request: these files are small.
    std::string text;
    for_each_piece(*store_.open_read({.key = key(relative), .has_size = false}, stop_), [&](std::string_view piece) { text += piece; });
    return text;
}

std::vector<std::string> DatasetBucket::list(std::string_view folder) const {
    std::vector<std::string> found;
    const std::string prefix = folder_ + "/";
    store_.list(folder.empty() ? prefix : prefix + std::string(folder) + "/", stop_, [&](const io::ObjectInfo& object) {
        std::string relative = object.key.substr(prefix.size());
        if (!folder.empty() || (relative != init_file && !is_system_folder(relative.substr(0, relative.find('/'))))) found.push_back(std::move(relative));
        return true;
    });
    return found;
}

DatasetBucket::Commit DatasetBucket::read_commit(std::uint64_t number) const {
    return parse_commit(number, read_text(commit_path(number)));
}

DatasetBucket::Commit DatasetBucket::parse_commit(std::uint64_t number, const std::string& content) const {
    const std::string file = commit_path(number);
    const json::Object object = parse_object(content, path(file));
    Commit commit{.number = number};
    const json::Value load_id = parsed(object, "load_id");
    const json::Value package = parsed(object, "package");
    const json::Value is_settled = parsed(object, "is_settled");
    if (!load_id.is_text() || !package.is_text() || !is_settled.is_bool()) {
        throw Error(ErrorKind::corrupt, "{} is no commit: it has no \"load_id\", \"package\" or \"is_settled\"", path(file));
    }
    commit.load_id = load_id.as_text();
    commit.package = package.as_text();
    commit.is_settled = is_settled.as_bool();
    for (std::string& each : texts_of(object, "undone", path(file))) commit.undone.insert(std::move(each));
    if (commit.is_settled) return commit;
    commit.removed = texts_of(object, "removed", path(file));
    const auto row_of = [&](const json::Value& value) {
        const json::Value name = value.is_object() ? parsed(value.as_object(), "path") : json::Value();
        const json::Value text = value.is_object() ? parsed(value.as_object(), "text") : json::Value();
        std::optional<SystemFile> row = name.is_text() && text.is_text() ? parse_system_path(name.as_text()) : std::nullopt;
        if (!row) throw Error(ErrorKind::corrupt, "{} has a row without \"path\" and \"text\" of a system table", path(file));
        row->text = text.as_text();
        return *row;
    };
    commit.record = row_of(parsed(object, "record"));
    const json::Value rows = parsed(object, "rows");
    if (rows.is_array()) {
        for (const json::Value& row : rows.as_array()) commit.rows.push_back(row_of(row));
    }
    return commit;
}

std::optional<DatasetBucket::Commit> DatasetBucket::try_newest_commit() const {
    std::uint64_t newest = 0;
    for (const std::string& each : list(commits_folder)) newest = std::max(newest, commit_number(each));
    if (newest == 0) return Commit{};
    const std::optional<std::string> text = try_read_text(commit_path(newest));
    return text ? std::optional(parse_commit(newest, *text)) : std::nullopt;
}

DatasetBucket::Commit DatasetBucket::newest_commit() const {
    std::optional<Commit> newest = try_newest_commit();
    if (!newest) throw Error(ErrorKind::transient, "others load into {} all the time: try again", name());
    return *std::move(newest);
}

std::optional<Dataset::Pending> DatasetBucket::pending() const {
    const std::optional<Commit> newest = try_newest_commit();
    if (!newest) return std::nullopt;
    Pending pending{.undone = newest->undone, .version = fmt::format("{} {}", newest->number, newest->is_settled), .commits = newest->number};
    if (newest->is_settled) return pending;
    pending.intents.push_back({.load_id = newest->load_id, .added = {}, .removed = newest->removed});
    pending.loads.push_back(*newest->record);
    for (const SystemFile& row : newest->rows) (io::parent_folder(row.path) == destination::version_table ? pending.schemas : pending.states).push_back(row);
    return pending;
}

bool DatasetBucket::has_load(const destination::LoadKey& load, std::chrono::milliseconds, std::stop_token) {
    const Commit newest = newest_commit();
    settle(newest);
    return has_record(load) && !newest.undone.contains(load.load_id);
}

bool DatasetBucket::is_settled(const std::string& load_id) const { return has_record({.load_id = load_id}) || newest_commit().undone.contains(load_id); }

// ---- files of this machine ----

std::string DatasetBucket::temp_folder() const {
    if (temp_folder_.empty()) {
        const std::string parent = local_.temp_folder.empty() ? std::filesystem::temp_directory_path().string() : local_.temp_folder;
        temp_folder_ = io::join_path(parent, "tipple-objects-" + to_hex(random_bytes(8)));
        local_.files->create_folders(temp_folder_);
    }
    return temp_folder_;
}

std::string DatasetBucket::local_path(const std::string& relative) const {
    if (const auto known = copies_.find(relative); known != copies_.end()) return known->second;
    const std::optional<io::ObjectInfo> object = store_.find(key(relative), stop_);
    if (!object) throw Error(ErrorKind::usage, "there is no object {}", path(relative));
    const std::uint64_t free = local_.files->free_bytes(temp_folder());
    if (free < object->size) {
        throw Error(ErrorKind::local, "disk full: {} has {}, and {} are left in {} for a copy of it; free some space, or {}", path(relative), format_bytes(object->size),
                    format_bytes(free), temp_folder(), local_.temp_folder.empty() ? "set TMPDIR to a larger place" : "say by --data-dir where there is more");
    }
    // The ending says how it is compressed.
    const std::string target = io::join_path(temp_folder(), fmt::format("{}_{}", copies_.size(), io::file_name(relative)));
    copy(*store_.open_read(*object, stop_), *local_.files->create(target));
    return copies_.emplace(relative, target).first->second;
}

std::string DatasetBucket::local_path(const SystemFile& file) const {
    if (!file.text || copies_.contains(file.path)) return local_path(file.path);
    const std::string copy = io::join_path(temp_folder(), fmt::format("{}_{}", copies_.size(), io::file_name(file.path)));
    const std::unique_ptr<io::WriteFile> to = local_.files->create(copy);
    to->write(*file.text);
    to->close();
    return copies_.emplace(file.path, copy).first->second;
}

std::string DatasetBucket::staging_folder(const std::string& load_id) {
    std::string folder = io::join_path(temp_folder(), load_id);
    local_.files->create_folders(folder);
    return folder;
}

// ---- loading ----

std::unique_ptr<WriteGuard> DatasetBucket::lock(std::chrono::milliseconds, const std::string&, std::stop_token) {
    const auto is_new = [&] { return store_.put(key(conditions_file), "{}", io::PutCondition::if_absent, stop_); };
    if (is_new() && is_new()) {
        throw Error(ErrorKind::usage,
                    "{}: the store ignores the condition If-None-Match of writes, without which two loads at once could not be told apart: nothing is loaded into it. AWS, Google, "
                    "Cloudflare R2, Ceph and MinIO know it in their newer versions",
                    name());
    }
    return std::make_unique<WriteGuard>();
}

void DatasetBucket::settle(const Snapshot&) { settle(newest_commit()); }

/// What is done twice, or by two at once, is the same.
void DatasetBucket::settle(const Commit& commit) {
    if (commit.is_settled) return;
    for (const SystemFile& row : commit.rows) store_.put(key(row.path), *row.text, io::PutCondition::always, stop_);
    store_.put(key(commit.record->path), *commit.record->text, io::PutCondition::always, stop_);
    for (const std::string& each : commit.removed) store_.remove(key(each), stop_);
    const json::Object settled = {{"load_id", commit.load_id}, {"package", commit.package}, {"undone", list_of({commit.undone.begin(), commit.undone.end()})}, {"is_settled", true}};
    store_.put(key(commit_path(commit.number)), json::to_text(settled), io::PutCondition::always, stop_);
    if (commit.number > commits_kept_max) store_.remove(key(commit_path(commit.number - commits_kept_max)), stop_);
}

void DatasetBucket::write_description(const Layout& layout) {
    if (has_file(description_file)) return;
    store_.put(key(init_file), init_text, io::PutCondition::if_absent, stop_);
    store_.put(key(description_file), description_text(layout), io::PutCondition::if_absent, stop_);
    if (this->layout().text() != layout.text()) {
        throw Error(ErrorKind::conflict, "{} was begun by somebody else meanwhile, with another layout: nothing was loaded, try again", name());
    }
}

bool DatasetBucket::claim(const Commit& commit) {
    json::Array rows;
    for (const SystemFile& row : commit.rows) rows.emplace_back(row_object(row));
    const json::Object object = {{"load_id", commit.load_id},
                                 {"package", commit.package},
                                 {"record", row_object(*commit.record)},
                                 {"rows", std::move(rows)},
                                 {"removed", list_of(commit.removed)},
                                 {"undone", list_of({commit.undone.begin(), commit.undone.end()})},
                                 {"is_settled", false}};
    const std::string file = key(commit_path(commit.number));
    // The answer of an attempt before may have been lost.
    if (!store_.put(file, json::to_text(object), io::PutCondition::if_absent, stop_) && !read_commit(commit.number).is_of(commit)) return false;
    // The number may have been free because it is so old that its commit is gone: then nobody looks at this one. Or others have gone on already: they have
    // settled this one first.
    if (newest_commit().number == commit.number || is_settled(commit.load_id)) return true;
    store_.remove(file, stop_);
    return false;
}

void DatasetBucket::commit(Changes& changes, const Layout& layout, const Snapshot& before) {
    try {
        upload(changes.staged, before);
        publish(changes, layout, before);
    } catch (const Error& error) {
        // The package is loaded again, under these names: a removal that arrives late would take away what was loaded then.
        if (can_succeed_later(error.kind())) uploaded_.clear();
        throw;
    }
}

void DatasetBucket::upload(const std::vector<StagedFile>& files, const Snapshot& before) {
    // Those of an attempt before are not this one's to remove: its commit may be on the way still.
    const std::set<std::string_view> lay_there(before.unfinished.begin(), before.unfinished.end());
    for (const StagedFile& file : files) {
        if (!lay_there.contains(file.path)) uploaded_.push_back(file.path);
        copy(*local_.files->open_read(file.staged), *store_.create(key(file.path), stop_));
        local_.files->remove(file.staged);
    }
}

void DatasetBucket::publish(Changes& changes, const Layout& layout, const Snapshot& before) {
    // From then on the layout is that of all loads, so nothing of it may be said by one that fails before.
    write_description(layout);
    const auto row_of = [](const SystemRow& row) {
        std::optional<SystemFile> file = parse_system_path(row.path);
        TIPPLE_ASSERT(file);
        file->text = json::to_text(row.object);
        return *file;
    };
    std::uint64_t commits = before.commits;
    for (int attempt = 1;; ++attempt) {
        // A number is taken only when all that is older is in its place.
        const Commit newest = newest_commit();
        settle(newest);
        if (newest.number == commits) {
            own_ = Commit{.number = commits + 1, .load_id = changes.load_id, .package = changes.package, .record = row_of(changes.record), .is_settled = false};
            own_->removed.assign(changes.removed.begin(), changes.removed.end());
            for (const SystemRow& row : changes.rows) own_->rows.push_back(row_of(row));
            own_->undone = newest.undone;
            own_->undone.insert(changes.undone.begin(), changes.undone.end());
            changes.may_be_there = true;
            if (claim(*own_)) return;
            changes.may_be_there = false;
        }
        if (attempt == claims_max) throw Error(ErrorKind::transient, "others load into {} all the time: try again", name());
        const Snapshot now = read(layout);
        // A request of an attempt before, of which nobody knew what had become, may have arrived by now. What was uploaded is then what that commit stands for.
        for (std::uint64_t number = commits + 1; number <= now.commits; ++number) {
            const std::optional<std::string> text = try_read_text(commit_path(number));
            if (!text) throw Error(ErrorKind::transient, "others load into {} all the time: try again", name());
            Commit since = parse_commit(number, *text);
            if (!since.is_of(changes)) continue;
            changes.may_be_there = true;
            own_ = std::move(since);
            return;
        }
        changes.rebase(now, changes);
        commits = now.commits;
    }
}

void DatasetBucket::tidy_up(const Changes&) { settle(*own_); }

void DatasetBucket::roll_back(const Changes&) {
    for (const std::string& each : uploaded_) {
        if (!store_.remove_once(key(each))) throw Error(ErrorKind::transient, "{}: the store did not say that it is gone", path(each));
    }
}

}  // namespace tipple::destinations::filesystem
