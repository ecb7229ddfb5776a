#include "tipple/sources/rest_api/template.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <ctime>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/incremental/value.h"
#include "tipple/io/url.h"
#include "tipple/schema/datetime_text.h"
#include "tipple/schema/json_value.h"

namespace tipple::sources::rest {

namespace {

using Filter = Placeholder::Filter;
using Root = Placeholder::Root;

constexpr std::int64_t us_per_second = 1'000'000;

const std::array<std::pair<std::string_view, Root>, 4> roots = {{{"parent", Root::parent}, {"cursor", Root::cursor}, {"run", Root::run}, {"page", Root::page}}};

const std::array<std::pair<std::string_view, Filter::Kind>, 8> filters = {{{"iso", Filter::Kind::iso},
                                                                           {"date", Filter::Kind::date},
                                                                           {"epoch", Filter::Kind::epoch},
                                                                           {"epoch_ms", Filter::Kind::epoch_ms},
                                                                           {"add", Filter::Kind::add},
                                                                           {"urlencode", Filter::Kind::urlencode},
                                                                           {"raw", Filter::Kind::raw},
                                                                           {"json", Filter::Kind::json}}};

/// The value as a point in time: a timestamp, a date, seconds since 1970, or text of one of these.
std::optional<schema::Timestamp> to_timestamp(const schema::Value& value) {
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return *timestamp;
    if (const auto* date = value.get_if<schema::Date>()) return schema::Timestamp{.us = std::int64_t{date->days} * 86'400 * us_per_second, .is_aware = false};
    if (const auto* seconds = value.get_if<std::int64_t>()) return schema::timestamp_from_seconds(*seconds);
    if (const auto* seconds = value.get_if<double>()) return schema::timestamp_from_seconds(*seconds);
    if (const auto* text = value.get_if<std::string>()) return schema::timestamp_from_text(*text);
    return std::nullopt;
}

std::string iso_text(const schema::Timestamp& timestamp) {
    std::string text = schema::to_iso_text(schema::Timestamp{.us = timestamp.us, .is_aware = true});
    if (text.ends_with("+00:00")) text.replace(text.size() - 6, 6, "Z");
    return text;
}

std::string date_text(const schema::Timestamp& timestamp, const std::string& format) {
    const auto seconds = static_cast<std::time_t>(std::floor(static_cast<double>(timestamp.us) / us_per_second));
    std::tm time{};
    gmtime_r(&seconds, &time);
    std::array<char, 256> buffer{};
    const std::size_t size = std::strftime(buffer.data(), buffer.size(), format.c_str(), &time);
    return {buffer.data(), size};
}

schema::Value add(const schema::Value& value, const Filter& filter) {
    if (const auto* number = value.get_if<std::int64_t>()) {
        if (filter.number == std::floor(filter.number)) return *number + static_cast<std::int64_t>(filter.number);
        return static_cast<double>(*number) + filter.number;
    }
    if (const auto* number = value.get_if<double>()) return *number + filter.number;
    if (std::optional<schema::Timestamp> time = to_timestamp(value)) {
        time->us += static_cast<std::int64_t>(filter.number * us_per_second);
        if (value.is<std::string>()) return iso_text(*time);
        return *time;
    }
    throw Error(ErrorKind::data, "\"add\" needs a number or a time, not {}", incremental::describe(value));
}

schema::Value apply_filter(const schema::Value& value, const Filter& filter) {
    const auto time = [&] {
        if (const std::optional<schema::Timestamp> found = to_timestamp(value)) return *found;
        throw Error(ErrorKind::data, "{} is no point in time", incremental::describe(value));
    };
    switch (filter.kind) {
        case Filter::Kind::iso:
            return iso_text(time());
        case Filter::Kind::date:
            return date_text(time(), filter.format);
        case Filter::Kind::epoch:
            return time().us / us_per_second;
        case Filter::Kind::epoch_ms:
            return time().us / 1'000;
        case Filter::Kind::add:
            return add(value, filter);
        case Filter::Kind::urlencode:
            return io::percent_encode(to_request_text(value));
        case Filter::Kind::json:
            return json::to_text(to_json_value(value));
        case Filter::Kind::raw:
            break;
    }
    return value;
}

[[noreturn]] void refuse(const std::string& text, const std::string& why) { throw Error(ErrorKind::usage, "placeholder {}: {}", excerpt(text), why); }

Filter parse_filter(const std::string& text, std::string_view filter) {
    const std::size_t colon = filter.find(':');
    const std::string name(filter.substr(0, colon));
    const std::string argument = colon == std::string_view::npos ? "" : std::string(filter.substr(colon + 1));
    const auto known = std::find_if(filters.begin(), filters.end(), [&](const auto& entry) { return entry.first == name; });
    if (known == filters.end()) {
        std::vector<std::string> names;
        for (const auto& [one, kind] : filters) names.emplace_back(one);
        const std::optional<std::string> near = did_you_mean(name, names);
        refuse(text, fmt::format("there is no filter \"{}\"; {}", excerpt(name), near ? fmt::format("did you mean \"{}\"?", *near) : fmt::format("there are: {}", join(names, ", "))));
    }
    Filter result{.kind = known->second, .format = argument};
    if (result.kind == Filter::Kind::date && argument.empty()) refuse(text, "\"date\" needs a format, such as date:%Y-%m-%d");
    if (result.kind == Filter::Kind::add) {
        const auto [end, error] = std::from_chars(argument.data(), argument.data() + argument.size(), result.number);
        const bool is_number = error == std::errc() && end == argument.data() + argument.size();
        const bool is_negative = argument.starts_with('-');
        const std::optional<double> seconds = is_number ? result.number : parse_duration_seconds(argument.substr(is_negative ? 1 : 0));
        if (!seconds) refuse(text, "\"add\" needs a number, or a time such as add:1d or add:-5m");
        result.number = is_number ? *seconds : is_negative ? -*seconds : *seconds;
    }
    return result;
}

void check_path(const Placeholder& placeholder) {
    switch (placeholder.root) {
        case Root::parent:
            json::Path::parse(placeholder.path, json::Path::Dialect::full);
            return;
        case Root::cursor:
            if (placeholder.path != "start" && placeholder.path != "end") refuse(placeholder.text, "a cursor has start and end");
            return;
        case Root::run:
            if (placeholder.path != "start") refuse(placeholder.text, "a run has start");
            return;
        case Root::page:
            if (placeholder.path != "number") refuse(placeholder.text, "a page has number");
            return;
    }
}

/// Nothing when what stands between the braces does not start with a root.
std::optional<Placeholder> parse_placeholder(std::string_view inside) {
    const std::size_t dot = inside.find('.');
    const auto root = std::find_if(roots.begin(), roots.end(), [&](const auto& entry) { return entry.first == inside.substr(0, dot); });
    if (dot == std::string_view::npos || root == roots.end()) return std::nullopt;
    Placeholder placeholder{.text = fmt::format("{{{}}}", inside), .root = root->second};
    std::string_view rest = inside.substr(dot + 1);
    placeholder.path = std::string(rest.substr(0, rest.find('|')));
    for (std::size_t bar = rest.find('|'); bar != std::string_view::npos; bar = rest.find('|')) {
        rest.remove_prefix(bar + 1);
        placeholder.filters.push_back(parse_filter(placeholder.text, rest.substr(0, rest.find('|'))));
    }
    check_path(placeholder);
    return placeholder;
}

schema::Value look_up(const Placeholder& placeholder, const Scope& scope) {
    switch (placeholder.root) {
        case Root::parent:
            return scope.parent ? scope.parent(placeholder.path) : schema::Value();
        case Root::cursor:
            return placeholder.path == "start" ? scope.cursor_start : scope.cursor_end;
        case Root::run:
            return schema::Timestamp{.us = scope.run_start_us, .is_aware = true};
        case Root::page:
            return static_cast<std::int64_t>(scope.page);
    }
    return {};
}

}  // namespace

schema::Value Placeholder::evaluate(const Scope& scope) const {
    schema::Value value = look_up(*this, scope);
    if (value.is_null()) return value;
    try {
        for (const Filter& filter : filters) value = apply_filter(value, filter);
    } catch (const Error& error) {
        throw error.with_context(fmt::format("placeholder {}", text));
    }
    return value;
}

bool Placeholder::is_raw() const {
    return std::any_of(filters.begin(), filters.end(), [](const Filter& filter) { return filter.kind == Filter::Kind::raw || filter.kind == Filter::Kind::urlencode; });
}

Template Template::parse(std::string_view text) {
    Template result;
    std::string literal;
    while (!text.empty()) {
        const std::size_t end = text.front() == '{' ? text.find('}') : std::string_view::npos;
        std::optional<Placeholder> placeholder;
        if (end != std::string_view::npos) placeholder = parse_placeholder(text.substr(1, end - 1));
        if (!placeholder) {
            literal += text.front();
            text.remove_prefix(1);
            continue;
        }
        if (!literal.empty()) result.parts_.emplace_back(std::move(literal));
        literal.clear();
        result.parts_.emplace_back(*std::move(placeholder));
        text.remove_prefix(end + 1);
    }
    if (!literal.empty()) result.parts_.emplace_back(std::move(literal));
    return result;
}

const Placeholder* Template::single() const { return parts_.size() == 1 ? std::get_if<Placeholder>(&parts_.front()) : nullptr; }

bool Template::uses(Root root) const {
    return std::any_of(parts_.begin(), parts_.end(), [&](const auto& part) {
        const auto* placeholder = std::get_if<Placeholder>(&part);
        return placeholder != nullptr && placeholder->root == root;
    });
}

void Template::collect_parent_paths(std::vector<std::string>& paths) const {
    for (const auto& part : parts_) {
        const auto* placeholder = std::get_if<Placeholder>(&part);
        if (placeholder == nullptr || placeholder->root != Root::parent) continue;
        if (std::find(paths.begin(), paths.end(), placeholder->path) == paths.end()) paths.push_back(placeholder->path);
    }
}

std::optional<std::string> Template::text(const Scope& scope) const {
    std::string text;
    for (const auto& part : parts_) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
            text += *literal;
            continue;
        }
        const schema::Value value = std::get<Placeholder>(part).evaluate(scope);
        if (value.is_null()) return std::nullopt;
        text += to_request_text(value);
    }
    return text;
}

