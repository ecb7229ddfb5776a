#include "tipple/sources/rest_api/paginator.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/sources/rest_api/detect.h"

namespace tipple::sources::rest {

namespace {

class SinglePage final : public Paginator {
public:
    bool advance(const PageFacts&, PageRequest&) override { return false; }
};

/// The link is complete: parameters of the first request do not count any more.
void go_to(const PageFacts& page, const std::string& link, PageRequest& request) {
    const std::optional<std::string> url = io::resolve_url(page.url, link);
    if (!url) throw Error(ErrorKind::data, "the link to the next page, \"{}\", is no URL", excerpt(io::mask_url_secrets(link)));
    std::tie(request.url, request.query) = io::split_query(*url);
}

class JsonLink final : public Paginator {
public:
    explicit JsonLink(const PaginatorSpec& spec) : path_(spec.next_path) {}
    std::vector<json::Path> wanted() const override { return {path_}; }

    bool advance(const PageFacts& page, PageRequest& request) override {
        const std::optional<json::Value>& next = page.values[0];
        if (!next || next->is_null()) return false;
        if (!next->is_text()) throw Error(ErrorKind::data, "the link to the next page is a {}, not text", next->type_name());
        if (next->as_text().empty()) return false;
        go_to(page, next->as_text(), request);
        return true;
    }

private:
    json::Path path_;
};

class HeaderLink final : public Paginator {
public:
    explicit HeaderLink(const PaginatorSpec& spec) : relation_(spec.header_key) {}

    bool advance(const PageFacts& page, PageRequest& request) override {
        const std::optional<std::string> link = find_link(page.headers, relation_);
        if (!link || link->empty()) return false;
        go_to(page, *link, request);
        return true;
    }

private:
    std::string relation_;
};

class HeaderCursor final : public Paginator {
public:
    explicit HeaderCursor(const PaginatorSpec& spec) : header_(spec.header_key), param_(spec.param) {}

