#include "tipple/pipeline/outcome.h"

#include <algorithm>

namespace tipple::pipeline {

namespace {

/// It stands behind what comes from the data, which may have the same words. npos when it is not there.
std::size_t find_outcome(std::string_view message) {
    const std::size_t small = message.rfind("nothing was loaded");
    const std::size_t large = message.rfind("Nothing was loaded");
    if (small == std::string_view::npos) return large;
    return large == std::string_view::npos ? small : std::max(small, large);
}

constexpr std::size_t first_word_length = std::string_view("nothing").size();

}  // namespace

std::string without_outcome(std::string_view message) {
    const std::string_view text = message.substr(0, find_outcome(message));
    return std::string(text.substr(0, text.find_last_not_of(" \n;:") + 1));
}

std::string outcome_of_part(std::string message) {
    const std::size_t at = find_outcome(message);
    if (at != std::string::npos) message.insert(at + first_word_length, " of this part");
    return message;
}

}  // namespace tipple::pipeline
