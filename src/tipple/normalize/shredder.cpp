#include "tipple/normalize/shredder.h"

#include <algorithm>
#include <cmath>
#include <cstring>

#include "tipple/core/text.h"
#include "tipple/json/read.h"
#include "tipple/json/record_cutter.h"
#include "tipple/normalize/json_values.h"
#include "tipple/normalize/record_normalizer.h"
#include "tipple/normalize/shape.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::normalize {

namespace pull = json::pull;
using pull::Fault;
using pull::no_fault;
using schema::DataType;

namespace {

/// How the walk over one record ended, besides parse faults.
enum class Outcome {
    done,
    needs_normalizer,  ///< names meet, or the record brings ids of its own
    rejected,
};

/// What the rows below a row need to know of it.
struct RowLinks {
    RowId id;
    const RowId* root_id = nullptr;
};

}  // namespace

class Shredder::Impl {
public:
    explicit Impl(const Rules& rules) : rules_(rules), tables_(rules), normalizer_(tables_), shape_(tables_, rules) {}

    void shred(const JsonPage& page, std::string_view root_table, const std::shared_ptr<const schema::Schema>& snapshot,
               PageResult& result);
    void shred_values(std::span<const schema::Value> records, std::uint64_t page_number, std::string_view root_table,
                      const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result);

private:
    void begin_page(std::uint64_t number, std::string_view root_table, const std::shared_ptr<const schema::Schema>& snapshot,
                    PageResult& result);
    pull::WalkEnd walk(std::size_t from, std::size_t to);
    void walk_one_by_one(std::size_t from);
    std::size_t end_of_record(std::size_t from) const;
    Fault on_record(std::size_t offset, pull::Element& element);
    Fault on_scalar_record(std::size_t offset, pull::RootScalar& scalar);
    void normalize_record(std::size_t offset);
    void reject_record(std::size_t offset, std::size_t end);
    void add_bad_record(std::size_t offset, std::size_t end, std::string table, std::string column, std::string reason);
    void forget_record();
    bool is_full() const { return result_->records >= page_.records_max; }

    Fault shred_object(pull::Element& element, ObjectShape& object, std::size_t row, const RowLinks& links);
    Fault shred_member(pull::Key key, pull::Element& element, ObjectShape& object, Slot*& previous, std::uint64_t serial,
                       std::size_t row, const RowLinks& links);
    Fault shred_value(pull::Element& element, pull::Kind kind, ObjectShape& object, Slot& slot, std::size_t row,
                      const RowLinks& links);
    Fault shred_text(pull::Element& element, ObjectShape& object, Slot& slot, std::size_t row);
    Fault append_text(Slot& slot, const char* raw);
    bool append_timestamp(Slot& slot, const char* raw);
    Fault shred_number(pull::Element& element, ObjectShape& object, Slot& slot, std::size_t row);
    Fault shred_null(ObjectShape& object, Slot& slot);
    Fault shred_whole(pull::Element& element, ObjectShape& object, Slot& slot);
    Fault shred_list(pull::Element& element, ObjectShape& object, Slot& slot, const RowLinks& links);
    Fault put(ObjectShape& object, Slot& slot, const schema::Value& value);
    FieldOrder field_order() const;
    Fault give_up(Outcome outcome) {
        outcome_ = outcome;
        return pull::stopped;
    }
    RowLinks begin_row(TableShape& shape, const RowLinks& parent, std::int64_t list_index);

    const Rules& rules_;
    PageTables tables_;
    RecordNormalizer normalizer_;
    Shape shape_;
    pull::Parser parser_;
    pull::Parser record_parser_;

    JsonPage page_;
    PageResult* result_ = nullptr;
    TableShape* root_ = nullptr;
    Outcome outcome_ = Outcome::done;
    std::uint64_t serial_ = 0;
    int depth_ = 0;
    std::string scratch_;

