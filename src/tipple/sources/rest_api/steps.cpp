#include "tipple/sources/rest_api/steps.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::sources::rest {

namespace {

using Operator = Condition::Operator;

/// Longer ones first.
constexpr std::array<std::pair<std::string_view, Operator>, 6> operators = {{{"==", Operator::equal},
                                                                             {"!=", Operator::not_equal},
                                                                             {"<=", Operator::less_equal},
                                                                             {">=", Operator::greater_equal},
                                                                             {"<", Operator::less},
                                                                             {">", Operator::greater}}};

class FilterParser {
public:
    explicit FilterParser(std::string_view text) : text_(text) {}

    std::vector<Condition> parse() {
        std::vector<Condition> conditions;
        while (true) {
            conditions.push_back(condition());
            skip_blanks();
            if (at_ == text_.size()) return conditions;
            if (!text_.substr(at_).starts_with("and ")) fail("expected \"and\", or the end");
            at_ += 4;
        }
    }

private:
    Condition condition() {
        Condition result;
        skip_blanks();
        const std::size_t end = text_.find_first_of(" =!<>", at_);
        if (end == std::string_view::npos || end == at_) fail("expected a field, then ==, !=, <, <=, > or >=, then a value");
        result.field = json::Path::parse(text_.substr(at_, end - at_));
        at_ = end;
        skip_blanks();
        const auto op = std::find_if(operators.begin(), operators.end(), [&](const auto& entry) { return text_.substr(at_).starts_with(entry.first); });
        if (op == operators.end()) fail("expected one of ==, !=, <, <=, > and >=");
        result.op = op->second;
        at_ += op->first.size();
        skip_blanks();
        const std::size_t start = at_;
        bool is_quoted = false;
        for (; at_ < text_.size() && (is_quoted || text_[at_] != ' '); ++at_) {
            if (text_[at_] == '\\') {
                ++at_;
            } else if (text_[at_] == '"') {
                is_quoted = !is_quoted;
            }
        }
        at_ = std::min(at_, text_.size());
        if (!json::try_parse(text_.substr(start, at_ - start), result.value) || result.value.is_object() || result.value.is_array()) {
            at_ = start;
            fail("expected a number, true, false, null or a text in double quotes");
        }
        return result;
    }

    void skip_blanks() {
        while (at_ < text_.size() && text_[at_] == ' ') ++at_;
    }

    [[noreturn]] void fail(const char* why) const { throw Error(ErrorKind::usage, "filter \"{}\" at character {}: {}", excerpt(text_), at_ + 1, why); }

    std::string_view text_;
    std::size_t at_ = 0;
};

/// Below, equal or above zero; nothing for values that have no order.
std::optional<int> compare(const json::Value& a, const json::Value& b) {
    if (a.is_number() && b.is_number()) {
        if (a.is_int() && b.is_int()) return a.as_int() < b.as_int() ? -1 : a.as_int() > b.as_int() ? 1 : 0;
        return a.as_double() < b.as_double() ? -1 : a.as_double() > b.as_double() ? 1 : 0;
    }
    if (a.is_text() && b.is_text()) return a.as_text().compare(b.as_text());
    if (a == b) return 0;
    return std::nullopt;
}

bool holds(const Condition& condition, const json::Value& record) {
    const std::vector<const json::Value*> found = condition.field.find_all(record);
    const json::Value value = found.empty() ? json::Value() : *found.front();
    const std::optional<int> order = compare(value, condition.value);
    switch (condition.op) {
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

bool contains(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

void apply(const Step& step, json::Object& record) {
    json::Object result;
    for (json::Member& member : record) {
        if (!step.keep.empty() && !contains(step.keep, member.name)) continue;
        if (contains(step.drop, member.name)) continue;
        const auto renamed = std::find_if(step.rename.begin(), step.rename.end(), [&](const auto& entry) { return entry.first == member.name; });
        const std::string& name = renamed != step.rename.end() ? renamed->second : member.name;
        const bool is_masked = contains(step.mask, member.name) && !member.value.is_null();
        result.set(name, is_masked ? json::Value("***") : std::move(member.value));
    }
    for (const auto& [name, value] : step.set) result.set(name, value);
    record = std::move(result);
}

}  // namespace

std::vector<Condition> parse_filter(std::string_view text) { return FilterParser(text).parse(); }

std::vector<Step> read_steps(const config::Node& node, config::Problems& problems) {
    std::vector<Step> steps;
    if (!node.is_list()) problems.add(node.place, "\"steps\" is a list such as [{ drop = [\"body\"] }]");
    for (const config::Node& item : node.items) {
        config::TableReader reader(item, "a step", problems);
        Step step;
        if (const std::optional<std::string> filter = reader.text("filter")) {
            try {
                step.filter = parse_filter(*filter);
            } catch (const Error& error) {
                reader.problem("filter", error.what());
            }
        }
        step.keep = reader.texts("keep").value_or(std::vector<std::string>());
        step.drop = reader.texts("drop").value_or(std::vector<std::string>());
        step.mask = reader.texts("mask").value_or(std::vector<std::string>());
        if (const config::Node* rename = reader.find("rename")) {
            for (const auto& [from, to] : rename->members) step.rename.emplace_back(from, config::scalar_text(to));
            if (!rename->is_table()) reader.problem("rename", "\"rename\" is a table such as { old = \"new\" }");
        }
        if (const config::Node* set = reader.find("set")) {
            for (const auto& [name, value] : set->members) step.set.emplace_back(name, config::to_json(value));
            if (!set->is_table()) reader.problem("set", "\"set\" is a table such as { origin = \"eu\" }");
        }
        reader.refuse_others();
        steps.push_back(std::move(step));
    }
    return steps;
}

bool apply_steps(const std::vector<Step>& steps, json::Value& record) {
    for (const Step& step : steps) {
        if (!std::all_of(step.filter.begin(), step.filter.end(), [&](const Condition& condition) { return holds(condition, record); })) return false;
        if (record.is_object()) apply(step, record.as_object());
    }
    return true;
}

}  // namespace tipple::sources::rest
