#pragma once

#include <optional>
#include <string_view>

#include "tipple/destination/destination.h"
#include "tipple/schema/merge_options.h"
#include "tipple/schema/schema.h"

/// Which of its strategies a destination has, and which one a table takes.
namespace tipple::destination {

/// As configuration names it: "truncate-and-insert".
std::string_view to_text(ReplaceStrategy strategy);
/// Throws Error(usage) that names what there is.
ReplaceStrategy require_replace_strategy(std::string_view name);

/// The strategy by which `root` is merged: its own, else the destination's first. Throws Error(usage) when the destination does not
/// have it, or the table's hints do not suffice for it.
schema::MergeStrategy require_merge_strategy(const schema::Table& root, const Capabilities& capabilities);

/// Throws Error(usage) when rows cannot be loaded into `root` as its disposition, and for a replace `replace`, ask for.
void check_disposition(const schema::Table& root, const Capabilities& capabilities, const std::optional<ReplaceStrategy>& replace);

}  // namespace tipple::destination
