#include "tipple/source/record_filter.h"

#include <algorithm>
#include <cstring>
#include <string_view>

#include "tipple/columns/value_at.h"
#include "tipple/columns/without_rows.h"
#include "tipple/core/error.h"
#include "tipple/json/read.h"
#include "tipple/schema/json_value.h"

namespace tipple::extract {

namespace pull = json::pull;
using json::Path;
using pull::Fault;
using schema::Value;

namespace {

bool has_names_only(const Condition& condition) {
    const auto& comparisons = condition.comparisons();
    return std::all_of(comparisons.begin(), comparisons.end(), [](const Condition::Comparison& comparison) { return comparison.name.has_value(); });
}

bool is_name(pull::Key key, std::string_view name, std::string& scratch) {
    const std::string_view raw = key.text();
    if (raw.find('\\') == std::string_view::npos) return raw == name;
    return pull::unescape_into(key.raw(), scratch) && scratch == name;
}

/// The first match of the steps from `at` on.
const Value* find_first(const Value& value, const std::vector<Path::Step>& steps, std::size_t at) {
    if (at == steps.size()) return &value;
    const Path::Step& step = steps[at];
    if (const auto* object = value.get_if<schema::Object>()) {
        // Of a name that comes twice the last one counts.
        for (auto field = object->rbegin(); step.kind == Path::Step::Kind::key && field != object->rend(); ++field) {
            if (field->name == step.key) return find_first(field->value, steps, at + 1);
        }
        for (auto field = object->begin(); step.kind == Path::Step::Kind::wildcard && field != object->end(); ++field) {
            if (const Value* found = find_first(field->value, steps, at + 1)) return found;
        }
        return nullptr;
    }
    const auto* list = value.get_if<schema::List>();
    if (list == nullptr) return nullptr;
    if (step.kind == Path::Step::Kind::index) return step.index < list->size() ? find_first((*list)[step.index], steps, at + 1) : nullptr;
    for (auto element = list->begin(); step.kind == Path::Step::Kind::wildcard && element != list->end(); ++element) {
        if (const Value* found = find_first(*element, steps, at + 1)) return found;
    }
    return nullptr;
}

}  // namespace

const Value* find_first(const Value& value, const Path& path) { return find_first(value, path.steps(), 0); }

void require_names(const Condition& condition, const std::string& resource) {
    for (const Condition::Comparison& comparison : condition.comparisons()) {
        if (comparison.name) continue;
        throw Error(ErrorKind::usage, "resource \"{}\": its records come as columns, and a condition can compare columns by their names only, not \"{}\"", resource,
                    comparison.path.text());
    }
}

/// A page of JSON at hand.
struct RecordFilter::Page {
    struct Span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    const Condition& condition;
    const incremental::JsonRecords& records;
    bool has_names_only = false;
    std::size_t count = 0;
    std::vector<std::size_t> dropped = {};
    std::vector<Span> spans = {};

