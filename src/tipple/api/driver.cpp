#include <iterator>
#include <map>
#include <mutex>
#include <utility>

#include "tipple/api/page_writer.h"
#include "tipple/api/source.h"
#include "tipple/api/spool.h"
#include "tipple/api/user_code.h"
#include "tipple/incremental/page_filter.h"
#include "tipple/incremental/slot.h"
#include "tipple/source/record_filter.h"

namespace tipple::api {

namespace {

using StateSlot = std::function<json::Object&()>;

/// What is remembered of a resource other than the one that is read.
StateSlot state_of(extract::State& state, const std::string& resource) {
    return [&state, resource]() -> json::Object& { return state.resource(resource); };
}

/// Those of a run. Parallel resources write theirs at the same time, each its own.
class Spools {
public:
    explicit Spools(io::FileSystem& files) : files_(files) {}

    void clear() { spools_.clear(); }
    Spool& begin(const std::string& name, const std::string& folder) {
        const std::lock_guard lock(mutex_);
        return spools_.try_emplace(name, files_, io::join_path(folder, fmt::format("pages-{}", spools_.size()))).first->second;
    }
    /// nullptr when nobody has begun it.
    Spool* find(const std::string& name) {
        const std::lock_guard lock(mutex_);
        const auto found = spools_.find(name);
        return found == spools_.end() ? nullptr : &found->second;
    }

private:
    io::FileSystem& files_;
    std::mutex mutex_;
    std::map<std::string, Spool> spools_;
};

/// Keeps a parent's pages for its transformers: what the parent's steps, condition, cursor and limits leave of them.
class SpoolWriter final : public RecordListener, public extract::CursorView {
public:
    SpoolWriter(const extract::ResourceSpec& parent, Spool& spool, extract::State& state) : parent_(parent), spool_(spool) {
        if (!parent.incremental) return;
        const json::Object* own = state.find_resource(parent.name);
        const json::Object* slot = own != nullptr ? incremental::find_slot(*own, *parent.incremental) : nullptr;
        cursor_.emplace(*parent.incremental, parent.name, parent.primary_key, slot);
    }

    void hear(const Records& records) override {
        if (is_closed_ || records.empty()) return;
        Records kept = cursor_ || parent_.where != nullptr || parent_.steps != nullptr ? filtered(records) : records;
        if (kept.size() > records_left_) kept.resize(static_cast<std::size_t>(records_left_));
        if (kept.empty()) return;
        spool_.write(kept);
        ++pages_;
        records_left_ -= kept.size();
        if (records_left_ == 0 || (parent_.limit && pages_ == *parent_.limit)) is_closed_ = true;
    }

    /// No more pages are wanted.
    bool is_closed() const { return is_closed_; }
    extract::CursorView* cursor() { return cursor_ ? this : nullptr; }
    const Value& start() const override { return cursor_->start().start; }
    const Value& end() const override { return parent_.incremental->end_value; }
    Value last() override { return cursor_->last(); }

private:
    Records filtered(const Records& records) {
        std::vector<Value> values;
        std::vector<std::size_t> places;
        for (std::size_t i = 0; i < records.size(); ++i) {
            const auto take = [&](Value value) {
                values.push_back(std::move(value));
                places.push_back(i);
            };
            Value record(Record(records[i]).take());
            parent_.steps != nullptr ? extract::apply_steps(*parent_.steps, std::move(record), take) : take(std::move(record));
        }
        std::vector<std::size_t> unwanted;
        if (parent_.where != nullptr) unwanted = condition_filter_.filter(*parent_.where, values);
        if (cursor_) {
            incremental::PageFold fold;
            const std::optional<incremental::RecordProblem> problem = filter_.filter(cursor_->start(), values, {.last = cursor_->last()}, fold);
            if (problem) throw Error(ErrorKind::data, "record {} of the page: {}", places[incremental::place_before(problem->record, unwanted)] + 1, problem->text);
            cursor_->take(fold);
            is_closed_ = cursor_->is_done();
        }
        Records kept;
        for (Value& value : values) kept.emplace_back(std::get<schema::Object>(std::move(value)));
        return kept;
    }

    const extract::ResourceSpec& parent_;
    Spool& spool_;
    std::optional<incremental::Cursor> cursor_;
    extract::RecordFilter condition_filter_;
    incremental::PageFilter filter_;
    std::uint64_t pages_ = 0;
    std::uint64_t records_left_ = parent_.records_max.value_or(UINT64_MAX);
    bool is_closed_ = false;
};

/// Takes what is read of a parent that is not loaded itself: nothing is wanted of it but what `pages` hears.
class NoOutput final : public extract::Output {
public:
    NoOutput(extract::Output& child, const SpoolWriter& pages, std::stop_token stop) : child_(child), pages_(pages), stop_(std::move(stop)) {}
    void write(extract::Page) override {
        if (stop_.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText&) override {}
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress& progress) override { child_.report(progress); }
    void count(std::string_view metric, std::int64_t by) override { child_.count(metric, by); }
    bool wants_more() const override { return !pages_.is_closed() && child_.wants_more(); }

private:
    extract::Output& child_;
    const SpoolWriter& pages_;
    std::stop_token stop_;
};

/// Reads a program's own source.
class Driver final : public extract::SourceDriver {
public:
    explicit Driver(Source source) : source_(std::move(source)), files_(io::local_file_system()), spools_(*files_) {}

