#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <exception>
#include <functional>
#include <memory>
#include <mutex>
#include <optional>
#include <set>
#include <span>
#include <stop_token>
#include <string>
#include <variant>
#include <vector>

#include "tipple/core/bounded_queue.h"
#include "tipple/core/memory_budget.h"
#include "tipple/pipeline/parallel_state.h"
#include "tipple/pipeline/stage.h"

namespace tipple::pipeline {

/// Resources that are read at the same time.
struct ParallelGroup {
    std::vector<const ActiveResource*> resources;
    /// How many of the list they are; those that are left out lie between them.
    std::size_t count = 0;
};

/// The resources from the first one on that are read at the same time: of one source, in different
/// chains, and none of them behind another chain's. Empty when the first one is read by itself.
ParallelGroup find_group(std::span<const ActiveResource> resources);

/// Reads chains of resources at the same time, each on a thread of its own, and hands their pages
/// on in an order that no timing changes: one page of each chain in turn, in the order of the
/// chains' first resources. A chain that has ended leaves the round, and another one that waits
/// takes its place.
///
/// Pages that come before it is their turn wait, so many of each chain and no more; behind those,
/// its source waits.
class ParallelRead {
public:
    /// Chains that are read at the same time; others wait.
    static constexpr std::size_t chains_max = 16;
    /// Pages of a chain that wait for their turn.
    static constexpr std::size_t pages_ahead_max = 8;

    /// What of a budget for pages belongs to those that wait: half of it in a run that reads any
    /// resources at the same time, else nothing.
    static std::size_t bytes_ahead(std::span<const ActiveResource> resources,
                                   std::size_t budget_bytes);

    /// On the reading thread. `resources`: as `find_group` gave them.
    ParallelRead(Stage& stage, const std::vector<const ActiveResource*>& resources);
    /// Returns when all were read, their pages handed on, and what they remember is saved. Throws
    /// the first error.
    void run();

private:
    class Output;
    class CursorView;

    /// A page that waits for its turn.
    struct WaitingPage {
        extract::Page page;
        MemoryHold hold;
    };
    /// What a source asks for between two pages, and waits for: it has its place in the order too.
    struct Request {
        enum class State { waiting, running, done, abandoned };
        std::function<void()> work;
        std::mutex mutex;
        std::condition_variable_any changed;
        State state = State::waiting;
        std::exception_ptr error;
    };
    /// The resource has been read; with an error that counts only if more was wanted of it.
    struct End {
        std::optional<Error> error;
    };
    using Entry = std::variant<WaitingPage, std::shared_ptr<Request>, End>;

    /// A resource of a chain.
    struct Member {
        Member(Reading& of, ParallelRead& all);
        Reading& reading;
        ParallelState state;
        /// Of what there is to read when all begin.
        std::optional<std::uint64_t> records_max;
        std::optional<schema::Value> cursor_start;
        /// Of the thread that reads: what it has said of its progress.
        std::uint64_t bytes_read = 0;
        /// Of the reading thread: the number of its last page.
        std::optional<std::uint64_t> last_number = {};
    };
    struct Chain {
        explicit Chain(std::size_t bytes) : ahead(bytes), entries(pages_ahead_max) {}
        std::vector<Member*> members;
        /// Outlives the pages that wait.
        MemoryBudget ahead;
        BoundedQueue<Entry> entries;
        /// Whose entries are taken now; of the reading thread.
        std::size_t at = 0;
    };

    void order_state();
    void hand_on_all(std::stop_token stop);
    bool hand_on_next(Chain& chain, const std::stop_token& stop);
    void hand_on(Chain& chain, WaitingPage page);
    void answer(Request& request);
    void end(Member& member);
    void end_round();
    bool is_over() const { return stage_.is_limit_reached_; }
    bool is_certainly_over();
    /// Whether less than all of it may be wanted.
    bool may_end_early(const Member& member) const;

    Chain* wait_for_chain(const std::stop_token& stop);
    void read_chains(const std::stop_token& stop);
    void read(Chain& chain, Member& member, const std::stop_token& stop);

    Stage& stage_;
    /// Guards what the source remembers.
    std::mutex state_mutex_;
    /// Names that it had before.
    std::set<std::string> remembered_;
    std::deque<Member> members_;
    std::deque<Chain> chains_;

    std::mutex mutex_;
    std::condition_variable_any joined_changed_;
    // Guarded by mutex_:
    std::size_t joined_ = 0;   ///< chains that may be read
    std::size_t started_ = 0;  ///< of those, the ones that a thread has taken
    bool has_ended_ = false;
};

}  // namespace tipple::pipeline
