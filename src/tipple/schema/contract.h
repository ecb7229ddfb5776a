#pragma once

#include <cstdint>
#include <optional>
#include <string_view>

#include "tipple/json/value.h"
#include "tipple/schema/schema.h"

namespace tipple::schema {

/// What happens when data would change the schema.
enum class ContractMode : std::uint8_t {
    evolve,         ///< the schema changes
    freeze,         ///< the run ends
    discard_row,    ///< the row is left out, with all rows below it
    discard_value,  ///< the value is left out
    quarantine,     ///< the whole record is put aside, to be loaded later
};
std::string_view to_text(ContractMode mode);
std::optional<ContractMode> find_contract_mode(std::string_view name);
/// Whether a value under that mode for data types is kept with all its digits or not at all; under the others, what a column has no place for is rounded.
constexpr bool keeps_digits(ContractMode mode) { return mode == ContractMode::freeze || mode == ContractMode::quarantine; }

/// A schema contract: one mode for new tables, new columns, and values of another type than their column.
struct Contract {
    ContractMode tables = ContractMode::evolve;
    ContractMode columns = ContractMode::evolve;
    ContractMode data_type = ContractMode::evolve;

    bool is_evolving() const {
        return tables == ContractMode::evolve && columns == ContractMode::evolve && data_type == ContractMode::evolve;
    }
    bool operator==(const Contract&) const = default;
};

/// Reads a mode for all three, or an object with some of them; the others evolve. Throws Error(usage) naming what is wrong.
Contract parse_contract(const json::Value& value);

/// Stores a contract (null = none) as a member of a table's properties or of the schema's settings. The reference knows no quarantine: for it, what is put
/// aside is a discarded row.
void store_contract(json::Object& holder, const json::Value& contract);

/// Gives `holder` the contract of `other`, or none when that has none.
void copy_contract(json::Object& holder, const json::Object& other);

/// The contract for a table: its own, else that of the nearest table above it, else the schema's setting, else everything evolves. A
/// contract that was found is complete: it never takes parts from further up.
Contract contract_of(const Schema& schema, const Table* table);

/// The same for a table that does not exist yet and would be nested in `parent`.
Contract contract_below(const Schema& schema, std::string_view parent);

}  // namespace tipple::schema
