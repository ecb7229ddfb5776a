#include "tipple/source/condition.h"

#include <algorithm>
#include <array>
#include <compare>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/incremental/bounds.h"
#include "tipple/incremental/value.h"
#include "tipple/schema/json_value.h"

namespace tipple::extract {

namespace {

using Operator = Condition::Operator;

/// Longer ones first.
constexpr std::array<std::pair<std::string_view, Operator>, 6> operators = {{{"==", Operator::equal},
                                                                             {"!=", Operator::not_equal},
                                                                             {"<=", Operator::less_equal},
                                                                             {">=", Operator::greater_equal},
                                                                             {"<", Operator::less},
                                                                             {">", Operator::greater}}};

/// Brackets and `not` within each other.
constexpr int depth_max = 64;

/// Nothing where there is no order between the two; they may be equal all the same.
std::partial_ordering order_of(const schema::Value& field, const schema::Value& wanted) {
    if (field.is<bool>() || wanted.is<bool>()) return std::partial_ordering::unordered;
    const schema::Value adapted = incremental::adapt_bound(wanted, field, wanted.is<std::string>());
    const incremental::Kind kind = incremental::kind_of(field);
    if (kind == incremental::Kind::none || kind != incremental::kind_of(adapted)) return std::partial_ordering::unordered;
    // A text that a number was read from is still a text.
    if (kind == incremental::Kind::number && wanted.is<std::string>()) return std::partial_ordering::unordered;
    return incremental::compare(field, adapted);
}

bool is_equal(const schema::Value& field, const schema::Value& wanted) {
    if (field.is_null() || wanted.is_null()) return field.is_null() && wanted.is_null();
    if (field.is<bool>() && wanted.is<bool>()) return field.as<bool>() == wanted.as<bool>();
    return order_of(field, wanted) == std::partial_ordering::equivalent;
}

}  // namespace

bool Condition::Comparison::holds(const schema::Value& field) const {
    switch (op) {
        case Operator::equal:
            return is_equal(field, value);
        case Operator::not_equal:
            return !is_equal(field, value);
        case Operator::less:
            return order_of(field, value) < 0;
        case Operator::less_equal:
            return order_of(field, value) <= 0;
        case Operator::greater:
            return order_of(field, value) > 0;
        case Operator::greater_equal:
            return order_of(field, value) >= 0;
    }
    return false;
}

bool Condition::holds(const Node& node, const std::function<schema::Value(std::size_t)>& value_of) const {
    const auto part_holds = [&](const Node& part) { return holds(part, value_of); };
    switch (node.kind) {
        case Node::Kind::comparison:
            return comparisons_[node.comparison].holds(value_of(node.comparison));
        case Node::Kind::all:
            return std::all_of(node.parts.begin(), node.parts.end(), part_holds);
        case Node::Kind::any:
            return std::any_of(node.parts.begin(), node.parts.end(), part_holds);
        case Node::Kind::none:
            return std::none_of(node.parts.begin(), node.parts.end(), part_holds);
    }
    return false;
}

class ConditionParser {
public:
    ConditionParser(std::string_view text, std::string_view what, json::Path::Dialect dialect) : text_(text), what_(what), dialect_(dialect) {}

    Condition parse() {
        condition_.text_ = text_;
        condition_.root_ = any(0);
        skip_blanks();
        if (at_ < text_.size()) fail("expected \"and\", \"or\", or the end");
        return std::move(condition_);
    }

private:
    using Node = Condition::Node;

    Node any(int depth) { return list(Node::Kind::any, "or", depth, &ConditionParser::all); }
    Node all(int depth) { return list(Node::Kind::all, "and", depth, &ConditionParser::one); }

    Node list(Node::Kind kind, std::string_view word, int depth, Node (ConditionParser::*part)(int)) {
        Node node{.kind = kind, .parts = {}};
        do {
            node.parts.push_back((this->*part)(depth));
        } while (take_word(word));
        return node.parts.size() == 1 ? Node(std::move(node.parts.front())) : node;
    }

