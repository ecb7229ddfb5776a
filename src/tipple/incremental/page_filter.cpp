#include "tipple/incremental/page_filter.h"

#include <algorithm>
#include <cstring>

#include "tipple/columns/value_at.h"
#include "tipple/columns/without_rows.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/incremental/judge.h"
#include "tipple/incremental/record_digest.h"
#include "tipple/json/pull.h"
#include "tipple/json/read.h"
#include "tipple/schema/json_value.h"

namespace tipple::incremental {

namespace pull = json::pull;
using json::Path;
using pull::Fault;
using schema::Value;
using Verdict = PageJudge::Verdict;

namespace {

/// A record by what tells it apart, or the column of the key that it lacks.
struct RecordKey {
    RecordDigest digest = {};
    const std::string* missing_column = nullptr;  ///< as long as the cursor's start
};

/// `digest_of(column)` returns nothing for a column that is not there.
template <typename DigestOf>
RecordKey digest_key(const CursorStart& start, DigestOf&& digest_of) {
    std::vector<RecordDigest> values;
    for (const std::string& column : *start.key) {
        const std::optional<RecordDigest> value = digest_of(column);
        if (!value) return {.missing_column = &column};
        values.push_back(*value);
    }
    if (values.size() == 1 && !start.spec.has_key_list) return {.digest = values[0]};
    return {.digest = digest_of_list(values)};
}

/// `value_of(column)` returns the value of a column of the key, all of which are there.
template <typename ValueOf>
std::string hash_key(const CursorStart& start, HashForm form, ValueOf&& value_of) {
    json::Array values;
    for (const std::string& column : *start.key) values.push_back(value_of(column));
    return values.size() == 1 && !start.spec.has_key_list ? hash_of(values[0], form) : hash_of(values, form);
}

/// `hash()` is called when there are hashes to compare with.
template <typename Hash>
Recognition recognize(const CursorStart& start, const RecordKey& key, Hash&& hash) {
    if (key.missing_column != nullptr) return {.missing_key = *key.missing_column};
    if (start.records.contains(key.digest)) return {.is_known = true};
    return {.is_known = !start.hashes.empty() && std::binary_search(start.hashes.begin(), start.hashes.end(), hash())};
}

/// Puts the records at the last value into the fold: `key(i)` and `hash(i)` of `count` records.
template <typename Key, typename Hash>
void fold_last_records(const FilterOptions& options, PageFold& fold, std::size_t count, Key&& key, Hash&& hash) {
    std::vector<std::size_t> whole;
    whole.reserve(count);
    fold.records_at_last.reserve(count);
    for (std::size_t i = 0; i < count; ++i) {
        const RecordKey own = key(i);
        if (own.missing_column == nullptr) {
            fold.records_at_last.add(own.digest);
            whole.push_back(i);
        } else if (!fold.missing_key) {
            fold.missing_key = *own.missing_column;
        }
    }
    const schema::Value& crowded = options.crowded_value;
    if (!crowded.is_null() && is_same(crowded, fold.last)) {
        fold.is_crowded = true;
    } else if (count > limits::cursor_hashes_max) {
        fold.records_at_last.settle();
        fold.is_crowded = fold.records_at_last.size() > limits::cursor_hashes_max;
    }
    if (fold.is_crowded) return;
    for (const std::size_t i : whole) fold.hashes.push_back(hash(i));
    std::sort(fold.hashes.begin(), fold.hashes.end());
    fold.hashes.erase(std::unique(fold.hashes.begin(), fold.hashes.end()), fold.hashes.end());
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

RecordKey key_of_record(const CursorStart& start, const Value& record) {
    if (!start.key) return {.digest = digest_of(record)};
    return digest_key(start, [&](const std::string& column) {
        const Value* value = find_member(record, column);
        return value != nullptr ? std::optional(digest_of(*value)) : std::nullopt;
    });
}

std::string hash_record(const CursorStart& start, HashForm form, const Value& record) {
    if (!start.key) return hash_of(hashed_document(record, form), form);
    return hash_key(start, form, [&](const std::string& column) { return hashed_document(*find_member(record, column), form); });
}

// ---- columns ----

const columns::ColumnView* find_column(const columns::BatchView& batch, const std::string& name) {
    const auto found = std::find(batch.names.begin(), batch.names.end(), name);
    return found == batch.names.end() ? nullptr : &batch.columns[static_cast<std::size_t>(found - batch.names.begin())];
}

RecordKey key_of_row(const CursorStart& start, const columns::BatchView& batch, std::size_t row) {
    if (start.key) {
        return digest_key(start, [&](const std::string& name) {
            const columns::ColumnView* column = find_column(batch, name);
            return column != nullptr ? std::optional(digest_of(columns::value_at(*column, row))) : std::nullopt;
        });
    }
    ObjectDigest digest;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) digest.add(batch.names[i], columns::value_at(batch.columns[i], row));
    return {.digest = digest.finish()};
}

std::string hash_row(const CursorStart& start, HashForm form, const columns::BatchView& batch, std::size_t row) {
    if (start.key) return hash_key(start, form, [&](const std::string& name) { return hashed_document(columns::value_at(*find_column(batch, name), row), form); });
    json::Object record;
    for (std::size_t i = 0; i < batch.columns.size(); ++i) record.set(batch.names[i], hashed_document(columns::value_at(batch.columns[i], row), form));
    return hash_of(record, form);
}

}  // namespace

struct PageFilter::Impl {
    /// Where a record stands in the text.
    struct Span {
        std::size_t begin = 0;
        std::size_t end = 0;
    };
    /// One of the judge's last records.
    struct LastRecord {
        Span span;
        pull::Cursor cursor = {};  ///< while the index stands
        std::optional<RecordKey> key = {};
    };

