#include "tipple/schema/migration.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/schema/schema.h"

namespace tipple::schema {
namespace {

json::Object migrated(std::string_view text, std::int64_t from) {
    json::Object document = json::parse(text).as_object();
    migrate(document, from);
    return document;
}

const json::Value& at(const json::Object& object, std::initializer_list<std::string_view> path) {
    const json::Value* value = nullptr;
    for (const std::string_view key : path) {
        value = (value == nullptr ? object : value->as_object()).find(key);
        if (value == nullptr) throw Bug("nothing is at " + std::string(key));
    }
    return *value;
}

TEST(Migration, Engine2GetsTablesSettingsAndFilters) {
    const json::Object document = migrated(
        R"({"name":"ev","version":3,"engine_version":2,"hints":{"not_null":["^_id$"],"foreign_key":["x"]},)"
        R"("preferred_types":{"^a$":"complex"},"includes":["^event__q$"],"excludes":["^event__l__z","^new__x","y"],)"
        R"("tables":{"event":{"a":{"name":"a","data_type":"complex","nullable":true}},"event__l":{},)"
        R"("event__q__r":{},"z__y":{},"event___w":{}}})",
        2);
    const std::pair<const char*, const char*> parents[] = {{"event__l", "event"},
                                                           {"event__q__r", "event"}};
    for (const auto& [table, parent] : parents)
        EXPECT_EQ(at(document, {"tables", table, "parent"}), json::Value(parent));
    for (const char* root : {"event", "z__y", "event___w", "new"}) {
        EXPECT_EQ(at(document, {"tables", root, "resource"}), json::Value(root));
    }
    EXPECT_EQ(at(document, {"tables", "event", "columns", "a", "data_type"}), json::Value("json"));
    EXPECT_EQ(json::to_text(at(document, {"tables", "event", "filters"})),
              R"({"excludes":["re:^l__z"],"includes":["re:^q$"]})");
    EXPECT_EQ(json::to_text(at(document, {"tables", "new", "filters"})),
              R"({"excludes":["re:^x"]})");
    EXPECT_EQ(
        json::to_text(at(document, {"settings"})),
        R"({"default_hints":{"not_null":["re:^_id$"],"row_key":["_dlt_id"],"parent_key":["_dlt_parent_id"]},)"
        R"("preferred_types":{"re:^a$":"json"}})");
    EXPECT_EQ(
        json::to_text(at(document, {"normalizers"})),
        R"({"names":"snake_case","json":{"module":"dlt.common.normalizers.json.relational",)"
        R"("config":{"propagation":{"root":{"_dlt_id":"_dlt_root_id"}}}},"use_break_path_on_normalize":false})");
    EXPECT_EQ(at(document, {"tables", "_dlt_version", "columns", "schema", "data_type"}),
              json::Value("text"));
    EXPECT_EQ(at(document, {"engine_version"}), json::Value(11));
}

TEST(Migration, Engine1HadFiltersThatNothingApplied) {
    const json::Object document =
        migrated(R"({"engine_version":1,"excludes":["^event__x"],"tables":{"event":{}}})", 1);
    EXPECT_EQ(at(document, {"tables", "event"}).as_object().find("filters"), nullptr);
}

TEST(Migration, Engine6LosesSealedFlags) {
    const json::Object document = migrated(
        R"({"engine_version":6,"tables":{"t":{"columns":{},"table_sealed":true}},"settings":{"schema_sealed":true}})",
        6);
    EXPECT_EQ(at(document, {"tables", "t"}).as_object().find("table_sealed"), nullptr);
    EXPECT_TRUE(at(document, {"settings"}).as_object().empty());
    EXPECT_EQ(document.find("tables")->as_object().find("_dlt_loads"), nullptr)
        << "only engines before 6 had old ones";
}

TEST(Migration, Engine8MarksTablesThatHaveSeenData) {
    const json::Object document = migrated(
        R"({"engine_version":8,"tables":{"t":{"columns":{"_dlt_id":{}},"x-normalizer":{"max_nesting":1}},)"
        R"("u":{"columns":{"a":{}}}}})",
        8);
    EXPECT_EQ(json::to_text(at(document, {"tables", "t", "x-normalizer"})),
              R"({"max_nesting":1,"seen-data":true})");
    EXPECT_EQ(at(document, {"tables", "u"}).as_object().find("x-normalizer"), nullptr);
}

TEST(Migration, Engine9GetsRowAndParentKeys) {
    const json::Object document = migrated(
        R"({"engine_version":9,"tables":{"t":{"columns":{"_dlt_id":{"unique":true,"foreign_key":true},)"
        R"("_dlt_parent_id":{"foreign_key":true},"a":{"foreign_key":true,"data_type":"complex"}}},)"
        R"("u":{"columns":{"_dlt_id":{},"_dlt_parent_id":{}}}},)"
        R"("normalizers":{"json":{"config":{"generate_dlt_id":true}}}})",
        9);
    EXPECT_EQ(json::to_text(at(document, {"tables", "t", "columns"})),
              R"({"_dlt_id":{"unique":true,"row_key":true},"_dlt_parent_id":{"parent_key":true},)"
              R"("a":{"data_type":"json"}})");
    EXPECT_EQ(json::to_text(at(document, {"tables", "u", "columns"})),
              R"({"_dlt_id":{"row_key":false},"_dlt_parent_id":{"parent_key":false}})");
    EXPECT_EQ(json::to_text(at(document, {"normalizers", "json"})), R"({"config":{}})");
    EXPECT_EQ(at(document, {"settings"}).as_object().find("default_hints"), nullptr);
}

TEST(Migration, AMigratedDocumentKeepsItsHashUntilTheNextBump) {
    json::Object document = Schema::make("s").to_document();
    document.set("engine_version", 10);
    document.set("version", 4);
    document.set("version_hash", "old");
    Schema schema = Schema::from_document(document);
    EXPECT_EQ(schema.version_hash(), "old");
    EXPECT_TRUE(schema.bump());
    EXPECT_EQ(schema.version(), 5);
    EXPECT_EQ(schema.previous_hashes(), std::vector<std::string>{"old"});
}

TEST(Migration, RefusesMalformedDocuments) {
    for (const char* text :
         {R"({"tables":[]})", R"({"tables":{"t":1}})", R"({"tables":{"t":{"columns":1}}})",
          R"({"tables":{"t":{"columns":{"a":1}}}})", R"({"settings":1,"tables":{}})",
          R"({"normalizers":[],"tables":{}})", R"({"settings":{"default_hints":1}})"}) {
        EXPECT_THROW(migrated(text, 8), Error) << text;
    }
    EXPECT_THROW(migrated(R"({"tables":{"t":1}})", 2), Error);
}

}  // namespace
}  // namespace tipple::schema
