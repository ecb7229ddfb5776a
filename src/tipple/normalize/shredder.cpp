#include "tipple/normalize/shredder.h"

#include <algorithm>
#include <cmath>
#include <cstring>
#include <limits>
#include <map>

#include "tipple/core/text.h"
#include "tipple/json/read.h"
#include "tipple/normalize/field_adder.h"
#include "tipple/normalize/json_values.h"
#include "tipple/normalize/record_normalizer.h"
#include "tipple/normalize/shape.h"
#include "tipple/normalize/table_names.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/json_value.h"

namespace tipple::normalize {

namespace pull = json::pull;
using pull::Cursor;
using pull::Fault;
using schema::DataType;

namespace {

/// What the rows below a row need to know of it.
struct RowLinks {
    RowId id;
    const RowId* root_id = nullptr;
};

/// Unescapes straight into the column.
Fault append_long_text(columns::ColumnBuilder& builder, const char* raw) {
    std::size_t room = 256;
    std::size_t used = 0;
    char* start = builder.begin_text(room);
    while (true) {
        char* out = start + used;
        const pull::Unescape result = pull::unescape(raw, out, start + room + 16);
        used = static_cast<std::size_t>(out - start);
        if (result == pull::Unescape::done) break;
        if (result == pull::Unescape::bad) return Fault::string_escape;
        room *= 2;
        start = builder.extend_text(used, room);
    }
    builder.end_text(used);
    return Fault::none;
}

inline Fault append_text(columns::ColumnBuilder& builder, const char* raw) {
#if defined(__SSE2__)
    // Most texts end within sixteen characters and have no escapes.
    char* out = builder.begin_text(16);
    const __m128i bytes = _mm_loadu_si128(reinterpret_cast<const __m128i*>(raw));
    _mm_storeu_si128(reinterpret_cast<__m128i*>(out), bytes);
    const auto quotes = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('"'))));
    const auto slashes = static_cast<unsigned>(_mm_movemask_epi8(_mm_cmpeq_epi8(bytes, _mm_set1_epi8('\\'))));
    // A quote, and no backslash before it.
    if (quotes != 0 && ((quotes - 1) & ~quotes & slashes) == 0) {
        builder.end_text(static_cast<std::size_t>(__builtin_ctz(quotes)));
        return Fault::none;
    }
#endif
    return append_long_text(builder, raw);
}

/// The common forms of a timestamp, without copying the text. False = look closer.
bool append_timestamp(columns::ColumnBuilder& builder, const char* raw) {
    constexpr std::size_t length_max = 40;
    const auto* end = static_cast<const char*>(std::memchr(raw, '"', length_max));
    if (end == nullptr) return false;
    const std::optional<schema::Timestamp> parsed = schema::parse_common_timestamp({raw, static_cast<std::size_t>(end - raw)});
    // Nanoseconds are told.
    if (!parsed || parsed->ns != 0) return false;
    // The same for both kinds of column: a wall clock is read as UTC, a point in time is shifted to UTC.
    builder.append_int64(parsed->us);
    return true;
}

}  // namespace

class Shredder::Impl {
public:
    explicit Impl(const Rules& rules) : tables_(rules), normalizer_(tables_), shape_(tables_, rules), added_(tables_) {}

    void shred(const JsonPage& page, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);
    void shred_values(std::span<const schema::Value> records, std::uint64_t page_number, const RootTable& root,
                      const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);

private:
    /// A table for whole records.
    struct Target {
        std::string name;
        TableState* table = nullptr;
        int nesting = 0;
        bool is_unwanted = false;
    };
    void begin_page(std::uint64_t number, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);
    Target make_target(std::string_view table) const;
    const Target* choose_target(const schema::Value& record);
    bool normalize_value(const schema::Value& record);
    bool normalize_into(const schema::Value& record, const Target& target);
    bool reject(std::string table, std::string column, std::string reason);
    pull::WalkEnd walk(std::size_t from, std::size_t to);
    void walk_one_by_one(std::size_t from);
    std::size_t end_of_record(std::size_t from) const;
    Fault on_record(std::size_t offset, Cursor& cursor);
    Fault normalize_record(std::size_t offset, Cursor& cursor);
    void add_bad_record(std::size_t offset, std::string_view text, const Rejection& rejection);
    void forget_record();
    bool is_full() const { return result_->records >= page_.records_max; }

