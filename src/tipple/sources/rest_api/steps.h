#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/config/table_reader.h"
#include "tipple/json/value.h"
#include "tipple/source/condition.h"

/// What is done to records before they are loaded, as data.
namespace tipple::sources::rest {

/// One step over records that are objects. What it says is done in this order.
struct Step {
    std::optional<extract::Condition> filter;                      ///< records that do not meet it are left out
    std::string explode;                                           ///< a field whose list's elements become a record each; empty = none
    std::vector<std::string> keep;                                 ///< fields that stay; empty = all
    std::vector<std::string> drop;                                 ///< fields that go
    std::vector<std::pair<std::string, std::string>> rename;
    std::vector<std::pair<std::string, json::Value>> set;
    std::vector<std::string> mask;                                 ///< texts that become `***`
};

/// `steps = [{ filter = "…" }, { drop = ["a"] }]`; what is wrong goes to `problems`.
std::vector<Step> read_steps(const config::Node& node, config::Problems& problems);

/// Calls `take` for each record that becomes of this one, in order: one, none when it is left out, or several.
void apply_steps(const std::vector<Step>& steps, json::Value record, const std::function<void(const json::Value&)>& take);

}  // namespace tipple::sources::rest
