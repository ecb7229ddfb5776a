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

}  // namespace

ResourceReader::ResourceReader(const ResourceSettings& settings, const Place& place, io::FileSystem& files, const extract::ResourceContext& context, extract::Output& out)
    : settings_(settings), place_(place), context_(context), out_(out), content_(files, settings.content, context, out) {
    if (settings.skips_bad_files && context.cursor != nullptr) {
        throw Error(ErrorKind::usage, "resource \"{}\": on_bad_file = \"skip\" cannot be together with a cursor, which would move on past the records of a file that was left out",
                    settings.name);
    }
    if (context.ledger != nullptr) ledger_.emplace(*context.ledger, context.stop);
    if (settings.remembers != Remembers::watermark) return;
    const json::Object* memory = context.state->find_resource(settings.name);
    watermark_.emplace(Watermark::by_time(), settings.name, memory != nullptr ? *memory : json::Object());
}

void ResourceReader::offer(const io::ObjectInfo& file) {
    if (watermark_ && !watermark_->is_new(place_.url(file.key), file)) {
        ++known_;
        return;
    }
    if (!ledger_) return chosen_.add(file);
    const std::string url = place_.url(file.key);
    const LedgerIndex::Found found = ledger_->find(url, version_of(file));
    switch (found.state) {
        case LedgerIndex::State::is_new:
            chosen_.add(file);
            break;
        case LedgerIndex::State::known:
            ++known_;
            break;
        case LedgerIndex::State::changed:
            if (settings_.on_change == OnChange::fail) {
                throw Error(ErrorKind::data,
                            "resource \"{}\": {} has changed since load {} brought its rows (on_change = \"reload\" puts the new ones in their place, \"ignore\" keeps the old "
                            "ones)",
                            settings_.name, url, load_id_at(found.load_us));
            }
            if (settings_.on_change == OnChange::reload) chosen_.add(file, found.load_us);
            if (settings_.on_change == OnChange::merge) chosen_.add(file);
            if (settings_.on_change == OnChange::ignore) ++ignored_;
            break;
    }
}

/// Puts the files in order, and leaves those to later runs that are too many for this one.
void ResourceReader::choose() {
    chosen_.sort(settings_.order);
    const std::size_t all = chosen_.size();
    std::size_t count = all;
    if (settings_.files_max) count = std::min<std::size_t>(count, *settings_.files_max);
    if (settings_.bytes_max) count = std::min(count, chosen_.count_within(*settings_.bytes_max));
    chosen_.truncate(count);
    if (ignored_ > 0) context_.log.info("resource \"{}\": {} changed after the load, and {} ignored", settings_.name, counted(ignored_, "file"), ignored_ == 1 ? "is" : "are");
    if (settings_.remembers == Remembers::nothing) return;
    out_.count("files", static_cast<std::int64_t>(count));
    out_.count("files_known", static_cast<std::int64_t>(known_));
    out_.count("files_left", static_cast<std::int64_t>(all - count));
    if (all > count) context_.log.warning("resource \"{}\": {} {} left for later runs (max_files, max_bytes)", settings_.name, counted(all - count, "file"), all - count == 1 ? "is" : "are");
}

Content ResourceReader::content_of(const io::ObjectInfo& file) const {
    return {.name = place_.name(file.key),
            .origin = {.url = place_.url(file.key), .modified_ns = file.modified_ns},
            .path = place_.local_path(file.key),
            .open = [this, file] { return place_.open(file, context_.stop); },
            .is_repeatable = place_.is_repeatable(file.key)};
}

/// What the files have in common. One that cannot be opened says so when it is read.
void ResourceReader::look_at_some() {
    const std::size_t count = settings_.content.origin.has_folders ? chosen_.size() : std::min(chosen_.size(), contents_looked_at_max);
    std::vector<Content> contents;
    for (std::size_t i = 0; i < count; ++i) contents.push_back(content_of(chosen_.file(count == 1 ? 0 : i * (chosen_.size() - 1) / (count - 1))));
    try {
        content_.look_at(contents);
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) throw;
        context_.log.info("resource \"{}\": the first file that is read decides what all are like: {}", settings_.name, error.what());
    }
}

void ResourceReader::read() {
    choose();
    look_at_some();
    for (std::size_t i = 0; i < chosen_.size(); ++i) {
        if (!out_.wants_more() || context_.stop.stop_requested()) return;
        const io::ObjectInfo file = chosen_.file(i);
        read_file(file, chosen_.replaces_us(i));
        bytes_before_ += file.size;
        out_.report({.bytes_read = bytes_before_, .bytes_total = chosen_.bytes()});
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

void ResourceReader::read_file(const io::ObjectInfo& listed, std::int64_t replaces_us) {
    for (int attempt = 1;; ++attempt) {
        const std::optional<io::ObjectInfo> file = place_.find(listed.key, context_.stop);
        if (!file) {
            context_.log.warning("{} is gone since it was listed; it is left out", place_.name(listed.key));
            return;
        }
        try {
            if (try_read_file(*file, replaces_us)) return;
            if (attempt == attempts_max) throw Error(ErrorKind::transient, "{} was written to each of the {} times it was read; run again later", place_.name(file->key), attempt);
        } catch (const Error& error) {
            if (!skips(error, *file)) throw;
            out_.discard_input(error);
            return;
        }
        context_.log.info("{} has changed while it was read; reading it again", place_.name(file->key));
        out_.restart_input();
    }
}

/// False when it has changed meanwhile.
bool ResourceReader::try_read_file(const io::ObjectInfo& file, std::int64_t replaces_us) {
    extract::InputFile input{.path = place_.url(file.key), .size = file.size, .modified_ns = file.modified_ns};
    if (ledger_) input.version = version_of(file);
    if (replaces_us != 0) input.replaces_load_id = load_id_at(replaces_us);
    out_.begin_input(input);
    content_.read(content_of(file), [&](const io::InputStream& stream) { out_.report({.bytes_read = bytes_before_ + stream.bytes_read(), .bytes_total = chosen_.bytes()}); });
    if (settings_.remembers == Remembers::nothing) return true;
    if (place_.find(file.key, context_.stop) != file) return false;
    out_.end_input();
    if (watermark_) {
        watermark_->take(input.path, file);
        watermark_->remember(context_.state->resource());
    }
    return true;
}

}  // namespace tipple::sources::files