    Fault shred_object(Cursor& cursor, ObjectShape& object, std::size_t row, const RowLinks& links);
    Fault shred_member(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links);
    Fault shred_value(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links);
    Fault shred_text(const char* raw, ObjectShape& object, Slot& slot, std::size_t row);
    Fault shred_number(const char* token, ObjectShape& object, Slot& slot, std::size_t row);
    Fault shred_boolean(bool value, ObjectShape& object, Slot& slot, std::size_t row);
    Fault shred_null(ObjectShape& object, Slot& slot);
    Fault shred_nested_object(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links);
    Fault shred_whole(Cursor& cursor, ObjectShape& object, Slot& slot);
    Fault shred_list(Cursor& cursor, ObjectShape& object, Slot& slot, const RowLinks& links);
    Fault put(ObjectShape& object, Slot& slot, const schema::Value& value);
    FieldOrder field_order() const;
    void begin_row(TableShape& shape, const RowLinks& parent, std::int64_t list_index, RowLinks& links);

    PageTables tables_;
    RecordNormalizer normalizer_;
    Shape shape_;
    FieldAdder added_;
    pull::Index index_;

    JsonPage page_;
    PageResult* result_ = nullptr;
    const RootTable* root_table_ = nullptr;
    TableShape* root_ = nullptr;
    Target target_;
    /// Every record of the page takes the slow way.
    bool goes_slow_ = false;
    /// By what the records' fields say; good for one page.
    std::map<std::string, Target, std::less<>> chosen_;
    std::size_t record_offset_ = 0;
    /// The table that the last record has chosen; nullptr when it has not.
    const Target* record_target_ = nullptr;
    /// Why the last record was bad.
    Rejection rejection_;
    std::uint64_t serial_ = 0;
    int depth_ = 0;
    std::string scratch_;

    /// Place of the value at hand: objects entered since the row began, counted from the end so that later objects sort first, then the place
    /// among the members of the innermost one.
    FieldOrder order_path_;
    std::int32_t position_ = 0;
};

void Shredder::Impl::begin_page(std::uint64_t number, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot,
                                PageResult& result) {
    result.clear();
    result_ = &result;
    root_table_ = &root;
    added_.begin_page(page_);
    tables_.begin_page(snapshot, number);
    chosen_.clear();
    record_target_ = nullptr;
    const Rules& rules = tables_.rules();
    goes_slow_ = root.by_field != nullptr || rules.collisions == Collisions::suffix || propagates_fields(*snapshot) ||
                 (rules.filters != nullptr && rules.filters->concern(root.name));
    if (root.by_field != nullptr) return;
    root_ = &shape_.root(root.name, max_nesting(*snapshot, root.name), propagates_root_id(*snapshot, root.name));
    target_ = make_target(root.name);
    target_.table = root_->state;
    goes_slow_ = goes_slow_ || target_.is_unwanted;
    shape_.refresh();
}

/// All but the table's state.
Shredder::Impl::Target Shredder::Impl::make_target(std::string_view table) const {
    return {.name = std::string(table),
            .nesting = max_nesting(tables_.snapshot(), table),
            .is_unwanted = root_table_->unwanted != nullptr && root_table_->unwanted->contains(table)};
}

