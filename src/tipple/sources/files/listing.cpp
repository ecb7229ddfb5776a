#include "tipple/sources/files/listing.h"

#include <algorithm>
#include <filesystem>
#include <map>
#include <unordered_set>
#include <utility>

#include "tipple/config/secret.h"
#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/glob.h"
#include "tipple/store/open_store.h"

namespace tipple::sources::files {

namespace {

constexpr std::string_view scheme_end = "://";

/// A near name in the same folder.
std::string hint(io::FileSystem& files, const std::string& path) {
    std::vector<std::string> names;
    const bool is_bare = path.find('/') == std::string::npos;
    const std::string folder = io::parent_folder(path);
    for (const io::FileInfo& info : files.list(folder)) names.push_back(io::file_name(info.path));
    const std::optional<std::string> near = did_you_mean(io::file_name(path), names);
    return near ? fmt::format("; did you mean \"{}\"?", is_bare ? *near : io::join_path(folder, *near)) : "";
}

/// The files that a path or pattern names, sorted.
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

class ThisMachine final : public Place {
public:
    ThisMachine(io::FileSystem& files, Log log) : files_(files), log_(std::move(log)) {}

    std::string url(std::string_view key) const override { return std::filesystem::absolute(key).lexically_normal().string(); }
    std::string name(std::string_view key) const override { return std::string(key); }
    std::string local_path(std::string_view key) const override { return std::string(key); }
    bool is_repeatable(std::string_view key) const override {
        std::error_code failed;
        return std::filesystem::is_regular_file(key, failed);
    }

    std::optional<io::ObjectInfo> find(const std::string& key, std::stop_token) const override {
        const std::unique_ptr<io::FileInfo> info = files_.find(key);
        if (info == nullptr || info->is_directory) return std::nullopt;
        return io::ObjectInfo{.key = key, .size = info->size, .modified_ns = info->modified_ns};
    }

    std::unique_ptr<io::InputStream> open(const io::ObjectInfo& file, std::stop_token stop) const override { return io::open_input(files_, file.key, std::move(stop)); }
    std::unique_ptr<io::ReadFile> open_file(const io::ObjectInfo& file, std::stop_token) const override { return files_.open_read(file.key); }
    bool is_remote() const override { return false; }
    bool can_share_listing(const ResourceSettings&) const override { return false; }

    std::set<std::size_t> list(const std::vector<const ResourceSettings*>& resources, std::stop_token stop,
                               const std::function<void(std::size_t resource, const io::ObjectInfo& file)>& take) const override {
        TIPPLE_ASSERT(resources.size() == 1);
        const ResourceSettings& resource = *resources.front();
        std::unordered_set<std::string> taken;
        for (const std::string& pattern : resource.patterns) {
            for (const std::string& path : find_files(files_, pattern, resource.no_match, log_)) {
                const std::optional<io::ObjectInfo> info = find(path, stop);
                if (!info || (resource.patterns.size() > 1 && !taken.insert(url(path)).second)) continue;
                take(0, *info);
            }
        }
        return {};
    }

private:
    io::FileSystem& files_;
    Log log_;
};

class StorePlace final : public Place {
public:
    StorePlace(const std::string& url, const config::Options& options, const store::StoreContext& context)
        : log_(context.log), context_(context), options_(options), store_(store::open_store(url, options, context).store) {}

    std::string url(std::string_view key) const override { return store_->url(key); }
    std::string name(std::string_view key) const override { return store_->url(key); }
    std::string local_path(std::string_view) const override { return {}; }
    bool is_repeatable(std::string_view) const override { return true; }
    std::optional<io::ObjectInfo> find(const std::string& key, std::stop_token stop) const override { return store_->find(key, std::move(stop)); }
    std::unique_ptr<io::InputStream> open(const io::ObjectInfo& file, std::stop_token stop) const override {
        return io::open_input(open_file(file, stop), stop);
    }
    std::unique_ptr<io::ReadFile> open_file(const io::ObjectInfo& file, std::stop_token stop) const override { return store_->open_read(file, std::move(stop)); }
    bool is_remote() const override { return true; }
    bool can_share_listing(const ResourceSettings& resource) const override {
        return std::none_of(resource.patterns.begin(), resource.patterns.end(), [this](const std::string& url) { return is_plain(url, key_of(url)); });
    }