    /// Place of the value at hand: objects entered since the row began, counted from the end so that later objects sort first, then the place
    /// among the members of the innermost one.
    FieldOrder order_path_;
    std::int32_t position_ = 0;
};

void Shredder::Impl::begin_page(std::uint64_t number, std::string_view root_table,
                                const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    result.clear();
    result_ = &result;
    tables_.begin_page(snapshot, number);
    root_ = &shape_.root(root_table, max_nesting(*snapshot, root_table), propagates_root_id(*snapshot, root_table));
    shape_.refresh();
}

void Shredder::Impl::shred(const JsonPage& page, std::string_view root_table, const std::shared_ptr<const schema::Schema>& snapshot,
                           PageResult& result) {
    page_ = page;
    begin_page(page.number, root_table, snapshot, result);
    const pull::WalkEnd end = walk(0, page.text.size());
    if (end.fault != no_fault && !is_full()) walk_one_by_one(end.offset);
    tables_.begin_record();
    tables_.finish_page(result);
}

void Shredder::Impl::shred_values(std::span<const schema::Value> records, std::uint64_t page_number, std::string_view root_table,
                                  const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    page_ = {};
    begin_page(page_number, root_table, snapshot, result);
    for (const schema::Value& record : records) {
        tables_.begin_record();
        if (!normalizer_.normalize(record, *root_->state, root_->row_level, root_->has_root_id)) {
            forget_record();
            const Rejection& rejection = tables_.rejection();
            BadRecord bad{.record_index = result.records, .table = rejection.table, .column = rejection.column, .reason = rejection.reason};
            bad.text_excerpt = excerpt(to_json_text(record), 200);
            result.bad_records.push_back(std::move(bad));
        }
        ++result.records;
    }
    tables_.begin_record();
    tables_.finish_page(result);
}

