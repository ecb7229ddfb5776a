#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/config/table_reader.h"
#include "tipple/json/page_scan.h"
#include "tipple/json/path.h"
#include "tipple/json/path_filter.h"
#include "tipple/json/value.h"

/// What is done to records before they are loaded, as data.
namespace tipple::sources::rest {

/// `field op value`, with `and`: `status == "open" and size > 3`.
struct Condition {
    json::Path field;
    json::PathFilter::Operator op = json::PathFilter::Operator::equal;
    json::Value value;
};

/// One step over records that are objects. What it says is done in this order.
struct Step {
    std::vector<Condition> filter;                                 ///< records that do not meet all of them are left out
    std::string explode;                                           ///< a field whose list's elements become a record each; empty = none
    std::vector<std::string> keep;                                 ///< fields that stay; empty = all
    std::vector<std::string> drop;                                 ///< fields that go
    std::vector<std::pair<std::string, std::string>> rename;
    std::vector<std::pair<std::string, json::Value>> set;
    std::vector<std::string> mask;                                 ///< texts that become `***`
};

/// Throws Error(usage).
std::vector<Condition> parse_filter(std::string_view text);

/// `steps = [{ filter = "…" }, { drop = ["a"] }]`; what is wrong goes to `problems`.
std::vector<Step> read_steps(const config::Node& node, config::Problems& problems);

/// Calls `take` for each record that becomes of this one, in order: one, none when it is left out, or several.
void apply_steps(const std::vector<Step>& steps, json::Value record, const std::function<void(const json::Value&)>& take);

}  // namespace tipple::sources::rest
