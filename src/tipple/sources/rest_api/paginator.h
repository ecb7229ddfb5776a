#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/json/path.h"
#include "tipple/sources/rest_api/page_request.h"
#include "tipple/sources/rest_api/settings.h"

namespace tipple::sources::rest {

/// What a page said.
struct PageFacts {
    /// Where it came from.
    const std::string& url;
    const io::HttpHeaders& headers;
    std::uint64_t records = 0;
    /// First matches of `Paginator::wanted`, in that order.
    const std::vector<std::optional<json::Value>>& values;
    /// Equal for pages with equal records.
    std::uint64_t records_hash = 0;
    /// For paginators that want it; see json::read_outline.
    const json::Value* outline = nullptr;
};

/// Leads from page to page of one request. One per pagination.
class Paginator {
public:
    virtual ~Paginator() = default;
    /// What it needs to know of a page's body.
    virtual std::vector<json::Path> wanted() const { return {}; }
    /// Makes the request that of the first page.
    virtual void begin(PageRequest& /*request*/) {}
    /// Makes the request that of the next page; false = there is none. Called for every page, in order. Throws Error(data) for an answer that does
    /// not say what it must.
    virtual bool advance(const PageFacts& page, PageRequest& request) = 0;
    /// Makes the request that of the page behind the one last asked for, which has not come yet; false when that cannot be known. What `advance`
    /// then says of the pages in between still counts.
    virtual bool run_ahead(PageRequest& /*request*/) { return false; }
    /// Whether the next page's outline is needed.
    virtual bool wants_outline() const { return false; }
    /// Whether the page that `advance` has looked at last is one that was read before: its records do not count.
    virtual bool is_repeat() const { return false; }
    /// What was found out, for people; empty = it was given.
    virtual std::string finding() const { return {}; }
};

std::unique_ptr<Paginator> make_paginator(const PaginatorSpec& spec);

/// The URL of a relation in `Link` headers.
std::optional<std::string> find_link(const io::HttpHeaders& headers, const std::string& relation);

}  // namespace tipple::sources::rest
