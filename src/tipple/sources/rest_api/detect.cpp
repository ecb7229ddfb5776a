#include "tipple/sources/rest_api/detect.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::sources::rest {

namespace {

constexpr std::array<std::string_view, 10> record_keys = {"data", "items", "results", "entries", "records", "rows", "entities", "payload", "content", "objects"};
constexpr std::string_view other_record_key = "values";
constexpr std::array<std::string_view, 3> total_page_keys = {"total_pages", "totalpages", "pages"};
constexpr std::array<std::string_view, 6> page_keys = {"page", "current_page", "currentpage", "page_number", "pagenumber", "number"};
/// A list's path has at most so many names.
constexpr std::size_t path_length_max = 3;

bool is_record_key(std::string_view key) { return key == other_record_key || std::find(record_keys.begin(), record_keys.end(), key) != record_keys.end(); }

struct Found {
    std::vector<std::vector<std::string>> lists;  ///< of objects
    bool has_empty = false;                       ///< a name for records, with an empty list or null
};

void find_lists(const json::Value& value, std::vector<std::string>& path, Found& found) {
    if (!value.is_object() || path.size() >= path_length_max) return;
    for (const json::Member& member : value.as_object()) {
        path.push_back(member.name);
        const bool is_list = member.value.is_array();
        const bool is_empty = (is_list && member.value.as_array().empty()) || member.value.is_null();
        if (is_empty && is_record_key(member.name)) found.has_empty = true;
        if (is_list && !is_empty && member.value.as_array().front().is_object()) found.lists.push_back(path);
        if (member.value.is_object()) find_lists(member.value, path, found);
        path.pop_back();
    }
}

bool is_link(std::string_view text) { return text.starts_with("http") || text.starts_with('/') || text.find('?') != std::string_view::npos; }

struct NextKey {
    std::vector<std::string> path;
    const json::Value* value = nullptr;
};

/// The first scalar, depth first, whose name begins with `next`, or the link below such a name.
std::optional<NextKey> find_next(const json::Value& value, std::vector<std::string>& path) {
    if (!value.is_object()) return std::nullopt;
    for (const json::Member& member : value.as_object()) {
        path.push_back(member.name);
        std::optional<NextKey> found;
        const bool is_next = lower(member.name).starts_with("next");
        if (is_next && member.value.is_object()) {
            for (const json::Member& inner : member.value.as_object()) {
                const std::string name = lower(inner.name);
                const bool is_place = (name.starts_with("href") || name.starts_with("url") || name == "link") && inner.value.is_text();
                if (!found && is_place) {
                    path.push_back(inner.name);
                    found = NextKey{path, &inner.value};
                    path.pop_back();
                }
            }
        } else if (is_next && !member.value.is_array()) {
            found = NextKey{path, &member.value};
        }
        if (!found) found = find_next(member.value, path);
        path.pop_back();
        if (found) return found;
    }
    return std::nullopt;
}

struct PageCount {
    std::vector<std::string> path;
    std::optional<std::int64_t> page;  ///< the number of the page itself, from beside it
};

std::optional<PageCount> find_page_count(const json::Value& value, std::vector<std::string>& path) {
    if (!value.is_object()) return std::nullopt;
    for (const json::Member& member : value.as_object()) {
        path.push_back(member.name);
        std::optional<PageCount> found;
        const bool is_count = std::find(total_page_keys.begin(), total_page_keys.end(), lower(member.name)) != total_page_keys.end();
        if (is_count && member.value.is_int()) {
            found = PageCount{.path = path, .page = {}};
            for (const json::Member& sibling : value.as_object()) {
                const bool is_page = std::find(page_keys.begin(), page_keys.end(), lower(sibling.name)) != page_keys.end();
                if (is_page && sibling.value.is_int() && !found->page) found->page = sibling.value.as_int();
            }
        } else {
            found = find_page_count(member.value, path);
        }
        path.pop_back();
        if (found) return found;
    }
    return std::nullopt;
}

class DetectingPaginator final : public Paginator {
public:
    bool wants_outline() const override { return inner_ == nullptr; }
    bool is_repeat() const override { return is_repeat_; }
    std::string finding() const override { return finding_; }
    std::vector<json::Path> wanted() const override {
        if (inner_ != nullptr) return inner_->wanted();
        return guess_ ? make_paginator(guess_->spec)->wanted() : std::vector<json::Path>();
    }

    bool advance(const PageFacts& page, PageRequest& request) override {
        is_repeat_ = false;
        if (inner_ != nullptr) return inner_->advance(page, request);
        return guess_ ? settle_base(page, request) : detect(page, request);
    }

