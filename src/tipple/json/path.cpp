#include "tipple/json/path.h"

#include <algorithm>
#include <set>

#include "tipple/core/error.h"
#include "tipple/json/path_filter.h"

namespace tipple::json {

namespace {

using Step = Path::Step;
using Kind = Path::Step::Kind;

class PathParser {
public:
    PathParser(std::string_view text, Path::Dialect dialect, int filter_depth) : text_(text), is_full_(dialect == Path::Dialect::full), filter_depth_(filter_depth) {}

    /// The alternatives, at least one.
    std::vector<std::vector<Step>> parse() {
        std::vector<std::vector<Step>> alternatives;
        while (true) {
            alternatives.push_back(steps());
            if (at_ >= text_.size()) return alternatives;
        }
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    bool is_at_bar() const { return is_full_ && peek() == '|'; }

    /// At a bar behind which a whole path stands; goes behind the bar.
    bool take_bar_of_path() {
        if (!is_at_bar()) return false;
        const std::size_t next = text_.find_first_not_of(' ', at_ + 1);
        if (next == std::string_view::npos || text_[next] != '$') return false;
        at_ = next;
        return true;
    }

    Error bad(std::string_view why) const { return Error(ErrorKind::usage, "bad path \"{}\" at character {}: {}", text_, at_ + 1, why); }

    void skip_blanks() {
        while (is_full_ && peek() == ' ') ++at_;
    }

    /// Up to the end, or to a bar behind which an alternative begins.
    std::vector<Step> steps() {
        std::vector<Step> steps;
        skip_blanks();
        if (at_ >= text_.size() || is_at_bar()) throw bad("a path is missing; the whole document is `$`");
        bool is_first = true;
        if (peek() == '$') {
            ++at_;
            is_first = false;
        }
        for (skip_blanks(); at_ < text_.size() && !take_bar_of_path(); skip_blanks()) {
            if (is_at_bar()) {
                add_choice(steps);
                continue;
            }
            const bool is_descent = is_full_ && text_.substr(at_).starts_with("..");
            if (is_descent) {
                at_ += 2;
            } else if (peek() == '.') {
                if (is_first) throw bad("a path does not start with a dot");
                ++at_;
                if (peek() == '[' && !is_full_) throw bad("a name is missing");
            } else if (peek() != '[' && !is_first) {
                throw bad("expected `.` or `[`");
            }
            steps.push_back(peek() == '[' ? bracket() : name());
            steps.back().is_descent = is_descent;
            is_first = false;
        }
        return steps;
    }

    /// `b|c`: a name beside the one before it.
    void add_choice(std::vector<Step>& steps) {
        const auto is_name = [](const Step& step) { return step.kind == Kind::key; };
        const bool is_behind_name =
            !steps.empty() && (is_name(steps.back()) || (steps.back().kind == Kind::choice && std::all_of(steps.back().choices.begin(), steps.back().choices.end(), is_name)));
        if (!is_behind_name) throw bad("before `|` stands a name, or behind it a whole path, which begins with `$`");
        ++at_;
        skip_blanks();
        Step& before = steps.back();
        if (before.kind == Kind::key) before = {.kind = Kind::choice, .choices = {Step{.key = before.key}}, .is_descent = before.is_descent};
        before.choices.push_back(name());
        if (before.choices.back().kind != Kind::key) throw bad("behind `|` stands a name, or a whole path, which begins with `$`");
    }

    std::string quoted_key() {
        const char quote = text_[at_++];
        std::string key;
        while (true) {
            if (at_ >= text_.size()) throw bad("the quote is not closed");
            const char c = text_[at_++];
            if (c == quote) return key;
            if (c == '\\' && at_ < text_.size()) {
                key += text_[at_++];
            } else {
                key += c;
            }
        }
    }

    bool is_at_quote() const { return peek() == '\'' || peek() == '"'; }

    Step name() {
        if (peek() == '*') {
            ++at_;
            return {.kind = Kind::wildcard};
        }
        if (is_at_quote()) return {.key = quoted_key()};
        const std::size_t end = std::min(text_.find_first_of(is_full_ ? ".[|" : ".[", at_), text_.size());
        std::string key(text_.substr(at_, end - at_));
        while (is_full_ && key.ends_with(' ')) key.pop_back();
        if (key.empty()) throw bad("a name is missing");
        at_ = end;
        return {.key = std::move(key)};
    }

    Step bracket() {
        ++at_;
        skip_blanks();
        Step step;
        if (peek() == '*') {
            ++at_;
            step.kind = Kind::wildcard;
        } else if (is_full_ && peek() == '?') {
            ++at_;
            step.kind = Kind::filter;
            step.filter = std::make_shared<const PathFilter>(PathFilter::parse(text_, at_, filter_depth_));
        } else {
            step = selector();
            while (is_full_ && (skip_blanks(), peek() == ',')) {
                ++at_;
                skip_blanks();
                if (step.kind != Kind::choice) step = {.kind = Kind::choice, .choices = {std::move(step)}};
                step.choices.push_back(selector());
            }
        }
        skip_blanks();
        if (peek() != ']') throw bad("expected `]`");
        ++at_;
        return step;
    }

    /// One name, place or slice between brackets.
    Step selector() {
        if (is_at_quote()) return {.key = quoted_key()};
        const std::optional<std::int64_t> first = number();
        if (is_full_ && (skip_blanks(), peek() == ':')) return slice(first);
        if (!first) throw bad(is_full_ ? "expected a number, a slice, a filter, `*` or a quoted name" : "expected a number, `*` or a quoted name");
        if (*first < 0) return {.kind = Kind::last, .index = static_cast<std::size_t>(-*first)};
        return {.kind = Kind::index, .index = static_cast<std::size_t>(*first)};
    }

    Step slice(std::optional<std::int64_t> begin) {
        Step step{.kind = Kind::slice, .slice = {.begin = begin}};
        ++at_;
        skip_blanks();
        step.slice.end = number();
        skip_blanks();
        if (peek() != ':') return step;
        ++at_;
        skip_blanks();
        step.slice.step = number().value_or(1);
        if (step.slice.step < 1) throw bad("the step of a slice is 1 or more: what is found keeps the order it has in the document");
        return step;
    }

    std::optional<std::int64_t> number() {
        constexpr std::size_t digits_max = 18;
        const bool is_negative = is_full_ && peek() == '-';
        if (is_negative) ++at_;
        const std::size_t start = at_;
        std::int64_t number = 0;
        for (; peek() >= '0' && peek() <= '9' && at_ - start < digits_max; ++at_) number = number * 10 + (peek() - '0');
        if (at_ == start && is_negative) throw bad("a number is missing behind `-`");
        if (at_ == start) return std::nullopt;
        if (is_negative && number == 0) throw bad("places from the end begin with -1");
        return is_negative ? -number : number;
    }

    std::string_view text_;
    bool is_full_;
    int filter_depth_;
    std::size_t at_ = 0;
};

/// Finds in the order that `Path::has_own_order` describes.
class Search {
public:
    /// `may_repeat`: several ways may lead to one place; the first counts.
    explicit Search(bool may_repeat) : may_repeat_(may_repeat) {}

