#pragma once

#include <cstddef>
#include <exception>
#include <new>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

#include "tipple/core/error.h"
#include "tipple/incremental/cursor.h"

namespace tipple::incremental {

/// Why a record has no cursor value.
enum class Absence { path, null };

/// Whether a record at the start was read by an earlier run, or the column of the key that it lacks.
struct Recognition {
    bool is_known = false;
    std::optional<std::string> missing_key;
};

/// Decides over the records of one page, in order, and sums up what they say.
class PageJudge {
public:
    enum class Verdict { keep, drop, problem };

    /// `last`: the last value before the page; of a cursor that judges in order only.
    PageJudge(const CursorStart& start, const schema::Value& last, PageFold& fold);

    /// A record that is null itself.
    void keep_null() { count(Verdict::keep); }
    Verdict judge_absent(Absence absence);
    /// `recognize` is called for records at the start only: Recognition().
    template <typename Recognize>
    Verdict judge(schema::Value value, Recognize&& recognize);

    /// Places of the kept records at the last value: they belong into the fold.
    const std::vector<std::size_t>& last_records() const { return last_records_; }
    HashForm last_form() const;
    bool tells_apart() const { return start_.tells_apart; }
    const std::string& problem() const { return problem_; }

private:
    /// As the reference does it, by what the function returns alone.
    template <typename Recognize>
    Verdict judge_by_function(const schema::Value& value, const Recognize& recognize);
    template <typename Recognize>
    Verdict judge_start(const Recognize& recognize);
    bool is_beyond_end(const schema::Value& value) const;
    Verdict count(Verdict verdict);
    bool take_type(schema::Value& value);
    bool begin_value(const schema::Value& value);
    bool is_behind_end(const schema::Value& value);
    bool is_at_start(const schema::Value& value) const { return !from_.is_null() && compare(value, from_) == 0; }
    void keep_value(schema::Value value);
    Verdict fail(std::string text);

    const CursorStart& start_;
    PageFold& fold_;
    /// The bounds, with a zone as the records have it.
    schema::Value from_;
    schema::Value end_;
    std::vector<std::size_t> last_records_;
    std::string problem_;
};

template <typename Recognize>
PageJudge::Verdict PageJudge::judge(schema::Value value, Recognize&& recognize) {
    if (start_.judges_in_order()) {
        try {
            return judge_by_function(value, recognize);
        } catch (const Bug&) {
            throw;
        } catch (const std::bad_alloc&) {
            throw;
        } catch (const std::exception& error) {
            return fail(fmt::format("resource \"{}\", cursor \"{}\": its last_value_func has failed: {}", start_.resource, start_.spec.cursor_path, error.what()));
        }
    }
    if (start_.spec.value_type && !take_type(value)) return Verdict::problem;
    if (!begin_value(value)) return Verdict::problem;
    // A number that is none has no place in any order.
    if (compare(value, value) != 0) return count(Verdict::keep);
    if (is_behind_end(value)) {
        fold_.is_behind_end = true;
        return count(Verdict::drop);
    }
    if (!from_.is_null() && start_.is_further(from_, value)) {
        fold_.is_before_start = true;
        return count(Verdict::drop);
    }
    if (is_at_start(value)) {
        if (start_.spec.range_start == Range::open) {
            fold_.is_before_start = true;
            return count(Verdict::drop);
        }
        if (const Verdict verdict = judge_start(recognize); verdict != Verdict::keep) return verdict;
    }
    keep_value(std::move(value));
    return count(Verdict::keep);
}

/// A record at the start: keeps it, not counted yet, unless an earlier run has read it.
template <typename Recognize>
PageJudge::Verdict PageJudge::judge_start(const Recognize& recognize) {
    if (!start_.tells_apart) return Verdict::keep;
    const Recognition own = recognize();
    if (own.missing_key) {
        return fail(fmt::format("resource \"{}\", cursor \"{}\": the record has no \"{}\", which is the key that tells records at the last value apart",
                                start_.resource, start_.spec.cursor_path, *own.missing_key));
    }
    // That says nothing of those behind it: new ones may have the same value.
    return own.is_known ? count(Verdict::drop) : Verdict::keep;
}

template <typename Recognize>
PageJudge::Verdict PageJudge::judge_by_function(const schema::Value& value, const Recognize& recognize) {
    const LastValueFunction& function = start_.spec.last_value_func;
    const auto with = [&](const schema::Value& last) { return function(value, last.is_null() ? nullptr : &last); };
    const auto is_nan = [](const schema::Value& any) { return kind_of(any) == Kind::number && compare(any, any) != 0; };
    if (is_nan(value)) return count(Verdict::keep);
    if (!end_.is_null() && is_beyond_end(value)) {
        fold_.is_behind_end = true;
        return count(Verdict::drop);
    }
    schema::Value next = with(fold_.last);
    if (is_nan(next)) throw Error(ErrorKind::usage, "it has returned NaN for {}, which no value is the same as", describe(value));
    if (!is_same(next, fold_.last)) {
        fold_.last = std::move(next);
        fold_.has_moved = true;
        last_records_.clear();
        if (start_.tells_apart) last_records_.push_back(fold_.records);
        return count(Verdict::keep);
    }
    const schema::Value own = function(value);
    const bool is_start = is_same(own, from_);
    const bool is_left_out = is_start ? start_.spec.range_start == Range::open : is_same(with(from_), from_);
    if (is_left_out) {
        fold_.is_before_start = true;
        return count(Verdict::drop);
    }
    if (is_start && is_same(with(from_), from_)) {
        if (const Verdict verdict = judge_start(recognize); verdict != Verdict::keep) return verdict;
    }
    if (start_.tells_apart && is_same(own, fold_.last)) last_records_.push_back(fold_.records);
    return count(Verdict::keep);
}

}  // namespace tipple::incremental
