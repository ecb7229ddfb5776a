#include "tipple/sources/files/resource_reader.h"

#include <algorithm>

#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/core/counted.h"
#include "tipple/core/text.h"

namespace tipple::sources::files {

namespace {

/// A file that is written to all the time is a bad one.
constexpr int attempts_max = 3;
/// Of so many files, at even distances, the reader chooses some.
constexpr std::size_t contents_looked_at_max = 1'000;

/// Of a store, so many files are on their way while one is read, of so many bytes together, or of this share of the memory.
constexpr std::size_t files_ahead_max = 4;
constexpr std::uint64_t bytes_ahead_max = std::uint64_t{8} << 20;
constexpr std::uint64_t memory_share = 32;

struct Finishing {
    ReadAhead& ahead;
    ~Finishing() { ahead.finish(); }
};

}  // namespace

ResourceReader::ResourceReader(const ResourceSettings& settings, const Place& place, io::FileSystem& files, const extract::ResourceContext& context, extract::Output& out)
    : settings_(settings),
      place_(place),
      context_(context),
      out_(out),
      selection_(settings, place, context.ledger, context.state == nullptr ? nullptr : context.state->find_resource(settings.name), context.stop),
      content_(files, settings.content, context, out) {
    if (settings.skips_bad_files && context.cursor != nullptr) {
        throw Error(ErrorKind::usage, "resource \"{}\": on_bad_file = \"skip\" cannot be together with a cursor, which would move on past the records of a file that was left out",
                    settings.name);
    }
}

void ResourceReader::offer(const io::ObjectInfo& file) {
    const LedgerIndex::Found found = selection_.offer(file);
    if (found.state != LedgerIndex::State::changed || settings_.on_change != OnChange::fail) return;
    throw Error(ErrorKind::data,
                "resource \"{}\": {} has changed since load {} brought its rows (on_change = \"reload\" puts the new ones in their place, \"ignore\" keeps the old ones)",
                settings_.name, place_.url(file.key), load_id_at(found.load_us));
}

void ResourceReader::say_what_is_read() {
    if (settings_.on_change == OnChange::ignore && selection_.changed() > 0) {
        context_.log.info("resource \"{}\": {} changed after the load, and {} ignored", settings_.name, counted(selection_.changed(), "file"), selection_.changed() == 1 ? "is" : "are");
    }
    if (settings_.remembers == Remembers::nothing) return;
    out_.count("files", static_cast<std::int64_t>(selection_.files().size()));
    out_.count("files_known", static_cast<std::int64_t>(selection_.known()));
    out_.count("files_left", static_cast<std::int64_t>(selection_.left()));
    if (selection_.left() > 0) context_.log.warning("resource \"{}\": {} {} left for later runs (max_files, max_bytes)", settings_.name, counted(selection_.left(), "file"), selection_.left() == 1 ? "is" : "are");
}

std::unique_ptr<io::InputStream> ResourceReader::open(const io::ObjectInfo& file) {
    if (!fetched_ || fetched_->info != file) return place_.open(file, context_.stop);
    std::unique_ptr<io::ReadFile> start = std::move(fetched_->file);
    fetched_.reset();
    return io::open_input(std::move(start), context_.stop);
}

Content ResourceReader::content_of(const io::ObjectInfo& file) {
    return {.name = place_.name(file.key),
            .origin = {.url = place_.url(file.key), .modified_ns = file.modified_ns},
            .path = place_.local_path(file.key),
            .open = [this, file] { return open(file); },
            .is_repeatable = place_.is_repeatable(file.key)};
}

/// What the files have in common. One that cannot be opened says so when it is read.
void ResourceReader::look_at_some() {
    const std::size_t count = settings_.content.origin.has_folders ? selection_.files().size() : std::min(selection_.files().size(), contents_looked_at_max);
    std::vector<Content> contents;
    for (std::size_t i = 0; i < count; ++i) contents.push_back(content_of(selection_.files().file(count == 1 ? 0 : i * (selection_.files().size() - 1) / (count - 1))));
    try {
        content_.look_at(contents);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) throw;
        context_.log.info("resource \"{}\": the first file that is read decides what all are like: {}", settings_.name, error.what());
    }
}

