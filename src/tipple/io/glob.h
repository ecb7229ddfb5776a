#pragma once

#include <string>
#include <string_view>
#include <vector>

#include "tipple/io/file_system.h"

namespace tipple::io {

/// Whether `text` has any of `*`, `?`, `[` in it that is not escaped.
bool has_wildcards(std::string_view text);

/// Whether one name, without slashes, fits a pattern: `*` any text, `?` one character, `[a-z]` one
/// of a set, `[!a-z]` or `[^a-z]` one outside of it, `\` makes the next character plain. A `[`
/// without its `]` is plain.
bool matches_wildcards(std::string_view pattern, std::string_view name);

/// The same for names between slashes: `**` as a whole name stands for any number of names, also none. Names that start with a dot fit only
/// patterns that do.
bool matches_path(std::string_view pattern, std::string_view path);

/// What everything that the pattern fits begins with: all before its first wildcard, without the escapes.
std::string literal_prefix(std::string_view pattern);

/// Files, not folders, that a pattern of names between slashes fits, sorted and each once. `**` as
/// a whole name stands for any number of folders, also none; it does not enter linked folders,
/// which may lead in circles. Names that start with a dot fit only patterns that do. A file whose
/// name is the pattern itself is found too. No match gives an empty list.
std::vector<std::string> expand_glob(FileSystem& files, std::string_view pattern);

}  // namespace tipple::io
