#include "tipple/sources/rest_api/resource_reader.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/io/url.h"

namespace tipple::sources::rest {

namespace {

constexpr std::size_t shown_body_bytes = 300;
constexpr std::size_t shown_record_bytes = 200;

/// Behind a refusal of a host that was not told who asks; empty for all others.
const char* hint_of(const ApiSettings& api, const io::HttpExchange& exchange) {
    const std::vector<std::string>& origins = api.session.allowed_origins;
    const bool is_known = std::find(origins.begin(), origins.end(), io::url_origin(exchange.url)) != origins.end();
    const bool asks_who = exchange.response.status == 401 || exchange.response.status == 403;
    return asks_who && !is_known ? "; headers and credentials go to hosts of this API alone: name this one in allow_hosts, or in base_url" : "";
}

}  // namespace

ResourceReader::ResourceReader(ReadJob job, extract::Output& out)
    : job_(std::move(job)), out_(out), pages_(job_.resource, job_.selector, job_.kept_paths, {.page_bytes = job_.page_bytes, .rewritten_bytes_max = job_.api.response_bytes_max}), paginator_(job_.resource.paginator.value_or(job_.api.paginator)) {
    if (job_.parents == nullptr) return;
    parents_.emplace(*job_.parents);
    find_repeats();
}

ResourceReader::~ResourceReader() { abandon_all(); }

void ResourceReader::read() {
    while (!is_done_) {
        if (!out_.wants_more()) break;
        open_paginations();
        if (open_.empty()) break;
        if (slots_in_flight() == 0) {
            flush();
            continue;
        }
        take(job_.session.wait(job_.stop));
        flush();
    }
    for (const auto& pagination : open_) {
        const bool is_read = pagination->is_ended && pagination->ready.empty() && !pagination->error;
        if (pagination->has_failed_before && !is_read) unread_parents_.push_back(parent_record(*pagination->parent));
    }
    for (const auto& [request, values] : repeats_) unread_parents_.push_back(parent_record(values));
    abandon_all();
}

json::Array ResourceReader::failed_parents() const {
    json::Array parents = failed_parents_;
    parents.insert(parents.end(), unread_parents_.begin(), unread_parents_.end());
    return parents;
}

json::Value ResourceReader::parent_record(const json::Array& values) const {
    json::Object record;
    for (std::size_t i = 0; i < values.size(); ++i) record.set(job_.parents->paths()[i], values[i]);
    return record;
}

/// Texts for people too: they are names in the state.
std::string ResourceReader::cursor_key(const json::Array& parent) const {
    json::Array key;
    for (const std::string& path : job_.resource.parent_key) {
        const std::vector<std::string>& paths = job_.parents->paths();
        key.push_back(parent[static_cast<std::size_t>(std::find(paths.begin(), paths.end(), path) - paths.begin())]);
        if (!key.back().is_null()) continue;
        throw Error(ErrorKind::data, "each of its parent's records has a cursor of its own, and this one has no \"{}\" to tell it from others", path);
    }
    return key.size() == 1 && key.front().is_text() ? key.front().as_text() : json::to_text(key.size() == 1 ? key.front() : json::Value(std::move(key)));
}

std::size_t ResourceReader::slots_in_flight() const {
    std::size_t count = 0;
    for (const auto& pagination : open_) {
        count += static_cast<std::size_t>(std::count_if(pagination->slots.begin(), pagination->slots.end(), [](const Slot& slot) { return !slot.exchange; }));
    }
    return count;
}

/// As many as there may be requests; pages of later ones must not pile up while the first one is read.
void ResourceReader::open_paginations() {
    while (has_more_paginations_ && open_.size() < job_.api.concurrency && waiting_bytes_ < job_.ahead_bytes_max) {
        if (!open_next()) has_more_paginations_ = false;
    }
}

Scope ResourceReader::scope_of(const json::Array& parent, Pagination& pagination) const {
    Scope scope = job_.scope;
    if (job_.cursors != nullptr) {
        pagination.cursor_key = cursor_key(parent);
        pagination.cursor = job_.cursors->open(pagination.cursor_key);
        scope.cursor_start = pagination.cursor->start().start;
        scope.cursor_end = pagination.cursor->start().spec.end_value;
    }
    scope.parent = [this, &parent](const std::string& path) -> schema::Value {
        const std::vector<std::string>& paths = job_.parents->paths();
        const auto found = std::find(paths.begin(), paths.end(), path);
        TIPPLE_ASSERT(found != paths.end());
        return from_json_value(parent[static_cast<std::size_t>(found - paths.begin())]);
    };
    return scope;
}

void ResourceReader::find_repeats() {
    const std::vector<std::string>& paths = job_.parents->paths();
    for (const json::Value& record : job_.parents_to_repeat) {
        if (!record.is_object()) continue;
        const auto keep = [&](std::string_view reason) {
            job_.log.warning("resource \"{}\": a parent that failed in an earlier run, {}, cannot be asked for: {}; it is kept for later runs", job_.resource.name,
                             excerpt(job_.api.redactor.redact(json::to_text(record)), shown_record_bytes), reason);
            unread_parents_.push_back(record);
        };
        const auto unknown = std::find_if(paths.begin(), paths.end(), [&](const std::string& path) { return record.as_object().find(path) == nullptr; });
        if (unknown != paths.end()) {
            keep(fmt::format("requests are made of its \"{}\" by now, which was not kept", *unknown));
            continue;
        }
        json::Array values;
        for (const std::string& path : paths) values.push_back(*record.as_object().find(path));
        try {
            Pagination pagination;
            const std::uint64_t request = make_request(job_.api, job_.resource, scope_of(values, pagination)).fingerprint();
            repeats_.emplace(request, std::move(values));
        } catch (const Error& error) {
            keep(error.what());
        }
    }
}

/// False when there is none.
bool ResourceReader::open_next() {
    std::optional<json::Array> parent;
    bool has_failed_before = false;
    if (parents_) {
        parent = parents_->next();
        // Those that failed before come last.
        if (!parent && !repeats_.empty()) {
            has_failed_before = true;
            parent = std::move(repeats_.extract(repeats_.begin()).mapped());
        }
        if (!parent) return false;
    } else {
        has_more_paginations_ = false;
    }
    auto pagination = std::make_unique<Pagination>();
    Scope scope;
    try {
        scope = parent ? scope_of(*parent, *pagination) : job_.scope;
        pagination->request = make_request(job_.api, job_.resource, scope);
    } catch (const Error& error) {
        // What is wrong with the cursor itself is not the parent's doing.
        if (error.kind() != ErrorKind::data) throw;
        if (job_.resource.on_null == OnNull::skip) {
            out_.count("parents_skipped", 1);
            return true;
        }
        throw Error(ErrorKind::data, "resource \"{}\": {}; the parent's record has {}; to leave such parents out: on_null = \"skip\"", job_.resource.name, error.what(),
                    parent ? excerpt(json::to_text(*parent), shown_record_bytes) : "no value");
    }
    pagination->has_failed_before = repeats_.erase(pagination->request.fingerprint()) > 0 || has_failed_before;
    for (const IncludedField& field : job_.resource.include) pagination->included.push_back(to_json_value(scope.parent(field.path)));
    pagination->parent = std::move(parent);
    pagination->paginator = make_paginator(paginator_);
    pagination->paginator->begin(pagination->request);
    open_.push_back(std::move(pagination));
    submit(*open_.back());
    return true;
}

/// Whether another page is allowed.
bool ResourceReader::may_ask(const Pagination& pagination) const {
    const std::uint64_t limit = job_.resource.pages_max > 0 ? std::min(job_.resource.pages_max, job_.pages_max) : job_.pages_max;
    return pagination.pages < limit;
}

void ResourceReader::submit(Pagination& pagination) {
    TIPPLE_ASSERT(may_ask(pagination));
    if (!pagination.asked.insert(pagination.request.fingerprint()).second) {
        throw Error(ErrorKind::data, "resource \"{}\": page {} would be the same request as an earlier one, {} {}: the pages have no end; correct the paginator",
                    job_.resource.name, pagination.pages + 1, pagination.request.method, job_.api.redactor.redact_url(pagination.request.full_url()));
    }
    ++pagination.pages;
    io::HttpCall call{.request = pagination.request.to_http(), .authorizer = job_.authorizer};
    call.request.response_bytes_max = job_.api.response_bytes_max;
    call.judge = [this](const io::HttpResponse& response) {
        const ResponseRule* rule = find_rule(response);
        if (rule == nullptr) return io::HttpVerdict::by_status;
        return rule->action == ResponseRule::Action::retry ? io::HttpVerdict::retry : io::HttpVerdict::accept;
    };
    pagination.slots.push_back({.call = job_.session.submit(std::move(call))});
}

const ResponseRule* ResourceReader::find_rule(const io::HttpResponse& response) const {
    const auto found = std::find_if(job_.resource.rules.begin(), job_.resource.rules.end(), [&](const ResponseRule& rule) { return rule.matches(response); });
    return found == job_.resource.rules.end() ? nullptr : &*found;
}

void ResourceReader::take(io::HttpExchange exchange) {
    for (const auto& pagination : open_) {
        for (Slot& slot : pagination->slots) {
            if (slot.call != exchange.id || slot.exchange) continue;
            slot.exchange = std::move(exchange);
            return process(*pagination);
        }
    }
}

/// Pages in their order, as far as they have come. What goes wrong waits for its turn.
void ResourceReader::process(Pagination& pagination) {
    while (!pagination.is_ended && !pagination.slots.empty() && pagination.slots.front().exchange) {
        io::HttpExchange exchange = *std::move(pagination.slots.front().exchange);
        pagination.slots.pop_front();
        pagination.place = job_.api.redactor.redact_url(exchange.url);
        guarded(pagination, [&] {
            ReadPage page = read_page(pagination, exchange);
            waiting_bytes_ += page.bytes;
            const bool has_next = page.has_next;
            pagination.ready.push_back(std::move(page));
            if (!has_next) end(pagination);
            if (!pagination.is_ended) go_on(pagination);
        });
    }
}

template <typename Work>
void ResourceReader::guarded(Pagination& pagination, Work&& work) {
    try {
        work();
    } catch (const Error& error) {
        if (error.kind() == ErrorKind::cancelled) throw;
        pagination.error = error;
        end(pagination);
    }
}

/// Asks for what follows, unless much waits already and it is not this one's turn.
void ResourceReader::go_on(Pagination& pagination) {
    const bool is_first = open_.front().get() == &pagination;
    pagination.has_held_next = !is_first && waiting_bytes_ >= job_.ahead_bytes_max;
    if (pagination.has_held_next) return;
    if (!may_ask(pagination)) {
        if (pagination.slots.empty()) end(pagination);
        return;
    }
    if (pagination.slots.empty()) submit(pagination);
    run_ahead(pagination);
}

void ResourceReader::run_ahead(Pagination& pagination) {
    // Where there are many parents, they keep the server busy enough.
    if (job_.parents != nullptr) return;
    while (may_ask(pagination) && pagination.slots.size() < job_.api.concurrency && pagination.paginator->run_ahead(pagination.request)) submit(pagination);
}

ReadPage ResourceReader::read_page(Pagination& pagination, io::HttpExchange& exchange) {
    using Action = ResponseRule::Action;
    const std::string place = job_.api.redactor.redact_url(exchange.url);
    if (exchange.error) {
        // Of what was sent as it should be, only the size is wrong.
        if (exchange.error->kind() != ErrorKind::data) throw *exchange.error;
        throw Error(ErrorKind::data, "{}; ask for smaller pages, or raise max_response", exchange.error->what());
    }
    const ResponseRule* rule = find_rule(exchange.response);
    if (rule != nullptr && (rule->action == Action::skip || rule->action == Action::stop)) {
        job_.log.info("{}: status {}, as on_response says nothing more is read {}", place, exchange.response.status,
                      rule->action == Action::stop ? "of the resource" : job_.parents != nullptr ? "of this parent" : "of the resource");
        out_.count("answers_skipped", 1);
        pagination.stops_resource = rule->action == Action::stop;
        end(pagination);
        return {};
    }
    const bool is_empty = rule != nullptr && rule->action == Action::empty;
    const bool is_refused = exchange.response.status >= 300 || (rule != nullptr && !is_empty);
    if (is_refused && !is_empty) {
        const bool is_worth_a_try = job_.api.session.retry.retries_status(exchange.response.status);
        throw Error(is_worth_a_try ? ErrorKind::transient : ErrorKind::remote, "status {}{}{}{}", exchange.response.status,
                    exchange.attempts > 1 ? fmt::format(" after {} attempts", exchange.attempts) : "",
                    exchange.response.body.empty() ? "" : ": " + excerpt(job_.api.redactor.redact(exchange.response.body), shown_body_bytes), hint_of(job_.api, exchange));
    }
    const bool was_found = job_.selector.path.has_value();
    ReadPage page = is_empty ? pages_.read_nothing(exchange, *pagination.paginator, pagination.request)
                             : pages_.read(std::move(exchange.response.body), exchange, place, pagination.included, *pagination.paginator, pagination.request);
    if (pagination.cursor) job_.cursors->filter(*pagination.cursor, page);
    if (!was_found && job_.selector.path) job_.log.info("resource \"{}\": records are at {} (found out)", job_.resource.name, job_.selector.path->text());
    if (finding_.empty()) finding_ = pagination.paginator->finding();
    return page;
}

void ResourceReader::end(Pagination& pagination) {
    for (const Slot& slot : pagination.slots) {
        if (!slot.exchange) job_.session.abandon(slot.call);
    }
    pagination.slots.clear();
    pagination.is_ended = true;
}

/// Writes what has its turn.
void ResourceReader::flush() {
    while (!open_.empty() && !is_done_) {
        Pagination& first = *open_.front();
        while (!first.ready.empty()) {
            ReadPage page = std::move(first.ready.front());
            first.ready.pop_front();
            waiting_bytes_ -= page.bytes;
            write(std::move(page));
            if (is_done_ || !out_.wants_more()) return;
        }
        if (first.has_held_next) guarded(first, [&] { go_on(first); });
        if (!first.is_ended) return;
        if (first.error) {
            give_up(first);
        } else if (first.cursor) {
            job_.cursors->keep(first.cursor_key, *first.cursor);
        }
        if (first.stops_resource) is_done_ = true;
        open_.pop_front();
        for (const auto& pagination : open_) {
            if (pagination->has_held_next) guarded(*pagination, [&] { go_on(*pagination); });
        }
    }
}

void ResourceReader::write(ReadPage page) {
    if (job_.kept != nullptr) job_.kept->add(page);
    for (extract::JsonPage& part : page.pages) out_.write(std::move(part));
    out_.report({.bytes_read = job_.session.bytes_received()});
    const bool is_last = ++pages_read_ >= job_.pages_max || (job_.kept != nullptr && job_.kept->is_done());
    if (is_last) is_done_ = true;
}

/// Leaves a parent's children out, as far as that is allowed.
void ResourceReader::give_up(Pagination& pagination) {
    const Error& error = *pagination.error;
    const std::string reason = job_.api.redactor.redact(error.what());
    const std::string text = reason.find(pagination.place) != std::string::npos ? reason : fmt::format("{}: {}", pagination.place, reason);
    if (!pagination.parent || failed_parents_.size() >= job_.resource.failed_parents_max) throw Error(error.kind(), "resource \"{}\": {}", job_.resource.name, text);
    failed_parents_.push_back(parent_record(*pagination.parent));
    job_.log.warning("resource \"{}\": {}; this parent is left out, the next run asks for it again", job_.resource.name, text);
    out_.count("parents_failed", 1);
    out_.skip({.origin = {.name = pagination.place}, .column = {}, .reason = reason, .text = {}});
}

void ResourceReader::abandon_all() {
    for (const auto& pagination : open_) end(*pagination);
    open_.clear();
}

}  // namespace tipple::sources::rest
