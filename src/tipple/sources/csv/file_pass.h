#pragma once

#include <condition_variable>
#include <deque>
#include <exception>
#include <memory>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include "tipple/sources/csv/page_converter.h"
#include "tipple/sources/csv/page_cutter.h"

namespace tipple::sources::csv {

/// One reading of one file, page by page. Finding where records end is the work of one thread, for nobody knows what is in quotes who has not seen what comes before; understanding them
/// may be that of several. What comes out is the same however many there are.
class FilePass {
public:
    /// `types`: of its columns, as far as they are known; the rest is found out from the first page in which a column has values. `input` and what
    /// `options` refers to outlive the pass.
    FilePass(io::InputStream& input, const FileOptions& options, Types types);

    /// Nothing at the end. Throws Error(data) that names line and byte. Once there are misfits, pages are not complete: what follows is only looked at.
    std::optional<FilePage> next();
    /// A value did not fit the type of its column, which was no declared one.
    bool has_misfits() const { return !misfits_.empty(); }
    /// As far as they are known now, and wide enough for the misfits.
    const Types& types() const { return *types_; }
    /// Each column that got a wider type, with the value that asked for it.
    const std::vector<std::pair<std::string, std::string>>& misfits() const { return misfits_; }

    /// Before the first helper starts and after a call of `next` that has returned a page: up to so many pages are cut before their turn.
    void expect_helpers(std::size_t count);
    /// On a thread of its own, while others call `next`: understands pages before their turn, until `finish` or `stop`.
    void help(const std::stop_token& stop);
    /// Helpers end; no page is asked for any more.
    void finish();

private:
    enum class Step { cut, taken, done };
    /// A page on its way. What is not guarded by the mutex belongs to whoever has taken it, then to the thread that calls `next`.
    struct Slot {
        Step step = Step::cut;  ///< guarded
        TextPage text;
        std::shared_ptr<const Types> types;  ///< with which it was converted
        std::optional<FilePage> page;
        std::exception_ptr error;
    };

    bool may_cut() const;
    void cut();
    Slot* take_cut();
    void convert(PageConverter& converter, Slot& slot);
    void work_or_wait();
    bool is_front_done();
    FilePage take_front();
    FilePage settle(Slot& slot);

    const FileOptions& file_;
    PageCutter cutter_;
    PageConverter converter_;
    bool has_header_ = false;
    bool is_cut_up_ = false;
    /// Why nothing more could be cut; those before come first.
    std::exception_ptr cut_error_;
    std::size_t ahead_max_ = 1;
    std::size_t ahead_bytes_ = 0;
    std::vector<std::pair<std::string, std::string>> misfits_;
    std::vector<std::unique_ptr<Slot>> spare_;

    std::mutex mutex_;
    std::condition_variable_any changed_;
    // Guarded by mutex_; only the thread of `next` changes the types and the list itself.
    std::shared_ptr<const Types> types_;
    std::deque<std::unique_ptr<Slot>> slots_;
    bool is_finished_ = false;
};

}  // namespace tipple::sources::csv
