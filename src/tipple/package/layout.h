#pragma once

#include <string>
#include <string_view>

#include "tipple/io/file_system.h"
#include "tipple/json/value.h"

/// Names inside a pipeline's folder; see docs/internals/package-format.md.
namespace tipple::package::layout {

inline constexpr std::string_view packages_folder = "packages";
inline constexpr std::string_view finished_folder = "finished";
/// In front of the name of a package that is being written.
inline constexpr std::string_view new_prefix = ".new-";
/// In front of the name of a package that is being deleted.
inline constexpr std::string_view gone_prefix = ".gone-";

inline constexpr std::string_view jobs_folder = "jobs";
inline constexpr std::string_view manifest_file = "manifest.json";
inline constexpr std::string_view schema_file = "schema.json";
inline constexpr std::string_view schema_change_file = "schema_change.json";
inline constexpr std::string_view state_file = "state.json";
inline constexpr std::string_view journal_file = "journal.jsonl";

/// Whether it can be a folder's name as it is: letters, digits, `.`, `_` and `-`, not starting with
/// a dot.
bool is_safe_name(std::string_view name);

/// Appends a line to the journal in `folder`, durably.
void append_journal(io::FileSystem& files, const std::string& folder, std::string_view at,
                    std::string_view step, const json::Object& details);

}  // namespace tipple::package::layout