/// Walks the records between two offsets of the page.
pull::WalkEnd Shredder::Impl::walk(std::size_t from, std::size_t to) {
    const pull::WalkEnd end = parser_.for_each_document(
        page_.text.data() + from, to - from,
        [&](std::size_t offset, pull::Element& element) { return on_record(from + offset, element); },
        [&](std::size_t offset, pull::RootScalar& scalar) { return on_scalar_record(from + offset, scalar); });
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
            if (walked.fault != no_fault && !is_full()) {
                add_bad_record(walked.offset < end ? walked.offset : at, end, "", "", pull::describe(walked.fault));
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

void Shredder::Impl::add_bad_record(std::size_t offset, std::size_t end, std::string table, std::string column, std::string reason) {
    BadRecord bad{.offset = offset,
                  .line = count_lines(page_.text.substr(0, offset)),
                  .record_index = result_->records,
                  .table = std::move(table),
                  .column = std::move(column),
                  .reason = std::move(reason),
                  .text_excerpt = excerpt(page_.text.substr(offset, std::min<std::size_t>(end - offset, 400)), 200)};
    result_->bad_records.push_back(std::move(bad));
}

void Shredder::Impl::reject_record(std::size_t offset, std::size_t end) {
    forget_record();
    const Rejection& rejection = tables_.rejection();
    add_bad_record(offset, end, rejection.table, rejection.column, rejection.reason);
}

Fault Shredder::Impl::on_record(std::size_t offset, pull::Element& element) {
    if (is_full()) return pull::stopped;
    tables_.begin_record();
    outcome_ = Outcome::done;
    depth_ = 0;
    order_path_.clear();
    pull::Kind kind;
    Fault fault = element.kind(kind);
    if (fault == no_fault) {
        const RowLinks links = begin_row(*root_, {}, 0);
        if (kind == pull::Kind::object) {
            fault = shred_object(element, root_->row, root_->state->rows - 1, links);
        } else {
            position_ = 0;
            fault = shred_value(element, kind, root_->row, *root_->value, root_->state->rows - 1, links);
        }
    }
    if (fault == pull::stopped && outcome_ != Outcome::done) {
        if (outcome_ == Outcome::rejected) {
            reject_record(offset, page_.text.size());
        } else {
            forget_record();
            normalize_record(offset);
        }
        fault = no_fault;
    } else if (fault != no_fault) {
        forget_record();
        return fault;
    }
    ++result_->records;
    return no_fault;
}

Fault Shredder::Impl::on_scalar_record(std::size_t offset, pull::RootScalar& scalar) {
    if (is_full()) return pull::stopped;
    tables_.begin_record();
    schema::Value value;
    if (scalar.kind == pull::Kind::text) {
        if (!pull::unescape_into(scalar.raw_text, scratch_)) return simdjson::STRING_ERROR;
        value = scratch_;
    } else if (scalar.kind == pull::Kind::boolean) {
        value = scalar.boolean;
    } else if (scalar.kind == pull::Kind::number) {
        value = to_value(scalar.number);
    }
    if (!normalizer_.normalize(value, *root_->state, root_->row_level, root_->has_root_id)) reject_record(offset, page_.text.size());
    ++result_->records;
    return no_fault;
}

/// The slow way for one record: as a value, then field by field.
void Shredder::Impl::normalize_record(std::size_t offset) {
    json::Value document;
    bool is_first = true;
    const pull::WalkEnd end = record_parser_.for_each_document(
        page_.text.data() + offset, json::document_length(page_.text.substr(offset)),
        [&](std::size_t, pull::Element& element) {
            if (!is_first) return pull::stopped;
            is_first = false;
            return json::read_value(element, document);
        },
        [&](std::size_t, pull::RootScalar&) { return pull::stopped; });
    if (end.fault != no_fault) {
        add_bad_record(offset, page_.text.size(), "", "", pull::describe(end.fault));
        return;
    }
    tables_.begin_record();
    if (!normalizer_.normalize(to_value(document), *root_->state, root_->row_level, root_->has_root_id)) {
        reject_record(offset, page_.text.size());
    }
    shape_.refresh();
}

RowLinks Shredder::Impl::begin_row(TableShape& shape, const RowLinks& parent, std::int64_t list_index) {
    RowLinks links;
    tables_.begin_row(*shape.state,
                      {.parent_id = parent.id.text(),
                       .root_id = parent.root_id != nullptr ? parent.root_id->text() : std::string_view(),
                       .list_index = list_index},
                      &links.id);
    links.root_id = parent.root_id;
    return links;
}

FieldOrder Shredder::Impl::field_order() const {
    FieldOrder order = order_path_;
    order.push_back(position_);
    return order;
}

Fault Shredder::Impl::shred_object(pull::Element& element, ObjectShape& object, std::size_t row, const RowLinks& links) {
    if (++depth_ > limits::json_depth_max) return pull::too_deep;
    const std::uint64_t serial = ++serial_;
    Slot* previous = nullptr;
    const std::int32_t outer_position = position_;
    position_ = -1;
    const Fault fault = pull::for_each_member(element, [&](pull::Key key, pull::Element& member) {
        return shred_member(key, member, object, previous, serial, row, links);
    });
    position_ = outer_position;
    --depth_;
    return fault;
}

inline Fault Shredder::Impl::shred_member(pull::Key key, pull::Element& element, ObjectShape& object, Slot*& previous,
                                          std::uint64_t serial, std::size_t row, const RowLinks& links) {
    Slot* slot = previous == nullptr ? object.first : previous->next;
    if (slot == nullptr || !key.equals(slot->raw)) {
        slot = &shape_.find_or_add(object, key);
        (previous == nullptr ? object.first : previous->next) = slot;
    }
    previous = slot;
    ++position_;
    // A name twice in one object: only the record normalizer knows which one counts.
    if (slot->seen == serial || slot->is_internal) return give_up(Outcome::needs_normalizer);
    slot->seen = serial;
    if (!slot->is_resolved) shape_.resolve(object, *slot);
    pull::Kind kind;
    if (const Fault fault = element.kind(kind)) return fault;
    return shred_value(element, kind, object, *slot, row, links);
}

inline Fault Shredder::Impl::shred_value(pull::Element& element, pull::Kind kind, ObjectShape& object, Slot& slot, std::size_t row,
                                         const RowLinks& links) {
    switch (kind) {
        case pull::Kind::text:
            return shred_text(element, object, slot, row);
        case pull::Kind::number:
            return shred_number(element, object, slot, row);
        case pull::Kind::boolean: {
            bool value = false;
            if (const Fault fault = element.boolean(value)) return fault;
            if (slot.state == nullptr || slot.type != DataType::bool_) return put(object, slot, value);
            if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
            slot.state->builder.append_bool(value);
            return no_fault;
        }
        case pull::Kind::null:
            if (const Fault fault = element.null()) return fault;
            return shred_null(object, slot);
        case pull::Kind::object: {
            if (object.level <= 0 || slot.is_json) return shred_whole(element, object, slot);
            order_path_.push_back(std::numeric_limits<std::int32_t>::max() - 1 - position_);
            const Fault fault = shred_object(element, shape_.object_below(object, slot), row, links);
            order_path_.pop_back();
            return fault;
        }
        case pull::Kind::array:
            if (object.level <= 0 || slot.is_json) return shred_whole(element, object, slot);
            return shred_list(element, object, slot, links);
    }
    return no_fault;
}

inline Fault Shredder::Impl::shred_text(pull::Element& element, ObjectShape& object, Slot& slot, std::size_t row) {
    const char* raw = nullptr;
    if (const Fault fault = element.raw_text(raw)) return fault;
    if (slot.state != nullptr) {
        if (slot.type == DataType::text) {
            if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
            return append_text(slot, raw);
        }
        if (slot.type == DataType::timestamp) {
            if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
            if (append_timestamp(slot, raw)) return no_fault;
        }
    }
    if (!pull::unescape_into(raw, scratch_)) return simdjson::STRING_ERROR;
    return put(object, slot, scratch_);
}

/// Unescapes straight into the column.
Fault Shredder::Impl::append_text(Slot& slot, const char* raw) {
    columns::ColumnBuilder& builder = slot.state->builder;
    std::size_t room = 256;
    std::size_t used = 0;
    while (true) {
        char* start = builder.begin_text(room);
        char* out = start + used;
        const pull::Unescape result = pull::unescape(raw, out, start + room + 16);
        used = static_cast<std::size_t>(out - start);
        if (result == pull::Unescape::done) break;
        if (result == pull::Unescape::bad) return simdjson::STRING_ERROR;
        room *= 2;
    }
    builder.end_text(used);
    return no_fault;
}

/// The common forms of a timestamp, without copying the text. False = look closer.
bool Shredder::Impl::append_timestamp(Slot& slot, const char* raw) {
    constexpr std::size_t length_max = 40;
    const auto* end = static_cast<const char*>(std::memchr(raw, '"', length_max));
    if (end == nullptr) return false;
    const std::optional<schema::Timestamp> parsed =
        schema::parse_common_timestamp({raw, static_cast<std::size_t>(end - raw)});
    if (!parsed) return false;
    // The same for both kinds of column: a wall clock is read as UTC, a point in time is shifted to UTC.
    slot.state->builder.append_int64(parsed->us);
    return true;
}

inline Fault Shredder::Impl::shred_number(pull::Element& element, ObjectShape& object, Slot& slot, std::size_t row) {
    pull::Number number;
    if (const Fault fault = element.number(number)) return fault;
    if (slot.state != nullptr) {
        if (number.kind == pull::NumberKind::int64) {
            if (slot.type == DataType::bigint) {
                if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
                slot.state->builder.append_int64(number.int64);
                return no_fault;
            }
            if (slot.type == DataType::double_) {
                if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
                slot.state->builder.append_double(static_cast<double>(number.int64));
                return no_fault;
            }
        } else if (number.kind == pull::NumberKind::float64 && slot.type == DataType::double_) {
            if (!begin_value(*slot.state, row)) return give_up(Outcome::needs_normalizer);
            slot.state->builder.append_double(number.float64);
            return no_fault;
        }
    }
    return put(object, slot, to_value(number));
}

Fault Shredder::Impl::shred_null(ObjectShape& object, Slot& slot) {
    if (slot.state != nullptr && slot.state->is_nullable) return no_fault;
    if (tables_.put_null(*object.table->state, slot.column) != PutResult::done) return give_up(Outcome::rejected);
    return no_fault;
}

/// An object or list that stays JSON.
Fault Shredder::Impl::shred_whole(pull::Element& element, ObjectShape& object, Slot& slot) {
    json::Value value;
    if (const Fault fault = json::read_value(element, value, depth_ + 1)) return fault;
    return put(object, slot, schema::Json{to_json_text(to_value(value))});
}

Fault Shredder::Impl::shred_list(pull::Element& element, ObjectShape& object, Slot& slot, const RowLinks& links) {
    if (++depth_ > limits::json_depth_max) return pull::too_deep;
    TableShape* shape = slot.list.get();
    std::int64_t index = 0;
    FieldOrder outer_path;
    outer_path.swap(order_path_);
    const std::int32_t outer_position = position_;
    const Fault fault = pull::for_each_element(element, [&](pull::Element& item) {
        // An empty list leaves no trace, so the table is made with its first element.
        if (shape == nullptr) shape = &shape_.list_below(object, slot);
        if (shape->is_shared) return give_up(Outcome::needs_normalizer);
        pull::Kind kind;
        if (const Fault inner = item.kind(kind)) return inner;
        RowLinks parent = links;
        if (shape->has_root_id && parent.root_id == nullptr) parent.root_id = &links.id;
        const RowLinks row_links = begin_row(*shape, parent, index++);
        const std::size_t row = shape->state->rows - 1;
        if (kind == pull::Kind::object) return shred_object(item, shape->row, row, row_links);
        position_ = 0;
        if (kind == pull::Kind::array) {
            if (!shape->list->is_resolved) shape_.resolve(shape->inner, *shape->list);
            return shred_value(item, kind, shape->inner, *shape->list, row, row_links);
        }
        if (!shape->value->is_resolved) shape_.resolve(shape->row, *shape->value);
        return shred_value(item, kind, shape->row, *shape->value, row, row_links);
    });
    position_ = outer_position;
    outer_path.swap(order_path_);
    --depth_;
    return fault;
}

/// The way for everything that is not a column's own type.
Fault Shredder::Impl::put(ObjectShape& object, Slot& slot, const schema::Value& value) {
    const PutResult result =
        tables_.put(*object.table->state, slot.column, value, [this] { return field_order(); });
    if (result == PutResult::collided) return give_up(Outcome::needs_normalizer);
    if (result == PutResult::rejected) return give_up(Outcome::rejected);
    if (slot.state == nullptr) shape_.resolve(object, slot);
    // A new JSON column changes what other keys of that name mean.
    if (value.is<schema::Json>()) shape_.refresh();
    return no_fault;
}

Shredder::Shredder(const Rules& rules) : impl_(std::make_unique<Impl>(rules)) {}
Shredder::~Shredder() = default;

void Shredder::shred(const JsonPage& page, std::string_view root_table, const std::shared_ptr<const schema::Schema>& snapshot,
                     PageResult& result) {
    impl_->shred(page, root_table, snapshot, result);
}

void Shredder::shred_values(std::span<const schema::Value> records, std::uint64_t page_number, std::string_view root_table,
                            const std::shared_ptr<const schema::Schema>& snapshot, PageResult& result) {
    impl_->shred_values(records, page_number, root_table, snapshot, result);
}

}  // namespace tipple::normalize
