#include "tipple/incremental/bounds.h"

#include <charconv>

#include "tipple/incremental/text_form.h"
#include "tipple/incremental/value.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

using schema::Value;
namespace civil = schema::civil;

namespace {

Value number_from_text(const std::string& text) {
    const char* end = text.data() + text.size();
    std::int64_t integer = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, integer); error == std::errc() && stop == end) return integer;
    double number = 0;
    if (const auto [stop, error] = std::from_chars(text.data(), end, number); error == std::errc() && stop == end) return number;
    return text;
}

Value from_text(const std::string& text, const Value& like) {
    if (kind_of(like) == Kind::number) return number_from_text(text);
    if (like.is<schema::Date>()) {
        if (const auto date = schema::date_from_text(text)) return *date;
    } else if (const auto* timestamp = like.get_if<schema::Timestamp>()) {
        if (const auto parsed = schema::timestamp_from_text(text)) return adapt_zone(*parsed, *timestamp);
    }
    return text;
}

Value to_text_like(const Moment& moment, const Value& bound, const std::string& like) {
    const std::optional<TextForm> form = form_of_text(like);
    if (!form) return bound;
    Moment written = moment;
    // Written in the zone of the records, or in UTC where they say none.
    if (const auto parsed = schema::parse_datetime(like)) written.offset_seconds = parsed->offset_seconds.value_or(0);
    return write_moment(*form, written);
}

}  // namespace

Value adapt_bound(const Value& bound, const Value& like, bool converts) {
    const auto* bound_time = bound.get_if<schema::Timestamp>();
    const auto* time = like.get_if<schema::Timestamp>();
    if (bound_time != nullptr && time != nullptr) return adapt_zone(*bound_time, *time);
    if (!converts || kind_of(bound) == kind_of(like)) return bound;
    if (const auto* text = bound.get_if<std::string>()) return from_text(*text, like);
    const auto* date = bound.get_if<schema::Date>();
    if (bound_time == nullptr && date == nullptr) return bound;
    const Moment moment = date != nullptr ? Moment{.us = date->days * civil::us_per_day, .is_day = true} : Moment{.us = bound_time->us};
    if (const auto* text = like.get_if<std::string>()) return to_text_like(moment, bound, *text);
    if (time != nullptr) return adapt_zone({.us = moment.us}, *time);
    if (like.is<schema::Date>()) return schema::Date{static_cast<std::int32_t>(civil::floor_div(moment.us, civil::us_per_day))};
    return bound;
}

}  // namespace tipple::incremental