    std::optional<RecordProblem> filter(const JsonRecords& page, const FilterOptions& options);
    pull::WalkEnd walk(std::size_t from, std::size_t to, std::size_t kept_max);
    void walk_one_by_one(std::size_t from, std::size_t kept_max);
    std::size_t end_of_record(std::size_t from) const;
    Fault on_record(std::size_t base, std::size_t end, pull::Cursor& cursor);
    Fault find_cursor(pull::Cursor& cursor, Value& value, Absence& absence);
    Fault find_member(pull::Cursor& cursor, Value& value, Absence& absence);
    Fault find_member_and_key(pull::Cursor& cursor, Value& value, Absence& absence, std::optional<RecordKey>& key);
    Fault read_scalar(pull::Cursor cursor, Value& value);
    bool is_name(pull::Key key, std::string_view name);
    RecordKey key(pull::Cursor cursor, const Span& span);
    Fault find_key(pull::Cursor& cursor, RecordKey& key);
    std::string hash(const Span& span, HashForm form);

    pull::Index index_;
    JsonDigester digester_;
    std::string scratch_;

    // Of the page at hand.
    const CursorStart* start_ = nullptr;
    PageFold* fold_ = nullptr;
    PageJudge* judge_ = nullptr;
    JsonRecords page_;
    std::vector<Span> dropped_;
    std::vector<LastRecord> last_;
    /// The record before was asked for its key, or will be: it is at the start, or has the last value together with others.
    bool is_key_probable_ = false;
    std::size_t keyed_ = 0;  ///< so many of them, from the first on, have their keys
    /// Of the first ones of them, those that were needed earlier; empty = not known.
    std::vector<std::string> last_hashes_;
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
    if (judge_->tells_apart()) {
        for (; keyed_ < last_.size(); ++keyed_) {
            LastRecord& record = last_[keyed_];
            if (!record.key) record.key = key(record.cursor, record.span);
        }
    }
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
    value = schema::to_scalar(document);
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

/// The same, and the record's key, which most probably will be asked for.
Fault PageFilter::Impl::find_member_and_key(pull::Cursor& cursor, Value& value, Absence& absence, std::optional<RecordKey>& key) {
    const pull::Cursor beginning = cursor;
    std::optional<pull::Cursor> member;
    if (digester_.digest_object(cursor, key.emplace().digest, *start_->name, member) != Fault::none) {
        // What is no JSON within is not this one's matter.
        key.reset();
        cursor = beginning;
        return find_member(cursor, value, absence);
    }
    absence = member ? Absence::null : Absence::path;
    return member ? read_scalar(*member, value) : Fault::none;
}

Fault PageFilter::Impl::find_cursor(pull::Cursor& cursor, Value& value, Absence& absence) {
    if (start_->name && !start_->judges_in_order()) return find_member(cursor, value, absence);
    json::Value document;
    if (const Fault fault = json::read_value(cursor, document); fault != Fault::none) return fault;
    const std::vector<const json::Value*> found = start_->path.find_all(document);
    absence = found.empty() ? Absence::path : Absence::null;
    if (!found.empty()) value = start_->judges_in_order() ? schema::to_value(*found.front()) : schema::to_scalar(*found.front());
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
    const pull::Cursor beginning = cursor;
    std::optional<RecordKey> own_key;
    std::string own_hash;
    Value value;
    Absence absence = Absence::path;
    const bool wants_key = is_key_probable_ && start_->name && !start_->key && !start_->judges_in_order() && cursor.peek() == '{';
    is_key_probable_ = false;
    if (const Fault fault = wants_key ? find_member_and_key(cursor, value, absence, own_key) : find_cursor(cursor, value, absence); fault != Fault::none) return fault;
    span.end = cursor.is_at_end() ? end : base + cursor.offset();
    const std::size_t place = fold_->records;
    const Verdict verdict = value.is_null() ? judge_->judge_absent(absence) : judge_->judge(std::move(value), [&] {
        is_key_probable_ = true;
        if (!own_key) own_key = key(beginning, span);
        return recognize(*start_, *own_key, [&] { return own_hash = hash(span, start_->form); });
    });
    if (verdict == Verdict::problem) {
        problem_ = RecordProblem{.text = judge_->problem(), .offset = span.begin, .record = place};
        return Fault::stopped;
    }
    if (verdict == Verdict::drop) dropped_.push_back(span);
    const std::vector<std::size_t>& last = judge_->last_records();
    if (!last.empty() && last.back() == place) {
        // The judge may have found that those before it are none.
        const std::size_t known = last.size() - 1;
        is_key_probable_ = is_key_probable_ || known > 0;
        last_.resize(known);
        keyed_ = std::min(keyed_, known);
        last_.push_back({.span = span, .cursor = beginning, .key = own_key});
        if (last_hashes_.size() > known) last_hashes_.resize(known);
        if (!own_hash.empty()) {
            last_hashes_.resize(known);
            last_hashes_.push_back(std::move(own_hash));
        }
    }
    return Fault::none;
}

Fault PageFilter::Impl::find_key(pull::Cursor& cursor, RecordKey& key) {
    if (!start_->key) return digester_.digest(cursor, key.digest);
    std::vector<std::optional<RecordDigest>> values(start_->key->size());
    if (cursor.peek() == '{') {
        const Fault fault = pull::for_each_member(cursor, [&](pull::Key name, pull::Cursor& member) {
            for (std::size_t i = 0; i < values.size(); ++i) {
                if (!is_name(name, (*start_->key)[i])) continue;
                pull::Cursor value = member;
                if (const Fault bad = digester_.digest(value, values[i].emplace()); bad != Fault::none) return bad;
            }
            return pull::skip_value(member);
        });
        if (fault != Fault::none) return fault;
    }
    std::size_t next = 0;
    key = digest_key(*start_, [&](const std::string&) { return values[next++]; });
    return Fault::none;
}

/// A record that is no JSON within is told apart by its text; whoever reads it will say what is wrong.
RecordKey PageFilter::Impl::key(pull::Cursor cursor, const Span& span) {
    RecordKey key;
    if (find_key(cursor, key) == Fault::none) return key;
    return {.digest = digest_of(Value(std::string(page_.text + span.begin, span.end - span.begin)))};
}

std::string PageFilter::Impl::hash(const Span& span, HashForm form) {
    const std::string text(page_.text + span.begin, span.end - span.begin);
    json::Value record;
    if (!json::try_parse(text, record)) return hash_of(text, form);
    if (!start_->key) return hash_of(record, form);
    return hash_key(*start_, form, [&](const std::string& column) {
        const json::Value* value = record.is_object() ? record.as_object().find(column) : nullptr;
        return value != nullptr ? *value : json::Value();
    });
}

std::optional<RecordProblem> PageFilter::Impl::filter(const JsonRecords& page, const FilterOptions& options) {
    page_ = page;
    dropped_.clear();
    last_.clear();
    keyed_ = 0;
    is_key_probable_ = false;
    last_hashes_.clear();
    problem_.reset();
    const pull::WalkEnd end = walk(0, page.size, options.kept_max);
    if (end.fault != Fault::none && end.fault != Fault::stopped) walk_one_by_one(end.offset, options.kept_max);
    if (problem_) return problem_;
    fold_last_records(
        options, *fold_, judge_->last_records().size(), [&](std::size_t i) { return *last_[i].key; },
        [&](std::size_t i) { return i < last_hashes_.size() && !last_hashes_[i].empty() ? last_hashes_[i] : hash(last_[i].span, judge_->last_form()); });
    for (const Span& span : dropped_) {
        std::replace_if(page_.text + span.begin, page_.text + span.end, [](char c) { return c != '\n'; }, ' ');
    }
    return std::nullopt;
}

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, const JsonRecords& records, const FilterOptions& options, PageFold& fold) {
    fold = {};
    PageJudge judge(start, options.last, fold);
    impl_->start_ = &start;
    impl_->fold_ = &fold;
    impl_->judge_ = &judge;
    return impl_->filter(records, options);
}

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, std::vector<Value>& records, const FilterOptions& options, PageFold& fold) {
    fold = {};
    PageJudge judge(start, options.last, fold);
    for (std::size_t i = 0; i < records.size() && fold.kept < options.kept_max; ++i) {
        const Value& record = records[i];
        if (record.is_null()) {
            judge.keep_null();
            continue;
        }
        const Value* found = start.name ? find_member(record, *start.name) : find_first(record, start.path.steps(), 0);
        const Verdict verdict = found == nullptr    ? judge.judge_absent(Absence::path)
                                : found->is_null() ? judge.judge_absent(Absence::null)
                                                   : judge.judge(*found, [&] {
                                                         return recognize(start, key_of_record(start, record), [&] { return hash_record(start, start.form, record); });
                                                     });
        if (verdict == Verdict::problem) return RecordProblem{.text = judge.problem(), .record = i};
    }
    const std::vector<std::size_t>& last = judge.last_records();
    fold_last_records(
        options, fold, last.size(), [&](std::size_t i) { return key_of_record(start, records[last[i]]); },
        [&](std::size_t i) { return hash_record(start, judge.last_form(), records[last[i]]); });
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

std::optional<RecordProblem> PageFilter::filter(const CursorStart& start, columns::Batch& batch, const FilterOptions& options, PageFold& fold) {
    fold = {};
    if (!start.name) {
        throw Error(ErrorKind::usage, "resource \"{}\": the cursor \"{}\" must be the name of a column, for records that come as columns", start.resource,
                    start.spec.cursor_path);
    }
    PageJudge judge(start, options.last, fold);
    const columns::BatchView view = batch.view();
    const columns::ColumnView* column = find_column(view, *start.name);
    for (std::size_t row = 0; row < batch.rows && fold.kept < options.kept_max; ++row) {
        const bool is_null = column == nullptr || column->is_null(row);
        const Verdict verdict = is_null ? judge.judge_absent(column == nullptr ? Absence::path : Absence::null)
                                        : judge.judge(columns::value_at(*column, row), [&] {
                                              return recognize(start, key_of_row(start, view, row), [&] { return hash_row(start, start.form, view, row); });
                                          });
        if (verdict == Verdict::problem) return RecordProblem{.text = judge.problem(), .record = row};
    }
    const std::vector<std::size_t>& last = judge.last_records();
    fold_last_records(
        options, fold, last.size(), [&](std::size_t i) { return key_of_row(start, view, last[i]); },
        [&](std::size_t i) { return hash_row(start, judge.last_form(), view, last[i]); });
    if (!fold.dropped.empty()) batch = columns::without_rows(batch, fold.dropped);
    return std::nullopt;
}

}  // namespace tipple::incremental
