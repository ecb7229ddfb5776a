#include "tipple/incremental/lag.h"

#include <cmath>

#include "tipple/core/error.h"
#include "tipple/incremental/value.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

using schema::Value;
namespace civil = schema::civil;

namespace {

/// How a text writes a day or a time, so that another one can be written alike.
struct TextForm {
    bool has_dashes = true;
    char separator = 0;  ///< between day and time; 0 = a day only
    std::size_t time_length = 0;  ///< of `HH`, `HH:MM` or `HH:MM:SS`
    bool has_fraction = false;
    std::string zone;  ///< as written
};

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

std::optional<TextForm> form_of_text(std::string_view text) {
    TextForm form;
    if (text.size() == 8 && is_digits(text)) {
        form.has_dashes = false;
        return form;
    }
    if (text.size() < 10 || text[4] != '-' || text[7] != '-') return std::nullopt;
    if (text.size() == 10) return form;
    form.separator = text[10];
    if (form.separator != 'T' && form.separator != ' ') return std::nullopt;
    std::string_view rest = text.substr(11);
    const std::size_t zone = rest.find_first_of("Z+-");
    if (zone != std::string_view::npos) {
        form.zone = rest.substr(zone);
        rest = rest.substr(0, zone);
    }
    const std::size_t point = rest.find('.');
    form.has_fraction = point != std::string_view::npos;
    form.time_length = std::min(point, rest.size());
    if (form.time_length != 2 && form.time_length != 5 && form.time_length != 8) return std::nullopt;
    return form;
}

/// A day or a time without its type: `us` since 1970 in UTC.
struct Moment {
    std::int64_t us = 0;
    std::int32_t offset_seconds = 0;
    bool is_day = false;
};

std::string write(const TextForm& form, const Moment& moment) {
    const std::int64_t wall = moment.us + moment.offset_seconds * civil::us_per_second;
    const std::string iso = schema::to_iso_text(schema::Timestamp{.us = civil::floor_div(wall, civil::us_per_second) * civil::us_per_second, .is_aware = false});
    if (form.separator == 0) return form.has_dashes ? iso.substr(0, 10) : iso.substr(0, 4) + iso.substr(5, 2) + iso.substr(8, 2);
    std::string text = iso.substr(0, 10) + form.separator + iso.substr(11, form.time_length);
    if (form.has_fraction) text += fmt::format(".{:06}", wall - civil::floor_div(wall, civil::us_per_second) * civil::us_per_second);
    return text + form.zone;
}

/// The unit of the lag: what the initial value is, else what the value itself is.
bool counts_days(const Spec& spec, const Moment& moment) {
    if (spec.initial_value.is<schema::Date>()) return true;
    if (spec.initial_value.is<schema::Timestamp>()) return false;
    if (const auto* text = spec.initial_value.get_if<std::string>()) {
        if (const std::optional<TextForm> form = form_of_text(*text)) return form->separator == 0;
    }
    return moment.is_day;
}

Moment lagged(const Spec& spec, Moment moment) {
    const double lag = spec.last_value_func == LastValue::max ? -*spec.lag : *spec.lag;
    if (!counts_days(spec, moment)) {
        moment.us += std::llround(lag * 1e6);
        return moment;
    }
    std::int64_t day = civil::floor_div(moment.us, civil::us_per_day) + static_cast<std::int64_t>(std::floor(lag));
    // A time is lagged by whole days: from the beginning of the first, or up to the end of the last.
    if (!moment.is_day && spec.last_value_func == LastValue::min) ++day;
    moment.us = day * civil::us_per_day - (!moment.is_day && spec.last_value_func == LastValue::min ? 1 : 0);
    return moment;
}

[[noreturn]] void fail(const Spec& spec, const Value& last) {
    throw Error(ErrorKind::usage, "cursor \"{}\": a lag cannot be applied to the last value {}; it must be a number, a date or a time (as text: {}, {} or {})",
                spec.cursor_path, describe(last), "2024-01-31", "20240131", "2024-01-31T12:00:00Z");
}

Value lagged_text(const Spec& spec, const std::string& text) {
    const std::optional<TextForm> form = form_of_text(text);
    const std::optional<schema::DateTimeText> parsed = schema::parse_datetime(text);
    if (!form || !parsed || parsed->kind == schema::DateTimeKind::time) fail(spec, text);
    const std::int32_t offset = parsed->offset_seconds.value_or(0);
    return write(*form, lagged(spec, {.us = parsed->us - offset * civil::us_per_second, .offset_seconds = offset, .is_day = form->separator == 0}));
}

Value lagged_number(const Spec& spec, const Value& last) {
    const double lag = spec.last_value_func == LastValue::max ? -*spec.lag : *spec.lag;
    if (const auto* real = last.get_if<double>()) return *real + lag;
    const auto* integer = last.get_if<std::int64_t>();
    if (integer == nullptr) fail(spec, last);
    if (lag == std::trunc(lag) && std::abs(lag) < 9e18) {
        std::int64_t result = 0;
        if (!__builtin_add_overflow(*integer, static_cast<std::int64_t>(lag), &result)) return result;
    }
    const double result = std::trunc(static_cast<double>(*integer) + lag);
    if (std::abs(result) >= 9.2e18) fail(spec, last);
    return static_cast<std::int64_t>(result);
}

Value lagged_value(const Spec& spec, const Value& last) {
    if (kind_of(last) == Kind::number) return lagged_number(spec, last);
    if (const auto* text = last.get_if<std::string>()) return lagged_text(spec, *text);
    if (const auto* timestamp = last.get_if<schema::Timestamp>()) {
        schema::Timestamp result = *timestamp;
        result.us = lagged(spec, {.us = timestamp->us}).us;
        return result;
    }
    const auto* date = last.get_if<schema::Date>();
    if (date == nullptr) fail(spec, last);
    const Moment moment = lagged(spec, {.us = date->days * civil::us_per_day, .is_day = true});
    if (counts_days(spec, {.is_day = true})) return schema::Date{static_cast<std::int32_t>(civil::floor_div(moment.us, civil::us_per_day))};
    return schema::Timestamp{.us = moment.us};
}

}  // namespace

Value apply_lag(const Spec& spec, const Value& last) {
    const Value result = lagged_value(spec, last);
    if (spec.initial_value.is_null()) return result;
    const bool are_timestamps = spec.initial_value.is<schema::Timestamp>() && result.is<schema::Timestamp>();
    if (kind_of(spec.initial_value) != kind_of(result) && !are_timestamps) {
        throw Error(ErrorKind::usage, "cursor \"{}\": the initial value {} and the last value {} cannot be compared", spec.cursor_path,
                    describe(spec.initial_value), describe(last));
    }
    const std::partial_ordering order = compare(result, spec.initial_value);
    const bool crosses = spec.last_value_func == LastValue::max ? order < 0 : order > 0;
    return crosses ? spec.initial_value : result;
}

}  // namespace tipple::incremental
