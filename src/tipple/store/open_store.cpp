#include "tipple/store/open_store.h"

#include <filesystem>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"

namespace tipple::store {

namespace {

constexpr std::string_view scheme_end = "://";

/// In small letters; empty when the text is no URL.
std::string scheme_of(std::string_view text) {
    const std::size_t end = text.find(scheme_end);
    if (end == std::string_view::npos || end == 0) return {};
    std::string scheme = lower(text.substr(0, end));
    const bool is_scheme = scheme.find_first_not_of("abcdefghijklmnopqrstuvwxyz0123456789+.-") == std::string::npos;
    return is_scheme ? scheme : std::string();
}

Location open_path(std::string_view path, const StoreContext& context) {
    if (path.empty()) throw Error(ErrorKind::usage, "an empty path was given");
    const std::string absolute = std::filesystem::absolute(path).lexically_normal().string();
    return {.store = io::folder_store(*context.files, "/"), .key = absolute.substr(1)};
}

/// `file:///path`, or `file://localhost/path`.
std::string path_of_url(std::string_view url) {
    std::string_view rest = url.substr(url.find(scheme_end) + scheme_end.size());
    constexpr std::string_view this_host = "localhost";
    if (rest.starts_with(this_host)) rest.remove_prefix(this_host.size());
    if (!rest.starts_with('/')) throw Error(ErrorKind::usage, "\"{}\" names another host: files of this machine are file:///path", excerpt(url));
    return io::percent_decode(rest);
}

}  // namespace

std::vector<config::OptionSpec> option_specs() { return {}; }

bool is_store_url(std::string_view text) { return scheme_of(text) == "file"; }

Location open_store(std::string_view text, const config::Options&, const StoreContext& context) {
    const std::string scheme = scheme_of(text);
    if (scheme.empty()) return open_path(text, context);
    if (scheme == "file") return open_path(path_of_url(text), context);
    throw Error(ErrorKind::usage, "files cannot be read from \"{}\": there are paths and file://", excerpt(text));
}

}  // namespace tipple::store
