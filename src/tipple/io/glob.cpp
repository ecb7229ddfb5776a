#include "tipple/io/glob.h"

#include <algorithm>
#include <cstdint>
#include <optional>

namespace tipple::io {

namespace {

constexpr std::string_view any_folders = "**";

/// Takes one code point off the front; a byte that is not UTF-8 counts as a character of its own.
std::uint32_t take_character(std::string_view& text) {
    const auto byte_at = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const std::uint32_t lead = byte_at(0);
    const std::size_t length = lead < 0xC2   ? 1
                               : lead < 0xE0 ? 2
                               : lead < 0xF0 ? 3
                               : lead < 0xF5 ? 4
                                             : 1;
    std::uint32_t code = lead;
    bool is_valid = length <= text.size();
    if (length > 1 && is_valid) {
        code = lead & (0x7FU >> length);
        for (std::size_t i = 1; i < length; ++i) {
            is_valid = is_valid && (byte_at(i) & 0xC0) == 0x80;
            code = (code << 6) | (byte_at(i) & 0x3FU);
        }
    }
    text.remove_prefix(is_valid ? length : 1);
    return is_valid ? code : lead;
}

/// Takes a `[…]` off the front of `pattern`, which starts with `[`, and says whether `character` is
/// in it. Nothing, and `pattern` untouched, when it is never closed.
std::optional<bool> take_set(std::string_view& pattern, std::uint32_t character) {
    std::string_view rest = pattern.substr(1);
    const bool is_negated = rest.starts_with('!') || rest.starts_with('^');
    if (is_negated) rest.remove_prefix(1);
    bool is_in = false;
    for (bool is_first = true;; is_first = false) {
        if (rest.empty()) return std::nullopt;
        // A `]` right at the start is a member.
        if (rest.front() == ']' && !is_first) break;
        const auto take_member = [&] {
            if (rest.front() == '\\' && rest.size() > 1) rest.remove_prefix(1);
            return take_character(rest);
        };
        const std::uint32_t low = take_member();
        std::uint32_t high = low;
        if (rest.size() > 1 && rest[0] == '-' && rest[1] != ']') {
            rest.remove_prefix(1);
            high = take_member();
        }
        is_in = is_in || (low <= character && character <= high);
    }
    pattern = rest.substr(1);
    return is_in != is_negated;
}

/// Takes the element at the front of `pattern`, which is not `*`, and says whether `character` fits
/// it.
bool take_and_match(std::string_view& pattern, std::uint32_t character) {
    if (pattern.front() == '?') {
        pattern.remove_prefix(1);
        return true;
    }
    if (pattern.front() == '[') {
        if (const std::optional<bool> is_in = take_set(pattern, character)) return *is_in;
    }
    if (pattern.front() == '\\' && pattern.size() > 1) pattern.remove_prefix(1);
    return take_character(pattern) == character;
}

std::string without_escapes(std::string_view text) {
    std::string plain;
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\' && i + 1 < text.size()) ++i;
        plain += text[i];
    }
    return plain;
}

std::vector<std::string> split_names(std::string_view pattern) {
    std::vector<std::string> names;
    std::size_t at = 0;
    while (at < pattern.size()) {
        const std::size_t end = std::min(pattern.find('/', at), pattern.size());
        const std::string_view name = pattern.substr(at, end - at);
        at = end + 1;
        // Two `**` in a row mean no more than one, but would visit every folder twice.
        const bool is_repeated =
            name == any_folders && !names.empty() && names.back() == any_folders;
        if (!name.empty() && !is_repeated) names.emplace_back(name);
    }
    if (!names.empty() && names.back() == any_folders) names.emplace_back("*");
    return names;
}

class Expansion {
public:
    Expansion(FileSystem& files, std::vector<std::string> names)
        : files_(files), names_(std::move(names)) {}

    /// Matches the names from `index` on below `folder`, which is empty for the working folder.
    void visit(const std::string& folder, std::size_t index) {
        const std::string& name = names_[index];
        const bool is_last = index + 1 == names_.size();
        if (name == any_folders) {
            visit(folder, index + 1);
            for (const FileInfo& entry : list(folder)) {
                const std::string found = file_name(entry.path);
                if (entry.is_directory && !entry.is_link && !found.starts_with('.')) {
                    visit(join_path(folder, found), index);
                }
            }
        } else if (!has_wildcards(name)) {
            const std::string path = join_path(folder, without_escapes(name));
            if (!is_last) {
                visit(path, index + 1);
            } else if (const auto info = files_.find(path);
                       info != nullptr && !info->is_directory) {
                paths.push_back(path);
            }
        } else {
            for (const FileInfo& entry : list(folder)) {
                const std::string found = file_name(entry.path);
                if (found.starts_with('.') && !name.starts_with('.')) continue;
                if (entry.is_directory == is_last || !matches_wildcards(name, found)) continue;
                const std::string path = join_path(folder, found);
                is_last ? paths.push_back(path) : visit(path, index + 1);
            }
        }
    }

