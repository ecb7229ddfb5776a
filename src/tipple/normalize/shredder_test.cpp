#include "tipple/columns/value_at.h"
#include "tipple/normalize/shredder.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include <map>

#include "tipple/core/error.h"
#include "tipple/normalize/columnar.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/schema/coerce.h"
#include "tipple/schema/json_value.h"

namespace tipple::normalize {
namespace {

using schema::DataType;

/// Pages in memory, and what came out of them: per table its columns as `name:type` and its rows as text.
class Trial {
public:
    explicit Trial(schema::Schema schema = start_schema(), Collisions collisions = Collisions::keep) : writer_(std::move(schema)) {
        const auto snapshot = writer_.snapshot();
        rules_ = Rules{.naming = schema::NamingConvention::make("snake_case"),
                       .inference = std::make_shared<schema::Inference>(*snapshot, 0),
                       .breaks_paths = true,
                       .collisions = collisions,
                       .load_id = "1.0",
                       .row_id_prefix = "prefix.."};
        shredder_ = std::make_unique<Shredder>(rules_);
    }

    explicit Trial(const std::string& text) : Trial(start_schema()) { page(text); }

    static schema::Schema start_schema() {
        schema::Schema schema = schema::Schema::make("test");
        schema::Table table("t");
        table.set_property("write_disposition", "append");
        schema.set_table(table);
        return schema;
    }

    /// Shreds one page of JSON lines and admits it.
    void page(std::string text) {
        const std::size_t size = text.size();
        text.append(limits::json_padding, ' ');
        PageResult result;
        const JsonPage page{.text = {text.data(), size}, .record_starts = {}, .number = number_++};
        shredder_->shred(page, "t", writer_.snapshot(), result);
        EXPECT_EQ(writer_.admit(result.proposals), SchemaWriter::Admission::admitted);
        take(result);
        note_origins(result);
    }

    void values(const std::vector<schema::Value>& records) {
        PageResult result;
        shredder_->shred_values(records, number_++, "t", writer_.snapshot(), result);
        EXPECT_EQ(writer_.admit(result.proposals), SchemaWriter::Admission::admitted);
        take(result);
    }

    std::string columns(const std::string& table) const {
        std::string out;
        const schema::Table* found = writer_.snapshot()->find(table);
        if (found == nullptr) return "(no table)";
        for (const schema::Column& column : found->columns()) {
            if (!column.is_complete()) continue;
            out += fmt::format("{}{}:{}{}", out.empty() ? "" : " ", column.name(), schema::to_text(*column.data_type()),
                               column.flag("variant") ? "*" : "");
        }
        return out;
    }
    /// `column=value` of what is not null, without ids.
    std::vector<std::string> rows(const std::string& table) const {
        const auto at = rows_.find(table);
        return at == rows_.end() ? std::vector<std::string>() : at->second;
    }
    std::string id(const std::string& table, std::size_t row) const { return ids_.at(table).at(row); }
    std::string cell(const std::string& table, std::size_t row, const std::string& column) const {
        return cells_.at(table).at(row).at(column);
    }
    std::vector<std::string> tables() const {
        std::vector<std::string> names;
        for (const auto& [name, rows] : rows_) names.push_back(name);
        return names;
    }
    const std::vector<BadRecord>& bad() const { return bad_; }
    const std::vector<NullOnlyColumn>& null_only() const { return null_only_; }
    const std::vector<DataNote>& notes() const { return notes_; }
    /// `table.column reason record`, sorted.
    const std::vector<std::string>& origins() const { return origins_; }
    SchemaWriter& writer() { return writer_; }
    std::string dump() const {
        std::string out;
        for (const auto& [name, rows] : rows_) {
            out += fmt::format("{}: {}\n", name, columns(name));
            for (const std::string& row : rows) out += "  " + row + "\n";
        }
        return out;
    }

private:
    void note_origins(const PageResult& result) {
        const std::map<TypeReason, std::string> names = {
            {TypeReason::value, "value"}, {TypeReason::detected, "detected"}, {TypeReason::preferred, "preferred"}, {TypeReason::variant, "variant"}};
        for (const TableProposal& proposal : result.proposals) {
            ASSERT_EQ(proposal.origins.size(), proposal.columns.size());
            for (std::size_t i = 0; i < proposal.columns.size(); ++i) {
                const std::string& column = proposal.columns[i].name();
                if (column.starts_with(schema::internal_prefix)) continue;
                origins_.push_back(fmt::format("{}.{} {} {}", proposal.table, column, names.at(proposal.origins[i].reason), proposal.origins[i].record_index));
                if (const std::string& value = proposal.origins[i].value; !value.empty()) origins_.back() += " " + value;
            }
        }
        std::sort(origins_.begin(), origins_.end());
    }

