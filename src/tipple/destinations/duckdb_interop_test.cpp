#include <filesystem>

#include "tipple/destination/system_tables.h"
#include "tipple/destinations/duckdb_fixture.h"

namespace tipple::destinations {
namespace {

/// A copy of a dataset that the reference wrote in three runs.
class InteropTest : public DuckdbTest {
protected:
    InteropTest() {
        std::filesystem::copy_file(TIPPLE_SOURCE_DIR "/tests/fixtures/dlt-1.31.duckdb", file());
        dataset = "shop_data";
        maker_.pipeline = "shop_pipeline";
    }
    json::Value expected() {
        return json::parse(
            files_->read_text(TIPPLE_SOURCE_DIR "/tests/fixtures/dlt-1.31.expect.json"));
    }
};

const json::Value& member(const json::Value& object, std::string_view name) {
    const json::Value* value = object.as_object().find(name);
    if (value == nullptr) throw Error(ErrorKind::usage, "no member {}", name);
    return *value;
}

TEST_F(InteropTest, ReadsSchemaStateAndCatalog) {
    const std::optional<StoredDataset> read = stored();
    ASSERT_TRUE(read && read->state);
    ASSERT_EQ(read->schemas.size(), 1U);
    const schema::Schema& schema = read->schemas.at("shop");
    EXPECT_EQ(schema.compute_hash(), schema.version_hash());
    EXPECT_EQ(schema.require("orders__lines").parent(), "orders");
    const json::Value expect = expected();
    const json::Value& before = member(expect, "before");
    EXPECT_EQ(schema.version(), member(before, "schema_version").as_int());
    EXPECT_EQ(read->state->version, member(before, "state_version").as_int());
    const json::Object& state = read->state->document.as_object();
    EXPECT_EQ(destination::state_hash(state), read->state->version_hash);
    EXPECT_EQ(member(member(read->state->document, "sources"), "shop").as_object().size(),
              member(before, "state").as_object().size());
    EXPECT_EQ(rows("SELECT max(load_id) FROM _dlt_loads"), read->newest_load_id);
    for (const json::Member& table : member(before, "tables").as_object()) {
        const auto* columns = read->catalog.find(table.name);
        ASSERT_NE(columns, nullptr) << table.name;
        const json::Array& described = member(table.value, "columns").as_array();
        ASSERT_EQ(columns->size(), described.size()) << table.name;
        for (std::size_t i = 0; i < columns->size(); ++i) {
            const auto column =
                std::find_if(described.begin(), described.end(), [&](const json::Value& candidate) {
                    return candidate.as_array()[0].as_text() == (*columns)[i].name;
                });
            ASSERT_NE(column, described.end());
            EXPECT_EQ((*columns)[i].type, column->as_array()[3].as_text());
            EXPECT_EQ((*columns)[i].is_nullable, column->as_array()[2].as_bool());
        }
    }
    // Nothing of the schema is missing at the destination.
    std::vector<std::string> tables;
    for (const auto& table : schema.tables()) tables.push_back(table->name());
    EXPECT_TRUE(plan_ddl(schema, tables, read->catalog, make()->capabilities()).empty());
}

TEST_F(InteropTest, EveryStoredSchemaAndStateHasItsHash) {
    for (const auto& row :
         make()->query("SELECT version_hash, schema FROM _dlt_version", {}).rows) {
        EXPECT_EQ(schema::Schema::from_document(destination::decode_schema(*row[1])).compute_hash(),
                  *row[0]);
    }
    const auto states = make()->query("SELECT version_hash, state FROM _dlt_pipeline_state", {});
    EXPECT_EQ(states.rows.size(), 3U);
    for (const auto& row : states.rows) {
        EXPECT_EQ(destination::state_hash(destination::decode_state(*row[1]).as_object()), *row[0]);
        // What we write is what it wrote, but for the compressor's choices.
        const json::Value document = destination::decode_state(*row[1]);
        EXPECT_EQ(destination::decode_state(destination::encode_state(document.as_object())),
                  document);
    }
}

TEST_F(InteropTest, ALoadThatFailedHidesItsState) {
    maker_.pipeline = "other_pipeline";
    EXPECT_FALSE(stored()->state);
    maker_.pipeline = "shop_pipeline";
    execute(
        "UPDATE shop_data._dlt_loads SET status = 1 WHERE load_id = (SELECT max(load_id) FROM "
        "shop_data._dlt_loads)");
    EXPECT_EQ(stored()->state->version, 2);
}

TEST_F(InteropTest, GoesOnWithAMerge) {
    const std::optional<StoredDataset> read = stored();
    maker_.schema() = read->schemas.at("shop");
    const std::string before = rows("SELECT count(*) FROM orders WHERE id <> 1");
    maker_.begin("1999999999.5")
        .load(Disposition::merge, {"orders", "orders__lines", "orders__lines__tags"})
        .rows(
            "orders",
            R"([{"id": 1, "updated_at": 1709337600000000, "total": 5500, "_dlt_id": "new"}])")
        .rows(
            "orders__lines",
            R"([{"sku": "only", "qty": 3, "_dlt_root_id": "new", "_dlt_parent_id": "new", "_dlt_list_idx": 0}])");
    const auto loaded = load(close());
    EXPECT_EQ(loaded[0].deleted, 1U);
    EXPECT_EQ(rows("SELECT count(*) FROM orders WHERE id <> 1"), before);
    EXPECT_EQ(rows("SELECT total, _dlt_id FROM orders WHERE id = 1"), "55.00|new");
    EXPECT_EQ(rows("SELECT sku FROM orders__lines WHERE _dlt_root_id = 'new'"), "only");
    EXPECT_EQ(rows("SELECT count(*) FROM orders__lines WHERE _dlt_root_id NOT IN (SELECT _dlt_id "
                   "FROM orders)"),
              "0");
    // Nothing about the schema changed, so no row was written for it, and the file keeps its
    // format.
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_version"), "3");
    EXPECT_EQ(rows("SELECT version FROM _dlt_pipeline_state ORDER BY _dlt_load_id DESC LIMIT 1"),
              "4");
    EXPECT_EQ(
        rows("SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'shop'"),
        "v1.0.0+");
    EXPECT_EQ(stored()->newest_load_id, "1999999999.5");
}

}  // namespace
}  // namespace tipple::destinations