/// The table that the record names; nullptr when there is none, `rejection_` then says why.
const Shredder::Impl::Target* Shredder::Impl::choose_target(const schema::Value& record) {
    const schema::TableByField& rule = *root_table_->by_field;
    const auto* object = record.get_if<schema::Object>();
    const schema::Value* value = nullptr;
    if (object != nullptr) {
        // Of a name that comes twice the last one counts, as in all of JSON.
        for (const schema::Field& field : *object) {
            if (field.name == rule.field) value = &field.value;
        }
    }
    const bool is_scalar = value != nullptr && !value->is_null() && !value->is<schema::List>() && !value->is<schema::Object>();
    const std::optional<schema::Value> text = is_scalar ? schema::coerce(DataType::text, *value) : std::nullopt;
    if (!text) {
        reject("", rule.field, "the record's table is named by this field, which is missing or no plain value");
        return nullptr;
    }
    const std::string raw = rule.prefix + text->as<std::string>();
    if (const auto known = chosen_.find(raw); known != chosen_.end()) return &known->second;
    const bool is_blank = raw.find_first_not_of(" \t\r\n") == std::string::npos;
    const std::string name = is_blank ? std::string() : tables_.rules().naming->normalize_table_path(raw);
    const schema::Table* table = tables_.snapshot().find(name);
    if (name.empty() || (table != nullptr && (table->is_nested() || table->is_internal()))) {
        reject("", rule.field, fmt::format("\"{}\" cannot be the record's table: {}", excerpt(raw),
                                           name.empty() ? "it is no name" : fmt::format("table \"{}\" is not for records", name)));
        return nullptr;
    }
    Target target = make_target(name);
    if (!target.is_unwanted) {
        result_->chosen_tables.push_back(raw);
        target.table = &tables_.table(name, nullptr, false);
    }
    return &chosen_.emplace(raw, target).first->second;
}

bool Shredder::Impl::reject(std::string table, std::string column, std::string reason) {
    rejection_ = {std::move(table), std::move(column), std::move(reason)};
    return false;
}

/// The slow way for one record, field by field. False when it is bad: nothing of it stays, and `rejection_` says why.
bool Shredder::Impl::normalize_value(const schema::Value& record) {
    tables_.begin_record(result_->records, record_offset_);
    record_target_ = root_table_->by_field != nullptr ? choose_target(record) : nullptr;
    const Target* target = root_table_->by_field != nullptr ? record_target_ : &target_;
    if (target == nullptr) return false;
    if (target->is_unwanted && root_table_->quarantines_unwanted) {
        reject("", "", "the table would be new, which the schema contract puts aside");
        rejection_.is_quarantined = true;
        return false;
    }
    if (target->is_unwanted) {
        ++result_->discarded_rows;
        return true;
    }
    const bool is_bad = !normalize_into(record, *target);
    if (is_bad) {
        forget_record();
        rejection_ = tables_.rejection();
    }
    result_->discarded_rows += normalizer_.take_discarded_rows();
    if (!is_bad) {
        result_->filtered_rows += normalizer_.filtered().rows;
        result_->filtered_values += normalizer_.filtered().values;
    }
    return !is_bad;
}

/// False when the record is bad.
bool Shredder::Impl::normalize_into(const schema::Value& record, const Target& target) {
    std::optional<schema::Value> whole;
    if (added_.is_needed() && target.table->id_source == RowIdSource::key) whole = added_.with_fields(record, record_offset_);
    const PutResult result = normalizer_.normalize(whole ? *whole : record, *target.table, target.nesting);
    if (result == PutResult::rejected) return false;
    if (added_.is_needed() && !whole && result == PutResult::done && added_.put(*target.table, record_offset_) == PutResult::rejected) return false;
    return tables_.end_record() != PutResult::rejected;
}

void Shredder::Impl::shred(const JsonPage& page, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot,
                           PageResult& result) {
    page_ = page;
    begin_page(page.number, root, snapshot, result);
    const pull::WalkEnd end = walk(0, page.text.size());
    if (end.fault != Fault::none && !is_full()) walk_one_by_one(end.offset);
    tables_.begin_record();
    tables_.finish_page(result);
    for (DataNote& note : result.notes) note.line = count_lines(page_.text.substr(0, note.offset));
}

