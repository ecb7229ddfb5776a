#include "tipple/destinations/filesystem/dataset.h"

#include <algorithm>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destination/system_tables.h"
#include "tipple/io/file_system.h"

namespace tipple::destinations::filesystem {

namespace {

constexpr std::string_view system_ending = ".jsonl";
/// How often a dataset that others load into is read again.
constexpr int read_attempts_max = 100;

bool is_before(const SystemFile& a, const SystemFile& b) { return a.id < b.id; }

bool is_same_path(const SystemFile& a, const SystemFile& b) { return a.path == b.path; }

/// `<owner>__<id>__<hash>`, or without the hash; owners may have such marks in their names. Nothing for other names, also those whose id is no time.
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
    if (!take_last(file.id) || !try_load_id_time_us(file.id)) return std::nullopt;
    file.owner = std::string(rest);
    return file;
}

/// What is known of a file that is on its way stands for the file itself.
void add_pending(std::vector<SystemFile>& files, const std::vector<SystemFile>& pending) {
    for (const SystemFile& each : pending) {
        std::erase_if(files, [&](const SystemFile& file) { return is_same_path(file, each); });
        files.push_back(each);
    }
    std::stable_sort(files.begin(), files.end(), is_before);
}

}  // namespace

std::string description_text(const Layout& layout) { return json::to_text(json::Object{{"layout", layout.text()}}); }

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

bool Dataset::is_system_folder(std::string_view name) {
    return name == destination::version_table || name == destination::loads_table || name == destination::state_table || name == own_folder;
}

std::optional<SystemFile> Dataset::parse_system_path(const std::string& path) { return parse_system_name(io::parent_folder(path), io::file_name(path)); }

std::optional<std::string> Dataset::try_read_text(std::string_view relative) const {
    try {
        return read_text(relative);
    } catch (const Error&) {
        if (has_file(relative)) throw;
        return std::nullopt;
    }
}

std::optional<std::string> Dataset::stored_layout() const {
    if (!has_file(description_file)) return std::nullopt;
    const std::string file = path(description_file);
    const json::Object description = parse_object(read_text(description_file), file);
    const json::Value* layout = description.find("layout");
    if (layout == nullptr || !layout->is_text()) throw Error(ErrorKind::corrupt, "{} does not say the layout of the dataset's files", file);
    return layout->as_text();
}

Layout Dataset::layout() const {
    if (has_file(init_file)) {
        const std::string text = read_text(init_file);
        json::Value versions;
        const json::Value* initial = json::try_parse(text, versions) && versions.is_object() ? versions.as_object().find("initial_version") : nullptr;
        if (initial == nullptr || !initial->is_int() || initial->as_int() < 2) {
            throw Error(ErrorKind::usage,
                        "dataset {} was begun by an old version of dlt, whose compressed files do not say so by their names: load into another dataset", name());
        }
    }
    const std::optional<std::string> stored = stored_layout();
    if (stored && !given_layout_.empty() && *stored != given_layout_) {
        throw Error(ErrorKind::usage, "dataset {} has files of the layout \"{}\", so that \"{}\" cannot be used: leave the option \"layout\" out, or load into another dataset",
                    name(), *stored, given_layout_);
    }
    return Layout(stored ? *stored : given_layout_.empty() ? std::string(Layout::default_text) : given_layout_);
}

std::vector<SystemFile> Dataset::list_system(std::string_view table) const {
    std::vector<SystemFile> found;
    for (const std::string& path : list(table)) {
        if (std::optional<SystemFile> file = parse_system_path(path)) found.push_back(std::move(*file));
    }
    std::stable_sort(found.begin(), found.end(), is_before);
    return found;
}

std::vector<SystemFile> Dataset::list_loads() const { return list_system(destination::loads_table); }

bool Dataset::has_record(const destination::LoadKey& load) const {
    const auto says = [&](const SystemFile& file, std::string_view name, const std::string& expected) {
        const json::Object object = read_object(file);
        const json::Value* value = object.find(name);
        return value != nullptr && value->is_text() && value->as_text() == expected;
    };
    const auto is_among = [&](const std::vector<SystemFile>& files, const std::string& owner, std::string_view name, const std::string& expected) {
        return std::any_of(files.begin(), files.end(), [&](const SystemFile& file) {
            return file.id == load.load_id && (owner.empty() || file.owner == owner) && (expected.empty() || says(file, name, expected));
        });
    };
    if (!is_among(list_loads(), load.schema_name, "schema_version_hash", load.schema_hash)) return false;
    return load.state_hash.empty() || is_among(list_system(destination::state_table), load.pipeline, "version_hash", load.state_hash);
}

/// Nothing when a load came to its end meanwhile. Load records are looked at first and last: a load that finished in between may have taken files away
/// that would be missed here. What is on the way is looked at before files: what is gone by then has nothing left to take away; and again behind them:
/// what came in between may have added some.
std::optional<Snapshot> Dataset::try_read(const Layout& layout) const {
    Snapshot snapshot;
    const std::vector<SystemFile> loads = list_loads();
    const std::optional<Pending> pending = this->pending();
    if (!pending) return std::nullopt;
    snapshot.intents = pending->intents;
    snapshot.commits = pending->commits;
    snapshot.loads = loads;
    add_pending(snapshot.loads, pending->loads);
    std::set<std::string, std::less<>> hidden;
    for (const Intent& intent : snapshot.intents) {
        const std::vector<std::string>& paths = snapshot.has_load(intent.load_id) ? intent.removed : intent.added;
        hidden.insert(paths.begin(), paths.end());
    }
    const auto is_hidden = [&](const SystemFile& file) { return hidden.contains(file.path); };
    std::erase_if(snapshot.loads, [&](const SystemFile& load) { return is_hidden(load) || pending->undone.contains(load.id); });
    snapshot.schemas = list_system(destination::version_table);
    add_pending(snapshot.schemas, pending->schemas);
    std::erase_if(snapshot.schemas, is_hidden);
    snapshot.states = list_system(destination::state_table);
    add_pending(snapshot.states, pending->states);
    std::erase_if(snapshot.states, [&](const SystemFile& state) { return is_hidden(state) || !snapshot.has_load(state.id); });
    std::set<std::string, std::less<>> finished;
    for (const SystemFile& load : snapshot.loads) finished.insert(load.id);

    for (std::string& each : list({})) {
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
    if (!std::equal(loads.begin(), loads.end(), loads_after.begin(), loads_after.end(), is_same_path)) return std::nullopt;
    const std::optional<Pending> pending_after = this->pending();
    if (!pending_after || pending_after->version != pending->version) return std::nullopt;
    return snapshot;
}

Snapshot Dataset::read(const Layout& layout) const {
    for (int attempt = 1;; ++attempt) {
        if (std::optional<Snapshot> snapshot = try_read(layout)) return std::move(*snapshot);
        if (attempt == read_attempts_max) throw Error(ErrorKind::transient, "others load into {} all the time: it could not be read at one moment, try again", name());
    }
}

json::Object Dataset::read_object(const SystemFile& file) const { return parse_object(file.text ? *file.text : read_text(file.path), path(file.path)); }

}  // namespace tipple::destinations::filesystem