    Node one(int depth) {
        if (depth > depth_max) fail("too many brackets within each other");
        skip_blanks();
        if (take_word("not")) {
            Node node{.kind = Node::Kind::none, .parts = {}};
            node.parts.push_back(one(depth + 1));
            return node;
        }
        if (at_ < text_.size() && text_[at_] == '(') {
            ++at_;
            Node node = any(depth + 1);
            skip_blanks();
            if (at_ >= text_.size() || text_[at_] != ')') fail("expected \")\"");
            ++at_;
            return node;
        }
        return comparison();
    }

    Node comparison() {
        Condition::Comparison result;
        const std::size_t end = end_of_field();
        if (end == text_.size() || end == at_) fail("expected a field, then ==, !=, <, <=, > or >=, then a value");
        try {
            result.path = json::Path::parse(text_.substr(at_, end - at_), dialect_);
        } catch (const Error& error) {
            fail(error.what());
        }
        const std::vector<json::Path::Step>& steps = result.path.steps();
        if (steps.size() == 1 && steps.front().kind == json::Path::Step::Kind::key && !steps.front().is_descent && result.path.alternatives().empty()) {
            result.name = steps.front().key;
        }
        at_ = end;
        skip_blanks();
        const auto op = std::find_if(operators.begin(), operators.end(), [&](const auto& entry) { return text_.substr(at_).starts_with(entry.first); });
        if (op == operators.end()) fail("expected one of ==, !=, <, <=, > and >=");
        result.op = op->second;
        at_ += op->first.size();
        skip_blanks();
        const std::size_t value_end = end_of_value();
        json::Value value;
        if (!json::try_parse(text_.substr(at_, value_end - at_), value) || value.is_object() || value.is_array()) {
            fail("expected a number, true, false, null or a text in double quotes");
        }
        result.value = schema::to_scalar(value);
        at_ = value_end;
        condition_.comparisons_.push_back(std::move(result));
        return {.kind = Node::Kind::comparison, .comparison = condition_.comparisons_.size() - 1};
    }

    /// Quoted names and what stands in square brackets may hold anything.
    std::size_t end_of_field() const {
        int brackets = 0;
        char quote = '\0';
        for (std::size_t i = at_; i < text_.size(); ++i) {
            const char c = text_[i];
            if (quote != '\0') {
                if (c == '\\') ++i;
                if (c == quote) quote = '\0';
            } else if (c == '\'' || c == '"') {
                quote = c;
            } else if (c == '[') {
                ++brackets;
            } else if (c == ']') {
                --brackets;
            } else if (brackets == 0 && std::string_view(" =!<>()").find(c) != std::string_view::npos) {
                return i;
            }
        }
        return text_.size();
    }

    std::size_t end_of_value() const {
        bool is_quoted = false;
        std::size_t i = at_;
        for (; i < text_.size() && (is_quoted || (text_[i] != ' ' && text_[i] != ')')); ++i) {
            if (text_[i] == '\\') {
                ++i;
            } else if (text_[i] == '"') {
                is_quoted = !is_quoted;
            }
        }
        return std::min(i, text_.size());
    }

    bool take_word(std::string_view word) {
        skip_blanks();
        const std::string_view rest = text_.substr(at_);
        const bool is_there = rest.starts_with(word) && rest.size() > word.size() && (rest[word.size()] == ' ' || rest[word.size()] == '(');
        if (is_there) at_ += word.size();
        return is_there;
    }

    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }

    [[noreturn]] void fail(std::string_view why) const { throw Error(ErrorKind::usage, "{} \"{}\" at character {}: {}", what_, excerpt(text_), at_ + 1, why); }

    std::string_view text_;
    std::string_view what_;
    json::Path::Dialect dialect_;
    std::size_t at_ = 0;
    Condition condition_;
};

Condition Condition::parse(std::string_view text, std::string_view what, json::Path::Dialect dialect) { return ConditionParser(text, what, dialect).parse(); }

}  // namespace tipple::extract
