#pragma once

#include <deque>
#include <map>
#include <memory>
#include <optional>
#include <set>
#include <string>
#include <vector>

#include "tipple/io/http_session.h"
#include "tipple/source/source.h"
#include "tipple/sources/rest_api/kept_records.h"
#include "tipple/sources/rest_api/page_reader.h"
#include "tipple/sources/rest_api/paginator.h"
#include "tipple/sources/rest_api/parent_cursors.h"
#include "tipple/sources/rest_api/parent_records.h"
#include "tipple/sources/rest_api/settings.h"

namespace tipple::sources::rest {

/// What one resource is read with. Borrowed things outlive the reader.
struct ReadJob {
    const ApiSettings& api;
    const ResourceSettings& resource;
    io::HttpSession& session;
    io::HttpAuthorizer* authorizer = nullptr;
    Selector& selector;
    /// Of the resource's parent; nullptr when it has none.
    const ParentRecords* parents = nullptr;
    /// Parents' records whose requests failed in earlier runs, as `failed_parents` gave them.
    json::Array parents_to_repeat = {};
    /// For its children; nullptr when it has none.
    KeptRecords* kept = nullptr;
    std::vector<std::string> kept_paths = {};
    /// When each of the parent's records has a cursor of its own, instead of one in `scope`; else nullptr.
    ParentCursors* cursors = nullptr;
    Scope scope = {};
    std::size_t page_bytes = 0;
    /// Of pages that have come before it was their turn.
    std::size_t ahead_bytes_max = 0;
    /// Of the whole resource, when only a look at it is wanted.
    std::uint64_t pages_max = UINT64_MAX;
    std::stop_token stop = {};
    Log log = {};
};

/// Reads one resource: for each of its parent's records (or once) page after page, with up to `concurrency` requests in flight. Pages are written in the
/// order of parents and pages, whatever comes first. One thread.
class ResourceReader {
public:
    ResourceReader(ReadJob job, extract::Output& out);
    ~ResourceReader();

    /// Throws Error.
    void read();
    /// What the first paginator has found out, for people.
    const std::string& paginator_finding() const { return finding_; }
    /// Parents' records whose children were left out, each an object by the paths of its values; also those of earlier runs that were not read to their end,
    /// because reading ended early or nothing could be asked for.
    json::Array failed_parents() const;

private:
    /// One page that was asked for.
    struct Slot {
        std::uint64_t call = 0;
        std::optional<io::HttpExchange> exchange = {};
    };
    /// All pages of one parent's record.
    struct Pagination {
        PageRequest request;
        std::unique_ptr<Paginator> paginator;
        std::optional<json::Array> parent;
        std::vector<json::Value> included;
        /// Of this parent's record; nullptr where it has none.
        std::unique_ptr<incremental::Cursor> cursor;
        std::string cursor_key;
        std::deque<Slot> slots;
        std::deque<ReadPage> ready;
        std::set<std::uint64_t> asked;
        std::uint64_t pages = 0;
        bool is_ended = false;
        bool has_held_next = false;  ///< the next page is not asked for yet, because too many pages wait
        bool stops_resource = false;
        bool has_failed_before = false;  ///< in an earlier run
        std::optional<Error> error;
        /// Of the answer that was read last, for messages.
        std::string place;
    };

    void open_paginations();
    bool open_next();
    void find_repeats();
    /// What requests are made of, while `parent` lives; opens the parent's cursor, when it has one.
    Scope scope_of(const json::Array& parent, Pagination& pagination) const;
    bool may_ask(const Pagination& pagination) const;
    void submit(Pagination& pagination);
    /// Runs what may go wrong because of an answer; the error then waits for its turn.
    template <typename Work>
    void guarded(Pagination& pagination, Work&& work);
    void go_on(Pagination& pagination);
    void run_ahead(Pagination& pagination);
    void take(io::HttpExchange exchange);
    void process(Pagination& pagination);
    ReadPage read_page(Pagination& pagination, io::HttpExchange& exchange);
    void end(Pagination& pagination);
    void flush();
    void write(ReadPage page);
    void give_up(Pagination& pagination);
    void abandon_all();
    std::string cursor_key(const json::Array& parent) const;
    json::Value parent_record(const json::Array& values) const;
    const ResponseRule* find_rule(const io::HttpResponse& response) const;
    std::size_t slots_in_flight() const;

    ReadJob job_;
    extract::Output& out_;
    PageReader pages_;
    PaginatorSpec paginator_;
    std::optional<ParentRecords::Reader> parents_;
    bool has_more_paginations_ = true;
    std::deque<std::unique_ptr<Pagination>> open_;
    std::size_t waiting_bytes_ = 0;
    std::uint64_t pages_read_ = 0;
    /// Those of earlier runs, by what their requests are: one that comes again anyway is asked for once.
    std::map<std::uint64_t, json::Array> repeats_;
    json::Array failed_parents_;
    json::Array unread_parents_;
    bool is_done_ = false;
    std::string finding_;
};

}  // namespace tipple::sources::rest
