#include "tipple/sources/csv/file_pass.h"

#include <algorithm>
#include <utility>

namespace tipple::sources::csv {

namespace {

/// For each helper: the page it is at, the one it takes next, and one that is being cut.
constexpr std::size_t pages_per_helper = 3;

}  // namespace

FilePass::FilePass(io::InputStream& input, const FileOptions& file, Types types)
    : file_(file), cutter_(input, file), converter_(file, cutter_.layout()), types_(std::make_shared<const Types>(std::move(types))) {}

void FilePass::expect_helpers(std::size_t count) { ahead_max_ = 1 + count * pages_per_helper; }

bool FilePass::may_cut() const { return !is_cut_up_ && slots_.size() < ahead_max_ && (slots_.empty() || ahead_bytes_ < file_.ahead_bytes_max); }

void FilePass::cut() {
    std::unique_ptr<Slot> slot = spare_.empty() ? std::make_unique<Slot>() : std::move(spare_.back());
    if (!spare_.empty()) spare_.pop_back();
    try {
        is_cut_up_ = !cutter_.cut(slot->text);
    } catch (...) {
        cut_error_ = std::current_exception();
        is_cut_up_ = true;
    }
    if (is_cut_up_) return;
    ahead_bytes_ += slot->text.text.size();
    const std::lock_guard lock(mutex_);
    slot->step = Step::cut;
    slots_.push_back(std::move(slot));
    changed_.notify_all();
}

/// The oldest page that nobody has taken. The mutex is held.
FilePass::Slot* FilePass::take_cut() {
    for (const std::unique_ptr<Slot>& slot : slots_) {
        if (slot->step != Step::cut) continue;
        slot->step = Step::taken;
        slot->types = types_;
        return slot.get();
    }
    return nullptr;
}

void FilePass::convert(PageConverter& converter, Slot& slot) {
    slot.error = nullptr;
    try {
        slot.page = converter.try_convert(slot.text, *slot.types);
    } catch (...) {
        slot.error = std::current_exception();
    }
    const std::lock_guard lock(mutex_);
    slot.step = Step::done;
    changed_.notify_all();
}

void FilePass::help(const std::stop_token& stop) {
    PageConverter converter(file_, cutter_.layout());
    while (true) {
        Slot* slot = nullptr;
        {
            std::unique_lock lock(mutex_);
            changed_.wait(lock, stop, [&] { return is_finished_ || (slot = take_cut()) != nullptr; });
            if (slot == nullptr) return;
        }
        convert(converter, *slot);
    }
}

void FilePass::finish() {
    const std::lock_guard lock(mutex_);
    is_finished_ = true;
    changed_.notify_all();
}

bool FilePass::is_front_done() {
    const std::lock_guard lock(mutex_);
    return !slots_.empty() && slots_.front()->step == Step::done;
}

/// Nothing can be cut, and the oldest page is not done.
void FilePass::work_or_wait() {
    Slot* slot = nullptr;
    {
        std::unique_lock lock(mutex_);
        slot = take_cut();
        if (slot == nullptr) changed_.wait(lock, [&] { return slots_.front()->step == Step::done; });
    }
    if (slot != nullptr) convert(converter_, *slot);
}

/// At its turn: what was known when it was converted may have changed, and it may change it.
FilePage FilePass::settle(Slot& slot) {
    if (slot.types != types_) {
        slot.error = nullptr;
        slot.page = converter_.try_convert(slot.text, *types_);
    }
    if (slot.error != nullptr) std::rethrow_exception(slot.error);
    if (slot.page) return *std::move(slot.page);
    KnownTypes known{.types = *types_, .misfits = std::move(misfits_)};
    FilePage page = converter_.convert(slot.text, known);
    misfits_ = std::move(known.misfits);
    const std::lock_guard lock(mutex_);
    types_ = std::make_shared<const Types>(std::move(known.types));
    return page;
}

FilePage FilePass::take_front() {
    std::unique_ptr<Slot> slot;
    {
        const std::lock_guard lock(mutex_);
        slot = std::move(slots_.front());
        slots_.pop_front();
    }
    ahead_bytes_ -= slot->text.text.size();
    FilePage page = settle(*slot);
    slot->page.reset();
    spare_.push_back(std::move(slot));
    return page;
}

std::optional<FilePage> FilePass::next() {
    if (!has_header_ && !cutter_.read_header()) return std::nullopt;
    has_header_ = true;
    while (!is_front_done()) {
        if (may_cut()) {
            cut();
        } else if (!slots_.empty()) {
            work_or_wait();
        } else if (cut_error_ != nullptr) {
            std::rethrow_exception(cut_error_);
        } else {
            return std::nullopt;
        }
    }
    return take_front();
}

}  // namespace tipple::sources::csv