std::string Template::url_path(const Scope& scope) const {
    std::string text;
    for (const auto& part : parts_) {
        if (const auto* literal = std::get_if<std::string>(&part)) {
            text += io::encode_unsafe(*literal);
            continue;
        }
        const auto& placeholder = std::get<Placeholder>(part);
        const schema::Value value = placeholder.evaluate(scope);
        if (value.is_null()) throw Error(ErrorKind::data, "{} in the path is null, or is not there", placeholder.text);
        const std::string segment = to_request_text(value);
        text += placeholder.is_raw() ? io::encode_unsafe(segment) : io::percent_encode(segment);
    }
    return text;
}

ValueTemplate ValueTemplate::parse(const json::Value& value) {
    ValueTemplate result;
    result.constant_ = value;
    if (value.is_text()) result.text_ = Template::parse(value.as_text());
    if (value.is_object()) {
        for (const json::Member& member : value.as_object()) result.members_.emplace_back(member.name, parse(member.value));
    }
    if (value.is_array()) {
        for (const json::Value& element : value.as_array()) result.elements_.push_back(parse(element));
    }
    return result;
}

bool ValueTemplate::uses(Root root) const {
    return (text_ && text_->uses(root)) || std::any_of(members_.begin(), members_.end(), [&](const auto& member) { return member.second.uses(root); }) ||
           std::any_of(elements_.begin(), elements_.end(), [&](const auto& element) { return element.uses(root); });
}

