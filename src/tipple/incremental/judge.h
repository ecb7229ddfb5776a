#pragma once

#include <cstddef>
#include <optional>
#include <string>
#include <vector>

#include <fmt/format.h>

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

    PageJudge(const CursorStart& start, PageFold& fold) : start_(start), fold_(fold), from_(start.start), end_(start.spec.end_value) {}

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
        if (start_.tells_apart) {
            const Recognition own = recognize();
            if (own.missing_key) {
                return fail(fmt::format("resource \"{}\", cursor \"{}\": the record has no \"{}\", which is the key that tells records at the last value apart",
                                        start_.resource, start_.spec.cursor_path, *own.missing_key));
            }
            // It was read by an earlier run. That says nothing of those behind it: new ones may have the same value.
            if (own.is_known) return count(Verdict::drop);
        }
    }
    keep_value(std::move(value));
    return count(Verdict::keep);
}

}  // namespace tipple::incremental
