#include "tipple/destinations/filesystem/layout.h"

#include <algorithm>
#include <array>
#include <cctype>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/destinations/filesystem/date_parts.h"
#include "tipple/destinations/filesystem/file_format.h"

namespace tipple::destinations::filesystem {

namespace {

constexpr std::array<std::string_view, 5> own_names = {"schema_name", "table_name", "load_id", "file_id", "ext"};

std::string* field(FileName& name, std::string_view placeholder) {
    if (placeholder == "schema_name") return &name.schema;
    if (placeholder == "table_name") return &name.table;
    if (placeholder == "load_id") return &name.load_id;
    if (placeholder == "file_id") return &name.file_id;
    if (placeholder == "ext") return &name.ending;
    return nullptr;
}

/// Whether a character can be part of what a placeholder stands for. Names of tables take nearly all; the others few, so that a path can be read back.
bool can_hold(std::string_view placeholder, char c) {
    if (c == '/') return false;
    if (placeholder == "table_name" || placeholder == "schema_name") return true;
    const auto byte = static_cast<unsigned char>(c);
    if (placeholder == "load_id") return std::isdigit(byte) != 0 || c == '.';
    if (placeholder == "file_id") return std::isalnum(byte) != 0;
    if (placeholder == "ext") return std::isalnum(byte) != 0 || c == '.';
    return std::isalnum(byte) != 0 || c == '-' || c == '.';
}

/// Whether a text can be what a placeholder stands for.
bool can_be(std::string_view placeholder, std::string_view text) {
    Format format{};
    if (placeholder == "ext") return try_parse_ending(text, format);
    if (placeholder != "load_id") return true;
    const std::size_t point = text.find('.');
    return point != 0 && point != std::string_view::npos && point + 1 < text.size() && text.find('.', point + 1) == std::string_view::npos;
}

Error layout_error(std::string_view layout, std::string_view reason) {
    return Error(ErrorKind::usage, "layout \"{}\": {}", excerpt(layout), reason);
}

/// A name that becomes a part of a path must stay one.
void check_path_part(std::string_view what, std::string_view name) {
    if (!name.empty() && name != "." && name != ".." && name.find('/') == std::string_view::npos && name.find('\0') == std::string_view::npos) return;
    throw Error(ErrorKind::usage, "the name of {} \"{}\" cannot be part of a path; give it another name, or use a naming convention that changes it", what,
                excerpt(name));
}

}  // namespace

Layout::Layout(std::string_view text) : text_(text) {
    std::string literal;
    const auto end_literal = [&] {
        if (!literal.empty()) parts_.push_back({.is_placeholder = false, .text = std::exchange(literal, {})});
    };
    for (std::size_t at = 0; at < text.size();) {
        if (text[at] != '{') {
            if (text[at] == '}') throw layout_error(text, "it has a \"}\" without its \"{\"");
            literal += text[at++];
            continue;
        }
        const std::size_t end = text.find('}', at);
        if (end == std::string_view::npos) throw layout_error(text, "it has a \"{\" without its \"}\"");
        end_literal();
        parts_.push_back({.is_placeholder = true, .text = std::string(text.substr(at + 1, end - at - 1))});
        at = end + 1;
    }
    end_literal();
    check();
}

void Layout::check() const {
    if (text_.starts_with('/') || text_.find("//") != std::string::npos || text_.ends_with('/')) {
        throw layout_error(text_, "it is a path below the dataset's folder: no \"/\" at its start or end, and no two in a row");
    }
    for (std::size_t at = 0; at <= text_.size();) {
        const std::size_t end = std::min(text_.find('/', at), text_.size());
        const std::string_view folder = std::string_view(text_).substr(at, end - at);
        if (folder == "." || folder == "..") throw layout_error(text_, "it must not lead out of the dataset's folder");
        at = end + 1;
    }
    std::vector<std::string> known(own_names.begin(), own_names.end());
    for (const std::string_view date : date_part_names()) known.emplace_back(date);
    std::vector<std::string> seen;
    for (std::size_t i = 0; i < parts_.size(); ++i) {
        const Part& part = parts_[i];
        if (!part.is_placeholder) continue;
        if (std::find(known.begin(), known.end(), part.text) == known.end()) {
            const std::optional<std::string> near = did_you_mean(part.text, known);
            throw layout_error(text_, fmt::format("there is no placeholder {{{}}}{}; there are {}", part.text, near ? fmt::format(", did you mean {{{}}}?", *near) : "",
                                                  join(known, ", ")));
        }
        const bool is_own = std::find(own_names.begin(), own_names.end(), part.text) != own_names.end();
        if (is_own && std::find(seen.begin(), seen.end(), part.text) != seen.end()) throw layout_error(text_, fmt::format("{{{}}} is there twice", part.text));
        if (part.text == "table_name") {
            const bool is_behind_others = std::any_of(seen.begin(), seen.end(), [](const std::string& name) { return name != "schema_name"; });
            if (is_behind_others) throw layout_error(text_, "only {schema_name} may stand before {table_name}, by which a table's files are found");
            if (i + 1 == parts_.size() || parts_[i + 1].is_placeholder) throw layout_error(text_, "something must stand behind {table_name}, for example \"/\"");
        }
        if (i > 0 && parts_[i - 1].is_placeholder && is_own) {
            throw layout_error(text_, fmt::format("something must stand between {{{}}} and {{{}}}, or nobody can tell where one ends", parts_[i - 1].text, part.text));
        }
        seen.push_back(part.text);
    }
    for (const char* needed : {"table_name", "load_id", "file_id", "ext"}) {
        if (std::find(seen.begin(), seen.end(), needed) != seen.end()) continue;
        throw layout_error(text_, fmt::format("{{{}}} is missing: the name of a file says of which table and load it is, so that half a load is never seen and a repeat "
                                              "overwrites its own files",
                                              needed));
    }
}

std::string Layout::path(const FileName& name) const {
    check_path_part("table", name.table);
    FileName copy = name;
    std::string path;
    for (const Part& part : parts_) {
        if (!part.is_placeholder) {
            path += part.text;
        } else if (const std::string* own = field(copy, part.text)) {
            if (part.text == "schema_name") check_path_part("schema", *own);
            path += *own;
        } else {
            path += date_part(part.text, load_id_time_us(name.load_id));
        }
    }
    const std::optional<FileName> found = parse(path);
    if (!found || found->table != name.table || found->load_id != name.load_id || found->file_id != name.file_id) {
        throw layout_error(text_, fmt::format("nobody could tell from \"{}\" that it is of table \"{}\" and load {}: put \"/\" behind {{table_name}}", path, name.table,
                                              name.load_id));
    }
    return path;
}

std::optional<FileName> Layout::parse(std::string_view path) const {
    FileName name;
    if (!match(path, 0, name)) return std::nullopt;
    return name;
}

/// The longest text that a placeholder can stand for is tried first.
bool Layout::match(std::string_view path, std::size_t part, FileName& name) const {
    if (part == parts_.size()) return path.empty();
    const Part& expected = parts_[part];
    if (!expected.is_placeholder) return path.starts_with(expected.text) && match(path.substr(expected.text.size()), part + 1, name);
    std::size_t length = 0;
    while (length < path.size() && can_hold(expected.text, path[length])) ++length;
    for (; length > 0; --length) {
        if (!can_be(expected.text, path.substr(0, length)) || !match(path.substr(length), part + 1, name)) continue;
        if (std::string* own = field(name, expected.text)) *own = std::string(path.substr(0, length));
        return true;
    }
    return false;
}

}  // namespace tipple::destinations::filesystem