    bool advance(const PageFacts& page, PageRequest& request) override {
        const std::string* next = io::find_header(page.headers, header_);
        if (next == nullptr || next->empty()) return false;
        request.set_param(param_, *next);
        return true;
    }

private:
    std::string header_;
    std::string param_;
};

bool is_falsy(const json::Value& value) {
    return value.is_null() || value == json::Value(false) || value == json::Value("") || (value.is_number() && value.as_double() == 0);
}

/// As APIs write booleans; nothing when it is none.
std::optional<bool> to_boolean(const json::Value& value) {
    if (value.is_bool()) return value.as_bool();
    if (value.is_int() && (value.as_int() == 0 || value.as_int() == 1)) return value.as_int() == 1;
    if (!value.is_text()) return std::nullopt;
    std::string text = value.as_text();
    std::transform(text.begin(), text.end(), text.begin(), [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
    constexpr std::array<std::string_view, 5> yes = {"yes", "true", "t", "y", "1"};
    constexpr std::array<std::string_view, 5> no = {"no", "false", "f", "n", "0"};
    if (std::find(yes.begin(), yes.end(), text) != yes.end()) return true;
    if (std::find(no.begin(), no.end(), text) != no.end()) return false;
    return std::nullopt;
}

bool has_more(const std::optional<json::Value>& value) {
    if (!value) throw Error(ErrorKind::data, "the page has nothing at has_more_path; correct the path, or leave it out");
    const std::optional<bool> more = to_boolean(*value);
    if (!more) throw Error(ErrorKind::data, "what the page has at has_more_path, {}, is neither true nor false", excerpt(json::to_text(*value)));
    return *more;
}

class Cursor final : public Paginator {
public:
    explicit Cursor(PaginatorSpec spec) : spec_(std::move(spec)) {}

    std::vector<json::Path> wanted() const override {
        std::vector<json::Path> paths = {spec_.next_path};
        if (spec_.has_more_path) paths.push_back(*spec_.has_more_path);
        return paths;
    }

    bool advance(const PageFacts& page, PageRequest& request) override {
        if (spec_.stops_after_empty_page && page.records == 0) return false;
        if (spec_.has_more_path && !has_more(page.values[1])) return false;
        const std::optional<json::Value>& next = page.values[0];
        if (!next || is_falsy(*next)) {
            // Some say that there is more and mean nothing by it when a page is empty.
            if (!spec_.has_more_path || page.records == 0) return false;
            throw Error(ErrorKind::data, "the page says that there is more, but has no cursor at cursor_path");
        }
        if (spec_.is_in_body) {
            request.set_in_body(spec_.param, *next);
        } else {
            request.set_param(spec_.param, next->is_text() ? next->as_text() : json::to_text(*next));
        }
        return true;
    }

private:
    PaginatorSpec spec_;
};

/// A number that grows from page to page: an offset, or a page's.
class Range final : public Paginator {
public:
    explicit Range(PaginatorSpec spec) : spec_(std::move(spec)), read_(spec_.first), asked_(spec_.first), step_(spec_.kind == PaginatorSpec::Kind::offset ? spec_.limit : 1) {}

    std::vector<json::Path> wanted() const override {
        std::vector<json::Path> paths = {spec_.total_path.value_or(json::Path())};
        if (!spec_.total_path) paths.clear();
        if (spec_.has_more_path) paths.push_back(*spec_.has_more_path);
        return paths;
    }

    void begin(PageRequest& request) override {
        set(request, read_);
        if (spec_.kind != PaginatorSpec::Kind::offset) return;
        if (spec_.is_limit_in_body) {
            request.set_in_body(spec_.limit_param, spec_.limit);
        } else {
            request.set_param(spec_.limit_param, std::to_string(spec_.limit));
        }
    }

    bool advance(const PageFacts& page, PageRequest& request) override {
        if (spec_.stops_after_empty_page && page.records == 0) return false;
        if (spec_.total_path) read_total(page.values[0]);
        check_moves(page);
        read_ += step_;
        if (is_behind_end(read_)) return false;
        if (page.records == 0 && !end_ && !spec_.maximum && !spec_.has_more_path) {
            throw Error(ErrorKind::data, "a page without records came, and stop_after_empty_page = false says to go on; but nothing says where to end: no total in the "
                                         "answer, no maximum and no has_more_path. Give one of them, or leave stop_after_empty_page out");
        }
        if (spec_.has_more_path && !has_more(page.values.back())) return false;
        asked_ = std::max(asked_, read_);
        set(request, read_);
        return true;
    }

    bool run_ahead(PageRequest& request) override {
        if (!end_ || spec_.has_more_path || is_behind_end(asked_ + step_)) return false;
        asked_ += step_;
        set(request, asked_);
        return true;
    }

private:
    bool is_behind_end(std::int64_t value) const { return (end_ && value >= *end_) || (spec_.maximum && value >= *spec_.maximum); }

    /// A server that does not know the parameter gives the same page for ever.
    void check_moves(const PageFacts& page) {
        constexpr int repeats_max = 1;
        const bool is_repeat = page.records > 0 && page.records_hash == last_hash_;
        repeats_ = is_repeat ? repeats_ + 1 : 0;
        if (repeats_ > repeats_max && !end_ && !spec_.maximum) {
            throw Error(ErrorKind::data, "the page with \"{}\" {} has the same records as the two before it, so the server seems not to know \"{}\"; correct the paginator, or "
                                         "say where the pages end (total_path, maximum_{})",
                        spec_.param, read_, spec_.param, spec_.kind == PaginatorSpec::Kind::offset ? "offset" : "page");
        }
        last_hash_ = page.records_hash;
    }

    void read_total(const std::optional<json::Value>& value) {
        std::optional<std::int64_t> total;
        if (value && value->is_int()) total = value->as_int();
        if (value && value->is_double() && value->as_double() == std::floor(value->as_double()) && std::abs(value->as_double()) < 1e15) total = static_cast<std::int64_t>(value->as_double());
        if (value && value->is_text()) {
            const std::string& text = value->as_text();
            std::int64_t number = 0;
            const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
            if (error == std::errc() && end == text.data() + text.size()) total = number;
        }
        if (!total && spec_.needs_total) {
            throw Error(ErrorKind::data, "the page has no whole number at total_path{}; correct the path, or leave it out", value ? ", but " + excerpt(json::to_text(*value)) : "");
        }
        if (!total) return;
        end_ = *total + (spec_.kind == PaginatorSpec::Kind::offset ? 0 : spec_.base);
    }

    void set(PageRequest& request, std::int64_t value) const {
        if (spec_.is_in_body) {
            request.set_in_body(spec_.param, value);
        } else {
            request.set_param(spec_.param, std::to_string(value));
        }
    }

    PaginatorSpec spec_;
    std::int64_t read_;   ///< of the page that is looked at next
    std::int64_t asked_;  ///< of the page that was asked for last
    std::int64_t step_;
    std::optional<std::int64_t> end_;
    std::optional<std::uint64_t> last_hash_;
    int repeats_ = 0;  ///< pages in a row that were the same as the one before
};

std::string_view trim(std::string_view text) {
    while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
    return text;
}

/// Whether one of the parameters behind a link is this relation.
bool has_relation(std::string_view params, const std::string& relation) {
    while (!params.empty()) {
        const std::size_t end = std::min(params.find(';'), params.size());
        const std::string_view one = trim(params.substr(0, end));
        params.remove_prefix(std::min(end + 1, params.size()));
        const std::size_t equals = one.find('=');
        if (equals == std::string_view::npos || trim(one.substr(0, equals)) != "rel") continue;
        std::string_view value = trim(one.substr(equals + 1));
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') value = value.substr(1, value.size() - 2);
        while (!value.empty()) {
            const std::string_view name = value.substr(0, value.find(' '));
            if (name == relation) return true;
            value.remove_prefix(std::min(name.size() + 1, value.size()));
        }
    }
    return false;
}

}  // namespace

std::optional<std::string> find_link(const io::HttpHeaders& headers, const std::string& relation) {
    for (const io::HttpHeader& header : headers) {
        const io::HttpHeaders one = {header};
        if (io::find_header(one, "Link") == nullptr) continue;
        std::string_view rest = header.value;
        while (true) {
            const std::size_t open = rest.find('<');
            const std::size_t close = rest.find('>', open);
            if (open == std::string_view::npos || close == std::string_view::npos) break;
            const std::string_view target = rest.substr(open + 1, close - open - 1);
            rest.remove_prefix(close + 1);
            // A comma ends the link, unless it stands in quotes.
            std::size_t end = 0;
            for (bool is_quoted = false; end < rest.size() && (is_quoted || rest[end] != ','); ++end) {
                if (rest[end] == '"') is_quoted = !is_quoted;
            }
            if (has_relation(rest.substr(0, end), relation)) return std::string(target);
            rest.remove_prefix(end);
        }
    }
    return std::nullopt;
}

std::unique_ptr<Paginator> make_paginator(const PaginatorSpec& spec) {
    using Kind = PaginatorSpec::Kind;
    switch (spec.kind) {
        case Kind::json_link:
            return std::make_unique<JsonLink>(spec);
        case Kind::header_link:
            return std::make_unique<HeaderLink>(spec);
        case Kind::header_cursor:
            return std::make_unique<HeaderCursor>(spec);
        case Kind::cursor:
            return std::make_unique<Cursor>(spec);
        case Kind::offset:
        case Kind::page_number:
            return std::make_unique<Range>(spec);
        case Kind::automatic:
            return make_detecting_paginator();
        case Kind::single_page:
            break;
    }
    return std::make_unique<SinglePage>();
}

}  // namespace tipple::sources::rest