    std::vector<const Value*> found;

    void search(const Value& document, const std::vector<Step>& steps) {
        seen_.clear();
        search(document, steps, 0);
    }

private:
    void search(const Value& value, const std::vector<Step>& steps, std::size_t at) {
        if (may_repeat_ && !seen_.emplace(&value, at).second) return;
        if (at == steps.size()) {
            if (!may_repeat_ || found_.insert(&value).second) found.push_back(&value);
            return;
        }
        for (std::size_t choice = 0; choice < std::max<std::size_t>(steps[at].choices.size(), 1); ++choice) {
            for_each_child(value, [&](const Value& child, const std::string* name, std::size_t place, std::size_t count) {
                const std::optional<std::size_t> taken = name != nullptr ? steps[at].takes_member(*name) : steps[at].takes_element(place, count);
                if (taken == choice && meets_filter(steps[at], child)) search(child, steps, at + 1);
            });
        }
        if (!steps[at].is_descent) return;
        for_each_child(value, [&](const Value& child, const std::string*, std::size_t, std::size_t) { search(child, steps, at); });
    }

    /// Members by their name, elements by their place.
    template <typename Visit>
    static void for_each_child(const Value& value, Visit&& visit) {
        if (value.is_array()) {
            const Array& elements = value.as_array();
            for (std::size_t i = 0; i < elements.size(); ++i) visit(elements[i], nullptr, i, elements.size());
        } else if (value.is_object()) {
            for (const Member& member : value.as_object()) visit(member.value, &member.name, 0, 0);
        }
    }

    static bool meets_filter(const Step& step, const Value& child) {
        return step.filter == nullptr || step.filter->holds([&](const Path& path) {
            std::vector<Value> values;
            for (const Value* value : path.find_all(child)) values.push_back(*value);
            return values;
        });
    }

