#include "tipple/schema/contract.h"

#include <array>

#include "tipple/core/error.h"

namespace tipple::schema {

namespace {

constexpr std::array<std::string_view, 4> mode_names = {"evolve", "freeze", "discard_row", "discard_value"};

ContractMode require_mode(const json::Value& value) {
    const std::optional<ContractMode> mode = value.is_text() ? find_contract_mode(value.as_text()) : std::nullopt;
    if (!mode) {
        throw Error(ErrorKind::usage, "{} is no schema contract mode; known: evolve, freeze, discard_row, discard_value", json::to_text(value));
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

Contract contract_of(const Schema& schema, const Table* table) {
    for (const Table* at = table; at != nullptr; at = at->is_nested() ? schema.find(at->parent()) : nullptr) {
        const json::Value* own = at->properties().find("schema_contract");
        if (own != nullptr && !own->is_null()) return parse_contract(*own);
    }
    const json::Value* setting = schema.settings().find("schema_contract");
    return setting != nullptr && !setting->is_null() ? parse_contract(*setting) : Contract();
}

Contract contract_below(const Schema& schema, std::string_view parent) { return contract_of(schema, schema.find(parent)); }

}  // namespace tipple::schema
