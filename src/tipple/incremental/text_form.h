#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

/// Days and times as texts of the data write them.
namespace tipple::incremental {

/// How a text writes a day or a time, so that another one can be written alike.
struct TextForm {
    bool has_dashes = true;
    char separator = 0;  ///< between day and time; 0 = a day only
    std::size_t time_length = 0;  ///< of `HH`, `HH:MM` or `HH:MM:SS`
    bool has_fraction = false;
    std::string zone;  ///< as written
};
/// Nothing when the text is neither.
std::optional<TextForm> form_of_text(std::string_view text);

/// A day or a time without its type: `us` since 1970 in UTC.
struct Moment {
    std::int64_t us = 0;
    std::int32_t offset_seconds = 0;
    bool is_day = false;
};

std::string write_moment(const TextForm& form, const Moment& moment);

}  // namespace tipple::incremental
