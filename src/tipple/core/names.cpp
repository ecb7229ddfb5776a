#include "tipple/core/names.h"

#include <algorithm>
#include <numeric>
#include <optional>
#include <utility>

#include <fmt/format.h>

#include "tipple/core/text.h"

namespace tipple {

namespace {

/// Characters to add, leave out, change, or swap with the next one.
std::size_t edit_distance(std::string_view a, std::string_view b) {
    std::vector<std::size_t> before_last;
    std::vector<std::size_t> last;
    std::vector<std::size_t> row(b.size() + 1);
    std::iota(row.begin(), row.end(), std::size_t{0});
    for (std::size_t i = 1; i <= a.size(); ++i) {
        before_last = std::exchange(last, row);
        row[0] = i;
        for (std::size_t j = 1; j <= b.size(); ++j) {
            row[j] = std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) row[j] = std::min(row[j], before_last[j - 2] + 1);
        }
    }
    return row[b.size()];
}

}  // namespace

std::optional<std::string> did_you_mean(std::string_view name, const std::vector<std::string>& candidates) {
    const std::size_t tolerance = name.size() <= 3 ? 1 : name.size() <= 6 ? 2 : 3;
    std::optional<std::string> best;
    std::size_t best_distance = tolerance + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t distance = edit_distance(name, candidate);
        if (distance < best_distance) {
            best_distance = distance;
            best = candidate;
        }
    }
    return best;
}

std::string list_near(std::string_view name, const std::vector<std::string>& known) {
    if (known.size() <= names_listed_max) return join(known, ", ");
    std::vector<std::pair<std::size_t, std::size_t>> places;
    for (std::size_t i = 0; i < known.size(); ++i) places.emplace_back(name.empty() ? 0 : edit_distance(name, known[i]), i);
    std::sort(places.begin(), places.end());
    places.resize(names_near_max);
    std::sort(places.begin(), places.end(), [](const auto& a, const auto& b) { return a.second < b.second; });
    std::vector<std::string> near;
    for (const auto& [distance, place] : places) near.push_back(known[place]);
    return fmt::format("{} and {} others", join(near, ", "), known.size() - near.size());
}

std::string suggestion(std::string_view name, const std::vector<std::string>& known) {
    if (const std::optional<std::string> near = did_you_mean(name, known)) return fmt::format("did you mean \"{}\"?", *near);
    return "there are: " + list_near(name, known);
}

}  // namespace tipple
