#pragma once

#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/config/node.h"

/// Settings of several places on top of each other.
namespace tipple::config {

/// Environment variables as a value, so that the library asks nobody for them.
using Environment = std::map<std::string, std::string, std::less<>>;

/// The variable of a setting: `TIPPLE_` and the path's keys in upper case, joined by `__`; what no name of a variable may hold becomes `_`.
std::string variable_of(const std::vector<std::string>& path);

/// Puts the settings of variables whose first key is among `roots` on top. A key that is there is found whatever its case is.
void overlay_environment(Node& base, const Environment& environment, const std::vector<std::string>& roots);

/// Puts `KEY=VALUE` on top, as a flag gives it. Throws Error(usage).
void overlay_assignment(Node& base, std::string_view assignment, std::string_view flag);

/// Puts the profile's table on top, and takes all profiles out. Empty = none. Throws Error(usage) for one that is not there.
void apply_profile(Node& base, const std::string& profile);

/// What is wrong with settings, to be told all at once.
class Problems {
public:
    /// One that is there already is not added again.
    void add(const Place& place, const std::string& text);
    void add(std::string text);
    bool empty() const { return problems_.empty(); }
    /// Throws Error(usage) that names them all, when there are any, in the order of their places.
    void throw_if_any() const;

private:
    struct Problem {
        Place place;
        std::string text;
    };
    void add(Problem problem);

    std::vector<Problem> problems_;
};

}  // namespace tipple::config
