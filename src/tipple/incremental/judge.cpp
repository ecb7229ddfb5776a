#include "tipple/incremental/judge.h"

#include <charconv>

#include "tipple/incremental/bounds.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

using schema::Value;

PageJudge::PageJudge(const CursorStart& start, const Value& last, PageFold& fold) : start_(start), fold_(fold), from_(start.start), end_(start.spec.end_value) {
    if (start.judges_in_order()) fold.last = last;
}

PageJudge::Verdict PageJudge::count(Verdict verdict) {
    if (verdict == Verdict::drop) fold_.dropped.push_back(fold_.records);
    if (verdict == Verdict::keep) ++fold_.kept;
    ++fold_.records;
    return verdict;
}

PageJudge::Verdict PageJudge::fail(std::string text) {
    problem_ = std::move(text);
    return Verdict::problem;
}

PageJudge::Verdict PageJudge::judge_absent(Absence absence) {
    switch (start_.spec.on_cursor_value_missing) {
        case MissingCursor::include:
            return count(Verdict::keep);
        case MissingCursor::exclude:
            return count(Verdict::drop);
        case MissingCursor::raise:
            break;
    }
    return fail(fmt::format("resource \"{}\": the record has no value for the cursor \"{}\" ({}); to let such records in, or leave them out: "
                            "on_cursor_value_missing = include, or exclude",
                            start_.resource, start_.spec.cursor_path, absence == Absence::path ? "it is not there" : "it is null"));
}

namespace {

/// The value as the cursor's type has it; nothing when it cannot be read so.
std::optional<Value> to_type(const Value& value, schema::DataType type) {
    const auto* text = value.get_if<std::string>();
    const auto* number = value.get_if<std::int64_t>();
    const auto wrap = [](const auto& found) -> std::optional<Value> { return found ? std::optional<Value>(*found) : std::nullopt; };
    switch (type) {
        case schema::DataType::timestamp:
            if (text != nullptr) return wrap(schema::timestamp_from_text(*text));
            if (number != nullptr) return wrap(schema::timestamp_from_seconds(*number));
            if (const auto* seconds = value.get_if<double>()) return wrap(schema::timestamp_from_seconds(*seconds));
            return value.is<schema::Timestamp>() ? std::optional(value) : std::nullopt;
        case schema::DataType::date:
            if (text != nullptr) return wrap(schema::date_from_text(*text));
            return value.is<schema::Date>() ? std::optional(value) : std::nullopt;
        case schema::DataType::bigint: {
            if (text == nullptr) return number != nullptr ? std::optional(value) : std::nullopt;
            std::int64_t parsed = 0;
            const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed);
            return error == std::errc() && end == text->data() + text->size() ? std::optional<Value>(parsed) : std::nullopt;
        }
        case schema::DataType::double_: {
            if (number != nullptr) return Value(static_cast<double>(*number));
            if (text == nullptr) return value.is<double>() ? std::optional(value) : std::nullopt;
            double parsed = 0;
            const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), parsed);
            return error == std::errc() && end == text->data() + text->size() ? std::optional<Value>(parsed) : std::nullopt;
        }
        default:
            if (text != nullptr) return value;
            return number != nullptr ? std::optional<Value>(std::to_string(*number)) : std::nullopt;
    }
}

}  // namespace

bool PageJudge::take_type(Value& value) {
    std::optional<Value> typed = to_type(value, *start_.spec.value_type);
    if (!typed) {
        fail(fmt::format("resource \"{}\", cursor \"{}\": {} cannot be read as {}, the type that the cursor has", start_.resource, start_.spec.cursor_path, describe(value),
                         schema::to_text(*start_.spec.value_type)));
        return false;
    }
    value = *std::move(typed);
    return true;
}

/// False when the value is of another kind than those it has to be compared with.
bool PageJudge::begin_value(const Value& value) {
    const Kind kind = kind_of(value);
    if (kind == Kind::none) {
        fail(fmt::format("resource \"{}\", cursor \"{}\": a {} cannot be a cursor's value", start_.resource, start_.spec.cursor_path, type_name(value)));
        return false;
    }
    if (!fold_.first.is_null()) {
        if (kind == kind_of(fold_.first)) return true;
        fail(clash_text(start_, value, fold_.first, "the earlier value"));
        return false;
    }
    fold_.first = value;
    const auto clashes = [&](Value& bound, const char* what) {
        if (bound.is_null()) return false;
        bound = adapt_bound(bound, value, start_.spec.converts_bounds);
        if (kind_of(bound) == kind) return false;
        fail(clash_text(start_, value, bound, what));
        return true;
    };
    return !clashes(end_, "the end value") && !clashes(from_, "the last value");
}

bool PageJudge::is_behind_end(const Value& value) {
    if (end_.is_null()) return false;
    return start_.is_further(value, end_) || (start_.spec.range_end == Range::open && compare(value, end_) == 0);
}

/// By the function, of a cursor that has an end.
bool PageJudge::is_beyond_end(const Value& value) const {
    const LastValueFunction& function = start_.spec.last_value_func;
    return !is_same(function(value, &end_), end_) || (start_.spec.range_end == Range::open && is_same(function(value), end_));
}

void PageJudge::keep_value(Value value) {
    const bool is_first = fold_.last.is_null();
    if (is_first || start_.is_further(value, fold_.last)) {
        fold_.last = std::move(value);
        last_records_.clear();
    } else if (compare(value, fold_.last) != 0) {
        return;
    }
    if (start_.tells_apart) last_records_.push_back(fold_.records);
}

HashForm PageJudge::last_form() const {
    return is_same(fold_.last, from_) ? start_.form : HashForm::current;
}

}  // namespace tipple::incremental
