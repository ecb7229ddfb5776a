#include "tipple/json/page_scan.h"

#include <algorithm>
#include <tuple>
#include <unordered_set>

#include "tipple/core/error.h"
#include "tipple/json/path_filter.h"
#include "tipple/json/read.h"

namespace tipple::json {

namespace {

using pull::Cursor;
using pull::Fault;

/// Where a match stands in the order of its path, when that is not the document's: the number of the alternative; for each step at any depth, and each
/// choice, the place of what it was applied to; and for a choice its number.
using Rank = std::vector<std::size_t>;

/// A path of which the first `matched` steps lead to the value that is looked at.
struct Active {
    const Path* path;
    std::size_t number;
    std::size_t matched;
    Rank rank = {};
    /// A filter on the way did not hold.
    bool is_left_out = false;

    const Path::Step& step() const { return path->steps()[matched]; }
    bool is_at_end() const { return matched == path->steps().size(); }
};
using Actives = std::vector<Active>;

void add_actives(Actives& actives, const Path& path, std::size_t number) {
    actives.push_back({&path, number, 0});
    if (path.alternatives().empty()) return;
    actives.back().rank = {0};
    for (const Path& alternative : path.alternatives()) actives.push_back({&alternative, number, 0, {actives.back().rank.front() + 1}});
}

[[noreturn]] void fail(Fault fault, std::size_t offset) {
    throw Error(ErrorKind::data, "the answer is not JSON: {} (at byte {})", pull::describe(fault), offset);
}

/// The end of the value whose last token the cursor has just passed.
std::size_t end_of_value(const Cursor& cursor) {
    std::size_t at = *(cursor.at - 1);
    const char* text = cursor.text;
    if (text[at] == '}' || text[at] == ']') return at + 1;
    if (text[at] == '"') return at + pull::Key(text + at + 1).text().size() + 2;
    while (!pull::ends_scalar(text[at]) && text[at] != '\0') ++at;
    return at;
}

constexpr std::size_t no_path = SIZE_MAX;

/// Walks a value along paths. `visit(const Active&, Cursor&) -> Fault` is called for each match with a cursor of its own. `unfiltered`: the number of a path of
/// which matches that filters leave out are visited, too, marked as left out.
template <typename Visit>
class PathWalk {
public:
    explicit PathWalk(Visit visit, std::size_t unfiltered = no_path) : visit_(std::move(visit)), unfiltered_(unfiltered) {}

    /// Moves the cursor behind the value.
    Fault walk(Cursor& cursor, const Actives& actives, int depth) {
        if (cursor.is_at_end()) return Fault::not_closed;
        if (depth > limits::json_depth_max) return Fault::too_deep;
        Actives deeper;
        for (const Active& active : actives) {
            if (!active.is_at_end()) {
                deeper.push_back(active);
                continue;
            }
            Cursor match = cursor;
            if (const Fault fault = visit_(active, match); fault != Fault::none) return fault;
        }
        if (deeper.empty()) return pull::skip_value(cursor);
        if (cursor.peek() == '{') return walk_object(cursor, deeper, depth);
        if (cursor.peek() == '[') return walk_list(cursor, deeper, depth);
        return pull::skip_value(cursor);
    }

private:
    Fault walk_object(Cursor& cursor, const Actives& actives, int depth) {
        std::string name;
        const std::size_t place = cursor.offset();
        return pull::for_each_member(cursor, [&](pull::Key key, Cursor& member) {
            const bool has_escape = key.text().find('\\') != std::string_view::npos;
            if (has_escape && !pull::unescape_into(key.raw(), name)) return Fault::string_escape;
            const std::string_view text = has_escape ? std::string_view(name) : key.text();
            return walk_child(member, actives, place, depth, [&](const Path::Step& step) { return step.takes_member(text); });
        });
    }

    Fault walk_list(Cursor& cursor, const Actives& actives, int depth) {
        const std::size_t place = cursor.offset();
        std::size_t count = 0;
        if (std::any_of(actives.begin(), actives.end(), [](const Active& active) { return active.step().needs_count(); })) {
            Cursor ahead = cursor;
            const Fault fault = pull::for_each_element(ahead, [&](Cursor& element) {
                ++count;
                return pull::skip_value(element);
            });
            if (fault != Fault::none) return fault;
        }
        std::size_t at = 0;
        return pull::for_each_element(cursor, [&](Cursor& element) {
            const Fault fault = walk_child(element, actives, place, depth, [&](const Path::Step& step) { return step.takes_element(at, count); });
            ++at;
            return fault;
        });
    }

