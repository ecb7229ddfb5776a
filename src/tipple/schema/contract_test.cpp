#include "tipple/schema/contract.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::schema {
namespace {

Contract parse(const char* text) { return parse_contract(json::parse(text)); }

TEST(Contract, ReadsBothForms) {
    EXPECT_EQ(parse("\"freeze\""), (Contract{ContractMode::freeze, ContractMode::freeze, ContractMode::freeze}));
    EXPECT_EQ(parse(R"({"columns":"discard_row"})"), (Contract{ContractMode::evolve, ContractMode::discard_row, ContractMode::evolve}));
    EXPECT_THROW(parse("\"frozen\""), Error);
    EXPECT_THROW(parse(R"({"column":"freeze"})"), Error);
    EXPECT_THROW(parse("5"), Error);
}

TEST(Contract, IsFoundUpTheChainAndNeverMixed) {  // V52, V61
    Schema schema = Schema::make("s");
    schema.settings().set("schema_contract", "freeze");
    Table root("t");
    root.set_property("schema_contract", json::Object{{"tables", "evolve"}, {"columns", "discard_value"}});
    schema.set_table(root);
    Table child("t__c");
    child.set_property("parent", "t");
    schema.set_table(child);
    schema.set_table(Table("other"));
    const Contract expected{ContractMode::evolve, ContractMode::discard_value, ContractMode::evolve};
    EXPECT_EQ(contract_of(schema, schema.find("t")), expected);
    EXPECT_EQ(contract_of(schema, schema.find("t__c")), expected);
    EXPECT_EQ(contract_below(schema, "t__c"), expected);
    EXPECT_EQ(contract_of(schema, schema.find("other")).columns, ContractMode::freeze);
    EXPECT_TRUE(contract_of(Schema::make("empty"), nullptr).is_evolving());
}

TEST(Contract, QuarantineIsStoredSoThatTheReferenceCanReadIt) {
    json::Object holder;
    store_contract(holder, json::Object{{"tables", "evolve"}, {"columns", "quarantine"}});
    EXPECT_EQ(json::to_text(json::Value(holder)),
              R"({"schema_contract":{"tables":"evolve","columns":"discard_row"},"x-schema-contract":{"tables":"evolve","columns":"quarantine"}})");
    Schema schema = Schema::make("test");
    schema.settings() = holder;
    EXPECT_EQ(contract_of(schema, nullptr).columns, ContractMode::quarantine);
    // The reference has changed its part since.
    schema.settings().set("schema_contract", "freeze");
    EXPECT_EQ(contract_of(schema, nullptr).columns, ContractMode::freeze);
    store_contract(holder, "freeze");
    EXPECT_EQ(json::to_text(json::Value(holder)), R"({"schema_contract":"freeze"})");
    store_contract(holder, {});
    EXPECT_TRUE(holder.empty());
}

}  // namespace
}  // namespace tipple::schema
