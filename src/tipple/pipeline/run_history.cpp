#include "tipple/pipeline/run_history.h"

#include <algorithm>

#include "tipple/core/error.h"

namespace tipple::pipeline {

namespace {

constexpr std::string_view ending = ".json";

std::string text_of(const json::Object& record, std::string_view name) {
    const json::Value* value = record.find(name);
    return value != nullptr && value->is_text() ? value->as_text() : "";
}

/// `20261124T170418.123456-7f3a0b12.json`: in the order of their times, and the run's name at the end.
std::string name_of(const json::Object& record) {
    std::string name;
    for (const char c : text_of(record, "started_at").substr(0, 26)) {
        if (c != '-' && c != ':') name += c;
    }
    return name + "-" + text_of(record, "run") + std::string(ending);
}

}  // namespace

RunHistory::RunHistory(io::FileSystem& files, const std::string& folder) : files_(files), folder_(io::join_path(folder, "runs")) {}

void RunHistory::save(const json::Object& record) {
    files_.create_folders(folder_);
    files_.write_text_atomically(io::join_path(folder_, name_of(record)), json::to_text(record, {.spacing = json::Spacing::pretty}) + "\n");
    const std::vector<std::string> all = paths();
    for (std::size_t i = kept_max; i < all.size(); ++i) files_.remove(all[i]);
}

std::vector<json::Object> RunHistory::newest(std::size_t count) const {
    std::vector<json::Object> records;
    for (const std::string& path : paths()) {
        if (records.size() == count) break;
        if (std::optional<json::Object> record = read(path)) records.push_back(*std::move(record));
    }
    return records;
}

std::optional<json::Object> RunHistory::find(std::string_view id) const {
    std::optional<json::Object> found;
    for (const std::string& path : paths()) {
        const std::string name = io::file_name(path);
        if (!std::string_view(name).substr(name.find('-') + 1).starts_with(id)) continue;
        if (found) throw Error(ErrorKind::usage, "several runs begin with \"{}\"; give more of the name", id);
        found = read(path);
    }
    return found;
}

/// Newest first.
std::vector<std::string> RunHistory::paths() const {
    std::vector<std::string> found;
    for (const io::FileInfo& info : files_.list(folder_)) {
        const std::string name = io::file_name(info.path);
        if (name.ends_with(ending) && name.find('-') != std::string::npos) found.push_back(info.path);
    }
    std::reverse(found.begin(), found.end());
    return found;
}

std::optional<json::Object> RunHistory::read(const std::string& path) const {
    json::Value document;
    if (!json::try_parse(files_.read_text(path), document) || !document.is_object()) return std::nullopt;
    return document.as_object();
}

}  // namespace tipple::pipeline
