#include "tipple/config/dlt_settings.h"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <cmath>
#include <memory>
#include <utility>

#include "tipple/config/toml.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::config {

namespace {

using Path = std::vector<std::string>;

std::string upper(std::string text) {
    for (char& c : text) c = static_cast<char>(std::toupper(static_cast<unsigned char>(c)));
    return text;
}

Path without_private(const Path& names) {
    Path kept;
    for (const std::string& name : names) {
        if (!name.starts_with('_')) kept.push_back(name);
    }
    return kept;
}

/// The sections that are looked under, from the most specific one on.
std::vector<Path> section_paths(const DltField& field) {
    Path embedded = field.embedded;
    std::string last = field.last_section;
    if (!embedded.empty()) {
        // A field's own name takes the place of the section that its type has.
        if (!embedded.back().starts_with('_')) last = embedded.back();
        embedded.pop_back();
    }
    embedded = without_private(embedded);
    const auto ended = [&](Path path) {
        if (!last.empty()) path.push_back(last);
        return path;
    };
    Path names = field.sections;
    names.insert(names.end(), embedded.begin(), embedded.end());
    std::vector<Path> paths;
    for (;; names.pop_back()) {
        paths.push_back(ended(names));
        if (names.empty()) break;
    }
    const Path& sections = field.sections;
    if (sections.size() >= 3 && (sections[0] == "sources" || sections[0] == "jobs") && sections[1] != sections[2]) {
        Path compact = {sections[0], sections[2]};
        compact.insert(compact.end(), embedded.begin(), embedded.end());
        compact = ended(compact);
        if (std::find(paths.begin(), paths.end(), compact) == paths.end()) paths.insert(paths.begin() + 2, compact);
    }
    return paths;
}

Path full_path(std::string_view pipeline, const Path& sections, const std::string& key) {
    Path path;
    if (!pipeline.empty()) path.emplace_back(pipeline);
    for (const std::string& section : sections) {
        if (!section.empty()) path.push_back(section);
    }
    path.push_back(key);
    return path;
}

std::string variable(const Path& path) {
    std::string name;
    for (const std::string& part : path) name += (name.empty() ? "" : "__") + upper(part);
    return name;
}

/// Nothing that is found there surprises somebody who does not use dlt.
bool is_named_by_dlt(const Path& sections) {
    constexpr std::array<std::string_view, 3> of_dlt = {"sources", "destination", "pipelines"};
    return !sections.empty() && std::find(of_dlt.begin(), of_dlt.end(), sections.front()) != of_dlt.end();
}

std::string in_folder(const std::string& folder, const std::string& name) { return folder == "." || name.starts_with('/') ? name : io::join_path(folder, name); }

bool add_file(io::FileSystem& files, const std::string& path, Node& document) {
    if (files.find(path) == nullptr) return false;
    overlay(document, parse_toml(files.read_text(path), path));
    return true;
}

}  // namespace

DltSettings DltSettings::read(io::FileSystem& files, const DltPlaces& places, Environment environment) {
    DltSettings settings;
    settings.files_ = &files;
    const auto said = [&](const char* name, const std::string& otherwise) {
        const auto found = environment.find(name);
        return found == environment.end() ? otherwise : found->second;
    };
    const std::string folder = in_folder(said("DLT_PROJECT_DIR", places.folder), said("DLT_CONFIG_FOLDER", ".dlt"));
    for (const auto& [name, document] : {std::pair("secrets.toml", &settings.secrets_), std::pair("config.toml", &settings.config_)}) {
        if (!places.global_folder.empty()) add_file(files, io::join_path(places.global_folder, name), *document);
        if (add_file(files, io::join_path(folder, name), *document)) settings.is_dlt_project_ = true;
    }
    if (!places.secrets_folder.empty() && files.find(places.secrets_folder) != nullptr) settings.secrets_folder_ = places.secrets_folder;
    settings.environment_ = std::move(environment);
    return settings;
}

std::optional<DltValue> DltSettings::find(const DltField& field, std::string_view pipeline) const {
    if (!pipeline.empty()) {
        if (std::optional<DltValue> found = find_in(field, pipeline)) return found;
    }
    return find_in(field, "");
}

