#include "tipple/pipeline/parallel_read.h"

#include <algorithm>
#include <map>
#include <set>
#include <string_view>
#include <utility>

#include "tipple/pipeline/resources.h"
#include "tipple/pipeline/run_together.h"

namespace tipple::pipeline {

namespace {

bool depends_on(const extract::ResourceSpec& spec, const extract::ResourceSpec& other) {
    return std::any_of(spec.depends.begin(), spec.depends.end(), [&](const std::string& name) {
        return name == other.name || (!other.definition.empty() && name == other.definition);
    });
}

Error stopped() {
    return Error(ErrorKind::cancelled, "stopped");
}

}  // namespace

ParallelGroup find_group(std::span<const ActiveResource> resources) {
    ParallelGroup group;
    std::set<std::string_view> chains;
    for (const ActiveResource& resource : resources) {
        const bool fits = std::all_of(group.resources.begin(), group.resources.end(),
                                      [&](const ActiveResource* other) {
                                          return other->driver == resource.driver &&
                                                 (other->spec.chain == resource.spec.chain ||
                                                  !depends_on(resource.spec, other->spec));
                                      });
        if (resource.spec.chain.empty() || !fits) break;
        ++group.count;
        if (resource.is_left_out) continue;
        group.resources.push_back(&resource);
        chains.insert(resource.spec.chain);
    }
    return chains.size() < 2 ? ParallelGroup() : group;
}

std::size_t ParallelRead::bytes_ahead(std::span<const ActiveResource> resources,
                                      std::size_t budget_bytes) {
    for (std::size_t at = 0; at < resources.size(); ++at) {
        if (find_group(resources.subspan(at)).count > 0) return budget_bytes / 2;
    }
    return 0;
}

/// What a source writes into, on a thread of its own. Pages and requests wait for their turn;
/// figures do not.
class ParallelRead::Output final : public extract::Output {
public:
    Output(ParallelRead& all, Chain& chain, Member& member, std::stop_token stop)
        : all_(all), chain_(chain), member_(member), stop_(std::move(stop)) {}

    void write(extract::Page page) override {
        if (stop_.stop_requested()) throw stopped();
        if (!wants_more()) return;
        const std::size_t bytes = page_memory(page);
        if (!chain_.ahead.acquire(bytes, stop_)) throw stopped();
        push(WaitingPage{.page = std::move(page), .hold = MemoryHold(chain_.ahead, bytes)});
    }
    bool offer_file(const extract::FileOffer& offer) override {
        bool is_taken = false;
        request([&] { is_taken = all_.stage_.offer_file(member_.reading, offer); });
        return is_taken;
    }
    void skip(const extract::SkippedText& skipped) override {
        request([&] { all_.stage_.skip(member_.reading, skipped); });
    }
    void materialize() override {
        request([&] { all_.stage_.materialize(member_.reading); });
    }
    // What is read side by side has no inputs that could be taken back (ResourceSpec::chain).
    void restart_input() override { TIPPLE_ASSERT(false); }
    void begin_input(const extract::InputFile&) override { TIPPLE_ASSERT(false); }
    void report(const extract::ReadProgress& progress) override {
        // Modulo 2^64, so that a source may also correct itself.
        all_.stage_.bytes_read_ += progress.bytes_read - member_.bytes_read;
        member_.bytes_read = progress.bytes_read;
    }
    void count(std::string_view metric, std::int64_t by) override {
        all_.stage_.count(member_.reading.resource, metric, by);
    }
    bool wants_more() const override { return !all_.is_over() && !member_.reading.is_closed; }

    schema::Value last_value() {
        schema::Value value;
        if (!request([&] { value = all_.stage_.last_value(member_.reading); }))
            value = all_.stage_.last_value(member_.reading);
        return value;
    }

private:
    /// False when nothing is taken any more.
    bool push(Entry entry) {
        if (chain_.entries.push(std::move(entry), stop_)) return true;
        if (stop_.stop_requested()) throw stopped();
        return false;
    }

    /// Waits until it is its turn and done. False when nothing is taken any more.
    bool request(std::function<void()> work) {
        const auto request = std::make_shared<Request>();
        request->work = std::move(work);
        if (!push(request)) return false;
        std::unique_lock lock(request->mutex);
        request->changed.wait(lock, stop_, [&] {
            return request->state == Request::State::done ||
                   request->state == Request::State::abandoned;
        });
        // What refers to this thread's variables must end first.
        request->changed.wait(lock, [&] { return request->state != Request::State::running; });
        if (request->state == Request::State::waiting) {
            request->state = Request::State::abandoned;
            throw stopped();
        }
        if (request->state == Request::State::abandoned) return false;
        if (request->error != nullptr) std::rethrow_exception(request->error);
        return true;
    }