    /// `place` is that of the object or list around it.
    template <typename Takes>
    Fault walk_child(Cursor& child, const Actives& actives, std::size_t place, int depth, Takes&& takes) {
        Actives inside;
        for (const Active& active : actives) {
            const std::optional<std::size_t> choice = takes(active.step());
            const std::size_t choices_count = active.step().choices.size();
            bool is_left_out = active.is_left_out;
            if (choice && active.step().filter != nullptr && !is_left_out) {
                if (const Fault fault = judge(child, *active.step().filter, depth, is_left_out); fault != Fault::none) return fault;
            }
            if (choice && (!is_left_out || active.number == unfiltered_)) {
                Active next{active.path, active.number, active.matched + 1, active.rank, is_left_out};
                if (active.step().is_descent || choices_count > 0) next.rank.push_back(place);
                if (choices_count > 0) next.rank.push_back(*choice);
                add_first(inside, std::move(next));
            }
            if (active.step().is_descent) add_first(inside, active);
        }
        return inside.empty() ? pull::skip_value(child) : walk(child, inside, depth + 1);
    }

    /// Where several ways lead to one place, one that filters take counts before others, and then the first in the order of the path: there are as many in
    /// the deepest document as the path has steps.
    static void add_first(Actives& actives, Active active) {
        const auto same = active.rank.empty() ? actives.end() : std::find_if(actives.begin(), actives.end(), [&](const Active& other) {
            return other.path == active.path && other.number == active.number && other.matched == active.matched;
        });
        if (same == actives.end()) {
            actives.push_back(std::move(active));
        } else if (std::tie(active.is_left_out, active.rank) < std::tie(same->is_left_out, same->rank)) {
            *same = std::move(active);
        }
    }

    static Fault judge(Cursor child, const PathFilter& filter, int depth, bool& is_left_out);

    Visit visit_;
    std::size_t unfiltered_;
};

/// All that a path finds in the value at the cursor.
Fault read_all(Cursor cursor, const Path& path, int depth, std::vector<Value>& values) {
    Actives actives;
    add_actives(actives, path, 0);
    PathWalk walk([&](const Active&, Cursor& match) { return read_value(match, values.emplace_back()); });
    return walk.walk(cursor, actives, depth);
}

template <typename Visit>
Fault PathWalk<Visit>::judge(Cursor child, const PathFilter& filter, int depth, bool& is_left_out) {
    Fault fault = Fault::none;
    is_left_out = !filter.holds([&](const Path& path) {
        std::vector<Value> values;
        if (fault == Fault::none) fault = read_all(child, path, depth + 1, values);
        return values;
    });
    return fault;
}

Fault span_of(Cursor& value, Span& span) {
    span.begin = value.offset();
    const Fault fault = pull::skip_value(value);
    if (fault == Fault::none) span.end = end_of_value(value);
    return fault;
}

/// Records as they are found, with their places in the order of the path.
class RecordList {
public:
    RecordList(const Path& path, PageScan& scan) : has_own_order_(path.has_own_order()), has_filter_(path.has_filter()), scan_(scan) {}

    Fault add(const Active& active, Cursor cursor) {
        const auto add_one = [&](Cursor& record) {
            Span span;
            if (const Fault fault = span_of(record, span); fault != Fault::none) return fault;
            if (has_own_order_) {
                ranked_.push_back({active.rank, span, active.is_left_out});
            } else {
                take(span, active.is_left_out);
            }
            return Fault::none;
        };
        if (cursor.peek() == '[') return pull::for_each_element(cursor, add_one);
        if (cursor.peek() == 'n') return pull::skip_value(cursor);
        return add_one(cursor);
    }

    /// Puts what has an order of its own into it, each once. What one way leaves out, another may take.
    void finish() {
        const auto key = [](const Ranked& one) { return std::tie(one.rank, one.span.begin); };
        std::sort(ranked_.begin(), ranked_.end(), [&](const Ranked& a, const Ranked& b) { return key(a) < key(b); });
        std::unordered_set<std::size_t> candidates;
        std::unordered_set<std::size_t> records;
        for (const Ranked& one : ranked_) {
            if (has_filter_ && candidates.insert(one.span.begin).second) scan_.candidates.push_back(one.span);
            if (one.is_left_out || !records.insert(one.span.begin).second) continue;
            scan_.has_own_order = scan_.has_own_order || (!scan_.records.empty() && one.span.begin < scan_.records.back().end);
            scan_.records.push_back(one.span);
        }
    }

private:
    struct Ranked {
        Rank rank;
        Span span;
        bool is_left_out;
    };

