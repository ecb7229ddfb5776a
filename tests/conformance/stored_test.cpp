#include "conformance/places.h"
#include "tipple/destination/system_tables.h"

namespace tipple::conformance {
namespace {

using schema::Disposition;

TEST_P(Conformance, NothingIsStoredWhereNothingIs) {
    EXPECT_EQ(stored(), std::nullopt);
    EXPECT_FALSE(make()->has_load({.load_id = "1.0"}));
}

TEST_P(Conformance, RemembersStateSchemaAndLoads) {
    maker_.table("t", "{}", R"({"id": "bigint", "j": "json", "at": "timestamp"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1, "j": "{\"a\": 1}", "at": 1700000000000000}])");
    const package::Package package = close();
    load(package);
    const auto read = stored();
    ASSERT_TRUE(read);
    EXPECT_EQ(read->newest_load_id, "1.0");
    ASSERT_TRUE(read->schemas.contains("shop"));
    EXPECT_EQ(read->schemas.at("shop").version_hash(), package.schema().version_hash());
    ASSERT_TRUE(read->state);
    EXPECT_EQ(read->state->version, 1);
    EXPECT_EQ(read->state->load_id, "1.0");
    EXPECT_EQ(destination::state_hash(read->state->document.as_object()), destination::state_hash(package.state().as_object()));
    EXPECT_TRUE(make()->has_load({.load_id = "1.0"}));
    EXPECT_FALSE(make()->has_load({.load_id = "2.0"}));
    EXPECT_EQ(rows("SELECT load_id, status, schema_version_hash FROM {}", "_dlt_loads"), "1.0|0|" + package.schema().version_hash());
    maker_.pipeline = "stranger";
    EXPECT_FALSE(stored()->state) << "a pipeline has its own state only";
}

/// Another pipeline, or another schema, may have begun in the same microsecond: its record is not that of this load.
TEST_P(Conformance, ALoadIsNotTakenForAnotherOneWithItsId) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    const destination::LoadKey own = destination::load_key(package);
    // As a load that brings no state, of which only the schema tells.
    destination::LoadKey stateless = own;
    stateless.state_hash.clear();
    load(package);
    EXPECT_TRUE(make()->has_load(own));
    EXPECT_TRUE(make()->has_load(stateless));

    for (const auto member : {&destination::LoadKey::load_id, &destination::LoadKey::schema_name, &destination::LoadKey::schema_hash}) {
        destination::LoadKey other = stateless;
        other.*member += "0";
        EXPECT_FALSE(make()->has_load(other)) << other.load_id << " " << other.schema_name << " " << other.schema_hash;
    }
    for (const auto member : {&destination::LoadKey::pipeline, &destination::LoadKey::state_hash}) {
        destination::LoadKey other = own;
        other.*member += "0";
        EXPECT_FALSE(make()->has_load(other)) << other.pipeline << " " << other.state_hash;
    }
}

TEST_P(Conformance, TheFenceRefusesARunThatWasOvertaken) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package early = close();
    maker_.begin("2.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 2}])");
    load(close());
    expect_error(ErrorKind::conflict, [&] { make()->begin(early); });
    EXPECT_EQ(rows("SELECT id FROM {}", "t"), "2");
}

TEST_P(Conformance, ALoadIsNeverAppliedTwice) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}])");
    const package::Package package = close();
    load(package);
    expect_error(ErrorKind::conflict, [&] { make()->begin(package); });
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "t"), "1");
}

TEST_P(Conformance, DescriptionAndIdentityNameThePlaceWithoutSecrets) {
    const auto destination = make();
    EXPECT_EQ(destination->identity(), make()->identity());
    EXPECT_FALSE(destination->description().empty());
    for (const auto& [name, value] : options_.values()) {
        const std::size_t at = value.rfind('@');
        const std::size_t colon = value.find(':', value.find("://") + 3);
        if (at == std::string::npos) continue;
        const std::string password = value.substr(colon + 1, at - colon - 1);
        EXPECT_EQ(destination->description().find(password), std::string::npos);
        EXPECT_EQ(destination->identity().find(password), std::string::npos);
    }
}

TEST_P(Conformance, QueriesReadOnlyAndStopAtTheLimit) {
    maker_.table("t", "{}", R"({"id": "bigint"})");
    maker_.begin("1.0").load(Disposition::append, {"t"}).rows("t", R"([{"id": 1}, {"id": 2}, {"id": 3}])");
    load(close());
    const auto destination = make();
    const destination::QueryResult result = destination->query("SELECT id FROM " + destination->quote_table("t") + " ORDER BY id", {.rows_max = 2});
    EXPECT_EQ(result.rows.size(), 2U);
    EXPECT_TRUE(result.is_truncated);
    ASSERT_EQ(result.columns.size(), 1U);
    EXPECT_EQ(result.columns[0].name, "id");
    EXPECT_THROW(destination->query("DELETE FROM " + destination->quote_table("t"), {}), Error);
    EXPECT_THROW(destination->query("SELECT nothing FROM nowhere", {}), Error);
    EXPECT_EQ(rows("SELECT count(*) FROM {}", "t"), "3");
}

}  // namespace
}  // namespace tipple::conformance
