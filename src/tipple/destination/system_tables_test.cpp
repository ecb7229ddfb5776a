#include "tipple/destination/system_tables.h"

#include <random>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"

namespace tipple::destination {
namespace {

json::Object sample_state() {
    return {{"_state_version", 3},
            {"_state_engine_version", 4},
            {"_version_hash", "old"},
            {"pipeline_name", "shop"},
            {"sources", json::Object{{"shop", json::Object{{"when",
                                                            "\xEF\x80\xA7"
                                                            "2024-01-02T03:04:05Z"},
                                                           {"n", 1.5},
                                                           {"é", nullptr}}}}},
            {"_local", json::Object{{"first_run", true}}}};
}

TEST(State, RoundTripsWithoutItsLocalPart) {
    json::Object expected = sample_state();
    expected.erase("_local");
    const std::string text = encode_state(sample_state());
    std::string bytes;
    ASSERT_TRUE(try_parse_base64(text, bytes));
    EXPECT_EQ(static_cast<unsigned char>(bytes[0]), 0x78);
    EXPECT_EQ(static_cast<unsigned char>(bytes[1]), 0xDA);  // zlib, best compression
    EXPECT_EQ(decode_state(text), json::Value(expected));
}

TEST(State, OfMegabytesComesBack) {
    std::mt19937 random(5);
    std::string members(3'000'001, 'A');
    for (char& c : members) c = static_cast<char>('A' + random() % 32);
    json::Object state = sample_state();
    state.erase("_local");
    state.set("sources", json::Object{{"shop", json::Object{{"members", members}, {"é\"\\\n", 1}}}});
    const std::string text = encode_state(state);
    EXPECT_LT(text.size(), members.size() * 7 / 8) << "five bits of a character, as base64";
    EXPECT_EQ(decode_state(text), json::Value(state));
}

TEST(State, IsReadWhenItWasNotCompressed) {
    EXPECT_EQ(decode_state(R"({"a": 1})"), json::Value(json::Object{{"a", 1}}));
}

TEST(State, ThatIsDamagedIsAnError) {
    const std::string text = encode_state(sample_state());
    std::string bytes;
    ASSERT_TRUE(try_parse_base64(text, bytes));
    for (const std::string& damaged : {std::string("nonsense"), std::string(), std::string("[1]"),
                                       to_base64(bytes.substr(0, bytes.size() - 3)),
                                       to_base64(bytes + "x"), to_base64("no zlib")}) {
        EXPECT_THROW(decode_state(damaged), Error) << damaged;
    }
}

TEST(State, HashLeavesOutWhatDoesNotCount) {
    json::Object other = sample_state();
    other.set("_state_version", 99);
    other.set("_version_hash", nullptr);
    other.erase("_local");
    EXPECT_EQ(state_hash(other), state_hash(sample_state()));
    other.set("pipeline_name", "other");
    EXPECT_NE(state_hash(other), state_hash(sample_state()));
    // base64 of the SHA3-256 of {}
    EXPECT_EQ(state_hash({}), "hA63qiqZNd5jNmusvp2X6XioWek9x5KgM03mDtUvjpk=");
}

TEST(SystemTables, HaveTheReferencesColumns) {
    const auto columns_of = [](const schema::Table& table) {
        std::string text;
        for (const schema::Column& column : table.columns()) {
            text += column.name() + " " + std::string(to_text(*column.data_type())) +
                    (column.is_nullable() ? "?" : "") + ", ";
        }
        return text;
    };
    EXPECT_EQ(columns_of(version_table_definition()),
              "version bigint, engine_version bigint, inserted_at timestamp, schema_name text, "
              "version_hash text, schema text, ");
    EXPECT_EQ(columns_of(loads_table_definition()),
              "load_id text, schema_name text?, status bigint, inserted_at timestamp, "
              "schema_version_hash text?, ");
    EXPECT_EQ(columns_of(state_table_definition()),
              "version bigint, engine_version bigint, pipeline_name text, state text, created_at "
              "timestamp, version_hash text?, "
              "_dlt_load_id text, _dlt_id text, ");
}

}  // namespace
}  // namespace tipple::destination
