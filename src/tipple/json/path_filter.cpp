#include "tipple/json/path_filter.h"

#include <regex.h>

#include <algorithm>
#include <array>

#include "tipple/core/error.h"

namespace tipple::json {

namespace {

using Operator = PathFilter::Operator;
using Kind = PathFilter::Kind;

constexpr int nesting_max = 32;

/// Longer ones first.
constexpr std::array<std::pair<std::string_view, Operator>, 7> operators = {{{"==", Operator::equal},
                                                                              {"!=", Operator::not_equal},
                                                                              {"<=", Operator::less_equal},
                                                                              {">=", Operator::greater_equal},
                                                                              {"<", Operator::less},
                                                                              {">", Operator::greater},
                                                                              {"=", Operator::equal}}};

/// Below, equal or above zero; nothing for values that are not equal and have no order to each other.
std::optional<int> compare(const Value& a, const Value& b) {
    if (a.is_number() && b.is_number()) {
        if (a.is_int() && b.is_int()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
        if (a.is_uint() && b.is_uint()) return a.as_uint() < b.as_uint() ? -1 : a.as_uint() > b.as_uint() ? 1 : 0;
        return a.as_double() < b.as_double() ? -1 : a.as_double() > b.as_double() ? 1 : 0;
    }
    if (a.is_text() && b.is_text()) return a.as_text().compare(b.as_text());
    if (a == b) return 0;
    return std::nullopt;
}

class FilterParser {
public:
    FilterParser(std::string_view text, std::size_t& at) : text_(text), at_(at) {}

    PathFilter parse(int depth) {
        const std::size_t start = at_;
        PathFilter filter = any(depth);
        if (peek() != ']') throw bad("expected `]`, `&&`, `||` or a comparison");
        filter.text = std::string(text_.substr(start, at_ - start));
        while (filter.text.ends_with(' ')) filter.text.pop_back();
        return filter;
    }

private:
    char peek() const { return at_ < text_.size() ? text_[at_] : '\0'; }
    Error bad(std::string_view why) const { return Error(ErrorKind::usage, "bad path \"{}\" at character {}: {}", text_, at_ + 1, why); }

    void skip_blanks() {
        while (peek() == ' ') ++at_;
    }

    bool take(std::string_view sign) {
        skip_blanks();
        if (!text_.substr(std::min(at_, text_.size())).starts_with(sign)) return false;
        at_ += sign.size();
        skip_blanks();
        return true;
    }

    PathFilter any(int depth) {
        if (depth > nesting_max) throw bad("the filter is nested too deeply");
        PathFilter filter{.kind = Kind::any};
        do filter.parts.push_back(all(depth));
        while (take("||"));
        return filter.parts.size() == 1 ? std::move(filter.parts.front()) : filter;
    }

    PathFilter all(int depth) {
        PathFilter filter{.kind = Kind::all};
        do filter.parts.push_back(one(depth));
        while (take("&&") || take("&"));
        return filter.parts.size() == 1 ? std::move(filter.parts.front()) : filter;
    }

    PathFilter one(int depth) {
        if (take("!")) {
            if (depth > nesting_max) throw bad("the filter is nested too deeply");
            PathFilter filter{.kind = Kind::none};
            filter.parts.push_back(one(depth + 1));
            return filter;
        }
        if (take("(")) {
            PathFilter filter = any(depth + 1);
            if (!take(")")) throw bad("expected `)`");
            return filter;
        }
        return comparison(depth);
    }

    PathFilter comparison(int depth) {
        PathFilter filter{.kind = Kind::exists, .path = path(depth)};
        if (take("=~")) {
            filter.kind = Kind::pattern;
            if (!is_at_quote()) throw bad("expected a regular expression in quotes");
            filter.pattern.emplace(text());
            skip_blanks();
            return filter;
        }
        const auto op = std::find_if(operators.begin(), operators.end(), [&](const auto& entry) { return take(entry.first); });
        if (op == operators.end()) return filter;
        filter.kind = Kind::compare;
        filter.op = op->second;
        if (peek() == '@') {
            filter.other = path(depth);
        } else {
            filter.value = value();
        }
        skip_blanks();
        return filter;
    }

    bool is_at_quote() const { return peek() == '\'' || peek() == '"'; }

    /// Steps over what a path may hold, brackets with all that is in them; what it says is the path's matter.
    Path path(int depth) {
        skip_blanks();
        if (peek() == '$') throw bad("a filter sees the element alone, which is `@`");
        const bool has_at = peek() == '@';
        if (has_at) ++at_;
        const std::size_t start = at_;
        int brackets = 0;
        for (; at_ < text_.size(); ++at_) {
            const char c = peek();
            if (is_at_quote()) {
                skip_quoted();
                --at_;
            } else if (c == '[') {
                ++brackets;
            } else if (c == ']' && --brackets < 0) {
                break;
            } else if (brackets == 0 && std::string_view(" =!<>&|()").find(c) != std::string_view::npos) {
                break;
            }
        }
        const std::string rest(text_.substr(start, at_ - start));
        if (rest.empty() && !has_at) throw bad("expected a path such as `@.name`");
        // The path says itself what is wrong with it; the element is its document.
        Path parsed = Path::parse(has_at ? "$" + rest : rest, Path::Dialect::full, depth + 1);
        skip_blanks();
        return parsed;
    }

    void skip_quoted() {
        const char quote = text_[at_++];
        while (at_ < text_.size() && text_[at_] != quote) at_ += text_[at_] == '\\' ? 2 : 1;
        if (at_ >= text_.size()) throw bad("the quote is not closed");
        ++at_;
    }

    /// Of either quotes. A backslash stays but before a quote or another one: regular expressions have their own.
    std::string text() {
        const std::size_t start = at_;
        skip_quoted();
        const std::string_view inside = text_.substr(start + 1, at_ - start - 2);
        std::string result;
        for (std::size_t i = 0; i < inside.size(); ++i) {
            const char next = i + 1 < inside.size() ? inside[i + 1] : '\0';
            if (inside[i] == '\\' && (next == text_[start] || next == '\\')) ++i;
            result += inside[i];
        }
        return result;
    }

    Value value() {
        if (is_at_quote()) return text();
        const std::size_t end = std::min(text_.find_first_of(" ])&|", at_), text_.size());
        Value value;
        if (!try_parse(text_.substr(at_, end - at_), value) || value.is_object() || value.is_array()) {
            throw bad("expected a number, true, false, null, a text in quotes or another path such as `@.name`");
        }
        at_ = end;
        return value;
    }

    std::string_view text_;
    std::size_t& at_;
};

/// An expression as POSIX takes it: it has no names for digits, and within brackets a backslash is a character like others, which no one means.
class PatternWriter {
public:
    explicit PatternWriter(std::string_view expression) : expression_(expression) {}

    std::string write() {
        while (!is_at_end()) {
            const char c = take();
            if (c == '[') {
                bracket();
            } else if (c == '\\' && !is_at_end()) {
                escape();
            } else {
                text_ += c;
            }
        }
        return std::move(text_);
    }

private:
    bool is_at_end() const { return at_ == expression_.size(); }
    char peek() const { return is_at_end() ? '\0' : expression_[at_]; }
    char take() { return expression_[at_++]; }
    static bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }
    static bool is_one_of(std::string_view set, char c) { return set.find(c) != std::string_view::npos; }

    Error unknown(char letter, std::string_view known) const {
        return Error(ErrorKind::usage, "\"{}\" is no regular expression that can be read: \\{} is not known{}", expression_, letter, known);
    }

    void escape() {
        const char c = take();
        if (c == 'd') {
            text_ += "[0-9]";
        } else if (c == 'D') {
            text_ += "[^0-9]";
        } else if (is_letter(c) && !is_one_of("wWsSbB", c)) {
            throw unknown(c, "; \\d, \\w, \\s and \\b are, and \\D, \\W, \\S and \\B");
        } else {
            text_ += '\\';
            text_ += c;
        }
    }

    /// Behind the opening bracket; up to the closing one, if there is one.
    void bracket() {
        text_ += '[';
        if (peek() == '^') text_ += take();
        if (peek() == ']') text_ += take();
        while (!is_at_end()) {
            const char c = take();
            if (c == '\\' && !is_at_end()) {
                escape_in_bracket();
                continue;
            }
            text_ += c;
            if (c == ']') return;
            if (c == '[' && !is_at_end() && is_one_of(":.=", peek())) named_class();
        }
    }

    /// `[:alpha:]` behind its bracket.
    void named_class() {
        const std::size_t end = expression_.find(std::string{peek(), ']'}, at_ + 1);
        const std::size_t behind = end == std::string_view::npos ? expression_.size() : end + 2;
        text_ += expression_.substr(at_, behind - at_);
        at_ = behind;
    }

    void escape_in_bracket() {
        const char c = take();
        if (c == 'd') {
            text_ += "0-9";
        } else if (c == 'w') {
            text_ += "[:alnum:]_";
        } else if (c == 's') {
            text_ += "[:space:]";
        } else if (is_letter(c)) {
            throw unknown(c, " within brackets; \\d, \\w and \\s are");
        } else if (is_one_of("]-^[\\", c)) {
            text_ += {'[', '.', c, '.', ']'};
        } else {
            text_ += c;
        }
    }

    std::string_view expression_;
    std::size_t at_ = 0;
    std::string text_;
};

}  // namespace

struct Pattern::Compiled {
    explicit Compiled(const std::string& expression) {
        const int code = regcomp(&regex, PatternWriter(expression).write().c_str(), REG_EXTENDED | REG_NOSUB);
        if (code == 0) return;
        std::array<char, 200> text = {};
        regerror(code, &regex, text.data(), text.size());
        throw Error(ErrorKind::usage, "\"{}\" is no regular expression: {}", expression, text.data());
    }
    ~Compiled() { regfree(&regex); }
    Compiled(const Compiled&) = delete;
    Compiled& operator=(const Compiled&) = delete;