    ParallelRead& all_;
    Chain& chain_;
    Member& member_;
    std::stop_token stop_;
};

/// What a source sees of its cursor.
class ParallelRead::CursorView final : public extract::CursorView {
public:
    CursorView(const Member& member, Output& output) : member_(member), output_(output) {}

    const schema::Value& start() const override { return *member_.cursor_start; }
    const schema::Value& end() const override {
        return member_.reading.resource.spec.incremental->end_value;
    }
    schema::Value last() override { return output_.last_value(); }

private:
    const Member& member_;
    Output& output_;
};

ParallelRead::Member::Member(Reading& of, ParallelRead& all)
    : reading(of),
      state(all.stage_.context_.state, all.state_mutex_, of.resource.spec.name),
      records_max(all.stage_.records_wanted(of)) {
    if (of.cursor) cursor_start = of.cursor->start().start;
}

ParallelRead::ParallelRead(Stage& stage, const std::vector<const ActiveResource*>& resources)
    : stage_(stage) {
    std::map<std::string_view, std::vector<Member*>> members;
    std::vector<std::string_view> order;
    {
        const std::lock_guard lock(stage_.mutex_);
        for (const ActiveResource* resource : resources) {
            Reading& reading = stage_.readings_.emplace_back(*resource);
            reading.is_side_by_side = true;
            stage_.begin(reading);
            std::vector<Member*>& chain = members[resource->spec.chain];
            if (chain.empty()) order.push_back(resource->spec.chain);
            chain.push_back(&members_.emplace_back(reading, *this));
        }
    }
    for (const json::Member& member : stage_.context_.state.document())
        remembered_.insert(member.name);
    stage_.bytes_total_ = 0;
    for (const std::string_view name : order)
        chains_.emplace_back(stage_.bytes_ahead_ / std::min(order.size(), chains_max)).members =
            std::move(members.at(name));
}

void ParallelRead::run() {
    const std::size_t threads = std::min(chains_.size(), chains_max);
    joined_ = threads;
    std::vector<extract::Task> tasks = {
        [this](std::stop_token stop) { hand_on_all(std::move(stop)); }};
    for (std::size_t i = 0; i < threads; ++i)
        tasks.emplace_back([this](const std::stop_token& stop) { read_chains(stop); });
    run_together(std::move(tasks), stage_.stop_.get_token());
    // Where a limit has ended the round: what was in its turn has been read too.
    for (std::size_t i = 0; i < joined_; ++i) {
        if (chains_[i].at < chains_[i].members.size()) end(*chains_[i].members[chains_[i].at]);
    }
    order_state();
}

/// Names that are new in the state come in an order that does not say who was first.
void ParallelRead::order_state() {
    json::Object& document = stage_.context_.state.document();
    json::Object ordered;
    std::map<std::string, json::Value> added;
    for (json::Member& member : document) {
        remembered_.contains(member.name)
            ? ordered.append(member.name, std::move(member.value))
            : void(added.emplace(member.name, std::move(member.value)));
    }
    for (auto& [name, value] : added) ordered.append(name, std::move(value));
    document = std::move(ordered);
}

// The order of pages.

void ParallelRead::hand_on_all(std::stop_token stop) {
    std::vector<std::size_t> round;
    for (std::size_t i = 0; i < joined_; ++i) round.push_back(i);
    for (std::size_t turn = 0; !round.empty() && !is_certainly_over();) {
        if (hand_on_next(chains_[round[turn]], stop)) {
            turn = (turn + 1) % round.size();
            continue;
        }
        const std::unique_lock lock(mutex_);
        if (joined_ < chains_.size()) {
            round[turn] = joined_++;
        } else {
            round.erase(round.begin() + static_cast<std::ptrdiff_t>(turn));
            if (turn == round.size()) turn = 0;
        }
        joined_changed_.notify_all();
    }
    end_round();
}

/// Whether the run has all that it wants. Its limit is reached by a page, not at a time: what is
/// read and ended behind that page would depend on timing.
bool ParallelRead::is_certainly_over() {
    if (stage_.context_.options.limit) {
        std::unique_lock lock(stage_.mutex_);
        stage_.drain(lock);
    }
    return is_over();
}

/// No more is taken of anybody.
void ParallelRead::end_round() {
    {
        const std::lock_guard lock(mutex_);
        has_ended_ = true;
    }
    joined_changed_.notify_all();
    for (Chain& chain : chains_) {
        chain.entries.close();
        while (std::optional<Entry> entry = chain.entries.pop({})) {
            const auto* request = std::get_if<std::shared_ptr<Request>>(&*entry);
            if (request == nullptr) continue;
            const std::lock_guard lock((*request)->mutex);
            (*request)->state = Request::State::abandoned;
            (*request)->changed.notify_all();
        }
    }
}

/// Hands on one page of the chain, and what was asked for before it. False when the chain has ended
/// instead.
bool ParallelRead::hand_on_next(Chain& chain, const std::stop_token& stop) {
    while (chain.at < chain.members.size()) {
        Member& member = *chain.members[chain.at];
        std::optional<Entry> entry = chain.entries.pop(stop);
        if (!entry) throw stopped();
        if (auto* request = std::get_if<std::shared_ptr<Request>>(&*entry)) {
            answer(**request);
        } else if (auto* end_of_read = std::get_if<End>(&*entry)) {
            if (end_of_read->error && !stage_.is_behind_end(member.reading, *end_of_read->error))
                throw std::move(*end_of_read->error);
            end(member);
            ++chain.at;
        } else if (may_end_early(member) && member.last_number) {
            // Whether this one is wanted, the one before it says. A page too many would move the
            // numbers of all that follow, and with them ids.
            std::unique_lock lock(stage_.mutex_);
            stage_.admitted_.wait(lock, stop, [&] { return stage_.head_ > *member.last_number; });
            lock.unlock();
            if (stop.stop_requested()) throw stopped();
            if (member.reading.is_closed) continue;
            hand_on(chain, std::get<WaitingPage>(std::move(*entry)));
            return true;
        } else {
            hand_on(chain, std::get<WaitingPage>(std::move(*entry)));
            return true;
        }
    }
    return false;
}

void ParallelRead::hand_on(Chain& chain, WaitingPage page) {
    Member& member = *chain.members[chain.at];
    {
        const std::lock_guard lock(stage_.mutex_);
        stage_.resource_name_ = member.reading.resource.spec.name;
    }
    member.last_number = stage_.next_number_.load();
    stage_.write(member.reading, std::move(page.page));
}

void ParallelRead::answer(Request& request) {
    {
        const std::lock_guard lock(request.mutex);
        if (request.state != Request::State::waiting) return;
        request.state = Request::State::running;
    }
    std::exception_ptr error;
    try {
        request.work();
    } catch (...) {
        error = std::current_exception();
    }
    const std::lock_guard lock(request.mutex);
    request.error = error;
    request.state = Request::State::done;
    request.changed.notify_all();
}

/// All its pages are handed on, and nobody reads it any more.
void ParallelRead::end(Member& member) {
    {
        std::unique_lock lock(stage_.mutex_);
        stage_.drain(lock);
    }
    const std::lock_guard lock(state_mutex_);
    member.state.save();
    stage_.end(member.reading);
}

bool ParallelRead::may_end_early(const Member& member) const {
    const extract::ResourceSpec& spec = member.reading.resource.spec;
    return stage_.context_.options.limit || has_limit(spec) ||
           (spec.incremental && spec.incremental->row_order != incremental::RowOrder::none);
}

// The threads that read.

/// nullptr when there are no more.
ParallelRead::Chain* ParallelRead::wait_for_chain(const std::stop_token& stop) {
    std::unique_lock lock(mutex_);
    joined_changed_.wait(
        lock, stop, [&] { return has_ended_ || started_ < joined_ || started_ == chains_.size(); });
    if (stop.stop_requested()) throw stopped();
    return has_ended_ || started_ == chains_.size() ? nullptr : &chains_[started_++];
}

void ParallelRead::read_chains(const std::stop_token& stop) {
    while (Chain* chain = wait_for_chain(stop)) {
        for (Member* member : chain->members) {
            if (!is_over()) read(*chain, *member, stop);
        }
    }
}

void ParallelRead::read(Chain& chain, Member& member, const std::stop_token& stop) {
    End end;
    if (!member.reading.is_closed) {
        const ActiveResource& resource = member.reading.resource;
        Output output(*this, chain, member, stop);
        CursorView cursor(member, output);
        const extract::ResourceContext context{
            .stop = stop,
            .state = &member.state,
            .cursor = member.cursor_start ? &cursor : nullptr,
            .ledger = resource.ledger.get(),
            .page_bytes = stage_.context_.options.page_bytes,
            .record_bytes_max = stage_.context_.config.memory_bytes / 8,
            .threads = stage_.context_.config.workers,
            .memory_bytes =
                stage_.context_.config.memory_bytes / 2 / std::min(chains_.size(), chains_max),
            .skips_bad_records = stage_.context_.options.on_bad_record != OnBadRecord::fail,
            .temp_folder = stage_.context_.temp_folder,
            .log = stage_.context_.log,
            .records_max = member.records_max,
            .may_end_early = stage_.context_.options.limit || has_limit(resource.spec),
            .run_together = [&](std::vector<extract::Task> tasks) {
                run_together(std::move(tasks), stop);
            }};
        try {
            resource.driver->read(resource.spec, context, output);
        } catch (const Error& error) {
            // Ends all at once, unless pages that wait may say that it does not matter.
            if (stop.stop_requested() || !may_end_early(member)) throw;
            end.error = error;
        }
    }
    if (!chain.entries.push(std::move(end), stop) && stop.stop_requested()) throw stopped();
}

}  // namespace tipple::pipeline
