#include "tipple/json/path.h"

#include "tipple/core/error.h"

namespace tipple::json {

namespace {

class PathParser {
public:
    PathParser(std::string_view text, Path::FromEnd from_end) : text_(text), from_end_(from_end) {}

    std::vector<Path::Step> parse() {
        std::vector<Path::Step> steps;
        if (peek() == '$') ++at_;
        bool first = at_ == 0;
        while (at_ < text_.size()) {
            if (peek() == '[') {
                steps.push_back(bracket());
            } else {
                if (peek() == '.') {
                    if (first) throw bad("a path does not start with a dot");
                    ++at_;
                } else if (!first) {
                    throw bad("expected `.` or `[`");
                }
                steps.push_back(name());
            }
            first = false;
        }
        return steps;
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }

    Error bad(std::string_view why) const {
        return Error(ErrorKind::usage, "bad path \"{}\" at character {}: {}", text_, at_ + 1, why);
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

    Path::Step name() {
        if (peek() == '*') {
            ++at_;
            return {Path::Step::Kind::wildcard, {}, 0};
        }
        if (peek() == '\'' || peek() == '"') return {Path::Step::Kind::key, quoted_key(), 0};
        const std::size_t end = std::min(text_.find_first_of(".[", at_), text_.size());
        std::string key(text_.substr(at_, end - at_));
        if (key.empty()) throw bad("a name is missing");
        at_ = end;
        return {Path::Step::Kind::key, std::move(key), 0};
    }

    Path::Step bracket() {
        ++at_;
        Path::Step step;
        if (peek() == '*') {
            ++at_;
            step.kind = Path::Step::Kind::wildcard;
        } else if (peek() == '\'' || peek() == '"') {
            step.key = quoted_key();
        } else if (from_end_ == Path::FromEnd::allowed && text_.substr(at_).starts_with("-1]")) {
            at_ += 2;
            step.kind = Path::Step::Kind::last;
        } else {
            step.kind = Path::Step::Kind::index;
            const std::size_t start = at_;
            while (peek() >= '0' && peek() <= '9' && at_ - start < 18) {
                step.index = step.index * 10 + static_cast<std::size_t>(peek() - '0');
                ++at_;
            }
            if (at_ == start) throw bad("expected a number, `*` or a quoted name");
        }
        if (peek() != ']') throw bad("expected `]`");
        ++at_;
        return step;
    }

    std::string_view text_;
    Path::FromEnd from_end_;
    std::size_t at_ = 0;
};

void collect(const Value& value, const std::vector<Path::Step>& steps, std::size_t at,
             std::vector<const Value*>& found) {
    if (at == steps.size()) {
        found.push_back(&value);
        return;
    }
    const Path::Step& step = steps[at];
    if (step.kind == Path::Step::Kind::key) {
        if (!value.is_object()) return;
        if (const Value* member = value.as_object().find(step.key)) collect(*member, steps, at + 1, found);
    } else if (step.kind == Path::Step::Kind::index) {
        if (!value.is_array() || step.index >= value.as_array().size()) return;
        collect(value.as_array()[step.index], steps, at + 1, found);
    } else if (step.kind == Path::Step::Kind::last) {
        if (value.is_array() && !value.as_array().empty()) collect(value.as_array().back(), steps, at + 1, found);
    } else if (value.is_array()) {
        for (const Value& element : value.as_array()) collect(element, steps, at + 1, found);
    } else if (value.is_object()) {
        for (const Member& member : value.as_object()) collect(member.value, steps, at + 1, found);
    }
}

}  // namespace

Path Path::parse(std::string_view text, FromEnd from_end) {
    if (text.empty()) throw Error(ErrorKind::usage, "an empty text is not a path; the whole document is `$`");
    Path path;
    path.steps_ = PathParser(text, from_end).parse();
    return path;
}

Path Path::of_keys(const std::vector<std::string>& keys) {
    Path path;
    for (const std::string& key : keys) path.steps_.push_back({Step::Kind::key, key, 0});
    return path;
}

std::string Path::text() const {
    std::string text = steps_.empty() ? "$" : "";
    for (const Step& step : steps_) {
        const bool is_name = step.kind == Step::Kind::key || step.kind == Step::Kind::wildcard;
        if (is_name && !text.empty()) text += '.';
        if (step.kind == Step::Kind::wildcard) text += '*';
        if (step.kind == Step::Kind::index) text += fmt::format("[{}]", step.index);
        if (step.kind == Step::Kind::last) text += "[-1]";
        if (step.kind != Step::Kind::key) continue;
        const bool is_plain = !step.key.empty() && step.key != "*" && step.key.front() != '$' && step.key.find_first_of(".['\"\\") == std::string::npos;
        if (is_plain) {
            text += step.key;
            continue;
        }
        text += '\'';
        for (const char c : step.key) {
            if (c == '\'' || c == '\\') text += '\\';
            text += c;
        }
        text += '\'';
    }
    return text;
}

std::vector<const Value*> Path::find_all(const Value& document) const {
    std::vector<const Value*> found;
    collect(document, steps_, 0, found);
    return found;
}

}  // namespace tipple::json