    regex_t regex = {};
};

Pattern::Pattern(const std::string& expression) : compiled_(std::make_shared<const Compiled>(expression)) {}

bool Pattern::is_in(std::string_view text) const { return regexec(&compiled_->regex, std::string(text).c_str(), 0, nullptr, 0) == 0; }

PathFilter PathFilter::parse(std::string_view path, std::size_t& at, int depth) { return FilterParser(path, at).parse(depth); }

bool PathFilter::holds(const Find& find) const {
    const auto part_holds = [&](const PathFilter& part) { return part.holds(find); };
    if (kind == Kind::all) return std::all_of(parts.begin(), parts.end(), part_holds);
    if (kind == Kind::any) return std::any_of(parts.begin(), parts.end(), part_holds);
    if (kind == Kind::none) return std::none_of(parts.begin(), parts.end(), part_holds);
    const std::vector<Value> found = find(path);
    if (kind == Kind::exists) return !found.empty();
    if (kind == Kind::pattern) return std::any_of(found.begin(), found.end(), [&](const Value& one) { return one.is_text() && pattern->is_in(one.as_text()); });
    const std::vector<Value> others = other ? find(*other) : std::vector<Value>{value};
    // What is not there equals what is not there, and nothing else.
    if (found.empty() || others.empty()) return (found.empty() && others.empty()) == (op != Operator::not_equal) && op != Operator::less && op != Operator::greater;
    return std::any_of(found.begin(), found.end(),
                       [&](const Value& left) { return std::any_of(others.begin(), others.end(), [&](const Value& right) { return meets(op, left, right); }); });
}

bool meets(PathFilter::Operator op, const Value& left, const Value& right) {
    const std::optional<int> order = compare(left, right);
    switch (op) {
        case Operator::equal:
            return order == 0;
        case Operator::not_equal:
            return order != 0;
        case Operator::less:
            return order && *order < 0;
        case Operator::less_equal:
            return order && *order <= 0;
        case Operator::greater:
            return order && *order > 0;
        case Operator::greater_equal:
            return order && *order >= 0;
    }
    return false;
}

}  // namespace tipple::json
