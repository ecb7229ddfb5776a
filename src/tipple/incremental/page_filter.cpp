#include "tipple/incremental/page_filter.h"

#include <algorithm>
#include <cstring>

#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/incremental/judge.h"
#include "tipple/json/pull.h"
#include "tipple/json/read.h"

namespace tipple::incremental {

namespace pull = json::pull;
using json::Path;
using pull::Fault;
using schema::Value;
using Verdict = PageJudge::Verdict;

namespace {

Value scalar_of(const json::Value& document) {
    if (document.is_array()) return schema::List();
    if (document.is_object()) return schema::Object();
    if (document.is_text()) return document.as_text();
    if (document.is_bool()) return document.as_bool();
    if (document.is_int()) return document.as_int();
    if (document.is_uint()) return document.as_uint();
    return document.is_double() ? Value(document.as_double()) : Value();
}

/// Calls `value_of(column)` for the columns of the key, which returns nothing for one that is not there.
template <typename ValueOf>
RecordHash hash_key(const CursorStart& start, HashForm form, ValueOf&& value_of) {
    json::Array values;
    for (const std::string& column : *start.key) {
        std::optional<json::Value> value = value_of(column);
        if (!value) return {.missing_key = column};
        values.push_back(*std::move(value));
    }
    if (values.size() == 1 && !start.spec.has_key_list) return {.hash = hash_of(values[0], form)};
    return {.hash = hash_of(values, form)};
}

// ---- typed values ----

const Value* find_member(const Value& record, std::string_view name) {
    const auto* object = record.get_if<schema::Object>();
    if (object == nullptr) return nullptr;
    // Of a name that comes twice the last one counts.
    const auto found = std::find_if(object->rbegin(), object->rend(), [&](const schema::Field& field) { return field.name == name; });
    return found == object->rend() ? nullptr : &found->value;
}

/// The first match of the steps from `at` on.
const Value* find_first(const Value& value, const std::vector<Path::Step>& steps, std::size_t at) {
    if (at == steps.size()) return &value;
    const Path::Step& step = steps[at];
    if (step.kind == Path::Step::Kind::key) {
        const Value* member = find_member(value, step.key);
        return member != nullptr ? find_first(*member, steps, at + 1) : nullptr;
    }
    if (const auto* list = value.get_if<schema::List>()) {
        if (step.kind == Path::Step::Kind::index) return step.index < list->size() ? find_first((*list)[step.index], steps, at + 1) : nullptr;
        for (const Value& element : *list) {
            if (const Value* found = find_first(element, steps, at + 1)) return found;
        }
    } else if (const auto* object = value.get_if<schema::Object>(); object != nullptr && step.kind == Path::Step::Kind::wildcard) {
        for (const schema::Field& field : *object) {
            if (const Value* found = find_first(field.value, steps, at + 1)) return found;
        }
    }
    return nullptr;
}

RecordHash hash_record(const CursorStart& start, HashForm form, const Value& record) {
    if (!start.key) return {.hash = hash_of(hashed_document(record, form), form)};
    return hash_key(start, form, [&](const std::string& column) -> std::optional<json::Value> {
        const Value* value = find_member(record, column);
        return value != nullptr ? std::optional(hashed_document(*value, form)) : std::nullopt;
    });
}

// ---- columns ----

RecordHash hash_row(const CursorStart& start, HashForm form, const columns::BatchView& batch, std::size_t row) {
    if (!start.key) {
        json::Object record;
        for (std::size_t i = 0; i < batch.columns.size(); ++i) record.set(batch.names[i], hashed_document(columns::value_at(batch.columns[i], row), form));
        return {.hash = hash_of(record, form)};
    }
    return hash_key(start, form, [&](const std::string& column) -> std::optional<json::Value> {
        const auto found = std::find(batch.names.begin(), batch.names.end(), column);
        if (found == batch.names.end()) return std::nullopt;
        return hashed_document(columns::value_at(batch.columns[static_cast<std::size_t>(found - batch.names.begin())], row), form);
    });
}

/// The rows that are not in `dropped`.
columns::Batch without(const columns::Batch& batch, const std::vector<std::size_t>& dropped) {
    columns::Batch kept{.rows = batch.rows - dropped.size(), .names = batch.names, .columns = {}};
    for (const columns::ColumnBuilder& column : batch.columns) {
        const columns::ColumnView view = column.view();
        columns::ColumnBuilder& rows = kept.columns.emplace_back(column.type());
        std::size_t from = 0;
        for (const std::size_t row : dropped) {
            if (row > from) rows.append_rows(view, from, row - from);
            from = row + 1;
        }
        if (batch.rows > from) rows.append_rows(view, from, batch.rows - from);
    }
    return kept;
}

}  // namespace

struct PageFilter::Impl {
    /// Where a record stands in the text.
    struct Span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };

