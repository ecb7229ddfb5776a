#include "tipple/incremental/lag.h"

#include <cmath>

#include "tipple/core/error.h"
#include "tipple/incremental/text_form.h"
#include "tipple/incremental/value.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

using schema::Value;
namespace civil = schema::civil;

namespace {

/// The unit of the lag: what the initial value is, else what the value itself is.
bool counts_days(const Spec& spec, const Moment& moment) {
    if (spec.is_lag_in_seconds) return false;
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
    return write_moment(*form, lagged(spec, {.us = parsed->us - offset * civil::us_per_second, .offset_seconds = offset, .is_day = form->separator == 0}));
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
    if (spec.is_lag_in_seconds || counts_days(spec, {.is_day = true})) return schema::Date{static_cast<std::int32_t>(civil::floor_div(moment.us, civil::us_per_day))};
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