    std::set<std::size_t> list(const std::vector<const ResourceSettings*>& resources, std::stop_token stop,
                               const std::function<void(std::size_t resource, const io::ObjectInfo& file)>& take) const override {
        std::vector<Pattern> patterns;
        std::set<std::pair<std::size_t, std::string>> plain;
        std::map<std::pair<std::size_t, std::string>, std::string> keys_by_name;
        for (std::size_t i = 0; i < resources.size(); ++i) {
            for (const std::string& url : resources[i]->patterns) {
                Pattern& pattern = patterns.emplace_back(Pattern{.resource = i, .url = url, .key = key_of(url)});
                pattern.is_plain = is_plain(url, pattern.key);
                if (!pattern.is_plain) continue;
                // Names are what files are known by, also in the next run.
                if (const auto known = keys_by_name.try_emplace({i, store_->url(pattern.key)}, pattern.key).first; known->second != pattern.key) {
                    throw Error(ErrorKind::usage,
                                "resource \"{}\": {}: several URLs of one resource differ only in what is kept secret, so that they would count as one file; put them into different "
                                "resources",
                                resources[i]->name, known->first.second);
                }
                if (const std::optional<io::ObjectInfo> found = store_->find(is_web(url) ? pattern.key : io::literal_prefix(pattern.key), stop)) {
                    pattern.matches = 1;
                    if (plain.emplace(i, found->key).second) take(i, *found);
                }
            }
        }
        for (const std::string& prefix : prefixes(patterns)) {
            store_->list(prefix, stop, [&](const io::ObjectInfo& file) {
                match(patterns, file, [&](std::size_t resource, const io::ObjectInfo& fits) {
                    if (!plain.contains({resource, fits.key})) take(resource, fits);
                });
                return true;
            });
        }
        std::set<std::size_t> failed;
        for (const Pattern& pattern : patterns) {
            if (pattern.matches > 0) continue;
            if (!pattern.is_plain && resources[pattern.resource]->no_match == NoMatch::is_fine) {
                log_.info("no file matches \"{}\"", store_->url(pattern.key));
            } else if (pattern.resource > 0) {
                failed.insert(pattern.resource);
            } else {
                throw Error(ErrorKind::usage, "{} \"{}\"", pattern.is_plain ? "there is no file" : "no file matches", store_->url(pattern.key));
            }
        }
        return failed;
    }

private:
    struct Pattern {
        std::size_t resource = 0;
        std::string url;
        std::string key;
        bool is_plain = false;
        std::size_t matches = 0;
    };

    static bool is_web(const std::string& url) { return lower(url).starts_with("http"); }
    /// A question mark in a URL of the web is no wildcard, and nothing can be listed there.
    static bool is_plain(const std::string& url, const std::string& key) { return is_web(url) || !io::has_wildcards(key); }

    std::string key_of(const std::string& url) const { return store::open_store(url, options_, context_).key; }

    /// What is listed: each key once.
    static std::vector<std::string> prefixes(const std::vector<Pattern>& patterns) {
        std::vector<std::string> all;
        for (const Pattern& pattern : patterns) {
            if (!pattern.is_plain) all.push_back(io::literal_prefix(pattern.key));
        }
        std::sort(all.begin(), all.end());
        std::vector<std::string> needed;
        for (std::string& prefix : all) {
            if (needed.empty() || !prefix.starts_with(needed.back())) needed.push_back(std::move(prefix));
        }
        return needed;
    }

    static void match(std::vector<Pattern>& patterns, const io::ObjectInfo& file, const std::function<void(std::size_t resource, const io::ObjectInfo& file)>& take) {
        // What a console shows as a folder is an object of that name in some stores.
        if (file.key.empty() || file.key.ends_with('/')) return;
        std::optional<std::size_t> taken;
        for (Pattern& pattern : patterns) {
            if (pattern.is_plain || !io::matches_path(pattern.key, file.key)) continue;
            ++pattern.matches;
            // Patterns of one resource are next to each other.
            if (std::exchange(taken, pattern.resource) != pattern.resource) take(pattern.resource, file);
        }
    }

    Log log_;
    store::StoreContext context_;
    config::Options options_;
    std::unique_ptr<io::ObjectStore> store_;
};

}  // namespace

std::unique_ptr<Place> this_machine(io::FileSystem& files, Log log) { return std::make_unique<ThisMachine>(files, std::move(log)); }

std::unique_ptr<Place> store_place(io::FileSystem& files, const std::string& url, const config::Options& options, Log log) {
    static const SystemClock clock;
    return std::make_unique<StorePlace>(url, options, store::StoreContext{.files = &files, .clock = &clock, .log = std::move(log)});
}

std::string store_of(std::string_view pattern) {
    if (!store::is_store_url(pattern)) return {};
    const std::size_t host = pattern.find(scheme_end) + scheme_end.size();
    return std::string(pattern.substr(0, std::min(pattern.find('/', host), pattern.size())));
}

}  // namespace tipple::sources::files
