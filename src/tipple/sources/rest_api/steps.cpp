#include "tipple/sources/rest_api/steps.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::sources::rest {

namespace {

bool meets(const extract::Condition& condition, const json::Value& record) {
    return condition.holds([&](std::size_t i) {
        const std::vector<const json::Value*> found = condition.comparisons()[i].path.find_all(record);
        return found.empty() ? schema::Value() : extract::scalar_of(*found.front());
    });
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
        if (step.filter && !meets(*step.filter, record)) return;
        if (!record.is_object()) continue;
        const json::Value* list = step.explode.empty() ? nullptr : record.as_object().find(step.explode);
        if (list != nullptr && list->is_array()) return explode(steps, at, std::move(record), take);
        change(step, record.as_object());
    }
    take(record);
}

}  // namespace

std::vector<Step> read_steps(const config::Node& node, config::Problems& problems) {
    std::vector<Step> steps;
    if (!node.is_list()) problems.add(node.place, "\"steps\" is a list such as [{ drop = [\"body\"] }]");
    for (const config::Node& item : node.items) {
        config::TableReader reader(item, "a step", problems);
        Step step;
        if (const std::optional<std::string> filter = reader.text("filter")) {
            try {
                step.filter = extract::Condition::parse(*filter, "filter", json::Path::Dialect::full);
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