    std::optional<RecordProblem> filter(const JsonRecords& page, std::size_t kept_max);
    pull::WalkEnd walk(std::size_t from, std::size_t to, std::size_t kept_max);
    void walk_one_by_one(std::size_t from, std::size_t kept_max);
    std::size_t end_of_record(std::size_t from) const;
    Fault on_record(std::size_t base, std::size_t end, pull::Cursor& cursor);
    Fault find_cursor(pull::Cursor& cursor, Value& value, Absence& absence);
    Fault find_member(pull::Cursor& cursor, Value& value, Absence& absence);
    Fault read_scalar(pull::Cursor cursor, Value& value);
    bool is_name(pull::Key key, std::string_view name);
    RecordHash hash(const Span& span, HashForm form);

    pull::Index index_;
    pull::Index hash_index_;
    std::string scratch_;

    // Of the page at hand.
    const CursorStart* start_ = nullptr;
    PageFold* fold_ = nullptr;
    PageJudge* judge_ = nullptr;
    JsonRecords page_;
    std::vector<Span> dropped_;
    std::vector<Span> last_;  ///< the judge's last records
    std::optional<RecordProblem> problem_;
};

PageFilter::PageFilter() : impl_(std::make_unique<Impl>()) {}
PageFilter::~PageFilter() = default;
PageFilter::PageFilter(PageFilter&&) noexcept = default;

// ---- JSON ----

std::size_t PageFilter::Impl::end_of_record(std::size_t from) const {
    if (!page_.record_starts.empty()) {
        const auto next = std::upper_bound(page_.record_starts.begin(), page_.record_starts.end(), from);
        return next == page_.record_starts.end() ? page_.size : *next;
    }
    const void* end = std::memchr(page_.text + from, '\n', page_.size - from);
    return end == nullptr ? page_.size : static_cast<std::size_t>(static_cast<const char*>(end) - page_.text) + 1;
}

pull::WalkEnd PageFilter::Impl::walk(std::size_t from, std::size_t to, std::size_t kept_max) {
    if (const Fault fault = index_.build(page_.text + from, to - from); fault != Fault::none) return {fault, from};
    const pull::WalkEnd end = pull::for_each_document(index_.cursor(), to - from, [&](std::size_t, pull::Cursor& cursor) {
        return fold_->kept >= kept_max ? Fault::stopped : on_record(from, to, cursor);
    });
    return {end.fault, from + end.offset};
}

/// As whoever reads the page will do it: from what is no JSON on, each record by itself.
void PageFilter::Impl::walk_one_by_one(std::size_t from, std::size_t kept_max) {
    for (std::size_t at = from; at < page_.size && fold_->kept < kept_max && !problem_;) {
        const std::size_t end = end_of_record(at);
        const std::string_view record(page_.text + at, end - at);
        if (record.find_first_not_of(" \t\r\n") != std::string_view::npos) {
            const Fault fault = walk(at, end, kept_max).fault;
            if (fault != Fault::none && fault != Fault::stopped) judge_->keep_null();
        }
        at = end;
    }
}

bool PageFilter::Impl::is_name(pull::Key key, std::string_view name) {
    const std::string_view raw = key.text();
    if (raw.find('\\') == std::string_view::npos) return raw == name;
    return pull::unescape_into(key.raw(), scratch_) && scratch_ == name;
}

/// Lists and objects are read as empty ones: what they are is all that counts.
Fault PageFilter::Impl::read_scalar(pull::Cursor cursor, Value& value) {
    if (cursor.peek() == '[') {
        value = schema::List();
        return Fault::none;
    }
    if (cursor.peek() == '{') {
        value = schema::Object();
        return Fault::none;
    }
    json::Value document;
    const Fault fault = json::read_value(cursor, document);
    value = scalar_of(document);
    return fault;
}

Fault PageFilter::Impl::find_member(pull::Cursor& cursor, Value& value, Absence& absence) {
    absence = Absence::path;
    if (cursor.peek() != '{') return pull::skip_value(cursor);
    return pull::for_each_member(cursor, [&](pull::Key key, pull::Cursor& member) {
        if (is_name(key, *start_->name)) {
            if (const Fault fault = read_scalar(member, value); fault != Fault::none) return fault;
            absence = Absence::null;
        }
        return pull::skip_value(member);
    });
}

Fault PageFilter::Impl::find_cursor(pull::Cursor& cursor, Value& value, Absence& absence) {
    if (start_->name) return find_member(cursor, value, absence);
    json::Value document;
    if (const Fault fault = json::read_value(cursor, document); fault != Fault::none) return fault;
    const std::vector<const json::Value*> found = start_->path.find_all(document);
    absence = found.empty() ? Absence::path : Absence::null;
    if (!found.empty()) value = scalar_of(*found.front());
    return Fault::none;
}