    std::vector<std::string> paths;

private:
    std::vector<FileInfo> list(const std::string& folder) {
        return files_.list(folder.empty() ? "." : folder);
    }

    FileSystem& files_;
    std::vector<std::string> names_;
};

}  // namespace

bool has_wildcards(std::string_view text) {
    for (std::size_t i = 0; i < text.size(); ++i) {
        if (text[i] == '\\') {
            ++i;
        } else if (text[i] == '*' || text[i] == '?' || text[i] == '[') {
            return true;
        }
    }
    return false;
}

bool matches_wildcards(std::string_view pattern, std::string_view name) {
    // On a mismatch only the last `*` has to take one more character: earlier ones could not do
    // better.
    std::optional<std::string_view> star_pattern;
    std::string_view star_name;
    while (!name.empty()) {
        if (pattern.starts_with('*')) {
            pattern.remove_prefix(1);
            star_pattern = pattern;
            star_name = name;
            continue;
        }
        std::string_view rest = name;
        const std::uint32_t character = take_character(rest);
        if (!pattern.empty() && take_and_match(pattern, character)) {
            name = rest;
            continue;
        }
        if (!star_pattern) return false;
        pattern = *star_pattern;
        take_character(star_name);
        name = star_name;
    }
    while (pattern.starts_with('*')) pattern.remove_prefix(1);
    return pattern.empty();
}

namespace {

std::vector<std::string_view> names_of(std::string_view path) {
    std::vector<std::string_view> names;
    while (!path.empty()) {
        const std::size_t end = std::min(path.find('/'), path.size());
        if (end > 0) names.push_back(path.substr(0, end));
        path.remove_prefix(std::min(end + 1, path.size()));
    }
    return names;
}

bool matches_name(std::string_view pattern, std::string_view name) {
    return (!name.starts_with('.') || pattern.starts_with('.')) && matches_wildcards(pattern, name);
}

}  // namespace

bool matches_path(std::string_view pattern, std::string_view path) {
    const std::vector<std::string> patterns = split_names(pattern);
    const std::vector<std::string_view> names = names_of(path);
    // On a mismatch only the last `**` has to take one more name.
    std::size_t at = 0;
    std::size_t name = 0;
    std::size_t after_any = std::string::npos;
    std::size_t any_name = 0;
    while (name < names.size()) {
        if (at < patterns.size() && patterns[at] == any_folders) {
            after_any = ++at;
            any_name = name;
        } else if (at < patterns.size() && matches_name(patterns[at], names[name])) {
            ++at;
            ++name;
        } else if (after_any != std::string::npos && !names[any_name].starts_with('.')) {
            at = after_any;
            name = ++any_name;
        } else {
            return false;
        }
    }
    return at == patterns.size();
}

std::string literal_prefix(std::string_view pattern) {
    std::string prefix;
    for (std::size_t i = 0; i < pattern.size(); ++i) {
        const char c = pattern[i];
        if (c == '*' || c == '?' || c == '[') break;
        if (c == '\\' && i + 1 < pattern.size()) ++i;
        prefix += pattern[i];
    }
    return prefix;
}

std::vector<std::string> expand_glob(FileSystem& files, std::string_view pattern) {
    std::vector<std::string> names = split_names(pattern);
    if (names.empty()) return {};
    const std::string root = pattern.starts_with('/') ? "/" : "";
    std::string as_written = root;
    for (const std::string& name : names) as_written = join_path(as_written, name);
    Expansion expansion(files, std::move(names));
    expansion.visit(root, 0);
    std::vector<std::string> paths = std::move(expansion.paths);
    if (const auto info = files.find(as_written); info != nullptr && !info->is_directory) {
        paths.push_back(as_written);
    }
    std::sort(paths.begin(), paths.end());
    paths.erase(std::unique(paths.begin(), paths.end()), paths.end());
    return paths;
}

}  // namespace tipple::io
