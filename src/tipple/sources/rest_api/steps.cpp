#include "tipple/sources/rest_api/steps.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::sources::rest {

namespace {

using Operator = json::PathFilter::Operator;

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
        result.field = json::Path::parse(text_.substr(at_, end - at_), json::Path::Dialect::full);
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

bool holds(const Condition& condition, const json::Value& record) {
    const std::vector<const json::Value*> found = condition.field.find_all(record);
    const json::Value value = found.empty() ? json::Value() : *found.front();
    return json::meets(condition.op, value, condition.value);
}

bool contains(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

void change(const Step& step, json::Object& record) {
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

bool meets_all(const std::vector<Condition>& filter, const json::Value& record) {
    return std::all_of(filter.begin(), filter.end(), [&](const Condition& condition) { return holds(condition, record); });
}

using Take = std::function<void(const json::Value&)>;

void apply_from(const std::vector<Step>& steps, std::size_t at, json::Value record, const Take& take);

/// One record for each element of the list, which stands in the list's place. Where the list is empty, null stands there: nobody is lost for it. One at a
/// time, so that however many there are, it is `take` that has to keep them.
void explode(const std::vector<Step>& steps, std::size_t at, json::Value record, const Take& take) {
    json::Value& list = *record.as_object().find(steps[at].explode);
    json::Array elements = std::move(list.as_array());
    list = {};
    if (elements.empty()) elements.emplace_back();
    for (json::Value& element : elements) {
        json::Value one = record;
        one.as_object().set(steps[at].explode, std::move(element));
        change(steps[at], one.as_object());
        apply_from(steps, at + 1, std::move(one), take);
    }
}

void apply_from(const std::vector<Step>& steps, std::size_t at, json::Value record, const Take& take) {
    for (; at < steps.size(); ++at) {
        const Step& step = steps[at];
        if (!meets_all(step.filter, record)) return;
        if (!record.is_object()) continue;
        const json::Value* list = step.explode.empty() ? nullptr : record.as_object().find(step.explode);
        if (list != nullptr && list->is_array()) return explode(steps, at, std::move(record), take);
        change(step, record.as_object());
    }
    take(record);
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
        step.explode = reader.text("explode").value_or("");
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

void apply_steps(const std::vector<Step>& steps, json::Value record, const std::function<void(const json::Value&)>& take) {
    apply_from(steps, 0, std::move(record), take);
}

}  // namespace tipple::sources::rest