    std::string name() const override { return source_.name(); }
    std::string description() const override { return source_.description(); }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        // A run begins: pages of another one are gone.
        spools_.clear();
        std::vector<extract::ResourceSpec> specs;
        std::vector<extract::ResourceSpec> parallel;
        std::size_t parallel_place = 0;
        for (const Resource& resource : source_.resources()) {
            const bool is_parallel = root_of(resource).definition().is_parallel;
            if (is_parallel && parallel.empty()) parallel_place = specs.size();
            extract::ResourceSpec& spec = (is_parallel ? parallel : specs).emplace_back(resource.definition().spec);
            spec.marks_checkpoints = true;
            spec.is_linked = !resource.definition().parent.empty() || is_parent(spec.name);
            if (!resource.definition().parent.empty()) spec.depends.push_back(resource.definition().parent);
            if (is_parallel) spec.chain = root_of(resource).name();
        }
        // Others between them would keep them apart.
        specs.insert(specs.begin() + static_cast<std::ptrdiff_t>(parallel_place), std::move_iterator(parallel.begin()), std::move_iterator(parallel.end()));
        return specs;
    }

    void read(const extract::ResourceSpec& spec, const extract::ResourceContext& context, extract::Output& out) override {
        const ResourceDefinition& resource = source_.find(spec.name)->definition();
        if (!resource.parent.empty()) require_spool(resource.parent, context, out);
        if (!is_parent(spec.name)) {
            generate(resource, context, {.spec = spec, .out = out, .cursor = context.cursor, .state = own_state(context)}, nullptr);
            return;
        }
        SpoolWriter writer(spec, spools_.begin(spec.name, context.temp_folder), *context.state);
        generate(resource, context, {.spec = spec, .out = out, .cursor = context.cursor, .state = own_state(context)}, &writer);
        spools_.find(spec.name)->close();
    }

private:
    /// What differs between a resource that is loaded and one that is read for its transformers alone.
    struct Surroundings {
        /// The resource's own, or what the user has made of it.
        const extract::ResourceSpec& spec;
        extract::Output& out;
        extract::CursorView* cursor = nullptr;
        StateSlot state;
    };

    static StateSlot own_state(const extract::ResourceContext& context) {
        return [&context]() -> json::Object& { return context.state->resource(); };
    }

    bool is_parent(std::string_view name) const {
        for (const Resource& resource : source_.resources()) {
            if (resource.definition().parent == name) return true;
        }
        return false;
    }

    /// The one at which its parents begin.
    const Resource& root_of(const Resource& resource) const {
        const Resource* root = &resource;
        while (!root->definition().parent.empty()) root = source_.find(root->definition().parent);
        return *root;
    }

    /// Resources are read in the order in which they were added, so a parent without its pages is one that the run does not load.
    void require_spool(const std::string& name, const extract::ResourceContext& context, extract::Output& out) {
        if (spools_.find(name) != nullptr) return;
        const ResourceDefinition& parent = source_.find(name)->definition();
        if (!parent.parent.empty()) require_spool(parent.parent, context, out);
        SpoolWriter writer(parent.spec, spools_.begin(name, context.temp_folder), *context.state);
        NoOutput none(out, writer, context.stop);
        generate(parent, context, {.spec = parent.spec, .out = none, .cursor = writer.cursor(), .state = state_of(*context.state, name)}, &writer);
        spools_.find(name)->close();
    }

    void generate(const ResourceDefinition& resource, const extract::ResourceContext& context, const Surroundings& around, RecordListener* listener) {
        PageWriter pages({.resource = resource,
                          .spec = around.spec,
                          .source = source_.name(),
                          .out = around.out,
                          .listener = listener,
                          .page_bytes = context.page_bytes});
        Output out(pages);
        ResourceContext own(context, around.out, around.cursor, State(around.state), resource.spec.name);
        call_user_code([&] { return fmt::format("source \"{}\", resource \"{}\", page {}", source_.name(), resource.spec.name, pages.pages() + 1); },
                       [&] {
                           call(resource, out, own);
                           pages.flush();
                       });
    }

    void call(const ResourceDefinition& resource, Output& out, ResourceContext& context) {
        if (resource.parent.empty()) return resource.generate(out, context);
        Spool::Reader reader(*files_, *spools_.find(resource.parent));
        while (std::optional<Records> page = reader.next()) {
            if (!out.wants_more()) return;
            resource.transform(*page, out, context);
        }
    }

    Source source_;
    std::unique_ptr<io::FileSystem> files_;
    Spools spools_;
};

}  // namespace

}  // namespace tipple::api

namespace tipple {

std::unique_ptr<extract::SourceDriver> make_driver(Source source) { return std::make_unique<api::Driver>(std::move(source)); }

}  // namespace tipple