    bool run_ahead(PageRequest& request) override { return inner_ != nullptr && inner_->run_ahead(request); }

private:
    bool detect(const PageFacts& page, PageRequest& request) {
        guess_ = guess_paginator(page.headers, *page.outline);
        finding_ = guess_->description;
        if (guess_->knows_base) return go_on(page, request);
        const std::vector<const json::Value*> total = guess_->spec.total_path->find_all(*page.outline);
        if (total.front()->as_int() <= 1 || page.records == 0) {
            inner_ = std::make_unique<Nothing>();
            return false;
        }
        first_hash_ = page.records_hash;
        request.set_param(guess_->spec.param, "1");
        return true;
    }

    /// The page with number 1 is the one that came without a number, or the second one.
    bool settle_base(const PageFacts& page, PageRequest& request) {
        if (page.records == 0) {
            throw Error(ErrorKind::usage, "how pages are numbered cannot be found out: page 1 is empty, though there should be more; give the paginator: "
                                          "{{ type = \"page_number\", base_page = 1, total_path = \"{}\" }}",
                        guess_->spec.total_path->text());
        }
        is_repeat_ = page.records_hash == first_hash_;
        guess_->spec.base = is_repeat_ ? 1 : 0;
        guess_->spec.first = 1;
        return go_on(page, request);
    }

    bool go_on(const PageFacts& page, PageRequest& request) {
        inner_ = make_paginator(guess_->spec);
        std::vector<std::optional<json::Value>> values;
        for (const json::Path& path : inner_->wanted()) {
            const std::vector<const json::Value*> found = path.find_all(*page.outline);
            values.push_back(found.empty() ? std::nullopt : std::optional(*found.front()));
        }
        return inner_->advance({.url = page.url, .headers = page.headers, .records = page.records, .values = values, .records_hash = page.records_hash}, request);
    }

    class Nothing final : public Paginator {
    public:
        bool advance(const PageFacts&, PageRequest&) override { return false; }
    };

    std::optional<PaginatorGuess> guess_;
    std::unique_ptr<Paginator> inner_;
    std::string finding_;
    std::uint64_t first_hash_ = 0;
    bool is_repeat_ = false;
};

}  // namespace

SelectorGuess guess_selector(const json::Value& outline) {
    if (!outline.is_object()) return {.kind = SelectorGuess::Kind::records, .path = json::Path()};
    Found found;
    std::vector<std::string> path;
    find_lists(outline, path, found);
    const auto named = std::find_if(found.lists.begin(), found.lists.end(), [](const auto& list) { return is_record_key(list.back()); });
    if (named != found.lists.end()) return {.kind = SelectorGuess::Kind::records, .path = json::Path::of_keys(*named)};
    // An envelope without records may have lists of other things.
    if (found.has_empty) return {.kind = SelectorGuess::Kind::nothing};
    if (!found.lists.empty()) return {.kind = SelectorGuess::Kind::records, .path = json::Path::of_keys(found.lists.front())};
    return {.kind = SelectorGuess::Kind::entity, .path = json::Path()};
}

PaginatorGuess guess_paginator(const io::HttpHeaders& headers, const json::Value& outline) {
    using Kind = PaginatorSpec::Kind;
    if (find_link(headers, "next")) return {.spec = {.kind = Kind::header_link, .header_key = "next"}, .description = "header_link"};
    const bool is_entity = guess_selector(outline).kind == SelectorGuess::Kind::entity;
    std::vector<std::string> path;
    const std::optional<NextKey> next = find_next(outline, path);
    const json::Path next_path = next ? json::Path::of_keys(next->path) : json::Path();
    if (next && next->value->is_text() && is_link(next->value->as_text())) {
        return {.spec = {.kind = Kind::json_link, .next_path = next_path}, .description = fmt::format("json_link, next_url_path = \"{}\"", next_path.text())};
    }
    const PaginatorGuess single{.spec = {.kind = Kind::single_page}, .description = "single_page"};
    if (is_entity) return single;
    if (const std::optional<PageCount> count = find_page_count(outline, path)) {
        PaginatorSpec spec{.kind = Kind::page_number, .param = "page", .total_path = json::Path::of_keys(count->path), .needs_total = true, .stops_after_empty_page = true};
        spec.base = spec.first = count->page.value_or(1);
        const std::string description = fmt::format("page_number, total_path = \"{}\"", spec.total_path->text());
        return {.spec = std::move(spec), .knows_base = count->page.has_value(), .description = description};
    }
    const bool is_cursor = next && !next->value->is_null() && !next->value->is_bool() && !(next->value->is_text() && next->value->as_text().empty());
    if (!is_cursor) return single;
    return {.spec = {.kind = Kind::cursor, .next_path = next_path, .param = "cursor"},
            .description = fmt::format("cursor, cursor_path = \"{}\", cursor_param = \"cursor\"", next_path.text())};
}

std::unique_ptr<Paginator> make_detecting_paginator() { return std::make_unique<DetectingPaginator>(); }

}  // namespace tipple::sources::rest
