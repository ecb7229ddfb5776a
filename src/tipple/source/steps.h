#pragma once

#include <functional>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "tipple/config/table_reader.h"
#include "tipple/json/value.h"
#include "tipple/schema/value.h"
#include "tipple/source/condition.h"

/// What is done to records before anybody else looks at them, as data.
namespace tipple::extract {

/// One step over records that are objects. What it says is done in this order.
struct Step {
    std::optional<Condition> filter;                               ///< records that do not meet it are left out
    std::string explode;                                           ///< a field whose list's elements become a record each; empty = none
    std::vector<std::string> keep;                                 ///< fields that stay; empty = all
    std::vector<std::string> drop;                                 ///< fields that go
    std::vector<std::pair<std::string, std::string>> rename;       ///< of no two fields to one name
    std::vector<std::pair<std::string, json::Value>> set;
    std::vector<std::string> mask;                                 ///< what is not null becomes the text `***`; by the names before `rename`

    /// Whether a field of that name stays, whatever it is called then.
    bool keeps(const std::string& name) const;
    /// What a field of that name is called afterwards.
    const std::string& name_of(const std::string& name) const;
    bool masks(const std::string& name) const;
};

/// What stands in the place of a masked value.
inline constexpr const char* masked_text = "***";

/// `steps = [{ filter = "…" }, { drop = ["a"] }]`; what is wrong goes to `problems`, after `what`, such as `resource "orders"`. `dialect`: of the paths in conditions.
std::vector<Step> read_steps(const config::Node& node, const std::string& what, json::Path::Dialect dialect, config::Problems& problems);

/// Calls `take` for each record that becomes of this one, in order: one, none when it is left out, or several.
void apply_steps(const std::vector<Step>& steps, json::Value record, const std::function<void(json::Value)>& take);
/// The same for typed values; conditions with paths of the plain dialect.
void apply_steps(const std::vector<Step>& steps, schema::Value record, const std::function<void(schema::Value)>& take);

/// What becomes of the name of a field: nothing when it goes, or does not say the same afterwards because it is masked, set or exploded.
std::optional<std::string> name_after(const std::vector<Step>& steps, std::string name);

}  // namespace tipple::extract
