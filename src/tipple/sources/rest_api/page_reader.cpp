#include "tipple/sources/rest_api/page_reader.h"

#include <algorithm>
#include <cstring>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/sources/rest_api/detect.h"

namespace tipple::sources::rest {

namespace {

bool is_blank(std::string_view text) { return text.find_first_not_of(" \t\r\n") == std::string_view::npos; }

/// The parser reads beyond the end.
void pad(std::string& text) { text.append(limits::json_padding, ' '); }

/// Records one after another in a text of their own, whatever stood between them.
extract::JsonPage make_page(std::string_view body, const std::vector<json::Span>& records, std::size_t first, std::size_t last, const std::string& name) {
    extract::JsonPage page{.origin = {.name = name, .byte_offset = records[first].begin, .record = first}};
    const std::size_t start = records[first].begin;
    page.size = records[last - 1].end - start;
    page.text.resize(page.size + limits::json_padding);
    char* text = reinterpret_cast<char*>(page.text.data());
    std::memcpy(text, body.data() + start, page.size);
    std::memset(text + page.size, ' ', limits::json_padding);
    for (std::size_t i = first; i < last; ++i) {
        if (i > first) std::memset(text + records[i - 1].end - start, ' ', records[i].begin - records[i - 1].end);
        page.record_starts.push_back(records[i].begin - start);
    }
    return page;
}

std::uint64_t hash_of(std::string_view body, const std::vector<json::Span>& records) {
    Xxh3 hash;
    for (const json::Span& record : records) hash.update(body.substr(record.begin, record.size()));
    return hash.digest();
}

}  // namespace

PageReader::PageReader(const ResourceSettings& resource, Selector& selector, std::vector<std::string> parent_paths, Limits limits)
    : resource_(resource), selector_(selector), limits_(limits) {
    for (const std::string& path : parent_paths) {
        const auto field = std::find_if(resource.include.begin(), resource.include.end(), [&](const IncludedField& one) { return one.name == path; });
        Wish wish{.path = json::Path::parse(path, json::Path::Dialect::full)};
        if (field != resource.include.end()) wish.included = static_cast<std::size_t>(field - resource.include.begin());
        wishes_.push_back(std::move(wish));
    }
}

/// Nothing when the page looks like one without records.
std::optional<json::Path> PageReader::choose_path(const json::Value& outline) {
    const SelectorGuess guess = guess_selector(outline);
    if (guess.kind == SelectorGuess::Kind::nothing) return std::nullopt;
    const bool is_empty_list = outline.is_array() && outline.as_array().empty();
    if (guess.kind == SelectorGuess::Kind::records && !is_empty_list) selector_ = {.path = guess.path, .is_guessed = true};
    return guess.path;
}

/// What was found out once and leads nowhere now: an answer without records, or another answer.
void PageReader::check_moved(const json::Value& outline) const {
    const SelectorGuess guess = guess_selector(outline);
    if (guess.kind != SelectorGuess::Kind::records) return;
    throw Error(ErrorKind::data, "records were at \"{}\" before, and are not there any more, but at \"{}\"; say which are meant: select = \"{}\"", selector_.path->text(), guess.path.text(),
                guess.path.text());
}

ReadPage PageReader::read(std::string body, const io::HttpExchange& exchange, const std::string& name, const std::vector<json::Value>& included, Paginator& paginator,
                          PageRequest& request) {
    if (is_blank(body)) return read_nothing(exchange, paginator, request);
    std::size_t size = body.size();
    pad(body);
    std::optional<json::Value> outline;
    if (!selector_.path || paginator.wants_outline()) outline = json::read_outline(body.data(), size, outline_depth);
    const std::optional<json::Path> path = selector_.path ? selector_.path : choose_path(*outline);
    json::PageScan scan = scanner_.scan(body.data(), size, path.value_or(json::Path()), paginator.wanted());
    if (!path) scan.records.clear();
    if (path && !scan.has_selection && !resource_.select) check_moved(json::read_outline(body.data(), size, outline_depth));
    // What a filter leaves out was there all the same: the page is not empty, nor the same as another one, for its sake.
    const std::vector<json::Span>& asked = scan.candidates.empty() ? scan.records : scan.candidates;
    const std::uint64_t records_asked = asked.size();
    const std::uint64_t records_hash = hash_of(body, asked);
    const bool is_rewritten = !scan.records.empty() && (!resource_.steps.empty() || !included.empty() || scan.has_own_order);
    if (is_rewritten) {
        body = rewrite(body, scan.records, included);
        size = body.size();
        pad(body);
        scan.records = scanner_.scan(body.data(), size, json::Path(), {}).records;
    }
    ReadPage page{.records = scan.records.size(), .bytes = size};
    page.has_next = paginator.advance({.url = exchange.url,
                                       .headers = exchange.response.headers,
                                       .records = records_asked,
                                       .values = scan.values,
                                       .records_hash = records_hash,
                                       .outline = outline ? &*outline : nullptr},
                                      request);
    if (paginator.is_repeat()) return {.has_next = page.has_next};
    collect_parent_values(scan.records, included, page);
    for (std::size_t first = 0; first < scan.records.size();) {
        std::size_t last = first + 1;
        while (last < scan.records.size() && scan.records[last].end - scan.records[first].begin <= limits_.page_bytes) ++last;
        page.pages.push_back(make_page(body, scan.records, first, last, name));
        first = last;
    }
    return page;
}

ReadPage PageReader::read_nothing(const io::HttpExchange& exchange, Paginator& paginator, PageRequest& request) {
    const json::Value outline{json::Object()};
    const std::vector<std::optional<json::Value>> values(paginator.wanted().size());
    ReadPage page;
    page.has_next = paginator.advance({.url = exchange.url, .headers = exchange.response.headers, .values = values, .outline = &outline}, request);
    return page;
}

/// The records as they are after steps and with the parent's fields, as a list.
std::string PageReader::rewrite(const std::string& body, const std::vector<json::Span>& records, const std::vector<json::Value>& included) const {
    std::string out = "[";
    std::string changed;
    for (const json::Span& span : records) {
        changed.assign(body, span.begin, span.size());
        // Steps see the parent's fields.
        if (!included.empty()) {
            std::string with_fields;
            add_included(with_fields, changed, included);
            changed = std::move(with_fields);
        }
        const auto add = [&](std::string_view record) {
            if (out.size() > 1) out += ",\n";
            out += record;
            if (out.size() > limits_.rewritten_bytes_max) {
                throw Error(ErrorKind::data, "resource \"{}\": with what \"steps\" and \"include\" make of it, the page has more than {} bytes; drop fields before \"explode\", ask for smaller pages, or raise max_response",
                            resource_.name, limits_.rewritten_bytes_max);
            }
        };
        if (resource_.steps.empty()) {
            add(changed);
        } else {
            extract::apply_steps(resource_.steps, json::parse(changed, "a record"), [&](const json::Value& record) { add(json::to_text(record)); });
        }
    }
    out += "]";
    return out;
}

/// Fields of the same names give way, as they do in the reference.
void PageReader::add_included(std::string& out, std::string_view record, const std::vector<json::Value>& included) const {
    if (record.front() != '{') {
        throw Error(ErrorKind::data, "resource \"{}\": a record is no object, so fields of its parent cannot be put into it; leave \"include\" out, or select objects: {}", resource_.name,
                    excerpt(record));
    }
    const bool may_meet = std::any_of(resource_.include.begin(), resource_.include.end(),
                                      [&](const IncludedField& field) { return record.find(field.name) != std::string_view::npos; });
    std::string own(record.substr(1, record.size() - 2));
    if (may_meet) {
        json::Value value = json::parse(record, "a record");
        for (const IncludedField& field : resource_.include) value.as_object().erase(field.name);
        const std::string text = json::to_text(value);
        own = text.substr(1, text.size() - 2);
    }
    out += '{';
    out += own;
    bool needs_comma = !is_blank(own);
    for (std::size_t i = 0; i < included.size(); ++i) {
        if (std::exchange(needs_comma, true)) out += ',';
        json::append_quoted(out, resource_.include[i].name);
        out += ':';
        json::append_text(out, included[i]);
    }
    out += '}';
}

void PageReader::collect_parent_values(const std::vector<json::Span>& records, const std::vector<json::Value>& included, ReadPage& page) {
    if (wishes_.empty()) return;
    std::vector<json::Path> paths;
    for (const Wish& wish : wishes_) paths.push_back(wish.path);
    for (const json::Span& record : records) {
        page.parent_values.push_back(scanner_.values_of(record, paths));
        for (std::size_t i = 0; i < wishes_.size(); ++i) {
            if (wishes_[i].included) page.parent_values.back()[i] = included[*wishes_[i].included];
        }
    }
}

}  // namespace tipple::sources::rest
