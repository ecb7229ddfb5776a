#include "tipple/incremental/text_form.h"

#include <algorithm>

#include "tipple/core/error.h"
#include "tipple/schema/civil.h"
#include "tipple/schema/datetime_text.h"

namespace tipple::incremental {

namespace civil = schema::civil;

namespace {

bool is_digits(std::string_view text) {
    return !text.empty() && text.find_first_not_of("0123456789") == std::string_view::npos;
}

}  // namespace

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

std::string write_moment(const TextForm& form, const Moment& moment) {
    const std::int64_t wall = moment.us + moment.offset_seconds * civil::us_per_second;
    const std::string iso = schema::to_iso_text(schema::Timestamp{.us = civil::floor_div(wall, civil::us_per_second) * civil::us_per_second, .is_aware = false});
    if (form.separator == 0) return form.has_dashes ? iso.substr(0, 10) : iso.substr(0, 4) + iso.substr(5, 2) + iso.substr(8, 2);
    std::string text = iso.substr(0, 10) + form.separator + iso.substr(11, form.time_length);
    if (form.has_fraction) text += fmt::format(".{:06}", civil::floor_mod(wall, civil::us_per_second));
    return text + form.zone;
}

}  // namespace tipple::incremental
