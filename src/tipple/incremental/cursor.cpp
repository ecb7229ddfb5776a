#include "tipple/incremental/cursor.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/incremental/bounds.h"
#include "tipple/incremental/lag.h"

namespace tipple::incremental {

using schema::Value;

namespace {

std::vector<std::string> texts(const json::Value* list) {
    std::vector<std::string> result;
    if (list == nullptr || !list->is_array()) return result;
    for (const json::Value& text : list->as_array()) {
        if (text.is_text()) result.push_back(text.as_text());
    }
    return result;
}

std::vector<std::string> sorted(std::vector<std::string> hashes) {
    std::sort(hashes.begin(), hashes.end());
    hashes.erase(std::unique(hashes.begin(), hashes.end()), hashes.end());
    return hashes;
}

/// Of a slot: the records at its last value that hashes do not name.
constexpr std::string_view packed_member = "packed_records";
/// In there: the last value that they have. Whoever does not know of them moves on without them.
constexpr std::string_view packed_value_member = "last_value";

json::Value member(const std::optional<json::Object>& object, std::string_view name) {
    const json::Value* value = object ? object->find(name) : nullptr;
    return value != nullptr ? *value : json::Value();
}

}  // namespace

std::optional<std::string> cursor_field(const Spec& spec) {
    const std::string& text = spec.cursor_path;
    const json::Path path = json::Path::parse(text);
    if (text.starts_with('$') || text.starts_with('[') || path.steps().size() != 1) return std::nullopt;
    if (path.steps()[0].kind != json::Path::Step::Kind::key) return std::nullopt;
    return path.steps()[0].key;
}

void check_function(const Spec& spec, std::string_view resource) {
    if (!spec.last_value_func.is_custom()) return;
    const char* other = spec.row_order != RowOrder::none           ? "row_order"
                        : spec.lag && *spec.lag != 0               ? "lag"
                        : spec.value_type                          ? "value_type"
                        : spec.begins_anew || spec.converts_bounds ? "--since and --until"
                                                                   : nullptr;
    if (other == nullptr) return;
    throw Error(ErrorKind::usage, "resource \"{}\", cursor \"{}\": its last_value_func is a function of its own, which says of no value that it lies ahead, so it cannot go with {}; "
                                  "leave that out, or use max or min",
                resource, spec.cursor_path, other);
}

bool CursorStart::is_further(const Value& a, const Value& b) const {
    const std::partial_ordering order = compare(a, b);
    return spec.last_value_func == LastValue::max ? order > 0 : order < 0;
}

std::size_t PageFold::place_of(std::size_t kept_record) const { return place_before(kept_record, dropped); }

std::size_t place_before(std::size_t kept_record, const std::vector<std::size_t>& dropped) {
    std::size_t place = kept_record;
    for (const std::size_t left_out : dropped) {
        if (left_out > place) break;
        ++place;
    }
    return place;
}

std::string clash_text(const CursorStart& start, const Value& value, const Value& other, std::string_view what) {
    return fmt::format(
        "resource \"{}\", cursor \"{}\": the value {} cannot be compared with {} {}; give the cursor one type in all records, or let the resource "
        "begin anew by dropping its state",
        start.resource, start.spec.cursor_path, describe(value), what, describe(other));
}

Cursor::Cursor(Spec spec, std::string resource, const std::vector<std::string>& primary_key, const json::Object* slot) {
    start_.path = json::Path::parse(spec.cursor_path);
    start_.name = cursor_field(spec);
    start_.resource = std::move(resource);
    start_.spec = std::move(spec);
    const Spec& given = start_.spec;
    check_function(given, start_.resource);
    start_.key = given.primary_key;
    if (!start_.key && !primary_key.empty()) start_.key = primary_key;
    check_range();
    const bool is_stateless = !given.end_value.is_null();
    const bool has_lag = given.lag && *given.lag != 0;
    start_.tells_apart =
        given.range_start == Range::closed && !is_stateless && !has_lag && !(given.primary_key && given.primary_key->empty());
    if (slot != nullptr && !slot->empty() && !is_stateless) stored_ = *slot;
    if (given.begins_anew && lies_ahead(given.initial_value)) {
        start_.spec.begins_anew = false;
        start_.spec.initial_value = {};
    }
    start_.start = given.initial_value;
    if (stored_ && !given.begins_anew) {
        const json::Value last = member(stored_, "last_value");
        start_.start = start_.judges_in_order() ? document_from_state(last) : from_state(last);
        start_.spec.initial_value = adapt_bound(given.initial_value, start_.start, given.converts_bounds);
        read_known();
    }
    if (has_lag && !is_stateless && !start_.start.is_null()) start_.start = apply_lag(given, start_.start);
    last_ = start_.start;
    hashes_.insert(start_.hashes.begin(), start_.hashes.end());
    is_crowded_ = start_.records.size() > 0 || start_.hashes.size() > limits::cursor_hashes_max;
}

/// Whether beginning there would leave out records that no run has read.
bool Cursor::lies_ahead(const Value& initial) const {
    const Value stood = stored_ ? from_state(member(stored_, "last_value")) : Value();
    if (stood.is_null()) return false;
    const Value begin = adapt_bound(initial, stood, start_.spec.converts_bounds);
    return kind_of(begin) == kind_of(stood) && start_.is_further(begin, stood);
}

void Cursor::read_known() {
    start_.hashes = sorted(texts(stored_->find("unique_hashes")));
    start_.form = form_of(start_.hashes);
    const json::Value* packed = stored_->find(packed_member);
    if (packed == nullptr || !packed->is_object() || member(packed->as_object(), packed_value_member) != member(stored_, "last_value")) return;
    std::optional<RecordSet> records = RecordSet::unpack(packed->as_object());
    if (!records) {
        throw Error(ErrorKind::usage,
                    "resource \"{}\", cursor \"{}\": \"{}\" of its state cannot be read, so that records would be loaded twice; a newer tipple wrote it: use that "
                    "one, or let the resource begin anew by dropping its state",
                    start_.resource, start_.spec.cursor_path, packed_member);
    }
    start_.records = *std::move(records);
}

void Cursor::check_range() {
    Spec& spec = start_.spec;
    if (spec.end_value.is_null() || spec.initial_value.is_null()) return;
    spec.end_value = adapt_bound(spec.end_value, spec.initial_value, spec.converts_bounds);
    if (start_.judges_in_order()) {
        if (is_same(spec.last_value_func(spec.end_value, &spec.initial_value), spec.end_value)) return;
        throw Error(ErrorKind::usage, "resource \"{}\", cursor \"{}\": the end value {} does not lie behind the initial value {}: last_value_func does not return it", start_.resource,
                    spec.cursor_path, describe(spec.end_value), describe(spec.initial_value));
    }
    if (kind_of(spec.end_value) == kind_of(spec.initial_value) && !start_.is_further(spec.initial_value, spec.end_value)) return;
    throw Error(ErrorKind::usage, "resource \"{}\", cursor \"{}\": the end value {} does not lie behind the initial value {} in the order of {}",
                start_.resource, spec.cursor_path, describe(spec.end_value), describe(spec.initial_value),
                spec.last_value_func == LastValue::max ? "max" : "min");
}

void Cursor::fail_clash(const Value& value, const Value& other, const char* what) const {
    throw Error(ErrorKind::data, "{}", clash_text(start_, value, other, what));
}

/// What was remembered, or is where reading begins, follows the records in type.
void Cursor::adapt_last(const Value& like) { last_ = adapt_bound(last_, like, start_.spec.converts_bounds); }

void Cursor::take(const PageFold& fold) {
    if (fold.records == 0) return;
    has_records_ = true;
    has_kept_ = has_kept_ || fold.kept > 0;
    const RowOrder order = start_.spec.row_order;
    is_done_ = is_done_ || (order == RowOrder::asc && fold.is_behind_end) || (order == RowOrder::desc && fold.is_before_start);
    if (start_.judges_in_order()) {
        require_key(fold);
        if (fold.has_moved) move_to(fold.last);
        return add_records(fold);
    }
    if (fold.first.is_null()) return;
    if (kind_ == Kind::none) {
        kind_ = kind_of(fold.first);
        first_ = fold.first;
        adapt_last(fold.first);
    }
    if (kind_of(fold.first) != kind_) fail_clash(fold.first, first_, "the earlier value");
    if (fold.last.is_null()) return;
    has_value_ = true;
    const bool is_further = last_.is_null() || start_.is_further(fold.last, last_);
    if (!is_further && start_.is_further(last_, fold.last)) return;
    require_key(fold);
    if (is_further) move_to(fold.last);
    add_records(fold);
}

void Cursor::require_key(const PageFold& fold) const {
    if (!fold.missing_key) return;
    throw Error(ErrorKind::data, "resource \"{}\", cursor \"{}\": a record at the last value {} has no \"{}\", which is the key that tells such records apart",
                start_.resource, start_.spec.cursor_path, describe(fold.last), *fold.missing_key);
}

void Cursor::move_to(const Value& value) {
    last_ = value;
    hashes_.clear();
    records_.clear();
    is_crowded_ = false;
    is_at_start_ = false;
}

void Cursor::add_records(const PageFold& fold) {
    records_.add(fold.records_at_last);
    if (records_.size() > limits::cursor_records_max) {
        records_.settle();
        if (records_.size() > limits::cursor_records_max) {
            throw Error(ErrorKind::usage,
                        "resource \"{}\", cursor \"{}\": more than {} records have the last value {}, and each must be remembered so that none is loaded twice; give the "
                        "resource a cursor with finer values, or merge it by a primary key and give the cursor the empty one (primary_key = []), so that these records "
                        "are read again in each run",
                        start_.resource, start_.spec.cursor_path, limits::cursor_records_max, describe(last_));
        }
    }
    if (fold.is_crowded) is_crowded_ = true;
    if (is_crowded_) return;
    hashes_.insert(fold.hashes.begin(), fold.hashes.end());
    is_crowded_ = hashes_.size() > limits::cursor_hashes_max;
}

/// With a lag the run began behind the last value that was `known`, and must not fall back to there.
Value Cursor::further_of(const Value& last, Value known) const {
    known = adapt_bound(known, last, start_.spec.converts_bounds);
    return kind_of(known) == kind_of(last) && start_.is_further(known, last) ? known : last;
}

std::optional<json::Object> Cursor::slot() {
    const Spec& spec = start_.spec;
    if (!spec.end_value.is_null()) return std::nullopt;
    // Where this one run began says nothing of records that may come before it.
    if (spec.begins_anew && !has_value_) return stored_;
    json::Object slot;
    if (stored_) {
        slot = *stored_;
    } else {
        const json::Value initial = to_state(spec.initial_value);
        slot = {{"initial_value", initial}, {"last_value", initial}, {"unique_hashes", json::Array()}, {"start_value", initial}};
    }
    if (!has_records_) return slot;
    const json::Value before = slot["last_value"];
    Value last = last_;
    if (spec.lag || spec.begins_anew) last = further_of(last, from_state(before));
    // Having begun further back, the run may have seen nothing of what is remembered: its hashes stay with it.
    const bool falls_behind = spec.begins_anew && stored_ && !last_.is_null() && compare(last, last_) != 0;
    slot.set("last_value", to_state(last));
    if (has_kept_) slot.set("start_value", before);
    if (falls_behind) return slot;
    set_known(slot);
    return slot;
}

/// What tells the records at the last value apart, in the next run.
void Cursor::set_known(json::Object& slot) {
    std::vector<std::string> hashes;
    bool is_packed = false;
    if (start_.tells_apart && !is_crowded_) {
        hashes = sorted({hashes_.begin(), hashes_.end()});
    } else if (start_.tells_apart) {
        // Those that were remembered by hashes stay so: nothing else is known of them.
        if (is_at_start_) hashes = start_.hashes;
        is_packed = records_.size() > 0 || (is_at_start_ && start_.records.size() > 0);
    }
    // In whatever order they are stored, equal ones are no change.
    if (sorted(texts(slot.find("unique_hashes"))) != hashes) slot.set("unique_hashes", json::Array(hashes.begin(), hashes.end()));
    if (!is_packed) {
        slot.erase(packed_member);
    } else if (records_.size() > 0) {
        if (is_at_start_) records_.add(start_.records);
        json::Object packed = records_.pack();
        packed.set(packed_value_member, *slot.find("last_value"));
        slot.set(packed_member, std::move(packed));
    }
}

bool Cursor::has_become_coarse() const {
    const bool was_coarse = start_.hashes.size() > many_records || start_.records.size() > 0;
    return start_.tells_apart && !was_coarse && (is_crowded_ || hashes_.size() > many_records);
}

}  // namespace tipple::incremental