/// `base` and `end`: what is indexed.
Fault PageFilter::Impl::on_record(std::size_t base, std::size_t end, pull::Cursor& cursor) {
    Span span{.begin = base + cursor.offset()};
    if (cursor.peek() == 'n') {
        if (const Fault fault = pull::skip_value(cursor); fault != Fault::none) return fault;
        judge_->keep_null();
        return Fault::none;
    }
    Value value;
    Absence absence = Absence::path;
    if (const Fault fault = find_cursor(cursor, value, absence); fault != Fault::none) return fault;
    span.end = cursor.is_at_end() ? end : base + cursor.offset();
    const std::size_t place = fold_->records;
    const Verdict verdict = value.is_null() ? judge_->judge_absent(absence)
                                            : judge_->judge(std::move(value), [&] { return hash(span, start_->form); });
    if (verdict == Verdict::problem) {
        problem_ = RecordProblem{.text = judge_->problem(), .offset = span.begin, .record = place};
        return Fault::stopped;
    }
    if (verdict == Verdict::drop) dropped_.push_back(span);
    const std::vector<std::size_t>& last = judge_->last_records();
    if (!last.empty() && last.back() == place) {
        last_.resize(last.size() - 1);
        last_.push_back(span);
    }
    return Fault::none;
}

RecordHash PageFilter::Impl::hash(const Span& span, HashForm form) {
    const std::string text(page_.text + span.begin, span.end - span.begin);
    const json::Value record = json::parse(text, "a record");
    if (!start_->key) return {.hash = hash_of(record, form)};
    return hash_key(*start_, form, [&](const std::string& column) -> std::optional<json::Value> {
        const json::Value* value = record.is_object() ? record.as_object().find(column) : nullptr;
        return value != nullptr ? std::optional(*value) : std::nullopt;
    });
}

std::optional<RecordProblem> PageFilter::Impl::filter(const JsonRecords& page, std::size_t kept_max) {
    page_ = page;
    dropped_.clear();
    last_.clear();
    problem_.reset();
    const pull::WalkEnd end = walk(0, page.size, kept_max);
    if (end.fault != Fault::none && end.fault != Fault::stopped) walk_one_by_one(end.offset, kept_max);
    if (problem_) return problem_;
    for (const Span& span : last_) judge_->add_hash(hash(span, judge_->last_form()));
    for (const Span& span : dropped_) {
        std::replace_if(page_.text + span.begin, page_.text + span.end, [](char c) { return c != '\n'; }, ' ');
    }
    return std::nullopt;
}

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, const JsonRecords& records, std::size_t kept_max, PageFold& fold) {
    fold = {};
    PageJudge judge(start, fold);
    impl_->start_ = &start;
    impl_->fold_ = &fold;
    impl_->judge_ = &judge;
    std::optional<RecordProblem> problem = impl_->filter(records, kept_max);
    judge.finish();
    return problem;
}

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, std::vector<Value>& records, std::size_t kept_max, PageFold& fold) {
    fold = {};
    PageJudge judge(start, fold);
    for (std::size_t i = 0; i < records.size() && fold.kept < kept_max; ++i) {
        const Value& record = records[i];
        if (record.is_null()) {
            judge.keep_null();
            continue;
        }
        const Value* found = start.name ? find_member(record, *start.name) : find_first(record, start.path.steps(), 0);
        const Verdict verdict = found == nullptr    ? judge.judge_absent(Absence::path)
                                : found->is_null() ? judge.judge_absent(Absence::null)
                                                   : judge.judge(*found, [&] { return hash_record(start, start.form, record); });
        if (verdict == Verdict::problem) return RecordProblem{.text = judge.problem(), .record = i};
    }
    for (const std::size_t place : judge.last_records()) judge.add_hash(hash_record(start, judge.last_form(), records[place]));
    judge.finish();
    std::size_t place = 0;
    auto next = fold.dropped.begin();
    std::erase_if(records, [&](const Value&) {
        const bool is_dropped = next != fold.dropped.end() && *next == place;
        if (is_dropped) ++next;
        ++place;
        return is_dropped;
    });
    return std::nullopt;
}

// ---- columns ----

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, columns::Batch& batch, std::size_t kept_max, PageFold& fold) {
    fold = {};
    if (!start.name) {
        throw Error(ErrorKind::usage, "resource \"{}\": the cursor \"{}\" must be the name of a column, for records that come as columns", start.resource,
                    start.spec.cursor_path);
    }
    PageJudge judge(start, fold);
    const columns::BatchView view = batch.view();
    const auto found = std::find(view.names.begin(), view.names.end(), *start.name);
    const columns::ColumnView* column = found == view.names.end() ? nullptr : &view.columns[static_cast<std::size_t>(found - view.names.begin())];
    for (std::size_t row = 0; row < batch.rows && fold.kept < kept_max; ++row) {
        const bool is_null = column == nullptr || column->is_null(row);
        const Verdict verdict = is_null ? judge.judge_absent(column == nullptr ? Absence::path : Absence::null)
                                        : judge.judge(columns::value_at(*column, row), [&] { return hash_row(start, start.form, view, row); });
        if (verdict == Verdict::problem) return RecordProblem{.text = judge.problem(), .record = row};
    }
    for (const std::size_t row : judge.last_records()) judge.add_hash(hash_row(start, judge.last_form(), view, row));
    judge.finish();
    if (!fold.dropped.empty()) batch = without(batch, fold.dropped);
    return std::nullopt;
}

}  // namespace tipple::incremental