    void take(const Span& span, bool is_left_out) {
        if (has_filter_) scan_.candidates.push_back(span);
        if (!is_left_out) scan_.records.push_back(span);
    }

    bool has_own_order_;
    bool has_filter_;
    PageScan& scan_;
    std::vector<Ranked> ranked_;
};

/// The first matches of paths, in their order.
class FirstMatches {
public:
    explicit FirstMatches(std::size_t count) : values(count), ranks_(count) {}

    Fault take(const Active& active, Cursor cursor) {
        std::optional<Value>& value = values[active.number];
        if (value && active.rank >= ranks_[active.number]) return Fault::none;
        ranks_[active.number] = active.rank;
        return read_value(cursor, value.emplace());
    }

    std::vector<std::optional<Value>> values;

private:
    std::vector<Rank> ranks_;
};

/// Reads the one document of a text by `read(Cursor&) -> Fault`.
template <typename Read>
void read_document(pull::Index& index, const char* text, std::size_t size, Read&& read) {
    if (const Fault fault = index.build(text, size); fault != Fault::none) throw Error(ErrorKind::data, "the answer is not JSON: {}", pull::describe(fault));
    Cursor cursor = index.cursor();
    if (cursor.is_at_end()) fail(Fault::empty, 0);
    Fault fault = read(cursor);
    if (fault == Fault::none && !cursor.is_at_end()) fault = Fault::trailing;
    if (fault != Fault::none) fail(fault, cursor.is_at_end() ? size : cursor.offset());
}

Fault read_outline_value(Cursor& cursor, Value& value, int depth, int depth_max) {
    const char first = cursor.peek();
    if (first != '{' && first != '[') return read_value(cursor, value);
    if (depth > depth_max) return pull::skip_value(cursor);
    if (first == '[') {
        Array elements;
        const Fault fault = pull::for_each_element(cursor, [&](Cursor& element) {
            if (!elements.empty()) return pull::skip_value(element);
            elements.emplace_back();
            return read_outline_value(element, elements.back(), depth + 1, depth_max);
        });
        value = std::move(elements);
        return fault;
    }
    Object members;
    const Fault fault = pull::for_each_member(cursor, [&](pull::Key key, Cursor& member) {
        std::string name;
        if (!pull::unescape_into(key.raw(), name)) return Fault::string_escape;
        Value child;
        const Fault inner = read_outline_value(member, child, depth + 1, depth_max);
        members.set(name, std::move(child));
        return inner;
    });
    value = std::move(members);
    return fault;
}

}  // namespace

PageScan PageScanner::scan(const char* text, std::size_t size, const Path& records, const std::vector<Path>& values) {
    PageScan scan;
    RecordList list(records, scan);
    FirstMatches first(values.size());
    const std::size_t records_number = values.size();
    Actives actives;
    add_actives(actives, records, records_number);
    for (std::size_t i = 0; i < values.size(); ++i) add_actives(actives, values[i], i);
    const auto visit = [&](const Active& active, Cursor& match) {
        if (active.number != records_number) return first.take(active, match);
        scan.has_selection = scan.has_selection || !active.is_left_out;
        return list.add(active, match);
    };
    PathWalk walk(visit, records_number);
    read_document(index_, text, size, [&](Cursor& cursor) {
        // A page for people, sent in the place of JSON, is one "scalar" or several.
        const bool is_scalar = cursor.peek() != '{' && cursor.peek() != '[';
        Cursor ahead = cursor;
        Value scalar;
        if (const Fault fault = is_scalar ? read_value(ahead, scalar) : Fault::none; fault != Fault::none) return fault;
        return walk.walk(cursor, actives, 1);
    });
    list.finish();
    scan.values = std::move(first.values);
    return scan;
}

std::vector<std::optional<Value>> PageScanner::values_of(const Span& record, const std::vector<Path>& paths) const {
    FirstMatches first(paths.size());
    Cursor cursor = index_.cursor();
    cursor.at = std::lower_bound(cursor.at, cursor.end, static_cast<std::uint32_t>(record.begin));
    Actives actives;
    for (std::size_t i = 0; i < paths.size(); ++i) add_actives(actives, paths[i], i);
    PathWalk walk([&](const Active& active, Cursor& match) { return first.take(active, match); });
    if (const Fault fault = walk.walk(cursor, actives, 1); fault != Fault::none) fail(fault, record.begin);
    return std::move(first.values);
}

Value read_outline(const char* text, std::size_t size, int depth_max) {
    pull::Index index;
    Value outline;
    read_document(index, text, size, [&](Cursor& cursor) { return read_outline_value(cursor, outline, 1, depth_max); });
    return outline;
}

}  // namespace tipple::json
