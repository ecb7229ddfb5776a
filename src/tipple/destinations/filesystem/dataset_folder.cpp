#include "tipple/destinations/filesystem/dataset_folder.h"

#include <algorithm>
#include <thread>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"

namespace tipple::destinations::filesystem {

namespace {

constexpr std::string_view init_file = "init";
/// What is ours alone: the lock, intents, files that are not in their places yet.
constexpr std::string_view own_folder = "_tipple";
constexpr std::string_view description_file = "_tipple/dataset.json";
constexpr std::string_view intent_ending = ".intent";
constexpr std::string_view system_ending = ".jsonl";
/// How often a folder that others load into is read again.
constexpr int read_attempts_max = 100;
constexpr std::chrono::milliseconds lock_poll_interval{50};

bool is_system_folder(std::string_view name) {
    return name == destination::version_table || name == destination::loads_table || name == destination::state_table || name == own_folder;
}

bool is_before(const SystemFile& a, const SystemFile& b) { return a.id < b.id; }

/// `<owner>__<id>__<hash>`, or without the hash; owners may have such marks in their names. Nothing for other names.
std::optional<SystemFile> parse_system_name(std::string_view table, std::string_view name) {
    constexpr std::string_view mark = "__";
    if (!name.ends_with(system_ending)) return std::nullopt;
    SystemFile file{.path = fmt::format("{}/{}", table, name), .owner = {}, .id = {}, .hash = {}};
    std::string_view rest = name.substr(0, name.size() - system_ending.size());
    const auto take_last = [&](std::string& part) {
        const std::size_t at = rest.rfind(mark);
        if (at == std::string_view::npos) return false;
        part = std::string(rest.substr(at + mark.size()));
        rest = rest.substr(0, at);
        return true;
    };
    if (table != destination::loads_table && !take_last(file.hash)) return std::nullopt;
    if (!take_last(file.id)) return std::nullopt;
    file.owner = std::string(rest);
    return file;
}

std::vector<std::string> texts_of(const json::Object& object, std::string_view name, const std::string& path) {
    std::vector<std::string> texts;
    const json::Value* list = object.find(name);
    if (list == nullptr || !list->is_array()) throw Error(ErrorKind::corrupt, "{}: it has no list \"{}\"", path, name);
    for (const json::Value& text : list->as_array()) {
        if (!text.is_text()) throw Error(ErrorKind::corrupt, "{}: \"{}\" holds something that is no path", path, name);
        texts.push_back(text.as_text());
    }
    return texts;
}

json::Array list_of(const std::vector<std::string>& texts) {
    json::Array list;
    for (const std::string& text : texts) list.emplace_back(text);
    return list;
}

json::Object parse_object(const std::string& text, const std::string& path) {
    json::Value value;
    if (!json::try_parse(text, value) || !value.is_object()) throw Error(ErrorKind::corrupt, "{} is no JSON object", path);
    return value.as_object();
}

}  // namespace

bool Snapshot::has_load(std::string_view load_id) const {
    return std::any_of(loads.begin(), loads.end(), [&](const SystemFile& load) { return load.id == load_id; });
}

const SystemFile* Snapshot::newest_schema(std::string_view schema) const {
    const auto found = std::find_if(schemas.rbegin(), schemas.rend(), [&](const SystemFile& file) { return file.owner == schema; });
    return found == schemas.rend() ? nullptr : &*found;
}

const SystemFile* Snapshot::newest_state(std::string_view pipeline) const {
    const auto found = std::find_if(states.rbegin(), states.rend(), [&](const SystemFile& file) { return file.owner == pipeline; });
    return found == states.rend() ? nullptr : &*found;
}

DatasetFolder::DatasetFolder(io::FileSystem& files, std::string folder, std::string layout)
    : files_(files), folder_(std::move(folder)), given_layout_(std::move(layout)) {}

bool DatasetFolder::exists() const { return files_.find(path(init_file)) != nullptr || files_.find(path(destination::loads_table)) != nullptr; }

std::optional<std::string> DatasetFolder::stored_layout() const {
    const std::string file = path(description_file);
    if (files_.find(file) == nullptr) return std::nullopt;
    const json::Object description = parse_object(files_.read_text(file), file);
    const json::Value* layout = description.find("layout");
    if (layout == nullptr || !layout->is_text()) throw Error(ErrorKind::corrupt, "{} does not say the layout of the dataset's files", file);
    return layout->as_text();
}

Layout DatasetFolder::layout() const {
    if (files_.find(path(init_file)) != nullptr) {
        const std::string text = files_.read_text(path(init_file));
        json::Value versions;
        const json::Value* initial = json::try_parse(text, versions) && versions.is_object() ? versions.as_object().find("initial_version") : nullptr;
        if (initial == nullptr || !initial->is_int() || initial->as_int() < 2) {
            throw Error(ErrorKind::usage,
                        "dataset {} was begun by an old version of dlt, whose compressed files do not say so by their names: load into another dataset", folder_);
        }
    }
    const std::optional<std::string> stored = stored_layout();
    if (stored && !given_layout_.empty() && *stored != given_layout_) {
        throw Error(ErrorKind::usage, "dataset {} has files of the layout \"{}\", so that \"{}\" cannot be used: leave the option \"layout\" out, or load into another dataset",
                    folder_, *stored, given_layout_);
    }
    return Layout(stored ? *stored : given_layout_.empty() ? std::string(Layout::default_text) : given_layout_);
}

std::vector<SystemFile> DatasetFolder::list_system(std::string_view table) const {
    std::vector<SystemFile> found;
    for (const io::FileInfo& info : files_.list(path(table))) {
        if (std::optional<SystemFile> file = parse_system_name(table, io::file_name(info.path))) found.push_back(std::move(*file));
    }
    std::stable_sort(found.begin(), found.end(), is_before);
    return found;
}

std::vector<SystemFile> DatasetFolder::list_loads() const { return list_system(destination::loads_table); }

std::vector<Intent> DatasetFolder::read_intents() const {
    std::vector<Intent> intents;
    for (const io::FileInfo& info : files_.list(path(own_folder))) {
        std::string name = io::file_name(info.path);
        if (!name.ends_with(intent_ending)) continue;
        const json::Object object = parse_object(files_.read_text(info.path), info.path);
        name.resize(name.size() - intent_ending.size());
        intents.push_back({.load_id = std::move(name), .added = texts_of(object, "added", info.path), .removed = texts_of(object, "removed", info.path)});
    }
    return intents;
}

void DatasetFolder::list_data(const std::string& relative, std::vector<std::string>& found) const {
    for (const io::FileInfo& info : files_.list(path(relative))) {
        const std::string name = io::file_name(info.path);
        if (relative.empty() && (is_system_folder(name) || name == init_file)) continue;
        const std::string inner = io::join_path(relative, name);
        if (info.is_directory) {
            list_data(inner, found);
        } else {
            found.push_back(inner);
        }
    }
}

/// Nothing when a load came to its end meanwhile. Load records are looked at first and last: a load that finished in between may have taken files away
/// that would be missed here. Intents are looked at before files: one that is gone by then has nothing left to take away.
std::optional<Snapshot> DatasetFolder::try_read(const Layout& layout) const {
    Snapshot snapshot;
    const std::vector<SystemFile> loads = list_loads();
    const auto is_recorded = [&](std::string_view load_id) { return std::any_of(loads.begin(), loads.end(), [&](const SystemFile& load) { return load.id == load_id; }); };
    snapshot.intents = read_intents();
    std::set<std::string, std::less<>> hidden;
    for (const Intent& intent : snapshot.intents) {
        const std::vector<std::string>& paths = is_recorded(intent.load_id) ? intent.removed : intent.added;
        hidden.insert(paths.begin(), paths.end());
    }
    const auto take_seen = [&](std::vector<SystemFile> files, std::vector<SystemFile>& seen) {
        for (SystemFile& file : files) {
            if (!hidden.contains(file.path)) seen.push_back(std::move(file));
        }
    };
    take_seen(loads, snapshot.loads);
    take_seen(list_system(destination::version_table), snapshot.schemas);
    take_seen(list_system(destination::state_table), snapshot.states);
    std::erase_if(snapshot.states, [&](const SystemFile& state) { return !snapshot.has_load(state.id); });
    std::set<std::string, std::less<>> finished;
    for (const SystemFile& load : snapshot.loads) finished.insert(load.id);

    std::vector<std::string> paths;
    list_data({}, paths);
    for (std::string& each : paths) {
        std::optional<FileName> name = layout.parse(each);
        Format format{};
        if (!name || !try_parse_ending(name->ending, format)) {
            snapshot.foreign.push_back(std::move(each));
        } else if (hidden.contains(each) || !finished.contains(name->load_id)) {
            // What a finished load has taken away already is no concern of anybody.
            if (!hidden.contains(each)) snapshot.unfinished.push_back(std::move(each));
        } else {
            std::vector<DataFile>& table = snapshot.files[name->table];
            table.push_back({.path = std::move(each), .name = std::move(*name), .format = format});
        }
    }
    const std::vector<SystemFile> loads_after = list_loads();
    const bool is_same = std::equal(loads.begin(), loads.end(), loads_after.begin(), loads_after.end(),
                                    [](const SystemFile& a, const SystemFile& b) { return a.path == b.path; });
    if (!is_same) return std::nullopt;
    return snapshot;
}

Snapshot DatasetFolder::read(const Layout& layout) const {
    for (int attempt = 1;; ++attempt) {
        try {
            if (std::optional<Snapshot> snapshot = try_read(layout)) return std::move(*snapshot);
        } catch (const Error& error) {
            // An intent was listed and gone before it was read.
            if (error.kind() != ErrorKind::usage || attempt == read_attempts_max) throw;
        }
        if (attempt == read_attempts_max) throw Error(ErrorKind::transient, "others load into {} all the time: it could not be read at one moment, try again", folder_);
    }
}

json::Object DatasetFolder::read_object(const SystemFile& file) const { return parse_object(files_.read_text(path(file.path)), path(file.path)); }

std::unique_ptr<io::FileLock> DatasetFolder::lock(std::chrono::milliseconds timeout, const std::string& note, std::stop_token stop) const {
    const std::string file = path(fmt::format("{}/lock", own_folder));
    files_.create_folders(path(own_folder));
    const auto start = std::chrono::steady_clock::now();
    while (true) {
        if (std::unique_ptr<io::FileLock> lock = files_.try_lock(file, note)) return lock;
        if (stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped on request");
        const auto waited = std::chrono::steady_clock::now() - start;
        if (waited >= timeout) {
            throw Error(ErrorKind::locked, "{} is being loaded into by somebody else ({}; waited {}; --lock-timeout sets how long)", folder_,
                        excerpt(files_.read_text(file)), format_seconds(std::chrono::duration<double>(waited).count()));
        }
        std::this_thread::sleep_for(lock_poll_interval);
    }
}

std::string DatasetFolder::staging_folder(const std::string& load_id) const { return path(fmt::format("{}/{}", own_folder, load_id)); }

void DatasetFolder::write_description(const Layout& layout) const {
    if (!stored_layout()) {
        files_.write_text_durably(path(description_file), json::to_text(json::Object{{"layout", layout.text()}}));
    }
    if (files_.find(path(init_file)) != nullptr) return;
    files_.write_text_durably(path(init_file), R"({"initial_version":2,"current_version":2})");
    files_.sync_folder(io::parent_folder(folder_));
}

void DatasetFolder::write_intent(const Intent& intent) const {
    files_.write_text_durably(path(fmt::format("{}/{}{}", own_folder, intent.load_id, intent_ending)),
                              json::to_text(json::Object{{"added", list_of(intent.added)}, {"removed", list_of(intent.removed)}}));
}

void DatasetFolder::settle(const Intent& intent, bool is_finished) const {
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
    files_.remove(staging_folder(intent.load_id));
    files_.remove(path(fmt::format("{}/{}{}", own_folder, intent.load_id, intent_ending)));
}

void DatasetFolder::settle(const Snapshot& snapshot) const {
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

void DatasetFolder::write_object(const std::string& relative, const json::Object& object) const {
    const std::string file = path(relative);
    const std::string folder = io::parent_folder(file);
    if (files_.find(folder) == nullptr) {
        files_.create_folders(folder);
        files_.sync_folder(folder_);
    }
    files_.write_text_durably(file, json::to_text(object));
}

}  // namespace tipple::destinations::filesystem