    bool may_repeat_;
    /// What was looked at with so many steps behind it.
    std::set<std::pair<const Value*, std::size_t>> seen_;
    std::set<const Value*> found_;
};

std::string quoted_name(const std::string& key) {
    std::string text = "'";
    for (const char c : key) {
        if (c == '\'' || c == '\\') text += '\\';
        text += c;
    }
    return text + "'";
}

std::string selector_text(const Step& step) {
    if (step.kind == Kind::key) return quoted_name(step.key);
    if (step.kind == Kind::last) return fmt::format("-{}", step.index);
    if (step.kind == Kind::index) return fmt::format("{}", step.index);
    const auto bound = [](const std::optional<std::int64_t>& value) { return value ? std::to_string(*value) : std::string(); };
    std::string text = bound(step.slice.begin) + ":" + bound(step.slice.end);
    if (step.slice.step != 1) text += fmt::format(":{}", step.slice.step);
    return text;
}

std::string bracket_text(const Step& step) {
    if (step.kind == Kind::filter) return "[?" + step.filter->text + "]";
    if (step.kind != Kind::choice) return "[" + selector_text(step) + "]";
    std::string text;
    for (const Step& choice : step.choices) text += (text.empty() ? "[" : ",") + selector_text(choice);
    return text + "]";
}

std::string steps_text(const std::vector<Step>& steps) {
    std::string text = steps.empty() || steps.front().is_descent ? "$" : "";
    for (const Step& step : steps) {
        const bool is_name = step.kind == Kind::key || step.kind == Kind::wildcard;
        if (step.is_descent) {
            text += "..";
        } else if (is_name && !text.empty()) {
            text += '.';
        }
        if (step.kind == Kind::wildcard) text += '*';
        if (!is_name) text += bracket_text(step);
        if (step.kind != Kind::key) continue;
        const bool is_plain = !step.key.empty() && step.key != "*" && step.key.front() != '$' && step.key.find_first_of(".[|'\"\\") == std::string::npos &&
                              step.key.front() != ' ' && step.key.back() != ' ';
        text += is_plain ? step.key : quoted_name(step.key);
    }
    return text;
}

}  // namespace

namespace {

bool is_in_slice(const Path::Slice& slice, std::size_t at, std::size_t count) {
    const auto place = [&](std::int64_t bound) { return bound < 0 ? std::max<std::int64_t>(0, bound + static_cast<std::int64_t>(count)) : bound; };
    const std::int64_t begin = place(slice.begin.value_or(0));
    const auto here = static_cast<std::int64_t>(at);
    return here >= begin && (!slice.end || here < place(*slice.end)) && (here - begin) % slice.step == 0;
}

template <typename Takes>
std::optional<std::size_t> find_choice(const std::vector<Step>& choices, Takes&& takes) {
    const auto found = std::find_if(choices.begin(), choices.end(), takes);
    if (found == choices.end()) return std::nullopt;
    return static_cast<std::size_t>(found - choices.begin());
}

}  // namespace

std::optional<std::size_t> Path::Step::takes_member(std::string_view name) const {
    if (kind == Kind::choice) return find_choice(choices, [&](const Step& choice) { return choice.takes_member(name).has_value(); });
    const bool is_taken = kind == Kind::key ? key == name : kind == Kind::wildcard || kind == Kind::filter;
    return is_taken ? std::optional<std::size_t>(0) : std::nullopt;
}

std::optional<std::size_t> Path::Step::takes_element(std::size_t at, std::size_t count) const {
    if (kind == Kind::choice) return find_choice(choices, [&](const Step& choice) { return choice.takes_element(at, count).has_value(); });
    const bool is_taken = (kind == Kind::index && index == at) || (kind == Kind::last && at + index == count) || (kind == Kind::slice && is_in_slice(slice, at, count)) ||
                          kind == Kind::wildcard || kind == Kind::filter;
    return is_taken ? std::optional<std::size_t>(0) : std::nullopt;
}

bool Path::Step::needs_count() const {
    const bool counts_from_end = slice.begin.value_or(0) < 0 || slice.end.value_or(0) < 0;
    return kind == Kind::last || (kind == Kind::slice && counts_from_end) ||
           std::any_of(choices.begin(), choices.end(), [](const Step& choice) { return choice.needs_count(); });
}

Path Path::parse(std::string_view text, Dialect dialect, int filter_depth) {
    if (text.empty()) throw Error(ErrorKind::usage, "an empty text is not a path; the whole document is `$`");
    std::vector<std::vector<Step>> alternatives = PathParser(text, dialect, filter_depth).parse();
    Path path;
    path.steps_ = std::move(alternatives.front());
    for (std::size_t i = 1; i < alternatives.size(); ++i) path.alternatives_.emplace_back().steps_ = std::move(alternatives[i]);
    return path;
}

Path Path::of_keys(const std::vector<std::string>& keys) {
    Path path;
    for (const std::string& key : keys) path.steps_.push_back({.key = key});
    return path;
}

std::string Path::text() const {
    std::string text = steps_text(steps_);
    for (const Path& alternative : alternatives_) {
        const std::string other = steps_text(alternative.steps_);
        text += other.front() == '$' ? "|" + other : other.front() == '[' ? "|$" + other : "|$." + other;
    }
    return text;
}

bool Path::has_own_order() const {
    return !alternatives_.empty() || std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.is_descent || step.kind == Kind::choice; });
}

bool Path::has_filter() const {
    return std::any_of(steps_.begin(), steps_.end(), [](const Step& step) { return step.filter != nullptr; }) ||
           std::any_of(alternatives_.begin(), alternatives_.end(), [](const Path& alternative) { return alternative.has_filter(); });
}

std::vector<const Value*> Path::find_all(const Value& document) const {
    Search search(has_own_order());
    search.search(document, steps_);
    for (const Path& alternative : alternatives_) search.search(document, alternative.steps_);
    return std::move(search.found);
}

}  // namespace tipple::json
