#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

/// What to say about a name that is not there.
namespace tipple {

/// How many names a message lists at most; of more, the `names_near_max` nearest.
inline constexpr std::size_t names_listed_max = 40;
inline constexpr std::size_t names_near_max = 5;

/// `a, b, c`; of many, those that are most like `name` (empty = the first ones), and how many others there are. Their order stays.
std::string list_near(std::string_view name, const std::vector<std::string>& known);

/// `did you mean "b"?` where one of `known` is near enough for a typo (did_you_mean), else `there are: a, b, c`, as list_near has them.
std::string suggestion(std::string_view name, const std::vector<std::string>& known);

}  // namespace tipple