void Shredder::Impl::shred_values(std::span<const schema::Value> records, std::uint64_t page_number, const RootTable& root,
                                  const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    page_ = {};
    begin_page(page_number, root, snapshot, result);
    for (const schema::Value& record : records) {
        if (!normalize_value(record)) {
            BadRecord bad{.record_index = result.records, .table = rejection_.table, .column = rejection_.column, .reason = rejection_.reason};
            bad.text_excerpt = excerpt(to_json_text(record), 200);
            bad.breaks_contract = rejection_.breaks_contract;
            bad.is_quarantined = rejection_.is_quarantined;
            bad.remedy = rejection_.remedy;
            if (bad.is_quarantined || tables_.rules().keeps_bad_records) bad.text = to_json_text(record);
            if (record_target_ != nullptr) bad.chosen_table = record_target_->name;
            result.bad_records.push_back(std::move(bad));
        }
        ++result.records;
    }
    tables_.begin_record();
    tables_.finish_page(result);
}

/// Walks the records between two offsets of the page.
pull::WalkEnd Shredder::Impl::walk(std::size_t from, std::size_t to) {
    if (const Fault fault = index_.build(page_.text.data() + from, to - from); fault != Fault::none) return {fault, from};
    const pull::WalkEnd end = pull::for_each_document(
        index_.cursor(), to - from, [&](std::size_t offset, Cursor& cursor) { return on_record(from + offset, cursor); });
    return {end.fault, from + end.offset};
}

std::size_t Shredder::Impl::end_of_record(std::size_t from) const {
    if (!page_.record_starts.empty()) {
        const auto next = std::upper_bound(page_.record_starts.begin(), page_.record_starts.end(), from);
        return next == page_.record_starts.end() ? page_.text.size() : *next;
    }
    const std::size_t line_end = page_.text.find('\n', from);
    return line_end == std::string_view::npos ? page_.text.size() : line_end + 1;
}

/// The page holds something that is no JSON. From there on each record is parsed by itself, so that only the broken ones are left out.
void Shredder::Impl::walk_one_by_one(std::size_t from) {
    // The record at fault may not be the first of its line; what precedes it there is in the tables already.
    std::size_t at = from;
    while (at < page_.text.size() && !is_full()) {
        const std::size_t end = end_of_record(at);
        const std::string_view record = page_.text.substr(at, end - at);
        if (record.find_first_not_of(" \t\r\n") != std::string_view::npos) {
            const pull::WalkEnd walked = walk(at, end);
            if (walked.fault != Fault::none && !is_full()) {
                record_target_ = nullptr;
                add_bad_record(std::min(walked.offset, end), record, {.table = {}, .column = {}, .reason = std::string(pull::describe(walked.fault))});
                ++result_->records;
            }
        }
        at = end;
    }
}

void Shredder::Impl::forget_record() {
    tables_.rollback_record();
    shape_.refresh();
}

/// `text`: from the record's start, with what may follow up to the next one.
void Shredder::Impl::add_bad_record(std::size_t offset, std::string_view text, const Rejection& rejection) {
    // Elements of a list may have the comma behind them; at the end of a line one belongs to what is wrong.
    text = text.substr(0, text.find_last_not_of(page_.record_starts.empty() ? " \t\r\n" : " \t\r\n,") + 1);
    BadRecord bad{.offset = offset,
                  .line = count_lines(page_.text.substr(0, offset)),
                  .record_index = result_->records,
                  .table = rejection.table,
                  .column = rejection.column,
                  .reason = rejection.reason,
                  .text_excerpt = excerpt(text.substr(0, 400), 200),
                  .breaks_contract = rejection.breaks_contract,
                  .is_quarantined = rejection.is_quarantined,
                  .remedy = rejection.remedy};
    if (bad.is_quarantined || tables_.rules().keeps_bad_records) {
        // What is no JSON stays as it came.
        const bool is_json = !rejection.table.empty() || rejection.is_quarantined;
        bad.text = added_.is_needed() && is_json ? added_.with_fields(text, offset) : text;
    }
    if (record_target_ != nullptr) bad.chosen_table = record_target_->name;
    result_->bad_records.push_back(std::move(bad));
}

