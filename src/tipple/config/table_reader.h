#pragma once

#include <cstdint>
#include <optional>
#include <set>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/config/node.h"
#include "tipple/config/settings.h"

namespace tipple::config {

/// Reads the members of one table, and notes what is wrong with them instead of throwing. A member that has another form than wanted counts as
/// absent. Borrows everything.
class TableReader {
public:
    /// `what`: the table in messages, such as `resource "orders"`.
    TableReader(const Node& table, std::string what, Problems& problems);

    /// Any member, which then counts as known; nullptr when it is not there.
    const Node* find(std::string_view name);
    std::optional<std::string> text(std::string_view name);
    /// A text, or a list of texts.
    std::optional<std::vector<std::string>> texts(std::string_view name);
    /// `true`, or the texts true and false, yes and no, on and off, 1 and 0.
    std::optional<bool> boolean(std::string_view name);
    /// At least `least`.
    std::optional<std::int64_t> integer(std::string_view name, std::int64_t least = 0);
    /// Bytes, as a number or a text such as 512MiB.
    std::optional<std::uint64_t> size(std::string_view name);

    /// The value that goes with the text.
    template <typename Enum>
    std::optional<Enum> one_of(std::string_view name, const std::vector<std::pair<std::string, Enum>>& choices) {
        const std::optional<std::string> chosen = text(name);
        if (!chosen) return std::nullopt;
        std::vector<std::string> known;
        for (const auto& [choice, value] : choices) {
            if (choice == *chosen) return value;
            known.push_back(choice);
        }
        refuse_choice(name, *chosen, known);
        return std::nullopt;
    }

    /// Notes all members that nobody asked for, with the nearest name that is known.
    void refuse_others();
    /// Names that are known besides those that were asked for.
    void add_known(const std::vector<std::string>& names) { known_.insert(names.begin(), names.end()); }

    /// Notes a problem of the member, or, when it is not there, of the table.
    void problem(std::string_view name, const std::string& text);
    const Node& table() const { return table_; }

private:
    void refuse_form(const Node& node, std::string_view name, std::string_view wanted);
    void refuse_choice(std::string_view name, const std::string& chosen, const std::vector<std::string>& known);

    const Node& table_;
    std::string what_;
    Problems& problems_;
    std::set<std::string, std::less<>> known_;
};

/// A scalar as text: `true`, `7`, an ISO date.
std::string scalar_text(const Node& node);

}  // namespace tipple::config
