#include "tipple/incremental/judge.h"

#include "tipple/incremental/bounds.h"

namespace tipple::incremental {

using schema::Value;

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
    return is_at_start(fold_.last) ? start_.form : HashForm::current;
}

}  // namespace tipple::incremental
