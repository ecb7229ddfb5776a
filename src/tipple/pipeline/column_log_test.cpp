#include "tipple/pipeline/column_log.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace tipple::pipeline {
namespace {

using schema::Column;
using schema::DataType;

schema::Schema schema_with(std::vector<Column> columns) {
    schema::Schema schema = schema::Schema::make("shop");
    schema::Table table("t");
    for (Column& column : columns) table.set_column(std::move(column));
    schema.set_table(table);
    return schema;
}

ColumnBirth birth(const std::string& column, normalize::TypeReason reason, std::uint64_t line) {
    return {.table = "t", .column = column, .reason = reason, .place = {.origin = "t.jsonl", .byte_offset = 10 * line, .line = line, .record = line}};
}

std::string described(const json::Array& entries) { return json::to_text(json::Value(entries)); }

TEST(ColumnLog, ColumnsWithoutARecordWereDeclared) {
    const schema::Schema before = schema_with({Column("old", DataType::text, true)});
    const schema::Schema after = schema_with({Column("old", DataType::text, true), Column("a", DataType::timestamp, true), Column("d", DataType::date, true),
                                              Column("unknown", json::Object{{"nullable", true}}), Column("_dlt_id", DataType::text, false)});
    EXPECT_EQ(described(describe_births({birth("a", normalize::TypeReason::detected, 2)}, {}, before, after)),
              R"([{"table":"t","column":"a","data_type":"timestamp","reason":"detected","source":"t.jsonl","line":2,"byte_offset":20,"record":2},)"
              R"({"table":"t","column":"d","data_type":"date","reason":"declared"}])");
}

TEST(ColumnLog, ColumnsThatCameTogetherAreOfTheirFirstRecord) {
    const std::vector<columns::ColumnMove> moves = {{"t", "a__v_double", "a"}, {"t", "n__v_double", "n"}};
    const schema::Schema before = schema_with({Column("n", DataType::bigint, true)});
    const schema::Schema after = schema_with({Column("n", DataType::double_, true), Column("a", DataType::double_, true)});
    const json::Array entries = describe_births({birth("a", normalize::TypeReason::value, 1), birth("n__v_double", normalize::TypeReason::variant, 2),
                                                 birth("a__v_double", normalize::TypeReason::variant, 3)},
                                                moves, before, after);
    EXPECT_EQ(described(entries),
              R"([{"table":"t","column":"a","data_type":"double","reason":"value","source":"t.jsonl","line":1,"byte_offset":10,"record":1},)"
              R"({"table":"t","column":"n","data_type":"double","reason":"widened","source":"t.jsonl","line":2,"byte_offset":20,"record":2}])");
}

TEST(ColumnLog, SaysWhatToDoAboutValuesOfAnotherType) {
    std::vector<Column> columns = {Column("a", DataType::bigint, true)};
    std::vector<ColumnBirth> births = {birth("a", normalize::TypeReason::value, 1)};
    for (int line = 2; line <= 6; ++line) {
        columns.emplace_back(fmt::format("c{}__v_text", line), DataType::text, true);
        births.push_back(birth(columns.back().name(), normalize::TypeReason::variant, static_cast<std::uint64_t>(line)));
    }
    births[2].value = R"("n/a")";
    columns.emplace_back("c3", DataType::double_, true);
    const schema::Schema schema = schema_with(std::move(columns));
    const schema::Schema none = schema_with({});
    const std::vector<std::string> texts = describe_variants(describe_births(births, {}, none, schema), schema);
    ASSERT_EQ(texts.size(), 4U);
    EXPECT_EQ(texts[0], R"(table "t": values of another type came, first in t.jsonl line 2; they are in column "c2__v_text" (text))");
    EXPECT_EQ(texts[1], R"(table "t": column "c3" is double, and values of another type came, first "n/a" in t.jsonl line 3; they are in column "c3__v_text" (text))");
    EXPECT_TRUE(texts[3].starts_with("2 more columns")) << texts[3];
    EXPECT_NE(texts[3].find("--widen"), std::string::npos);
    EXPECT_TRUE(describe_variants(describe_births({birth("a", normalize::TypeReason::value, 1)}, {}, none, schema), schema).empty());
}

TEST(ColumnLog, PassesOverWhatACrashCutShort) {
    const support::TemporaryFolder folder;
    const std::unique_ptr<io::FileSystem> files = io::local_file_system();
    ColumnLog log(*files, folder.path());
    EXPECT_TRUE(log.find("shop", "t", "a").empty());
    package::Manifest manifest;
    manifest.load_id = "1.0";
    manifest.schema_name = "shop";
    log.add(manifest);
    EXPECT_TRUE(files->list(folder.path()).empty());
    manifest.notes.set(ColumnLog::note, json::Array{json::Object{{"table", "t"}, {"column", "a"}, {"reason", "value"}}});
    log.add(manifest);
    const std::unique_ptr<io::WriteFile> file = files->open_append(folder.path("columns.jsonl"));
    file->write(R"({"v":1,"load_id":"2.0","sch)");
    file->close();
    log.add(manifest);
    manifest.load_id = "3.0";
    log.add(manifest);
    const std::vector<json::Object> found = log.find("shop", "t", "a");
    ASSERT_EQ(found.size(), 2U);
    EXPECT_EQ(*found[0].find("load_id"), json::Value("3.0"));
    EXPECT_EQ(*found[1].find("load_id"), json::Value("1.0"));
    EXPECT_TRUE(log.find("other", "t", "a").empty());
}

}  // namespace
}  // namespace tipple::pipeline
