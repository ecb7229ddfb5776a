#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tipple/core/error.h"
#include "tipple/schema/schema.h"

namespace tipple::schema {
namespace {

/// A schema with one table, as the hash values below were computed for with the reference.
Schema users_schema() {
    Schema schema = Schema::make("event");
    Table users("users");
    users.set_property("write_disposition", "append");
    users.set_property("resource", "users");
    Column id("id", DataType::bigint, false);
    id.set_hint("primary_key", true);
    users.set_column(id);
    users.set_column(Column("name", DataType::text, true));
    schema.set_table(users);
    return schema;
}

constexpr const char* empty_hash = "pZ5sJrS7SgbBj71uaDNqfEQbWOhUhLHzUfi07kkvr2Y=";
constexpr const char* users_hash = "Aes7dtMrpSSFhjEIFeLXyA24zDYWBdrZyZUPX0DmeOw=";
constexpr const char* users_x_hash = "GrR96U+Lh0hWBLJ2c72N6zIpC/kMgDWaXm67T62oZJw=";

ErrorKind error_of(const json::Value& document) {
    try {
        Schema::from_document(document);
    } catch (const Error& error) {
        return error.kind();
    }
    ADD_FAILURE() << "was read: " << json::to_text(document);
    return ErrorKind::local;
}

/// The document of `users_schema` with `value` at the top level key `key`, without its hash.
json::Object document_with(std::string_view key, json::Value value) {
    json::Object document = users_schema().to_document();
    document.erase("version_hash");
    document.set(key, std::move(value));
    return document;
}

json::Object document_with_table(std::string_view name, std::string_view properties) {
    json::Object document = document_with("version", 1);
    document.find("tables")->as_object().set(name, json::parse(properties));
    return document;
}

TEST(Document, ANewSchemaHasTheDefaults) {
    const Schema schema = Schema::make("event");
    EXPECT_EQ(
        json::to_text(schema.settings()),
        R"({"detections":["iso_timestamp"],"default_hints":{"not_null":["_dlt_id","_dlt_root_id",)"
        R"("_dlt_parent_id","_dlt_list_idx","_dlt_load_id"],"parent_key":["_dlt_parent_id"],)"
        R"("root_key":["_dlt_root_id"],"unique":["_dlt_id"],"row_key":["_dlt_id"]}})");
    EXPECT_EQ(
        json::to_text(schema.normalizers()),
        R"({"names":"snake_case","json":{"module":"dlt.common.normalizers.json.relational"}})");
    EXPECT_EQ(schema.version(), 1);
    EXPECT_EQ(schema.version_hash(), "");
    EXPECT_EQ(schema.compute_hash(), empty_hash);
    EXPECT_EQ(schema.disposition_of(schema.require("_dlt_version")), Disposition::skip);
    EXPECT_EQ(schema.require("_dlt_loads").find("load_id")->precision(), 64);
    EXPECT_NE(Schema::make("event", "s3_tables").find("dlt_loads"), nullptr)
        << "named by the convention";
}

TEST(Document, NamesAreIdentifiers) {
    for (const char* good : {"a", "_1abc", "my_pipe", "Привет", "a1"})
        EXPECT_NO_THROW(Schema::make(good)) << good;
    EXPECT_NO_THROW(Schema::make(std::string(64, 'a')));
    for (const std::string& bad :
         {std::string(), std::string("1a"), std::string("a b"), std::string("a-b"),
          std::string("a\u00A0"), std::string("٣a"), std::string("\xFF"), std::string(65, 'a')}) {
        EXPECT_THROW(Schema::make(bad), Error) << bad;
    }
    EXPECT_THROW(Schema::make("a", "camel"), Error);
}

TEST(Document, VersionsAndHashesGrowLikeTheReferences) {
    Schema schema = users_schema();
    EXPECT_EQ(schema.compute_hash(), users_hash);
    EXPECT_TRUE(schema.bump());
    EXPECT_EQ(schema.version(), 1) << "the first hash is no new version";
    EXPECT_FALSE(schema.bump());
    Table users = schema.require("users");
    Column x("x", DataType::text, true);
    x.set_hint("x-é", json::Object{{"b", nullptr}, {"a", "\"\n/"}});
    users.set_column(x);
    schema.set_table(users);
    EXPECT_TRUE(schema.bump());
    EXPECT_EQ(schema.version(), 2);
    EXPECT_EQ(schema.version_hash(), users_x_hash);
    EXPECT_EQ(schema.previous_hashes(), std::vector<std::string>{users_hash});
    EXPECT_FALSE(schema.bump());
}

TEST(Document, KeepsTenPreviousHashesAndNoneTwice) {
    Schema schema = users_schema();
    schema.bump();
    for (int i = 1; i <= 12; ++i) {
        schema.extras().set("description", i);
        EXPECT_TRUE(schema.bump());
    }
    EXPECT_EQ(schema.version(), 13);
    EXPECT_EQ(schema.previous_hashes().size(), 10U);
    const std::string back = schema.previous_hashes().front();
    schema.extras().set("description", 11);
    schema.bump();
    EXPECT_EQ(schema.version_hash(), back);
    schema.extras().set("description", 12);
    schema.bump();
    EXPECT_EQ(std::count(schema.previous_hashes().begin(), schema.previous_hashes().end(), back),
              1);
}

TEST(Document, TheOrderOfColumnsCountsAndThatOfTablesDoesNot) {
    const json::Object document = users_schema().to_document();
    json::Object swapped = document;
    json::Object& columns =
        swapped.find("tables")->as_object().find("users")->as_object().find("columns")->as_object();
    columns = {{"name", *columns.find("name")}, {"id", *columns.find("id")}};
    EXPECT_NE(Schema::from_document(swapped).compute_hash(), users_hash);
    json::Object reversed = document;
    json::Object tables;
    const std::vector<json::Member> members(document.find("tables")->as_object().begin(),
                                            document.find("tables")->as_object().end());
    for (auto at = members.rbegin(); at != members.rend(); ++at) tables.append(at->name, at->value);
    reversed.set("tables", tables);
    EXPECT_EQ(Schema::from_document(reversed).compute_hash(), users_hash);
}

TEST(Document, ReadsBackWhatItWrites) {
    Schema schema = users_schema();
    schema.bump();
    schema.extras() = {
        {"imported_version_hash", "h"}, {"description", "d"}, {"later", json::Array{1, nullptr}}};
    schema.settings().set("unknown", json::Object{{"z", 1}, {"a", 2}});
    schema.bump();
    const json::Object document = schema.to_document();
    const Schema back = Schema::from_document(document);
    EXPECT_EQ(back.to_document(), document);
    EXPECT_EQ(back.version_hash(), schema.version_hash());
    EXPECT_EQ(back.compute_hash(), schema.version_hash());
    std::vector<std::string> keys;
    for (const auto& [key, value] : document) keys.push_back(key);
    EXPECT_EQ(keys,
              (std::vector<std::string>{"version", "version_hash", "engine_version", "name",
                                        "tables", "settings", "normalizers", "previous_hashes",
                                        "imported_version_hash", "description", "later"}));
}

TEST(Document, RefusesContentThatDoesNotHaveItsHash) {
    Schema schema = users_schema();
    schema.bump();
    json::Object document = schema.to_document();
    EXPECT_NO_THROW(Schema::from_document(document));
    document.set("description", "changed by hand");
    EXPECT_EQ(error_of(document), ErrorKind::corrupt);
    document.set("version_hash", "");
    EXPECT_NO_THROW(Schema::from_document(document))
        << "without a hash there is nothing to compare";
}

TEST(Document, PutsBackWhatExportsLeaveOut) {
    json::Object document = document_with_table("t", R"({"columns":{"a":{"data_type":"text"}}})");
    document.find("tables")->as_object().set("t__c", json::parse(R"({"parent":"t"})"));
    const Schema schema = Schema::from_document(document);
    EXPECT_EQ(schema.require("t").resource(), "t");
    EXPECT_EQ(schema.require("t").disposition(), Disposition::append);
    EXPECT_EQ(schema.require("t").find("a")->name(), "a");
    EXPECT_EQ(schema.require("t__c").resource(), "");
    EXPECT_EQ(schema.require("t__c").disposition(), std::nullopt);
}

TEST(Document, ForgetsColumnsThatHadOnlyNulls) {
    const Schema schema = Schema::from_document(document_with_table(
        "t", R"({"columns":{"n":{"x-normalizer":{"seen-null-first":true}},)"
             R"("m":{"data_type":"text","x-normalizer":{"seen-null-first":true,"other":1}},)"
             R"("k":{"data_type":"text","x-normalizer":{"seen-null-first":true}}}})"));
    const Table& t = schema.require("t");
    EXPECT_EQ(t.find("n"), nullptr);
    EXPECT_EQ(json::to_text(t.find("m")->hints()),
              R"({"data_type":"text","x-normalizer":{"other":1}})");
    EXPECT_EQ(json::to_text(t.find("k")->hints()), R"({"data_type":"text"})");
}

TEST(Document, RefusesMalformedDocuments) {
    const json::Value documents[] = {
        json::Array{},
        json::Object{},
        document_with("engine_version", 12),
        document_with("engine_version", 0),
        document_with("engine_version", "11"),
        document_with("version", "1"),
        document_with("version_hash", 5),
        document_with("name", "1a"),
        document_with("name", nullptr),
        document_with("tables", json::Array{}),
        document_with("settings", 1),
        document_with("normalizers", "x"),
        document_with_table("t", "1"),
        document_with_table("t", R"({"columns":[]})"),
        document_with_table("t", R"({"columns":{"a":1}})"),
        document_with_table("t", R"({"columns":{"a":{"data_type":"int"}}})"),
        document_with_table("t", R"({"write_disposition":"upsert"})"),
        document_with_table("t", R"({"parent":"gone"})"),
        document_with_table("t", R"({"parent":1})"),
        document_with_table("t", R"({"parent":"t"})"),
    };
    for (const json::Value& document : documents) EXPECT_EQ(error_of(document), ErrorKind::usage);
    json::Object nothing = document_with("tables", nullptr);
    EXPECT_NO_THROW(Schema::from_document(nothing));
    nothing.set("version_hash", "x");
    EXPECT_EQ(error_of(nothing), ErrorKind::corrupt);
}

/// A JSON value of the kinds a schema has.
rc::Gen<json::Value> any_json(int depth = 0) {
    return rc::gen::exec([depth]() -> json::Value {
        switch (*rc::gen::inRange(0, depth < 2 ? 6 : 4)) {
            case 0:
                return nullptr;
            case 1:
                return *rc::gen::arbitrary<bool>();
            case 2:
                return *rc::gen::arbitrary<std::int64_t>();
            case 3:
                return *rc::gen::string<std::string>();
            case 4:
                return json::Array{*any_json(depth + 1)};
            default: {
                json::Object object;
                for (int i = *rc::gen::inRange(0, 3); i > 0; --i) {
                    object.set(*rc::gen::string<std::string>(), *any_json(depth + 1));
                }
                return object;
            }
        }
    });
}

rc::Gen<Schema> any_schema() {
    return rc::gen::exec([] {
        Schema schema = Schema::make("s");
        std::vector<std::string> names;
        for (int i = *rc::gen::inRange(0, 5); i > 0; --i) {
            Table table(*rc::gen::string<std::string>());
            if (schema.find(table.name()) != nullptr) continue;
            if (!names.empty() && *rc::gen::arbitrary<bool>() && !names.front().empty()) {
                table.set_property("parent", names.front());
            } else {
                table.set_property("write_disposition", "merge");
                table.set_property("resource", *rc::gen::string<std::string>());
            }
            table.set_property("x-any", *any_json());
            for (int k = *rc::gen::inRange(0, 4); k > 0; --k) {
                Column column(*rc::gen::string<std::string>());
                if (*rc::gen::arbitrary<bool>()) {
                    column.set_data_type(
                        static_cast<DataType>(*rc::gen::inRange(0, data_type_count)));
                }
                column.set_hint("x-any", *any_json());
                table.set_column(column);
            }
            names.push_back(table.name());
            schema.set_table(std::move(table));
        }
        return schema;
    });
}

RC_GTEST_PROP(Document, AnySchemaReadsBack, ()) {
    Schema schema = *any_schema();
    schema.bump();
    RC_ASSERT(!schema.bump());
    const json::Object document = schema.to_document();
    const Schema back = Schema::from_document(document);
    RC_ASSERT(back.to_document() == document);
    RC_ASSERT(back.compute_hash() == schema.version_hash());
}

RC_GTEST_PROP(Document, AnyDocumentIsReadOrRefused, ()) {
    json::Object document = Schema::make("s").to_document();
    document.set("engine_version", *rc::gen::inRange(1, 12));
    document.set(*rc::gen::elementOf(
                     std::vector<std::string>{"tables", "settings", "normalizers", "hints",
                                              "excludes", "previous_hashes", "preferred_types"}),
                 *any_json());
    try {
        Schema::from_document(document);
    } catch (const Error& error) {
        RC_ASSERT(error.kind() != ErrorKind::local);
    }
}

}  // namespace
}  // namespace tipple::schema