    std::size_t end_of_record(std::size_t from) const {
        if (!records.record_starts.empty()) {
            const auto next = std::upper_bound(records.record_starts.begin(), records.record_starts.end(), from);
            return next == records.record_starts.end() ? records.size : *next;
        }
        const void* end = std::memchr(records.text + from, '\n', records.size - from);
        return end == nullptr ? records.size : static_cast<std::size_t>(static_cast<const char*>(end) - records.text) + 1;
    }
};

Fault RecordFilter::read_members(const Condition& condition, pull::Cursor& cursor) {
    if (cursor.peek() != '{') return pull::skip_value(cursor);
    return pull::for_each_member(cursor, [&](pull::Key key, pull::Cursor& member) {
        for (std::size_t i = 0; i < values_.size(); ++i) {
            if (!is_name(key, *condition.comparisons()[i].name, scratch_)) continue;
            pull::Cursor value = member;
            json::Value scalar;
            // What lists and objects hold is of no interest.
            if (value.peek() == '[') {
                scalar = json::Array();
            } else if (value.peek() == '{') {
                scalar = json::Object();
            } else if (const Fault fault = json::read_value(value, scalar); fault != Fault::none) {
                return fault;
            }
            values_[i] = schema::to_scalar(scalar);
        }
        return pull::skip_value(member);
    });
}

Fault RecordFilter::judge(Page& page, pull::Cursor& cursor, bool& is_wanted) {
    const auto value_of = [&](std::size_t i) { return values_[i]; };
    values_.assign(page.condition.comparisons().size(), Value());
    if (cursor.peek() == 'n') return pull::skip_value(cursor);
    if (page.has_names_only) {
        if (const Fault fault = read_members(page.condition, cursor); fault != Fault::none) return fault;
    } else {
        json::Value record;
        if (const Fault fault = json::read_value(cursor, record); fault != Fault::none) return fault;
        for (std::size_t i = 0; i < values_.size(); ++i) {
            const std::vector<const json::Value*> found = page.condition.comparisons()[i].path.find_all(record);
            if (!found.empty()) values_[i] = schema::to_scalar(*found.front());
        }
    }
    is_wanted = page.condition.holds(value_of);
    return Fault::none;
}

pull::WalkEnd RecordFilter::walk(Page& page, std::size_t from, std::size_t to) {
    if (const Fault fault = index_.build(page.records.text + from, to - from); fault != Fault::none) return {fault, from};
    const pull::WalkEnd end = pull::for_each_document(index_.cursor(), to - from, [&](std::size_t offset, pull::Cursor& cursor) {
        bool is_wanted = true;
        if (const Fault fault = judge(page, cursor, is_wanted); fault != Fault::none) return fault;
        if (!is_wanted) {
            page.dropped.push_back(page.count);
            page.spans.push_back({.begin = from + offset, .end = cursor.is_at_end() ? to : from + cursor.offset()});
        }
        ++page.count;
        return Fault::none;
    });
    return {end.fault, from + end.offset};
}

std::vector<std::size_t> RecordFilter::filter(const Condition& condition, const incremental::JsonRecords& records) {
    Page page{.condition = condition, .records = records, .has_names_only = has_names_only(condition)};
    const pull::WalkEnd whole = walk(page, 0, records.size);
    // As whoever reads the page will do it: from what is no JSON on, each record by itself.
    for (std::size_t at = whole.fault == Fault::none ? records.size : whole.offset; at < records.size;) {
        const std::size_t end = page.end_of_record(at);
        const std::string_view record(records.text + at, end - at);
        const bool is_blank = record.find_first_not_of(" \t\r\n") == std::string_view::npos;
        if (!is_blank && walk(page, at, end).fault != Fault::none) ++page.count;
        at = end;
    }
    for (const Page::Span& span : page.spans) {
        std::replace_if(records.text + span.begin, records.text + span.end, [](char c) { return c != '\n'; }, ' ');
    }
    return std::move(page.dropped);
}

std::vector<std::size_t> RecordFilter::filter(const Condition& condition, std::vector<Value>& records) {
    std::vector<std::size_t> dropped;
    std::size_t place = 0;
    std::erase_if(records, [&](const Value& record) {
        const bool is_wanted = record.is_null() || condition.holds([&](std::size_t i) {
            const Value* found = find_first(record, condition.comparisons()[i].path);
            return found != nullptr ? *found : Value();
        });
        if (!is_wanted) dropped.push_back(place);
        ++place;
        return !is_wanted;
    });
    return dropped;
}

std::vector<std::size_t> RecordFilter::filter(const Condition& condition, columns::Batch& batch, const std::string& resource) {
    require_names(condition, resource);
    const columns::BatchView view = batch.view();
    std::vector<const columns::ColumnView*> columns;
    for (const Condition::Comparison& comparison : condition.comparisons()) {
        const auto found = std::find(view.names.begin(), view.names.end(), *comparison.name);
        columns.push_back(found == view.names.end() ? nullptr : &view.columns[static_cast<std::size_t>(found - view.names.begin())]);
    }
    std::vector<std::size_t> dropped;
    std::size_t row = 0;
    const std::function<Value(std::size_t)> value_of = [&](std::size_t i) {
        return columns[i] == nullptr || columns[i]->is_null(row) ? Value() : columns::value_at(*columns[i], row);
    };
    for (; row < batch.rows; ++row) {
        if (!condition.holds(value_of)) dropped.push_back(row);
    }
    if (!dropped.empty()) batch = columns::without_rows(batch, dropped);
    return dropped;
}

}  // namespace tipple::extract
