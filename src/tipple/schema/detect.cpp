#include "tipple/schema/detect.h"

#include <algorithm>
#include <array>
#include <cmath>

#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::schema {

namespace {

/// Every detector the reference has. `hexbytes_to_text` never finds anything here: its type of
/// value does not exist.
constexpr std::array<std::string_view, 6> known_detectors = {
    "timestamp", "iso_timestamp", "iso_date", "large_integer", "hexbytes_to_text", "wei_to_double"};

/// The `timestamp` detector takes seconds this near to now.
constexpr std::int64_t near_now_seconds = 5LL * 365 * 24 * 60 * 60;

bool is_near(double seconds, std::int64_t now_us) {
    const double now = static_cast<double>(now_us) / 1e6;
    return seconds >= now - static_cast<double>(near_now_seconds) &&
           seconds <= now + static_cast<double>(near_now_seconds);
}

/// Rejects nearly all text that is no date or, with `needs_time`, no timestamp at once: words by
/// their first characters, ids and numbers by what follows. It only ever rejects what no form is.
bool may_be_datetime(std::string_view text, bool needs_time) {
    // Every form starts with the four digits of a year; bytes beyond ASCII may be digits too.
    if (text.size() < 4) return false;
    for (std::size_t i = 0; i < 4; ++i) {
        const auto c = static_cast<unsigned char>(text[i]);
        if (c >= 0x80) return true;
        if (c < '0' || c > '9') return false;
    }
    if (!needs_time) return true;
    // Then the date ends with `T` or a blank, or an hour with its colon, at byte 13 at the latest.
    for (const char c : text.substr(4, 10)) {
        if (c == 'T' || c == ' ' || c == ':' || static_cast<unsigned char>(c) >= 0x80) return true;
    }
    return false;
}

DataType require_type(std::string_view rule, const json::Value& type) {
    const auto found = type.is_text() ? find_data_type(type.as_text()) : std::nullopt;
    if (!found) {
        throw Error(ErrorKind::usage, "preferred_types: the rule \"{}\" names no data type",
                    excerpt(rule));
    }
    return *found;
}

/// The texts of a list in the settings; none when it is not there.
std::vector<std::string> text_list(const json::Value* list, std::string_view what) {
    std::vector<std::string> texts;
    if (list == nullptr || list->is_null()) return texts;
    if (!list->is_array())
        throw Error(ErrorKind::usage, "{} must be a list, not a {}", what, list->type_name());
    for (const json::Value& item : list->as_array()) {
        if (!item.is_text())
            throw Error(ErrorKind::usage, "{} must hold texts, not a {}", what, item.type_name());
        texts.push_back(item.as_text());
    }
    return texts;
}

/// The members of an object in the settings; none when it is not there.
const json::Object& members(const json::Object& settings, std::string_view name) {
    static const json::Object none;
    const json::Value* value = settings.find(name);
    if (value == nullptr || value->is_null()) return none;
    if (!value->is_object())
        throw Error(ErrorKind::usage, "{} must be an object, not a {}", name, value->type_name());
    return value->as_object();
}

}  // namespace

Inference::Inference(const Schema& schema, std::int64_t now_us) : now_us_(now_us) {
    detectors_ = text_list(schema.settings().find("detections"), "detections");
    if (detectors_.empty())
        detectors_ = text_list(schema.normalizers().find("detections"), "detections");
    for (const std::string& detector : detectors_) {
        if (std::find(known_detectors.begin(), known_detectors.end(), detector) ==
            known_detectors.end()) {
            const std::vector<std::string> known(known_detectors.begin(), known_detectors.end());
            throw Error(ErrorKind::usage, "unknown detector \"{}\"; known: {}", excerpt(detector),
                        join(known, ", "));
        }
        if (detector == "timestamp" || detector == "large_integer") detects_integers_ = true;
        if (detector == "iso_timestamp") detects_text_timestamp_ = true;
        if (detector == "iso_date") detects_text_date_ = true;
    }
    for (const auto& [rule, type] : members(schema.settings(), "preferred_types")) {
        preferred_.emplace_back(std::make_shared<const NameRule>(rule), require_type(rule, type));
    }
    for (const auto& [hint, rules] : members(schema.settings(), "default_hints")) {
        auto& compiled =
            default_hints_.emplace_back(hint, std::vector<std::shared_ptr<const NameRule>>()).second;
        for (const std::string& rule : text_list(&rules, "default_hints." + hint)) {
            compiled.push_back(std::make_shared<const NameRule>(rule));
        }
    }
}

std::optional<DataType> Inference::detect_text(std::string_view text) const {
    if (!detects_text_timestamp_ && !detects_text_date_) return std::nullopt;
    if (!may_be_datetime(text, !detects_text_date_)) return std::nullopt;
    if (detects_text_timestamp_ && parse_common_timestamp(text)) return DataType::timestamp;
    const std::optional<DateTimeText> parsed = parse_datetime(text);
    if (!parsed) return std::nullopt;
    // The two never compete for one text, so their order does not matter.
    if (parsed->kind == DateTimeKind::timestamp && detects_text_timestamp_) {
        // Near years 1 and 9999 the zone may lead out of what a timestamp holds: then it is text.
        const std::int64_t us =
            parsed->us - parsed->offset_seconds.value_or(0) * std::int64_t{1'000'000};
        if (us >= timestamp_us_min && us <= timestamp_us_max) return DataType::timestamp;
        return std::nullopt;
    }
    if (parsed->kind == DateTimeKind::date && detects_text_date_) return DataType::date;
    return std::nullopt;
}

std::optional<DataType> Inference::detect(const Value& value) const {
    if (const auto* text = value.get_if<std::string>()) return detect_text(*text);
    for (const std::string& detector : detectors_) {
        const auto* integer = value.get_if<std::int64_t>();
        const auto* number = value.get_if<double>();
        if (detector == "timestamp") {
            if (integer != nullptr && is_near(static_cast<double>(*integer), now_us_))
                return DataType::timestamp;
            if (number != nullptr && is_near(*number, now_us_)) return DataType::timestamp;
        } else if (detector == "large_integer") {
            // An integer that is held as uint64 is beyond int64; what is beyond wei too does not
            // fit it either.
            if (value.is<std::uint64_t>()) return DataType::wei;
        } else if (detector == "wei_to_double") {
            if (value.is<Wei>()) return DataType::double_;
        }
    }
    return std::nullopt;
}

std::optional<DataType> Inference::preferred_type(std::string_view column) const {
    for (const auto& [rule, type] : preferred_) {
        if (rule->matches(column)) return type;
    }
    return std::nullopt;
}

DataType Inference::infer(std::string_view column, const Value& value, bool is_variant) const {
    if (!is_variant) {
        if (const auto preferred = preferred_type(column)) return *preferred;
    }
    if (const auto detected = detect(value)) return *detected;
    return natural_type(value);
}

Column Inference::make_column(std::string_view column, DataType type) const {
    Column made(std::string(column), type, !is_not_null(column));
    for (const auto& [hint, rules] : default_hints_) {
        if (hint == "not_null") continue;
        if (std::any_of(rules.begin(), rules.end(),
                        [&](const auto& rule) { return rule->matches(column); })) {
            made.set_hint(hint, true);
        }
    }
    return made;
}

bool Inference::is_not_null(std::string_view column) const {
    for (const auto& [hint, rules] : default_hints_) {
        if (hint != "not_null") continue;
        return std::any_of(rules.begin(), rules.end(),
                           [&](const auto& rule) { return rule->matches(column); });
    }
    return false;
}

}  // namespace tipple::schema
