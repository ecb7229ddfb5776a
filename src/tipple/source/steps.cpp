#include "tipple/source/steps.h"

#include <algorithm>
#include <set>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/json_value.h"
#include "tipple/source/record_filter.h"

namespace tipple::extract {

namespace {

bool contains(const std::vector<std::string>& names, const std::string& name) { return std::find(names.begin(), names.end(), name) != names.end(); }

/// What steps need to know of records in JSON.
struct JsonRecords {
    using Value = json::Value;
    using Object = json::Object;

    static bool meets(const Condition& condition, const json::Value& record) {
        return condition.holds([&](std::size_t i) {
            const std::vector<const json::Value*> found = condition.comparisons()[i].path.find_all(record);
            return found.empty() ? schema::Value() : schema::to_scalar(*found.front());
        });
    }
    static json::Object* object(json::Value& record) { return record.is_object() ? &record.as_object() : nullptr; }
    static json::Value* find(json::Object& object, const std::string& name) { return object.find(name); }
    static void put(json::Object& object, const std::string& name, json::Value value) { object.set(name, std::move(value)); }
    static json::Value of(const json::Value& value) { return value; }
    /// The elements, taken out of the list; nothing when it is none.
    static std::optional<std::vector<json::Value>> take_list(json::Value& value) {
        if (!value.is_array()) return std::nullopt;
        return std::move(value.as_array());
    }
};

/// The same of records that are typed values.
struct TypedRecords {
    using Value = schema::Value;
    using Object = schema::Object;

    static bool meets(const Condition& condition, const schema::Value& record) {
        return condition.holds([&](std::size_t i) {
            const schema::Value* found = find_first(record, condition.comparisons()[i].path);
            return found != nullptr ? *found : schema::Value();
        });
    }
    static schema::Object* object(schema::Value& record) { return std::get_if<schema::Object>(static_cast<schema::Value::variant*>(&record)); }
    static schema::Value* find(schema::Object& object, const std::string& name) {
        const auto found = std::find_if(object.begin(), object.end(), [&](const schema::Field& field) { return field.name == name; });
        return found == object.end() ? nullptr : &found->value;
    }
    static void put(schema::Object& object, const std::string& name, schema::Value value) {
        if (schema::Value* known = find(object, name)) {
            *known = std::move(value);
        } else {
            object.push_back({name, std::move(value)});
        }
    }
    static schema::Value of(const json::Value& value) { return schema::to_value(value); }
    /// A list, or one that is JSON text.
    static std::optional<std::vector<schema::Value>> take_list(schema::Value& value) {
        if (auto* list = std::get_if<schema::List>(static_cast<schema::Value::variant*>(&value))) return std::move(*list);
        const auto* whole = value.get_if<schema::Json>();
        const std::string* text = whole != nullptr ? &whole->text : value.get_if<std::string>();
        json::Value document;
        const bool may_be_list = text != nullptr && text->find_first_not_of(" \t\r\n") != std::string::npos && (*text)[text->find_first_not_of(" \t\r\n")] == '[';
        if (!may_be_list || !json::try_parse(*text, document) || !document.is_array()) return std::nullopt;
        std::vector<schema::Value> elements;
        for (const json::Value& element : document.as_array()) elements.push_back(schema::to_value(element));
        return elements;
    }
};

template <typename Kind>
class Steps {
public:
    using Value = typename Kind::Value;
    using Object = typename Kind::Object;
    using Take = std::function<void(Value)>;

    Steps(const std::vector<Step>& steps, const Take& take) : steps_(steps), take_(take) {}

    void apply(std::size_t at, Value record) const {
        for (; at < steps_.size(); ++at) {
            const Step& step = steps_[at];
            if (step.filter && !Kind::meets(*step.filter, record)) return;
            Object* object = Kind::object(record);
            if (object == nullptr) continue;
            Value* list = step.explode.empty() ? nullptr : Kind::find(*object, step.explode);
            if (list != nullptr) {
                if (std::optional<std::vector<Value>> elements = Kind::take_list(*list)) return explode(at, std::move(record), *std::move(elements));
            }
            change(step, *object);
        }
        take_(std::move(record));
    }

private:
    static void change(const Step& step, Object& record) {
        Object result;
        for (auto& field : record) {
            if (!step.keeps(field.name)) continue;
            const bool is_masked = step.masks(field.name) && !field.value.is_null();
            Kind::put(result, step.name_of(field.name), is_masked ? Value(std::string(masked_text)) : std::move(field.value));
        }
        for (const auto& [name, value] : step.set) Kind::put(result, name, Kind::of(value));
        record = std::move(result);
    }

