#include "tipple/sources/files/selection.h"

#include <algorithm>
#include <vector>

#include "tipple/core/text.h"

namespace tipple::sources::files {

Selection::Selection(const ResourceSettings& settings, const Place& place, extract::FileLedger* ledger, const json::Object* memory, const std::stop_token& stop)
    : settings_(settings), place_(place) {
    if (ledger != nullptr) ledger_.emplace(*ledger, stop);
    if (settings.remembers == Remembers::watermark) watermark_.emplace(Watermark::by_time(), settings.name, memory != nullptr ? *memory : json::Object());
}

LedgerIndex::Found Selection::offer(const io::ObjectInfo& file) {
    if (watermark_ && !watermark_->is_new(place_.url(file.key), file)) {
        ++known_;
        return {.state = LedgerIndex::State::known};
    }
    const LedgerIndex::Found found = ledger_ ? ledger_->find(place_.url(file.key), version_of(file)) : LedgerIndex::Found{};
    switch (found.state) {
        case LedgerIndex::State::is_new:
            ++fresh_;
            if (late_before_us_ && file.modified_ns != 0 && file.modified_ns / 1'000 < *late_before_us_) ++late_;
            files_.add(file);
            break;
        case LedgerIndex::State::known:
            ++known_;
            break;
        case LedgerIndex::State::changed:
            ++changed_;
            if (settings_.on_change == OnChange::reload) files_.add(file, found.load_us);
            if (settings_.on_change == OnChange::merge) files_.add(file);
            break;
    }
    return found;
}

void Selection::choose() {
    files_.sort(settings_.order);
    const std::size_t all = files_.size();
    std::size_t count = all;
    if (settings_.files_max) count = std::min<std::size_t>(count, *settings_.files_max);
    if (settings_.bytes_max) count = std::min(count, files_.count_within(*settings_.bytes_max));
    files_.truncate(count);
    left_ = all - count;
}

namespace {

std::string describe_changed(const Selection& selection, OnChange on_change) {
    const std::string count = format_count(selection.changed());
    const bool is_one = selection.changed() == 1;
    if (on_change == OnChange::fail) return fmt::format("{} {} changed, which ends a run (on_change)", count, is_one ? "has" : "have");
    if (on_change == OnChange::ignore) return fmt::format("{} {} changed and {} ignored (on_change)", count, is_one ? "has" : "have", is_one ? "is" : "are");
    return fmt::format("{} changed", count);
}

}  // namespace

std::string describe_selection(const ResourceSettings& settings, const Place& place, const extract::ProbeContext& context) {
    const bool has_ledger = settings.remembers == Remembers::ledger;
    Selection selection(settings, place, has_ledger ? context.ledger : nullptr, context.memory, context.stop);
    if (has_ledger && context.ledger != nullptr) {
        if (const std::optional<std::int64_t> newest = context.ledger->newest_modified_us(context.stop)) selection.count_late(*newest);
    }
    std::uint64_t count = 0;
    std::uint64_t bytes = 0;
    io::ObjectInfo newest;
    place.list({&settings}, context.stop, [&](std::size_t, const io::ObjectInfo& file) {
        bytes += file.size;
        if (count++ == 0 || file.modified_ns > newest.modified_ns) newest = file;
        selection.offer(file);
    });
    if (count == 0) return "no file matches yet";
    std::string text = fmt::format("{} file{} match{}, {}; the newest is {}", format_count(count), count == 1 ? "" : "s", count == 1 ? "es" : "", format_bytes(bytes), place.url(newest.key));
    if (settings.remembers == Remembers::nothing) return text + "; a run reads all of them";
    // What was loaded is known to the destination alone.
    if (context.ledger == nullptr) return text;
    selection.choose();
    std::vector<std::string> parts;
    parts.push_back(fmt::format("{} new{}", format_count(selection.fresh()),
                                selection.late() == 0 ? "" : fmt::format(", {} of them late (older than what was loaded)", format_count(selection.late()))));
    if (selection.changed() > 0) parts.push_back(describe_changed(selection, settings.on_change));
    if (selection.left() > 0) parts.push_back(fmt::format("{} {} left for later runs (max_files, max_bytes)", format_count(selection.left()), selection.left() == 1 ? "is" : "are"));
    return text + fmt::format("; a run reads {} now: {}", format_count(selection.files().size()), join(parts, "; "));
}

}  // namespace tipple::sources::files