Fault Shredder::Impl::on_record(std::size_t offset, Cursor& cursor) {
    if (is_full()) return Fault::stopped;
    if (goes_slow_) {
        const Fault fault = normalize_record(offset, cursor);
        if (fault == Fault::none) ++result_->records;
        return fault;
    }
    tables_.begin_record(result_->records, offset);
    depth_ = 0;
    order_path_.clear();
    position_ = 0;
    const Cursor start = cursor;
    RowLinks links;
    if (root_->state->id_source != RowIdSource::position) {
        const Fault fault = normalize_record(offset, cursor);
        if (fault == Fault::none) ++result_->records;
        return fault;
    }
    begin_row(*root_, {}, 0, links);
    const std::size_t row = root_->state->rows - 1;
    Fault fault = cursor.peek() == '{' ? shred_object(cursor, root_->row, row, links)
                                       : shred_value(cursor, root_->row, *root_->value, row, links);
    if (fault == Fault::none && added_.is_needed() && added_.put(*root_->state, offset) != PutResult::done) fault = Fault::given_up;
    if (fault == Fault::none && tables_.end_record() != PutResult::done) fault = Fault::given_up;
    if (fault == Fault::given_up) {
        // Names meet, the record brings ids of its own, or a value does not fit. The latter is not the end of it: further on the name may come
        // again, with a value that fits, and which way a record goes first depends on what was seen before it.
        forget_record();
        Cursor again = start;
        if (const Fault inner = normalize_record(offset, again); inner != Fault::none) return inner;
    } else if (fault != Fault::none) {
        forget_record();
        return fault;
    }
    ++result_->records;
    return fault;
}

Fault Shredder::Impl::normalize_record(std::size_t offset, Cursor& cursor) {
    record_offset_ = offset;
    json::Value document;
    if (const Fault fault = json::read_value(cursor, document); fault != Fault::none) return fault;
    if (!normalize_value(schema::to_value(document))) {
        const char* start = page_.text.data() + offset;
        const char* next = cursor.text + *cursor.at;
        add_bad_record(offset, {start, static_cast<std::size_t>(next - start)}, rejection_);
    }
    shape_.refresh();
    return Fault::none;
}

void Shredder::Impl::begin_row(TableShape& shape, const RowLinks& parent, std::int64_t list_index, RowLinks& links) {
    tables_.begin_plain_row(*shape.state, shape.state->is_nested ? &parent.id : nullptr, parent.root_id, list_index, links.id);
    links.root_id = shape.is_own_root ? &links.id : parent.root_id;
}

FieldOrder Shredder::Impl::field_order() const {
    FieldOrder order = order_path_;
    order.push_back(position_);
    return order;
}

Fault Shredder::Impl::shred_object(Cursor& cursor, ObjectShape& object, std::size_t row, const RowLinks& links) {
    if (++depth_ > limits::json_depth_max) return Fault::too_deep;
    const std::uint64_t serial = ++serial_;
    Slot* previous = nullptr;
    const std::int32_t outer_position = position_;
    position_ = -1;
    const Fault fault = pull::for_each_member(cursor, [&](pull::Key key, Cursor& member) {
        Slot* slot = previous == nullptr ? object.first : previous->next;
        if (slot == nullptr || !slot->raw.equals(key)) [[unlikely]] {
            slot = shape_.find_or_add(object, key);
            if (slot == nullptr) return Fault::string_escape;
            (previous == nullptr ? object.first : previous->next) = slot;
        }
        previous = slot;
        ++position_;
        // A name twice in one object: only the record normalizer knows which one counts.
        if (slot->seen == serial || slot->is_special) [[unlikely]] return Fault::given_up;
        slot->seen = serial;
        return shred_member(member, object, *slot, row, links);
    });
    position_ = outer_position;
    --depth_;
    return fault;
}

