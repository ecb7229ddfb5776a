#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_set>
#include <vector>

#include "tipple/incremental/hash.h"
#include "tipple/incremental/record_set.h"
#include "tipple/incremental/spec.h"
#include "tipple/incremental/value.h"
#include "tipple/json/path.h"
#include "tipple/json/value.h"

namespace tipple::incremental {

/// Everything that decides which records are read. Fixed before the first one comes, so that pages can be judged in any order.
struct CursorStart {
    std::string resource;
    Spec spec;
    json::Path path;
    /// The path is this one name.
    std::optional<std::string> name;
    /// The last value of the run before, or where the lag begins; null = there is none.
    schema::Value start;
    /// Of the records that were read at `start`, sorted. A record is known when it is among them, or in `records`.
    std::vector<std::string> hashes;
    HashForm form = HashForm::current;
    RecordSet records;
    /// Whether records at `start` are told apart.
    bool tells_apart = false;
    /// Columns that are hashed; nothing = the whole record.
    std::optional<std::vector<std::string>> key;

    /// Whether `a` comes behind `b`. Both are of one kind. Not where a function says what the last value is.
    bool is_further(const schema::Value& a, const schema::Value& b) const;
    /// Whether a record is judged by those before it too: then pages must be judged in order, each with the last value as of then.
    bool judges_in_order() const { return spec.last_value_func.is_custom(); }
};

/// What one page says of the cursor.
struct PageFold {
    std::uint64_t records = 0;
    std::uint64_t kept = 0;
    /// Places of the records that were left out, ascending.
    std::vector<std::size_t> dropped;
    /// The first value that was compared; null = no record has one.
    schema::Value first;
    /// The furthest one of the records that were kept; null = there is none. Of a function: what it has come to behind the page.
    schema::Value last;
    /// The kept records at `last`, not settled. Empty where records are not told apart.
    RecordSet records_at_last;
    /// Their hashes, sorted, unless the last value is crowded: then there are too many.
    std::vector<std::string> hashes;
    bool is_crowded = false;
    /// The column that a record at `last` lacks, so that it has no hash. An error only if no other page goes further.
    std::optional<std::string> missing_key;
    /// Of a last value that a function makes: it is another one than before the page, and of no earlier page's records.
    bool has_moved = false;
    /// A record lies before the start, or behind the end.
    bool is_before_start = false;
    bool is_behind_end = false;

    /// Place in the page of the record that is `kept` among those that were kept.
    std::size_t place_of(std::size_t kept_record) const;
};

/// The place that a record had before those at the places `dropped` went, which ascend; `kept_record` is its place among the others.
std::size_t place_before(std::size_t kept_record, const std::vector<std::size_t>& dropped);

/// The cursor of one resource in one run: takes the pages in order and knows what is to be remembered.
class Cursor {
public:
    /// `slot` is what was remembered, or nullptr. `primary_key` is the resource's. Throws Error(usage) for a spec that contradicts itself.
    Cursor(Spec spec, std::string resource, const std::vector<std::string>& primary_key, const json::Object* slot);

    const CursorStart& start() const { return start_; }
    /// Throws Error(data) when the page's values cannot be compared with those before.
    void take(const PageFold& fold);
    /// The furthest value so far, else where it starts.
    const schema::Value& last() const { return last_; }
    /// Whether the order of the records says that none of interest will follow.
    bool is_done() const { return is_done_; }
    /// What is to be remembered; nothing when the run neither uses nor changes that.
    std::optional<json::Object> slot();
    /// Whether more than `many_records` records share the last value, and did not before.
    bool has_become_coarse() const;
    static constexpr std::size_t many_records = 200;
    /// The last value, when more than `limits::cursor_hashes_max` records share it; else null. Pages need no hashes there.
    schema::Value crowded_value() const { return is_crowded_ ? last_ : schema::Value(); }

private:
    void check_range();
    void require_key(const PageFold& fold) const;
    void move_to(const schema::Value& value);
    bool lies_ahead(const schema::Value& initial) const;
    void read_known();
    void add_records(const PageFold& fold);
    void set_known(json::Object& slot);
    schema::Value further_of(const schema::Value& last, schema::Value known) const;
    void adapt_last(const schema::Value& like);
    [[noreturn]] void fail_clash(const schema::Value& value, const schema::Value& other, const char* what) const;

    CursorStart start_;
    std::optional<json::Object> stored_;
    schema::Value last_;
    /// Of the records at the last value: their hashes while it is not crowded, and the records that have come.
    std::unordered_set<std::string> hashes_;
    RecordSet records_;
    bool is_crowded_ = false;
    bool is_at_start_ = true;  ///< the last value is what it was
    Kind kind_ = Kind::none;  ///< of the values that came
    schema::Value first_;
    bool has_records_ = false;
    bool has_kept_ = false;
    bool has_value_ = false;  ///< of a record that was kept
    bool is_done_ = false;
};

/// Throws Error(usage) where a last value that a function makes goes with something that must know which values lie ahead.
void check_function(const Spec& spec, std::string_view resource);

/// The name that the cursor's path is, when it is one, as the reference tells it: `a` or `"a.b"`, but not `$.a`.
std::optional<std::string> cursor_field(const Spec& spec);

/// The text of an error for two values that cannot be compared.
std::string clash_text(const CursorStart& start, const schema::Value& value, const schema::Value& other, std::string_view what);

}  // namespace tipple::incremental