void ResourceReader::read() {
    selection_.choose();
    say_what_is_read();
    look_at_some();
    // Of a few records nobody knows how many files they take.
    if (!place_.is_remote() || selection_.files().size() < 2 || !context_.run_together || context_.records_max) return read_files(nullptr);
    ReadAhead ahead(place_, selection_.files(), {.files = files_ahead_max, .bytes = std::min<std::uint64_t>(bytes_ahead_max, context_.memory_bytes / memory_share)});
    context_.run_together({[&](const std::stop_token&) {
                               const Finishing finishing{ahead};
                               read_files(&ahead);
                           },
                           [&](const std::stop_token& stop) { ahead.fetch(stop); }});
}

void ResourceReader::read_files(ReadAhead* ahead) {
    const FileList& files = selection_.files();
    for (std::size_t i = 0; i < files.size(); ++i) {
        if (!out_.wants_more() || context_.stop.stop_requested()) return;
        read_file(i, ahead);
        bytes_before_ += files.file(i).size;
        out_.report({.bytes_read = bytes_before_, .bytes_total = files.bytes()});
        if (settings_.remembers != Remembers::nothing) out_.checkpoint();
    }
}

/// Only what is known to be wrong with the file alone: a full disk or a store that is away would cost every file.
bool ResourceReader::skips(const Error& error, const io::ObjectInfo& file) const {
    if (!settings_.skips_bad_files) return false;
    if (error.kind() == ErrorKind::data || error.kind() == ErrorKind::usage) return true;
    // A store that is away does not answer this question either.
    return error.kind() == ErrorKind::transient && place_.find(file.key, context_.stop) != file;
}

/// What lies there by now, when that may be why `file` could not be read; `file` itself when it cannot be found out.
std::optional<io::ObjectInfo> ResourceReader::look_again(const Error& error, const io::ObjectInfo& file) const {
    const bool may_be_why = error.kind() == ErrorKind::transient || error.kind() == ErrorKind::usage || error.kind() == ErrorKind::data;
    if (!may_be_why) return file;
    try {
        const std::optional<io::ObjectInfo> now = place_.find(file.key, context_.stop);
        // A pipe is what it is, whatever its time says.
        return now && !place_.is_repeatable(file.key) ? file : now;
    } catch (const Error&) {
        return file;
    }
}

void ResourceReader::read_file(std::size_t index, ReadAhead* ahead) {
    const io::ObjectInfo listed = selection_.files().file(index);
    const std::int64_t replaces_us = selection_.files().replaces_us(index);
    fetched_ = ahead != nullptr ? ahead->take(index) : std::nullopt;
    for (int attempt = 1;; ++attempt) {
        const std::optional<io::ObjectInfo> file = fetched_ ? fetched_->info : place_.find(listed.key, context_.stop);
        std::optional<io::ObjectInfo> now = file;
        const bool was_fetched = fetched_.has_value();
        try {
            if (file && try_read_file(*file, replaces_us)) return;
            if (file && attempt == attempts_max) throw Error(ErrorKind::transient, "{} was written to each of the {} times it was read; run again later", place_.name(file->key), attempt);
        } catch (const Error& error) {
            fetched_.reset();
            now = look_again(error, *file);
            // It may have waited too long for its turn.
            const bool is_tried_again = was_fetched && error.kind() == ErrorKind::transient && now == file;
            if (!is_tried_again && now && (*now == *file || attempt == attempts_max)) {
                if (!skips(error, *file)) throw;
                out_.discard_input(error);
                return;
            }
        }
        if (file) out_.restart_input();
        if (!now) {
            context_.log.warning("{} is gone since it was listed; it is left out", place_.name(listed.key));
            return;
        }
        context_.log.info("{} has changed or broken off while it was read; reading it again", place_.name(file->key));
    }
}

/// False when it has changed meanwhile.
bool ResourceReader::try_read_file(const io::ObjectInfo& file, std::int64_t replaces_us) {
    extract::InputFile input{.path = place_.url(file.key), .size = file.size, .modified_ns = file.modified_ns};
    if (selection_.has_ledger()) input.version = version_of(file);
    if (replaces_us != 0) input.replaces_load_id = load_id_at(replaces_us);
    out_.begin_input(input);
    content_.read(content_of(file), [&](const io::InputStream& stream) { out_.report({.bytes_read = bytes_before_ + stream.bytes_read(), .bytes_total = selection_.files().bytes()}); });
    if (settings_.remembers == Remembers::nothing) return true;
    if (place_.find(file.key, context_.stop) != file) return false;
    out_.end_input();
    if (std::optional<Watermark>& watermark = selection_.watermark()) {
        watermark->take(input.path, file);
        watermark->remember(context_.state->resource());
    }
    return true;
}

}  // namespace tipple::sources::files