std::optional<DltValue> DltSettings::find_in(const DltField& field, std::string_view pipeline) const {
    const std::vector<Path> paths = section_paths(field);
    for (const Path& sections : paths) {
        if (!is_dlt_project_ && !is_named_by_dlt(sections)) continue;
        const std::string name = variable(full_path(pipeline, sections, field.key));
        if (field.is_secret) {
            if (std::optional<DltValue> found = find_mounted(name)) return found;
        }
        if (const auto found = environment_.find(name); found != environment_.end()) return DltValue{.node = make_text(found->second, {.source = name}), .key = name};
    }
    for (const Node* document : {&secrets_, &config_}) {
        for (const Path& sections : paths) {
            const Path path = full_path(pipeline, sections, field.key);
            const Node* node = find_path(*document, path);
            if (node == nullptr) continue;
            // In config.toml it is no secret, though some of its parts may be.
            if (field.is_whole && node->is_table() && document == &config_) continue;
            if (field.is_secret && document == &config_) {
                throw Error(ErrorKind::usage, "{}: {} is a secret, and config.toml is no place for one; move it to secrets.toml beside it", node->place.text(), key_text(path));
            }
            return DltValue{.node = *node, .key = key_text(path)};
        }
    }
    return std::nullopt;
}

std::optional<DltValue> DltSettings::find_mounted(const std::string& variable) const {
    if (secrets_folder_.empty()) return std::nullopt;
    std::string name = lower(variable);
    std::replace(name.begin(), name.end(), '_', '-');
    std::string path = io::join_path(secrets_folder_, name);
    std::unique_ptr<io::FileInfo> info = files_->find(path);
    // Kubernetes mounts a folder with the file in it.
    if (info != nullptr && info->is_directory) {
        path = io::join_path(path, name);
        info = files_->find(path);
    }
    if (info == nullptr) return std::nullopt;
    std::string text = files_->read_text(path);
    // Whatever wrote the file ended its line; no secret ends with that.
    while (text.ends_with('\n') || text.ends_with('\r')) text.pop_back();
    return DltValue{.node = make_text(std::move(text), {.source = path}), .key = path};
}

std::vector<std::string> DltSettings::keys(const DltField& field, std::string_view pipeline) {
    std::vector<std::string> list;
    std::vector<std::string_view> scopes = {""};
    if (!pipeline.empty()) scopes.insert(scopes.begin(), pipeline);
    for (const std::string_view scope : scopes) {
        const std::vector<Path> paths = section_paths(field);
        for (const Path& sections : paths) list.push_back(variable(full_path(scope, sections, field.key)));
        for (const char* file : {"secrets.toml", "config.toml"}) {
            if (field.is_secret && std::string_view(file) == "config.toml") continue;
            for (const Path& sections : paths) list.push_back(fmt::format("{}: {}", file, key_text(full_path(scope, sections, field.key))));
        }
    }
    return list;
}

std::string_view dlt_stripped(std::string_view text) {
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.front())) != 0) text.remove_prefix(1);
    while (!text.empty() && std::isspace(static_cast<unsigned char>(text.back())) != 0) text.remove_suffix(1);
    return text;
}

std::string dlt_text(const Node& node) {
    if (node.kind == Node::Kind::boolean) return node.value.as_bool() ? "True" : "False";
    if (!node.is_scalar()) return json::to_text(to_json(node));
    return node.value.is_text() ? node.value.as_text() : json::to_text(node.value);
}

std::optional<bool> dlt_boolean(const Node& node) {
    if (node.kind == Node::Kind::boolean) return node.value.as_bool();
    if (node.kind == Node::Kind::integer || node.kind == Node::Kind::number) return node.value.as_double() != 0;
    if (node.kind != Node::Kind::text) return std::nullopt;
    const std::string text = lower(node.value.as_text());
    for (const char* yes : {"yes", "true", "t", "y", "1"}) {
        if (text == yes) return true;
    }
    for (const char* no : {"no", "false", "f", "n", "0"}) {
        if (text == no) return false;
    }
    return std::nullopt;
}

std::optional<std::int64_t> dlt_integer(const Node& node) {
    if (node.kind == Node::Kind::integer) return node.value.as_int();
    if (node.kind == Node::Kind::number) {
        const double number = node.value.as_double();
        return number == std::trunc(number) && std::abs(number) < 9e15 ? std::optional(static_cast<std::int64_t>(number)) : std::nullopt;
    }
    if (node.kind != Node::Kind::text) return std::nullopt;
    std::string_view text = dlt_stripped(node.value.as_text());
    const bool is_hex = text.starts_with("0x") || text.starts_with("0X");
    if (is_hex) text.remove_prefix(2);
    std::int64_t number = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number, is_hex ? 16 : 10);
    return error == std::errc() && end == text.data() + text.size() ? std::optional(number) : std::nullopt;
}

}  // namespace tipple::config