    void take(const PageResult& result) {
        for (const TableRows& table : result.tables) {
            const std::string name(table.table);
            for (std::size_t row = 0; row < table.rows; ++row) {
                std::string text;
                std::map<std::string, std::string> cells;
                for (std::size_t i = 0; i < table.columns.size(); ++i) {
                    const schema::Value value = value_at(table.columns[i], row);
                    if (value.is_null()) continue;
                    const std::string shown = schema::coerce(DataType::text, value)->as<std::string>();
                    cells.emplace(table.names[i], shown);
                }
                ids_[name].push_back(cells.at("_dlt_id"));
                for (const auto& [column, shown] : cells) {
                    if (column.starts_with("_dlt") && column != "_dlt_list_idx") continue;
                    text += fmt::format("{}{}={}", text.empty() ? "" : " ", column == "_dlt_list_idx" ? "idx" : column, shown);
                }
                rows_[name].push_back(text);
                cells_[name].push_back(std::move(cells));
            }
        }
        bad_.insert(bad_.end(), result.bad_records.begin(), result.bad_records.end());
        notes_.insert(notes_.end(), result.notes.begin(), result.notes.end());
        null_only_.insert(null_only_.end(), result.null_only.begin(), result.null_only.end());
    }

    SchemaWriter writer_;
    Rules rules_;
    std::unique_ptr<Shredder> shredder_;
    std::uint64_t number_ = 0;
    std::map<std::string, std::vector<std::string>> rows_;
    std::map<std::string, std::vector<std::string>> ids_;
    std::map<std::string, std::vector<std::map<std::string, std::string>>> cells_;
    std::vector<BadRecord> bad_;
    std::vector<NullOnlyColumn> null_only_;
    std::vector<DataNote> notes_;
    std::vector<std::string> origins_;
};

using Texts = std::vector<std::string>;

/// What one page alone gives.
Trial after(const std::string& page) { return Trial(page); }

schema::Schema nested_to(int level) {
    schema::Schema schema = Trial::start_schema();
    schema::Table table = schema.require("t");
    table.set_normalizer_hint("max_nesting", level);
    schema.set_table(table);
    return schema;
}

TEST(Shredder, ScalarsComeBeforeObjectsAndTheLastObjectFirst) {  // V1
    const Trial run = after(R"({"a":{"x":1},"b":{"y":2,"z":{"q":3}},"c":3,"d":{"w":1}})");
    EXPECT_EQ(run.columns("t"), "c:bigint d__w:bigint b__y:bigint b__z__q:bigint a__x:bigint _dlt_load_id:text _dlt_id:text");
}

TEST(Shredder, ListsBecomeTables) {  // V2
    const Trial run = after(R"({"l":[1,"a",null,{"k":1},[5,6],[]]})");
    EXPECT_EQ(run.columns("t__l"), "value:bigint _dlt_parent_id:text _dlt_list_idx:bigint _dlt_id:text value__v_text:text* k:bigint");
    EXPECT_EQ(run.rows("t__l"), (Texts{"idx=0 value=1", "idx=1 value__v_text=a", "idx=2", "idx=3 k=1", "idx=4", "idx=5"}));
    EXPECT_EQ(run.rows("t__l__list"), (Texts{"idx=0 value=5", "idx=1 value=6"}));
    EXPECT_EQ(run.cell("t__l__list", 0, "_dlt_parent_id"), run.id("t__l", 4));
    EXPECT_EQ(run.cell("t__l", 3, "_dlt_parent_id"), run.id("t", 0));
}

TEST(Shredder, IdsGivenByTheDataMakeTheIdsBelowRepeatable) {  // V3, V7
    const Trial run = after(R"({"_dlt_id":"R","l":[1,"a",null,{"k":1},[5,6],[]]})");
    EXPECT_EQ(run.id("t", 0), "R");
    EXPECT_EQ(run.id("t__l", 0), "ZMXs/dl+u/T2Hg");
    EXPECT_EQ(run.id("t__l", 1), "D7YCmBI9nI8kyA");
    EXPECT_EQ(run.id("t__l", 4), "M5zr0QzTVzOMVA");
    EXPECT_EQ(run.id("t__l__list", 0), "TuMJn6Zv3pe6xg");

    const Trial child = after(R"({"_dlt_id":"R","c":[{"_dlt_id":"C1","v":1,"g":[1]}]})");
    EXPECT_EQ(child.columns("t__c"), "_dlt_id:text v:bigint");
    EXPECT_EQ(child.id("t__c__g", 0), "pw5af/REGgacHA");
    EXPECT_EQ(child.cell("t__c__g", 0, "_dlt_parent_id"), "C1");
}

schema::Schema merged_schema(const std::string& strategy) {
    schema::Schema schema = Trial::start_schema();
    schema::Table table = schema.require("t");
    table.set_property("write_disposition", std::string("merge"));
    table.set_property("x-merge-strategy", strategy);
    schema::Column id(strategy == "scd2" ? "_dlt_id" : "id");
    id.set_hint(strategy == "scd2" ? "x-row-version" : "primary_key", true);
    table.set_column(std::move(id));
    schema.set_table(std::move(table));
    return schema;
}

TEST(Shredder, IdsOfUpsertedRowsAreMadeOfTheKey) {  // V20
    Trial trial(merged_schema("upsert"));
    trial.page(R"({"ID": 1, "name": "x", "c": [7]}
{"ID": 1, "name": "y", "c": [8, 9]}
{"name": "z"}
{"ID": 2, "_dlt_id": "own"})");
    EXPECT_EQ(trial.id("t", 0), "z5jIxXIbUnmbKw");
    EXPECT_EQ(trial.id("t", 1), "z5jIxXIbUnmbKw");
    EXPECT_EQ(trial.id("t", 2), "own");
    EXPECT_EQ(trial.id("t__c", 0), "XNdTuFvbpiFT7A");
    EXPECT_EQ(trial.id("t__c", 1), "XNdTuFvbpiFT7A");
    // What belongs together is known by the number.
    const std::string first = trial.cell("t", 0, "_tipple_root_number");
    const std::string second = trial.cell("t", 1, "_tipple_root_number");
    EXPECT_NE(first, second);
    EXPECT_EQ(trial.cell("t__c", 0, "_tipple_root_number"), first);
    EXPECT_EQ(trial.cell("t__c", 1, "_tipple_root_number"), second);
    EXPECT_EQ(trial.cell("t__c", 2, "_tipple_root_number"), second);
    ASSERT_EQ(trial.bad().size(), 1U);
    EXPECT_EQ(trial.bad()[0].column, "id");
    EXPECT_EQ(trial.writer().snapshot()->require("t").find("_tipple_root_number"), nullptr);
}

TEST(Shredder, IdsOfVersionsAreMadeOfTheRecord) {  // V21
    Trial trial(merged_schema("scd2"));
    trial.page(R"({"ID": 1, "name": "x", "a": [{"v": 1}]})");
    EXPECT_EQ(trial.id("t", 0), "jLk+7NAUXpYcnA");
    EXPECT_EQ(trial.columns("t__a").find("_dlt_root_id"), std::string::npos);
    trial.values({schema::Object{{"id", *schema::parse_decimal("1.50")}}});
    EXPECT_EQ(trial.id("t", 1), "2Hs2jD7QOib7vw");
}

TEST(Shredder, NamesThatMeetAreNoted) {  // V9, V11
    const Trial run = after("{\"a\":{\"B\":1,\"b\":2}}\n{\"a\":{\"B\":3}}\n{\"x\":0,\"a\":{\"B\":4,\"b\":null}}\n{\"l\":[{\"b\":1}],\"L\":[{\"c\":1}]}");
    EXPECT_EQ(run.rows("t"), (Texts{"a__b=2", "a__b=3", "a__b=4 x=0", ""}));
    EXPECT_EQ(run.rows("t__l"), (Texts{"idx=0 c=1"}));
    ASSERT_EQ(run.notes().size(), 2U);
    EXPECT_EQ(run.notes()[0].name, "a.B");
    EXPECT_EQ(run.notes()[0].other, "a.b");
    EXPECT_EQ(run.notes()[0].count, 2U);
    EXPECT_EQ(run.notes()[0].line, 0U);
    EXPECT_EQ(run.notes()[1].kind, DataNote::Kind::lists_met);
    EXPECT_EQ(run.notes()[1].line, 3U);
    EXPECT_EQ(run.notes()[1].record_index, 3U);
}

TEST(Shredder, NamesThatMeetCanBeRefused) {
    Trial run(Trial::start_schema(), Collisions::fail);
    run.page("{\"A\":1,\"a\":2}\n{\"a\":3}\n{\"a\":1,\"a\":4}");
    ASSERT_EQ(run.bad().size(), 1U);
    EXPECT_EQ(run.bad()[0].column, "a");
    // The same name twice is no collision of names: the last one counts.
    EXPECT_EQ(run.rows("t"), (Texts{"a=3", "a=4"}));
}

TEST(Shredder, NamesThatMeetCanHaveColumnsOfTheirOwn) {
    Trial run(Trial::start_schema(), Collisions::suffix);
    run.page("{\"A\":1,\"a\":2}\n{\"a\":3}");
    run.page("{\"a\":4,\"A\":5}\n{\"á\":{\"a\":1},\"A\":6,\"a-\":7,\"a_\":8}");
    EXPECT_EQ(run.rows("t"), (Texts{"a=1 a_2=2", "a_2=3", "a=5 a_2=4", "a=6 ax=7 ax_2=8 x__a=1"}));
    EXPECT_TRUE(run.notes().empty());
    EXPECT_EQ(run.writer().snapshot()->find("t")->find("a_2")->hints().find("x-source-name")->as_text(), "a");
}

/// A table of which only the key's name is known.
schema::Schema keyed_schema() {
    schema::Schema schema = Trial::start_schema();
    schema::Table table = schema.require("t");
    table.set_column(schema::Column("id", json::Object{{"nullable", false}, {"primary_key", true}}));
    schema.set_table(table);
    return schema;
}

TEST(Shredder, RecordsWithoutTheirKeyAreBadInTheFirstPageToo) {
    Trial trial(keyed_schema());
    trial.page("{\"idd\":7}\n{\"id\":1}\n{\"a\":2}\n");
    trial.page("{\"a\":3}\n{\"id\":4}\n");
    EXPECT_EQ(trial.rows("t"), (std::vector<std::string>{"id=1", "id=4"}));
    ASSERT_EQ(trial.bad().size(), 3U);
    EXPECT_EQ(trial.bad()[0].reason, "the record has no value for it, and it is part of the table's key; did you mean \"idd\"?");
    EXPECT_EQ(trial.bad()[1].record_index, 2U);
    EXPECT_EQ(trial.bad()[1].column, "id");
    EXPECT_EQ(trial.columns("t"), "id:bigint _dlt_load_id:text _dlt_id:text");
}

TEST(Shredder, ColumnsSayWhichRecordMadeThem) {
    schema::Schema schema = Trial::start_schema();
    schema.settings().set("preferred_types", json::Object{{"p", "decimal"}});
    Trial trial(schema);
    trial.page("{\"a\":1,\"l\":[]}\n{\"a\":\"x\",\"p\":1,\"when\":\"2024-01-01T00:00:00Z\",\"l\":[{\"v\":1}]}\n");
    EXPECT_EQ(trial.origins(), (std::vector<std::string>{"t.a value 0", R"(t.a__v_text variant 1 "x")", "t.p preferred 1", "t.when detected 1", "t__l.v value 1"}));
}

TEST(Shredder, EmptiesAndNullsLeaveNoTrace) {  // V4
    const Trial run = after(R"({"e":[],"f":{},"g":null})");
    EXPECT_EQ(run.columns("t"), "_dlt_load_id:text _dlt_id:text");
    EXPECT_EQ(run.tables(), Texts{"t"});
    EXPECT_EQ(run.null_only(), (std::vector<NullOnlyColumn>{{"t", "g"}}));
}

TEST(Shredder, EmptyKeys) {  // V5
    EXPECT_EQ(after(R"({"":1,"  ":2,"b":{"":3}})").rows("t"), Texts{"_empty=2 b___empty=3"});
}

TEST(Shredder, RecordsThatAreNoObjects) {  // V6
    const Trial run = after("1\n\"a\"\nnull\n[1,2]\ntrue\n-2.5\n");
    EXPECT_EQ(run.rows("t"), (Texts{"value=1", "value__v_text=a", "", "", "value__v_bool=True", "value__v_double=-2.5"}));
    EXPECT_EQ(run.rows("t__value"), (Texts{"idx=0 value=1", "idx=1 value=2"}));
}

TEST(Shredder, TheLoadIdInTheDataKeepsItsPlace) {  // V8
    EXPECT_EQ(after(R"({"_dlt_load_id":"mine","v":1})").columns("t"), "_dlt_load_id:text v:bigint _dlt_id:text");
}

TEST(Shredder, NamesThatMeet) {  // V9, V10, V11
    EXPECT_EQ(after(R"({"a":1,"A":2})").rows("t"), Texts{"a=2"});
    EXPECT_EQ(after(R"({"a__b":1,"a":{"b":2}})").rows("t"), Texts{"a__b=2"});
    EXPECT_EQ(after(R"({"a":{"b":2},"a__b":1})").rows("t"), Texts{"a__b=2"});
    EXPECT_EQ(after(R"({"a":1,"b":2,"a":3})").rows("t"), Texts{"a=3 b=2"});
    EXPECT_EQ(after(R"({"a":1,"a":{"b":2}})").rows("t"), Texts{"a__b=2"});
    const Trial lists = after(R"({"a":[{"b":1}],"A":[{"c":1}]})");
    EXPECT_EQ(lists.rows("t__a"), Texts{"idx=0 c=1"});
    EXPECT_EQ(after(R"({"a":5,"a__v_text":"user"})"
                    "\n"
                    R"({"a":"x","a__v_text":"user"})")
                  .rows("t"),
              (Texts{"a=5 a__v_text=user", "a__v_text=user"}));
}

TEST(Shredder, TwoPathsToOneTableKeepAllRowsWithTheirOwnIds) {
    const Trial run = after(R"({"a":{"b":[1]},"a__b":[2]})");
    EXPECT_EQ(run.rows("t__a__b"), (Texts{"idx=0 value=2", "idx=0 value=1"}));
    EXPECT_NE(run.id("t__a__b", 0), run.id("t__a__b", 1));
}

TEST(Shredder, ListsBelowTwoParentsAreOneTableOfTheFirst) {
    // Both in one record, in two records of a page, and in two pages.
    for (const char* records : {R"({"a":[{"b":[1]}],"a__b":[2]})", "{\"a\":{\"b\":[1]}}\n{\"a\":[{\"b\":[2]}]}"}) {
        const Trial run = after(records);
        EXPECT_EQ(run.rows("t__a__b"), (Texts{"idx=0 value=1", "idx=0 value=2"})) << records;
    }
    Trial pages;
    pages.page(R"({"a":{"b":[1]}})");
    pages.page(R"({"a":[{"b":[2]}]})");
    EXPECT_EQ(pages.cell("t__a__b", 1, "_dlt_parent_id"), pages.id("t__a", 0));
}

TEST(Shredder, NestedNames) {  // V13
    const Trial run = after(R"({"camelCase":{"innerKey":[{"XY":1}]}})");
    EXPECT_EQ(run.rows("t__camel_case__inner_key"), Texts{"idx=0 xy=1"});
}

TEST(Shredder, MaxNesting) {  // V14, V15, V16, V16b
    Trial none(nested_to(0));
    none.page(R"({"a":{"x":1},"l":[1]})");
    EXPECT_EQ(none.columns("t"), "a:json l:json _dlt_load_id:text _dlt_id:text");
    EXPECT_EQ(none.rows("t"), Texts{R"(a={"x":1} l=[1])"});

    Trial one(nested_to(1));
    one.page(R"({"a":{"x":{"y":1}},"l":[{"k":{"z":1},"m":[1]}],"ll":[[1,2]]})");
    EXPECT_EQ(one.rows("t"), Texts{R"(a__x={"y":1})"});
    EXPECT_EQ(one.rows("t__l"), Texts{R"(idx=0 k={"z":1} m=[1])"});
    EXPECT_EQ(one.rows("t__ll"), Texts{"idx=0 list=[1,2]"});

    Trial two(nested_to(2));
    two.page(R"({"a":{"x":{"y":1}},"l":[{"k":{"z":1},"m":[{"q":1}]}],"ll":[[1,2]]})");
    EXPECT_EQ(two.rows("t"), Texts{"a__x__y=1"});
    EXPECT_EQ(two.rows("t__l"), Texts{"idx=0 k__z=1"});
    EXPECT_EQ(two.rows("t__l__m"), Texts{"idx=0 q=1"});
    EXPECT_EQ(two.rows("t__ll"), Texts{"idx=0 list=[1,2]"});

    Trial deep(nested_to(2));
    deep.page(R"({"a":{"b":[{"c":{"d":1}}]}})"
              "\n"
              R"({"a":{"b":{"c":[1]}}})");
    EXPECT_EQ(deep.rows("t__a__b"), Texts{"idx=0 c__d=1"});
    EXPECT_EQ(deep.rows("t"), (Texts{"", "a__b__c=[1]"}));
}

TEST(Shredder, DeclaredJsonColumnsStayWhole) {  // V17
    schema::Schema schema = Trial::start_schema();
    schema::Table table = schema.require("t");
    table.set_column(schema::Column("a", DataType::json, true));
    schema.set_table(table);
    Trial run(schema);
    run.page(R"({"a":{"x":[1,{"y":2}],"x":3}})"
             "\n"
             R"({"a":"{\"k\":1}"})"
             "\n"
             R"({"a":"not json"})"
             "\n"
             R"({"a":5})");
    EXPECT_EQ(run.rows("t"), (Texts{R"(a={"x":3})", R"(a={"k":1})", "a__v_text=not json", "a__v_bigint=5"}));
}

TEST(Shredder, DeclaredTextDoesNotStopFlattening) {  // V18
    schema::Schema schema = Trial::start_schema();
    schema::Table table = schema.require("t");
    table.set_column(schema::Column("tx", DataType::text, true));
    schema.set_table(table);
    Trial run(schema);
    run.page(R"({"tx":{"a":1}})");
    EXPECT_EQ(run.rows("t"), Texts{"tx__a=1"});
}

TEST(Shredder, RootIdsArePropagated) {  // V19
    schema::Schema schema = Trial::start_schema();
    schema.normalizers() = json::parse(
        R"({"names":"snake_case","json":{"module":"m","config":{"propagation":{"tables":{"t":{"_dlt_id":"_dlt_root_id"}}}}}})").as_object();
    Trial run(schema);
    run.page(R"({"id":1,"a":[1,{"b":[2]}]})");
    EXPECT_EQ(run.columns("t__a"), "value:bigint _dlt_root_id:text _dlt_parent_id:text _dlt_list_idx:bigint _dlt_id:text");
    EXPECT_EQ(run.cell("t__a", 1, "_dlt_root_id"), run.id("t", 0));
    EXPECT_EQ(run.cell("t__a__b", 0, "_dlt_root_id"), run.id("t", 0));
    EXPECT_EQ(run.cell("t__a__b", 0, "_dlt_parent_id"), run.id("t__a", 1));
}

TEST(Shredder, FieldsArePropagated) {  // V23
    schema::Schema schema = Trial::start_schema();
    schema.normalizers().set(
        "json", json::parse(R"({"module": "relational", "config": {"propagation": {"root": {"ts": "_root_ts"}, "tables": {"t__l": {"k": "_lk", "_dlt_id": "_l_id"}}}}})"));
    Trial trial(schema);
    trial.page(R"({"_dlt_id":"R","ts":9,"l":[{"k":1,"m":[2],"_root_ts":"own"},{"m":[3]}]})");
    EXPECT_EQ(trial.rows("t"), (std::vector<std::string>{"ts=9"}));
    EXPECT_EQ(trial.rows("t__l"), (std::vector<std::string>{"idx=0 _root_ts=9 k=1", "idx=1 _root_ts=9"}));
    const auto id = [&](std::size_t row) { return trial.id("t__l", row); };
    EXPECT_EQ(trial.rows("t__l__m"), (std::vector<std::string>{"idx=0 _l_id=" + id(0) + " _lk=1 _root_ts=9 value=2", "idx=0 _l_id=" + id(1) + " _root_ts=9 value=3"}));
}

TEST(Shredder, OldSchemasPropagateRootIdsOfAllTables) {
    schema::Schema schema = Trial::start_schema();
    schema.normalizers().set("json", json::parse(R"({"module": "relational", "config": {"propagation": {"root": {"_dlt_id": "_dlt_root_id"}}}})"));
    Trial trial(schema);
    trial.page(R"({"l":[{"m":[2]}]})");
    EXPECT_EQ(trial.cell("t__l__m", 0, "_dlt_root_id"), trial.id("t", 0));
}

TEST(Shredder, TypesThatChange) {  // V25-V30
    const auto column = [](const std::string& values) {
        std::string page;
        const json::Value list = json::parse(values);
        for (const json::Value& value : list.as_array()) page += R"({"c":)" + json::to_text(value) + "}\n";
        return after(page).rows("t");
    };
    EXPECT_EQ(column(R"([1,"abc",1.5,true,"2",2.0])"), (Texts{"c=1", "c__v_text=abc", "c__v_double=1.5", "c__v_bool=True", "c=2", "c=2"}));
    EXPECT_EQ(column(R"(["abc","2024-01-01T00:00:00Z",5,true,1.0])"), (Texts{"c=abc", "c=2024-01-01T00:00:00Z", "c=5", "c=True", "c=1.0"}));
    EXPECT_EQ(column(R"(["2024-01-01T00:00:00Z","abc",5,true])"),
              (Texts{"c=2024-01-01T00:00:00+00:00", "c__v_text=abc", "c=1970-01-01T00:00:05+00:00", "c__v_bool=True"}));
    EXPECT_EQ(column(R"([true,5,"yes","maybe",0.0])"), (Texts{"c=True", "c=True", "c=True", "c__v_text=maybe", "c=False"}));
    EXPECT_EQ(column(R"([1.5,5,"7","x",false])"), (Texts{"c=1.5", "c=5.0", "c=7.0", "c__v_text=x", "c__v_bool=False"}));
    EXPECT_EQ(column(R"([1,"abc","2024-01-01T00:00:00Z"])"), (Texts{"c=1", "c__v_text=abc", "c__v_text=2024-01-01T00:00:00Z"}));
}

TEST(Shredder, ObjectsAndListsUnderAScalarsName) {  // V25, second half; V44
    const Trial run = after("{\"id\":1}\n{\"id\":{\"x\":1}}\n{\"id\":[1]}\n{\"id\":null}");
    EXPECT_EQ(run.rows("t"), (Texts{"id=1", "id__x=1", "", ""}));
    EXPECT_EQ(run.rows("t__id"), Texts{"idx=0 value=1"});
}

TEST(Shredder, AVariantsOwnTypeIsFinal) {  // V30, Q1
    const Trial run = after("{\"id\":1}\n{\"id\":\"2024-01-01T00:00:00Z\"}\n{\"id\":\"abc\",\"x\":1}");
    EXPECT_EQ(run.columns("t"), "id:bigint _dlt_load_id:text _dlt_id:text id__v_text:timestamp*");
    ASSERT_EQ(run.bad().size(), 1U);
    EXPECT_EQ(run.bad()[0].line, 2U);
    EXPECT_EQ(run.bad()[0].column, "id__v_text");
    EXPECT_EQ(run.rows("t").size(), 2U) << "a rejected record leaves nothing";
}

TEST(Shredder, LargeIntegers) {  // V31, Q14
    const Trial run = after("{\"n\":9223372036854775807}\n{\"n\":9223372036854775808}\n{\"n\":12345678901234567890123}\n{\"m\":12345678901234567890123}");
    ASSERT_EQ(run.bad().size(), 1U);
    EXPECT_NE(run.bad()[0].reason.find("9223372036854775808"), std::string::npos);
    EXPECT_EQ(run.rows("t"), (Texts{"n=9223372036854775807", "n__v_double=1.2345678901234568e+22", "m=1.2345678901234568e+22"}));
}

TEST(Shredder, BrokenRecordsAreLeftOutAloneAndNamed) {
    const Trial run = after("{\"a\":1}\n{\"a\":\n{\"a\":2}\n\n{\"a\":NaN}\n{\"a\":3}}\n{\"a\":\"\xff\"}\n{\"a\":\"x\\q\"}\n{\"a\":4}\n{\"a\":[5}\n{'a':6}\n{\"a\":7} x\n{\"a\":8");
    std::vector<std::size_t> lines;
    for (const BadRecord& bad : run.bad()) lines.push_back(bad.line + 1);
    EXPECT_EQ(lines, (std::vector<std::size_t>{2, 5, 6, 7, 8, 10, 11, 12, 13}));
    EXPECT_EQ(run.rows("t"), (Texts{"a=1", "a=2", "a=3", "a=4", "a=7"}));
    EXPECT_EQ(run.bad()[0].text_excerpt, "{\"a\":");
    EXPECT_EQ(after("{\"a\":1,\n{\"a\":2}").bad()[0].text_excerpt, "{\"a\":1,") << "whole, as it came";
}

TEST(Shredder, AFaultInTheMiddleOfARecordUndoesIt) {
    const Trial run = after("{\"a\":1,\"l\":[1,2]}\n{\"a\":2,\"new\":1,\"l\":[3,{\"k\":4}],\"m\":[1],\"x\":tru}\n{\"a\":3,\"l\":[5]}");
    EXPECT_EQ(run.rows("t"), (Texts{"a=1", "a=3"}));
    EXPECT_EQ(run.rows("t__l"), (Texts{"idx=0 value=1", "idx=1 value=2", "idx=0 value=5"}));
    EXPECT_EQ(run.columns("t"), "a:bigint _dlt_load_id:text _dlt_id:text");
    EXPECT_EQ(run.columns("t__m"), "(no table)");
    EXPECT_EQ(run.cell("t__l", 2, "_dlt_parent_id"), run.id("t", 1));
}

TEST(Shredder, NestingHasALimit) {
    const auto nested = [](int depth) {
        std::string text;
        for (int i = 0; i < depth; ++i) text += "{\"a\":";
        text += "1";
        return text + std::string(static_cast<std::size_t>(depth), '}') + "\n";
    };
    EXPECT_EQ(after(nested(900)).bad().size(), 0U);
    const Trial run = after(nested(1100) + "{\"b\":1}");
    EXPECT_EQ(run.bad().size(), 1U);
    EXPECT_EQ(run.rows("t"), Texts{"b=1"});
    EXPECT_EQ(after(std::string(5000, '[') + std::string(5000, ']')).bad().size(), 1U);
}

TEST(Shredder, TextsOfEveryLength) {
    std::string page;
    Texts expected;
    for (std::size_t length = 0; length < 600; length = length < 70 ? length + 1 : length + 37) {
        const std::string text(length, 'x');
        page += R"({"a":")" + text + R"(","b":")" + text + R"(\n\u00e9"})" + "\n";
        expected.push_back("a=" + text + " b=" + text + "\né");
    }
    const Texts rows = after(page).rows("t");
    ASSERT_EQ(rows.size(), expected.size());
    for (std::size_t i = 0; i < rows.size(); ++i) EXPECT_EQ(rows[i], expected[i]);
}

TEST(Shredder, LimitsRecords) {
    Trial run;
    std::string text = "{\"a\":1}\n{\"a\":2}\n{\"a\":3}\n";
    const std::size_t size = text.size();
    text.append(limits::json_padding, ' ');
    Rules rules{.naming = schema::NamingConvention::make("snake_case"),
                .inference = std::make_shared<schema::Inference>(*run.writer().snapshot(), 0),
                .breaks_paths = true,
                .load_id = "1.0",
                .row_id_prefix = "prefix.."};
    Shredder shredder(rules);
    PageResult result;
    shredder.shred({.text = {text.data(), size}, .record_starts = {}, .number = 0, .records_max = 2}, "t", run.writer().snapshot(), result);
    EXPECT_EQ(result.records, 2U);
    EXPECT_EQ(result.tables.at(0).rows, 2U);
    EXPECT_TRUE(result.bad_records.empty());
}

TEST(Shredder, AConflictIsFoundAtAdmission) {
    Trial first;
    const auto old_snapshot = first.writer().snapshot();
    first.page("{\"a\":1,\"l\":[1]}");
    SchemaWriter& writer = first.writer();
    const auto admit = [&](const char* column, DataType type) {
        return writer.admit({{.table = "t", .parent = {}, .is_new = false, .columns = {schema::Column(column, type, true)}}});
    };
    EXPECT_EQ(admit("a", DataType::text), SchemaWriter::Admission::conflict);
    EXPECT_EQ(admit("a", DataType::bigint), SchemaWriter::Admission::admitted);
    EXPECT_EQ(admit("b", DataType::text), SchemaWriter::Admission::admitted);
    EXPECT_EQ(first.columns("t"), "a:bigint _dlt_load_id:text _dlt_id:text b:text");
    EXPECT_EQ(json::to_text(writer.change().find("t__l") == nullptr ? json::Value() : *writer.change().find("t__l")),
              R"(["value","_dlt_parent_id","_dlt_list_idx","_dlt_id"])");
}

// ---- The two ways into the tables must agree -------------------------------------------------------------------------------------------

json::Value random_value(int depth);

std::string random_key() { return *rc::gen::elementOf(Texts{"a", "b", "A", "c d", "value", "list", "a__b", "x", "é", "_dlt_id", ""}); }

json::Value random_object(int depth) {
    json::Object object;
    const int members = *rc::gen::inRange(0, 5);
    for (int i = 0; i < members; ++i) object.set(random_key(), random_value(depth - 1));
    return object;
}

json::Value random_value(int depth) {
    const int kind = *rc::gen::inRange(0, depth > 0 ? 12 : 8);
    switch (kind) {
        case 0:
            return nullptr;
        case 1:
            return *rc::gen::arbitrary<bool>();
        case 2:
            return static_cast<std::int64_t>(*rc::gen::inRange(-5, 1000));
        case 3:
            return 0.5 * *rc::gen::inRange(-5, 10);
        case 4:
            return *rc::gen::elementOf(Texts{"", "x", "5", "2024-01-01T00:00:00Z", "2024-05-06 07:08:09.5", "long enough to need more than sixteen"});
        case 5:
        case 6:
            return static_cast<std::int64_t>(1);
        case 7:
            return "text";
        case 8:
        case 9: {
            json::Array list;
            const int count = *rc::gen::inRange(0, 4);
            for (int i = 0; i < count; ++i) list.push_back(random_value(depth - 1));
            return list;
        }
        default:
            return random_object(depth);
    }
}

RC_GTEST_PROP(Shredder, StreamingAndRecordNormalizerAgree, ()) {
    std::string page;
    std::vector<schema::Value> values;
    const int count = *rc::gen::inRange(1, 8);
    for (int i = 0; i < count; ++i) {
        const json::Value record = random_object(3);
        page += json::to_text(record) + "\n";
        values.push_back(schema::to_value(record));
    }
    Trial streamed;
    Trial normalized;
    std::string streamed_error;
    std::string normalized_error;
    try {
        streamed.page(page);
    } catch (const Error& error) {
        streamed_error = error.what();
    }
    try {
        normalized.values(values);
    } catch (const Error& error) {
        normalized_error = error.what();
    }
    RC_ASSERT(streamed_error.empty() == normalized_error.empty());
    if (!streamed_error.empty()) RC_DISCARD("two lists in one table");
    RC_LOG() << page << "streamed:\n" << streamed.dump() << "normalized:\n" << normalized.dump();
    RC_ASSERT(streamed.dump() == normalized.dump());
    RC_ASSERT(streamed.bad().size() == normalized.bad().size());
    for (const std::string& table : streamed.tables()) {
        for (std::size_t row = 0; row < streamed.rows(table).size(); ++row) RC_ASSERT(streamed.id(table, row) == normalized.id(table, row));
    }
}

RC_GTEST_PROP(Shredder, WhatAWorkerSawBeforeDoesNotCount, ()) {
    // The same page after different earlier pages, all against one snapshot.
    std::string page;
    std::string earlier;
    for (int i = 0; i < 4; ++i) page += json::to_text(random_object(3)) + "\n";
    for (int i = 0; i < 4; ++i) earlier += json::to_text(random_object(3)) + "\n";
    const auto snapshot = std::make_shared<const schema::Schema>(Trial::start_schema());
    const Rules rules{.naming = schema::NamingConvention::make("snake_case"),
                      .inference = std::make_shared<schema::Inference>(*snapshot, 0),
                      .breaks_paths = true,
                      .load_id = "1.0",
                      .row_id_prefix = "prefix.."};
    const auto describe = [&](Shredder& shredder, std::string text) {
        const std::size_t size = text.size();
        text.append(limits::json_padding, ' ');
        PageResult result;
        try {
            shredder.shred({.text = {text.data(), size}, .record_starts = {}, .number = 7}, "t", snapshot, result);
        } catch (const Error& error) {
            return std::string(error.what());
        }
        std::map<std::string, std::string> tables;
        for (const TableRows& rows : result.tables) {
            std::map<std::string, std::string> columns;
            for (std::size_t i = 0; i < rows.columns.size(); ++i) {
                for (std::size_t row = 0; row < rows.rows; ++row) {
                    const schema::Value value = value_at(rows.columns[i], row);
                    columns[std::string(rows.names[i])] += value.is_null() ? "|" : schema::coerce(DataType::text, value)->as<std::string>() + "|";
                }
            }
            for (const auto& [name, text_of] : columns) tables[std::string(rows.table)] += name + ":" + text_of + "\n";
        }
        std::string out;
        for (const auto& [name, text_of] : tables) out += name + "\n" + text_of;
        std::map<std::string, std::string> proposals;
        for (const TableProposal& proposal : result.proposals) {
            for (const schema::Column& column : proposal.columns) {
                proposals[proposal.table] += fmt::format("{}:{} ", column.name(), schema::to_text(*column.data_type()));
            }
        }
        for (const auto& [name, text_of] : proposals) out += name + " + " + text_of + "\n";
        return out;
    };
    Shredder fresh(rules);
    Shredder used(rules);
    describe(used, earlier);
    RC_LOG() << "earlier:\n" << earlier << "page:\n" << page;
    const std::string by_fresh = describe(fresh, page);
    const std::string by_used = describe(used, page);
    RC_LOG() << "fresh:\n" << by_fresh << "used:\n" << by_used;
    RC_ASSERT(by_fresh == by_used);
}

TEST(Shredder, ListsBelowATableThatHintsMadeARootOfItsOwn) {
    schema::Schema schema = Trial::start_schema();
    schema::Table own("t__l");
    own.set_property("write_disposition", "append");
    schema.set_table(own);
    Trial run(schema);
    // The second page meets the table below it as the schema has it.
    run.page(R"({"l": [{"k": 1, "m": [1]}]})");
    run.page(R"({"l": [{"k": 2, "m": [2, 3]}]})");
    EXPECT_EQ(run.rows("t__l__m"), (std::vector<std::string>{"idx=0 value=1", "idx=0 value=2", "idx=1 value=3"}));
    EXPECT_EQ(run.writer().snapshot()->find("t__l__m")->parent(), "t__l");
}

}  // namespace
}  // namespace tipple::normalize