void ValueTemplate::collect_parent_paths(std::vector<std::string>& paths) const {
    if (text_) text_->collect_parent_paths(paths);
    for (const auto& [name, member] : members_) member.collect_parent_paths(paths);
    for (const ValueTemplate& element : elements_) element.collect_parent_paths(paths);
}

std::optional<json::Value> ValueTemplate::value(const Scope& scope) const {
    if (text_) {
        if (const Placeholder* placeholder = text_->single()) {
            const schema::Value value = placeholder->evaluate(scope);
            if (value.is_null()) return std::nullopt;
            return to_json_value(value);
        }
        const std::optional<std::string> text = text_->text(scope);
        if (!text) return std::nullopt;
        return json::Value(*text);
    }
    if (constant_.is_object()) {
        json::Object object;
        for (const auto& [name, member] : members_) {
            if (std::optional<json::Value> value = member.value(scope)) object.append(name, *std::move(value));
        }
        return json::Value(std::move(object));
    }
    if (constant_.is_array()) {
        json::Array list;
        for (const ValueTemplate& element : elements_) {
            if (std::optional<json::Value> value = element.value(scope)) list.push_back(*std::move(value));
        }
        return json::Value(std::move(list));
    }
    return constant_;
}

std::string to_request_text(const schema::Value& value) {
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return timestamp->is_aware ? iso_text(*timestamp) : schema::to_iso_text(*timestamp);
    const json::Value json = to_json_value(value);
    return json.is_text() ? json.as_text() : json::to_text(json);
}

json::Value to_json_value(const schema::Value& value) {
    if (value.is_null()) return {};
    if (const auto* flag = value.get_if<bool>()) return *flag;
    if (const auto* number = value.get_if<std::int64_t>()) return *number;
    if (const auto* number = value.get_if<std::uint64_t>()) return *number;
    if (const auto* number = value.get_if<double>()) return *number;
    if (const auto* text = value.get_if<std::string>()) return *text;
    if (const auto* timestamp = value.get_if<schema::Timestamp>()) return timestamp->is_aware ? iso_text(*timestamp) : schema::to_iso_text(*timestamp);
    if (const auto* date = value.get_if<schema::Date>()) return schema::to_iso_text(*date);
    if (const auto* time = value.get_if<schema::Time>()) return schema::to_iso_text(*time);
    if (const auto* document = value.get_if<schema::Json>()) return json::parse(document->text);
    throw Error(ErrorKind::data, "{} cannot be part of a request", incremental::describe(value));
}

schema::Value from_json_value(const json::Value& value) {
    if (value.is_array() || value.is_object()) return schema::Json{json::to_text(value)};
    return schema::to_scalar(value);
}

}  // namespace tipple::sources::rest