    /// One record for each element of the list, which stands in the list's place. Where the list is empty, null stands there: nobody is lost for it. One at a
    /// time, so that however many there are, it is `take` that has to keep them.
    void explode(std::size_t at, Value record, std::vector<Value> elements) const {
        const Step& step = steps_[at];
        *Kind::find(*Kind::object(record), step.explode) = {};
        if (elements.empty()) elements.emplace_back();
        for (Value& element : elements) {
            Value one = record;
            *Kind::find(*Kind::object(one), step.explode) = std::move(element);
            change(step, *Kind::object(one));
            apply(at + 1, std::move(one));
        }
    }

    const std::vector<Step>& steps_;
    const Take& take_;
};

void read_rename(config::TableReader& reader, Step& step) {
    const config::Node* rename = reader.find("rename");
    if (rename == nullptr) return;
    if (!rename->is_table()) reader.problem("rename", "\"rename\" is a table such as { old = \"new\" }");
    std::set<std::string> names;
    for (const auto& [from, to] : rename->members) {
        step.rename.emplace_back(from, config::scalar_text(to));
        if (!names.insert(step.rename.back().second).second) reader.problem("rename", fmt::format("\"rename\" makes two fields \"{}\"", excerpt(step.rename.back().second)));
    }
}

}  // namespace

bool Step::keeps(const std::string& name) const { return (keep.empty() || contains(keep, name)) && !contains(drop, name); }

const std::string& Step::name_of(const std::string& name) const {
    const auto renamed = std::find_if(rename.begin(), rename.end(), [&](const auto& entry) { return entry.first == name; });
    return renamed != rename.end() ? renamed->second : name;
}

bool Step::masks(const std::string& name) const { return contains(mask, name); }

std::vector<Step> read_steps(const config::Node& node, const std::string& what, json::Path::Dialect dialect, config::Problems& problems) {
    std::vector<Step> steps;
    if (!node.is_list()) problems.add(node.place, fmt::format("{}: \"steps\" is a list such as [{{ drop = [\"body\"] }}]", what));
    for (const config::Node& item : node.items) {
        config::TableReader reader(item, fmt::format("{}, step {}", what, steps.size() + 1), problems);
        Step step;
        if (const std::optional<std::string> filter = reader.text("filter")) {
            try {
                step.filter = Condition::parse(*filter, "filter", dialect);
            } catch (const Error& error) {
                reader.problem("filter", error.what());
            }
        }
        step.keep = reader.texts("keep").value_or(std::vector<std::string>());
        step.drop = reader.texts("drop").value_or(std::vector<std::string>());
        step.explode = reader.text("explode").value_or("");
        step.mask = reader.texts("mask").value_or(std::vector<std::string>());
        read_rename(reader, step);
        if (const config::Node* set = reader.find("set")) {
            for (const auto& [name, value] : set->members) step.set.emplace_back(name, config::to_json(value));
            if (!set->is_table()) reader.problem("set", "\"set\" is a table such as { origin = \"eu\" }");
        }
        reader.refuse_others();
        steps.push_back(std::move(step));
    }
    return steps;
}

void apply_steps(const std::vector<Step>& steps, json::Value record, const std::function<void(json::Value)>& take) { Steps<JsonRecords>(steps, take).apply(0, std::move(record)); }

void apply_steps(const std::vector<Step>& steps, schema::Value record, const std::function<void(schema::Value)>& take) { Steps<TypedRecords>(steps, take).apply(0, std::move(record)); }

std::optional<std::string> name_after(const std::vector<Step>& steps, std::string name) {
    for (const Step& step : steps) {
        if (!step.keeps(name) || step.masks(name) || step.explode == name) return std::nullopt;
        const std::string& next = step.name_of(name);
        // Another field may take the name.
        const bool is_taken = std::any_of(step.rename.begin(), step.rename.end(), [&](const auto& entry) { return entry.first != name && entry.second == next; }) ||
                              std::any_of(step.set.begin(), step.set.end(), [&](const auto& entry) { return entry.first == next; });
        if (is_taken) return std::nullopt;
        name = std::string(next);
    }
    return name;
}

}  // namespace tipple::extract
