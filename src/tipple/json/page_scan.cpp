#include "tipple/json/page_scan.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/json/read.h"

namespace tipple::json {

namespace {

using pull::Cursor;
using pull::Fault;

/// A path of which the first `matched` steps lead to the value that is looked at.
struct Active {
    const Path* path;
    std::size_t number;
    std::size_t matched;
};
using Actives = std::vector<Active>;

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

/// Walks a value along paths. `visit(number, Cursor&) -> Fault` is called for each match with a cursor of its own.
template <typename Visit>
class PathWalk {
public:
    explicit PathWalk(Visit visit) : visit_(std::move(visit)) {}

    /// Moves the cursor behind the value.
    Fault walk(Cursor& cursor, const Actives& actives, int depth) {
        if (cursor.is_at_end()) return Fault::not_closed;
        if (depth > limits::json_depth_max) return Fault::too_deep;
        Actives deeper;
        for (const Active& active : actives) {
            if (active.matched < active.path->steps().size()) {
                deeper.push_back(active);
                continue;
            }
            Cursor match = cursor;
            if (const Fault fault = visit_(active.number, match); fault != Fault::none) return fault;
        }
        if (deeper.empty()) return pull::skip_value(cursor);
        if (cursor.peek() == '{') return walk_object(cursor, deeper, depth);
        if (cursor.peek() == '[') return walk_list(cursor, deeper, depth);
        return pull::skip_value(cursor);
    }

private:
    Fault walk_object(Cursor& cursor, const Actives& actives, int depth) {
        std::string name;
        return pull::for_each_member(cursor, [&](pull::Key key, Cursor& member) {
            Actives inside;
            const bool has_escape = key.text().find('\\') != std::string_view::npos;
            if (has_escape && !pull::unescape_into(key.raw(), name)) return Fault::string_escape;
            const std::string_view text = has_escape ? std::string_view(name) : key.text();
            for (const Active& active : actives) {
                const Path::Step& step = active.path->steps()[active.matched];
                const bool matches = step.kind == Path::Step::Kind::wildcard || (step.kind == Path::Step::Kind::key && step.key == text);
                if (matches) inside.push_back({active.path, active.number, active.matched + 1});
            }
            return inside.empty() ? pull::skip_value(member) : walk(member, inside, depth + 1);
        });
    }

    Fault walk_list(Cursor& cursor, const Actives& actives, int depth) {
        std::size_t index = 0;
        std::optional<Cursor> last;
        const Fault fault = pull::for_each_element(cursor, [&](Cursor& element) {
            Actives inside;
            last = element;
            for (const Active& active : actives) {
                const Path::Step& step = active.path->steps()[active.matched];
                const bool matches = step.kind == Path::Step::Kind::wildcard || (step.kind == Path::Step::Kind::index && step.index == index);
                if (matches) inside.push_back({active.path, active.number, active.matched + 1});
            }
            ++index;
            return inside.empty() ? pull::skip_value(element) : walk(element, inside, depth + 1);
        });
        if (fault != Fault::none || !last) return fault;
        Actives inside;
        for (const Active& active : actives) {
            if (active.path->steps()[active.matched].kind == Path::Step::Kind::last) inside.push_back({active.path, active.number, active.matched + 1});
        }
        return inside.empty() ? Fault::none : walk(*last, inside, depth + 1);
    }

    Visit visit_;
};

Fault add_records(Cursor cursor, PageScan& scan) {
    scan.has_selection = true;
    const auto add = [&](Cursor& record) {
        const std::size_t begin = record.offset();
        const Fault fault = pull::skip_value(record);
        if (fault == Fault::none) scan.records.push_back({begin, end_of_value(record)});
        return fault;
    };
    if (cursor.peek() == '[') return pull::for_each_element(cursor, add);
    if (cursor.peek() == 'n') return pull::skip_value(cursor);
    return add(cursor);
}

Fault read_first(Cursor cursor, std::optional<Value>& value) {
    if (value) return Fault::none;
    return read_value(cursor, value.emplace());
}

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
    scan.values.resize(values.size());
    Actives actives = {{&records, values.size(), 0}};
    for (std::size_t i = 0; i < values.size(); ++i) actives.push_back({&values[i], i, 0});
    PathWalk walk([&](std::size_t number, Cursor& match) {
        return number == scan.values.size() ? add_records(match, scan) : read_first(match, scan.values[number]);
    });
    read_document(index_, text, size, [&](Cursor& cursor) {
        // A page for people, sent in the place of JSON, is one "scalar" or several.
        const bool is_scalar = cursor.peek() != '{' && cursor.peek() != '[';
        std::optional<Value> scalar;
        if (const Fault fault = is_scalar ? read_first(cursor, scalar) : Fault::none; fault != Fault::none) return fault;
        return walk.walk(cursor, actives, 1);
    });
    return scan;
}

std::vector<std::optional<Value>> PageScanner::values_of(const Span& record, const std::vector<Path>& paths) const {
    std::vector<std::optional<Value>> values(paths.size());
    Cursor cursor = index_.cursor();
    cursor.at = std::lower_bound(cursor.at, cursor.end, static_cast<std::uint32_t>(record.begin));
    Actives actives;
    for (std::size_t i = 0; i < paths.size(); ++i) actives.push_back({&paths[i], i, 0});
    PathWalk walk([&](std::size_t number, Cursor& match) { return read_first(match, values[number]); });
    if (const Fault fault = walk.walk(cursor, actives, 1); fault != Fault::none) fail(fault, record.begin);
    return values;
}

Value read_outline(const char* text, std::size_t size, int depth_max) {
    pull::Index index;
    Value outline;
    read_document(index, text, size, [&](Cursor& cursor) { return read_outline_value(cursor, outline, 1, depth_max); });
    return outline;
}

}  // namespace tipple::json
