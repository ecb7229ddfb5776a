#include "tipple/schema/contract.h"

#include <array>

#include "tipple/core/error.h"

namespace tipple::schema {

namespace {

constexpr std::array<std::string_view, 5> mode_names = {"evolve", "freeze", "discard_row", "discard_value", "quarantine"};

constexpr std::string_view contract_key = "schema_contract";
/// Holds the contract as it was given where the reference would not understand it.
constexpr std::string_view own_contract_key = "x-schema-contract";


ContractMode require_mode(const json::Value& value) {
    const std::optional<ContractMode> mode = value.is_text() ? find_contract_mode(value.as_text()) : std::nullopt;
    if (!mode) {
        throw Error(ErrorKind::usage, "{} is no schema contract mode; known: evolve, freeze, discard_row, discard_value, quarantine", json::to_text(value));
    }
    return *mode;
}

}  // namespace

std::string_view to_text(ContractMode mode) { return mode_names[static_cast<std::size_t>(mode)]; }

std::optional<ContractMode> find_contract_mode(std::string_view name) {
    for (std::size_t i = 0; i < mode_names.size(); ++i) {
        if (mode_names[i] == name) return static_cast<ContractMode>(i);
    }
    return std::nullopt;
}

Contract parse_contract(const json::Value& value) {
    if (!value.is_object()) {
        const ContractMode mode = require_mode(value);
        return {.tables = mode, .columns = mode, .data_type = mode};
    }
    Contract contract;
    for (const json::Member& member : value.as_object()) {
        if (member.name == "tables") {
            contract.tables = require_mode(member.value);
        } else if (member.name == "columns") {
            contract.columns = require_mode(member.value);
        } else if (member.name == "data_type") {
            contract.data_type = require_mode(member.value);
        } else {
            throw Error(ErrorKind::usage, "\"{}\" is no part of a schema contract; known: tables, columns, data_type", member.name);
        }
    }
    return contract;
}

namespace {

/// The contract in the reference's modes.
json::Value without_quarantine(const json::Value& contract) {
    if (contract == json::Value(to_text(ContractMode::quarantine))) return to_text(ContractMode::discard_row);
    if (!contract.is_object()) return contract;
    json::Object modes;
    for (const json::Member& member : contract.as_object()) modes.set(member.name, without_quarantine(member.value));
    return modes;
}

const json::Value* find_contract(const json::Object& holder) {
    const json::Value* shared = holder.find(contract_key);
    const json::Value* own = holder.find(own_contract_key);
    // Whoever has changed the one since does not know the other.
    return own != nullptr && shared != nullptr && without_quarantine(*own) == *shared ? own : shared;
}

}  // namespace

void store_contract(json::Object& holder, const json::Value& contract) {
    const json::Value shared = without_quarantine(contract);
    holder.erase(contract_key);
    holder.erase(own_contract_key);
    if (contract.is_null()) return;
    holder.set(contract_key, shared);
    if (!(shared == contract)) holder.set(own_contract_key, contract);
}

void copy_contract(json::Object& holder, const json::Object& other) {
    for (const std::string_view key : {contract_key, own_contract_key}) {
        holder.erase(key);
        if (const json::Value* contract = other.find(key)) holder.set(key, *contract);
    }
}

Contract contract_of(const Schema& schema, const Table* table) {
    for (const Table* at = table; at != nullptr; at = at->is_nested() ? schema.find(at->parent()) : nullptr) {
        const json::Value* own = find_contract(at->properties());
        if (own != nullptr && !own->is_null()) return parse_contract(*own);
    }
    const json::Value* setting = find_contract(schema.settings());
    return setting != nullptr && !setting->is_null() ? parse_contract(*setting) : Contract();
}

Contract contract_below(const Schema& schema, std::string_view parent) { return contract_of(schema, schema.find(parent)); }

}  // namespace tipple::schema