/// The hot path: values that are of their column's own type go straight into it. Everything else is for shred_value.
inline Fault Shredder::Impl::shred_member(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links) {
    ColumnState* state = slot.state;
    if (state == nullptr) return shred_value(cursor, object, slot, row, links);
    const char* token = cursor.text + *cursor.at;
    if (*token == '"') {
        if (slot.type == DataType::text && begin_value(*state, row)) {
            ++cursor.at;
            return append_text(state->builder, token + 1);
        }
    } else if (*token <= '9') {
        pull::Number number;
        if (slot.type == DataType::bigint && begin_value(*state, row)) {
            if (const Fault fault = pull::read_number(token, number); fault != Fault::none) return fault;
            if (number.kind == pull::NumberKind::int64) {
                ++cursor.at;
                state->builder.append_int64(number.int64);
                return Fault::none;
            }
        } else if (slot.type == DataType::double_ && begin_value(*state, row)) {
            if (const Fault fault = pull::read_number(token, number); fault != Fault::none) return fault;
            if (number.kind == pull::NumberKind::float64) {
                ++cursor.at;
                state->builder.append_double(number.float64);
                return Fault::none;
            }
        }
    }
    return shred_value(cursor, object, slot, row, links);
}

Fault Shredder::Impl::shred_value(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links) {
    if (!slot.is_resolved) shape_.resolve(object, slot);
    switch (cursor.peek()) {
        case '"':
            return shred_text(cursor.take() + 1, object, slot, row);
        case '{':
            if (object.level <= 0 || slot.is_json) return shred_whole(cursor, object, slot);
            return shred_nested_object(cursor, object, slot, row, links);
        case '[':
            if (object.level <= 0 || slot.is_json) return shred_whole(cursor, object, slot);
            return shred_list(cursor, object, slot, links);
        case 't':
            if (const Fault fault = pull::read_true(cursor.take()); fault != Fault::none) return fault;
            return shred_boolean(true, object, slot, row);
        case 'f':
            if (const Fault fault = pull::read_false(cursor.take()); fault != Fault::none) return fault;
            return shred_boolean(false, object, slot, row);
        case 'n':
            if (const Fault fault = pull::read_null(cursor.take()); fault != Fault::none) return fault;
            return shred_null(object, slot);
        case '-':
        case '0':
        case '1':
        case '2':
        case '3':
        case '4':
        case '5':
        case '6':
        case '7':
        case '8':
        case '9':
            return shred_number(cursor.take(), object, slot, row);
        default:
            return Fault::literal;
    }
}

Fault Shredder::Impl::shred_text(const char* raw, ObjectShape& object, Slot& slot, std::size_t row) {
    if (slot.state != nullptr) {
        if (slot.type == DataType::text) {
            if (!begin_value(*slot.state, row)) return Fault::given_up;
            return append_text(slot.state->builder, raw);
        }
        if (slot.type == DataType::timestamp && !tables_.rules().widens && slot.state->unit_us == 1) {
            if (!begin_value(*slot.state, row)) return Fault::given_up;
            if (append_timestamp(slot.state->builder, raw)) return Fault::none;
        }
    }
    if (!pull::unescape_into(raw, scratch_)) return Fault::string_escape;
    return put(object, slot, scratch_);
}

Fault Shredder::Impl::shred_number(const char* token, ObjectShape& object, Slot& slot, std::size_t row) {
    pull::Number number;
    if (const Fault fault = pull::read_number(token, number); fault != Fault::none) return fault;
    const bool is_int = number.kind == pull::NumberKind::int64;
    const bool is_double = slot.type == DataType::double_ && !tables_.rules().widens;
    if (slot.state != nullptr && is_int && (slot.type == DataType::bigint || is_double)) {
        if (!begin_value(*slot.state, row)) return Fault::given_up;
        if (slot.type == DataType::bigint) {
            slot.state->builder.append_int64(number.int64);
        } else {
            slot.state->builder.append_double(static_cast<double>(number.int64));
        }
        return Fault::none;
    }
    if (slot.state != nullptr && number.kind == pull::NumberKind::float64 && slot.type == DataType::double_) {
        if (!begin_value(*slot.state, row)) return Fault::given_up;
        slot.state->builder.append_double(number.float64);
        return Fault::none;
    }
    return put(object, slot, to_value(number));
}

