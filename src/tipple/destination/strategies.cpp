#include "tipple/destination/strategies.h"

#include <algorithm>
#include <array>

#include "tipple/core/error.h"
#include "tipple/core/text.h"

namespace tipple::destination {

namespace {

constexpr std::array<std::string_view, 3> replace_names = {"truncate-and-insert", "insert-from-staging", "staging-optimized"};

template <typename Strategy>
std::string names(const std::vector<Strategy>& strategies) {
    std::vector<std::string> texts;
    for (const Strategy strategy : strategies) texts.emplace_back(to_text(strategy));
    return texts.empty() ? "it has none" : "it has " + join(texts, ", ");
}

template <typename Strategy>
bool contains(const std::vector<Strategy>& strategies, Strategy strategy) {
    return std::find(strategies.begin(), strategies.end(), strategy) != strategies.end();
}

}  // namespace

std::string_view to_text(ReplaceStrategy strategy) { return replace_names[static_cast<std::size_t>(strategy)]; }

ReplaceStrategy require_replace_strategy(std::string_view name) {
    const auto found = std::find(replace_names.begin(), replace_names.end(), name);
    if (found == replace_names.end()) {
        throw Error(ErrorKind::usage, "there is no replace strategy \"{}\"; there are {}", excerpt(name),
                    join({replace_names.begin(), replace_names.end()}, ", "));
    }
    return static_cast<ReplaceStrategy>(found - replace_names.begin());
}

schema::MergeStrategy require_merge_strategy(const schema::Table& root, const Capabilities& capabilities) {
    const std::vector<schema::MergeStrategy>& known = capabilities.merge_strategies;
    const std::optional<schema::MergeStrategy> own = schema::merge_strategy_of(root);
    if (known.empty()) throw Error(ErrorKind::usage, "table \"{}\": the destination cannot merge rows into those that are there: {}", root.name(), capabilities.without_merge);
    if (own && !contains(known, *own)) {
        throw Error(ErrorKind::usage, "table \"{}\": the destination does not have the merge strategy {}; {}", root.name(),
                    schema::to_text(own.value_or(schema::MergeStrategy::delete_insert)), names(known));
    }
    const schema::MergeStrategy strategy = own.value_or(known.front());
    schema::check_merge_hints(root, strategy);
    return strategy;
}

void check_disposition(const schema::Table& root, const Capabilities& capabilities, const std::optional<ReplaceStrategy>& replace) {
    const schema::Disposition disposition = root.disposition().value_or(schema::Disposition::append);
    if (disposition == schema::Disposition::merge && !capabilities.appends_merges) require_merge_strategy(root, capabilities);
    if (disposition != schema::Disposition::replace || !replace || contains(capabilities.replace_strategies, *replace)) return;
    throw Error(ErrorKind::usage, "table \"{}\": the destination does not have the replace strategy {}; {}", root.name(), to_text(*replace),
                names(capabilities.replace_strategies));
}

}  // namespace tipple::destination
