#include "tipple/sources/files/listing.h"

#include <optional>

#include "tipple/config/secret.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/glob.h"

namespace tipple::sources::files {

namespace {

/// A near name in the same folder.
std::string hint(io::FileSystem& files, const std::string& path) {
    std::vector<std::string> names;
    const bool is_bare = path.find('/') == std::string::npos;
    const std::string folder = io::parent_folder(path);
    for (const io::FileInfo& info : files.list(folder)) names.push_back(io::file_name(info.path));
    const std::optional<std::string> near = did_you_mean(io::file_name(path), names);
    return near ? fmt::format("; did you mean \"{}\"?", is_bare ? *near : io::join_path(folder, *near)) : "";
}

}  // namespace

std::vector<std::string> find_files(io::FileSystem& files, const std::string& pattern, NoMatch no_match, const Log& log) {
    const std::unique_ptr<io::FileInfo> info = files.find(pattern);
    if (info != nullptr && !info->is_directory) return {pattern};
    if (info != nullptr) {
        throw Error(ErrorKind::usage, "\"{}\" is a folder; name the files in it, for example \"{}\"", pattern, io::join_path(pattern, "*.jsonl"));
    }
    if (!io::has_wildcards(pattern)) throw Error(ErrorKind::usage, "there is no file \"{}\"{}", config::mask_url(pattern), hint(files, pattern));
    std::vector<std::string> found = io::expand_glob(files, pattern);
    if (!found.empty()) return found;
    if (no_match == NoMatch::fails) throw Error(ErrorKind::usage, "no file matches \"{}\"", pattern);
    log.info("no file matches \"{}\"", pattern);
    return {};
}

}  // namespace tipple::sources::files