Fault Shredder::Impl::shred_boolean(bool value, ObjectShape& object, Slot& slot, std::size_t row) {
    if (slot.state == nullptr || slot.type != DataType::bool_) return put(object, slot, value);
    if (!begin_value(*slot.state, row)) return Fault::given_up;
    slot.state->builder.append_bool(value);
    return Fault::none;
}

Fault Shredder::Impl::shred_null(ObjectShape& object, Slot& slot) {
    if (slot.state != nullptr && slot.state->is_nullable) return Fault::none;
    if (tables_.put_null(*object.table->state, slot.column) != PutResult::done) return Fault::given_up;
    return Fault::none;
}

Fault Shredder::Impl::shred_nested_object(Cursor& cursor, ObjectShape& object, Slot& slot, std::size_t row, const RowLinks& links) {
    order_path_.push_back(std::numeric_limits<std::int32_t>::max() - 1 - position_);
    const Fault fault = shred_object(cursor, shape_.object_below(object, slot), row, links);
    order_path_.pop_back();
    return fault;
}

/// An object or list that stays JSON.
Fault Shredder::Impl::shred_whole(Cursor& cursor, ObjectShape& object, Slot& slot) {
    json::Value value;
    if (const Fault fault = json::read_value(cursor, value, depth_ + 1); fault != Fault::none) return fault;
    return put(object, slot, schema::Json{to_json_text(schema::to_value(value))});
}

Fault Shredder::Impl::shred_list(Cursor& cursor, ObjectShape& object, Slot& slot, const RowLinks& links) {
    if (++depth_ > limits::json_depth_max) return Fault::too_deep;
    TableShape* shape = slot.list.get();
    std::int64_t index = 0;
    FieldOrder outer_path;
    outer_path.swap(order_path_);
    const std::int32_t outer_position = position_;
    const Fault fault = pull::for_each_element(cursor, [&](Cursor& element) {
        // An empty list leaves no trace, so the table is made with its first element.
        if (shape == nullptr) shape = &shape_.list_below(object, slot);
        if (index == 0) tables_.begin_list(*shape->state, shape->parent);
        const bool is_unwanted = shape->state->rows == 0 && tables_.admit_table(*shape->state) != schema::ContractMode::evolve;
        const bool has_hashed_ids = shape->state->id_source != RowIdSource::position;
        if (shape->is_shared || is_unwanted || has_hashed_ids) return Fault::given_up;
        RowLinks row_links;
        begin_row(*shape, links, index++, row_links);
        const std::size_t row = shape->state->rows - 1;
        const char first = element.peek();
        if (first == '{') return shred_object(element, shape->row, row, row_links);
        position_ = 0;
        return first == '[' ? shred_value(element, shape->inner, *shape->list, row, row_links)
                            : shred_member(element, shape->row, *shape->value, row, row_links);
    });
    position_ = outer_position;
    outer_path.swap(order_path_);
    --depth_;
    return fault;
}

/// The way for everything that is not of a column's own type.
Fault Shredder::Impl::put(ObjectShape& object, Slot& slot, const schema::Value& value) {
    const PutResult result = tables_.put(*object.table->state, slot.column, value, [this] { return field_order(); });
    if (result != PutResult::done) return Fault::given_up;
    if (slot.state == nullptr) shape_.resolve(object, slot);
    // A new JSON column changes what other keys of that name mean.
    if (value.is<schema::Json>()) shape_.refresh();
    return Fault::none;
}

Shredder::Shredder(const Rules& rules) : impl_(std::make_unique<Impl>(rules)) {}
Shredder::~Shredder() = default;

void Shredder::shred(const JsonPage& page, const RootTable& root, const std::shared_ptr<const schema::Schema>& snapshot,
                     PageResult& result) {
    impl_->shred(page, root, snapshot, result);
}

void Shredder::shred_values(std::span<const schema::Value> records, std::uint64_t page_number, const RootTable& root,
                            const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    impl_->shred_values(records, page_number, root, snapshot, result);
}

}  // namespace tipple::normalize
