// What a resource or a run says of tables and columns beforehand, and tables that records choose.
#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

class HintsTest : public PipelineTest {
protected:
    const schema::Column* column(const RunReport& report, const std::string& table, const std::string& name) {
        const schema::Table* found = report.schema.find(table);
        return found != nullptr ? found->find(name) : nullptr;
    }
    static extract::ResourceSpec events() {
        extract::ResourceSpec spec;
        spec.name = "events";
        spec.table_by = schema::TableByField{.field = "kind", .prefix = "ev_"};
        return spec;
    }
    static ScriptedSource source_of(extract::ResourceSpec spec, const std::string& text) {
        ScriptedSource source;
        source.add(std::move(spec), [text](const auto& context, extract::Output& out) { ScriptedSource::write_lines("in", text, context, out); });
        return source;
    }
};

TEST_F(HintsTest, RecordsChooseTheirTablesWhateverTheWorkers) {
    std::string text;
    for (int i = 0; i < 300; ++i) text += fmt::format("{{\"kind\": \"K{}\", \"n\": {}, \"l\": [{}]}}\n", i % 7, i, i);
    std::string first;
    for (const std::size_t workers : {1, 2, 5}) {
        destination_.clear();
        config_.workers = workers;
        ScriptedSource source = source_of(events(), text);
        const RunReport report = run(source, {.page_bytes = 200, .row_id_prefix = "prefix.."});
        EXPECT_EQ(report.records, 300U);
        EXPECT_EQ(destination_.rows("ev_k3__l").size(), 43U);
        EXPECT_EQ(report.schema.find("ev_k0")->resource(), "events");
        std::string all;
        for (const std::string& table : destination_.tables()) all += table + json::to_text(json::Value(destination_.rows(table))) + "\n";
        if (first.empty()) first = all;
        EXPECT_EQ(first.size(), all.size());
    }
}

TEST_F(HintsTest, ChosenTablesGetTheHintsOfTheirResource) {
    extract::ResourceSpec spec = events();
    spec.columns = {schema::Column("amount", json::Object{{"data_type", "double"}})};
    ScriptedSource source = source_of(spec, "{\"kind\": \"a\", \"amount\": \"5\"}\n{\"kind\": \"b\", \"amount\": 7}\n");
    const RunReport report = run(source);
    EXPECT_EQ(values("ev_a", "amount"), "5.0");
    EXPECT_EQ(values("ev_b", "amount"), "7.0");
    EXPECT_EQ(report.schema.version(), 2);
}

TEST_F(HintsTest, ContractOfTheSourceCountsForItsRunOnly) {
    extract::ResourceSpec spec;
    spec.name = "t";
    ScriptedSource first = source_of(spec, "{\"id\": 1}\n");
    config_.schema_contract = json::Object{{"columns", "freeze"}};
    EXPECT_NE(run(first).schema.settings().find("schema_contract"), nullptr);
    config_.schema_contract = {};
    ScriptedSource second = source_of(spec, "{\"id\": 2, \"n\": 3}\n");
    const RunReport report = run(second);
    EXPECT_EQ(report.schema.settings().find("schema_contract"), nullptr);
    EXPECT_EQ(values("t", "n"), "- 3");
}

TEST_F(HintsTest, NestingLimitCountsAsTwoVersionsAndStillEmptiesReplacedTables) {
    extract::ResourceSpec spec;
    spec.name = "t";
    spec.max_nesting = 1;
    spec.disposition = schema::Disposition::replace;
    ScriptedSource rows = source_of(spec, "{\"id\": 1, \"l\": [1]}\n");
    EXPECT_EQ(run(rows).schema.version(), 2);
    ScriptedSource again = source_of(spec, "{\"id\": 2, \"l\": [1]}\n");
    const RunReport report = run(again);
    EXPECT_EQ(report.schema.version(), 4);
    EXPECT_EQ(report.schema.find("t")->normalizer_hint("seen-data"), json::Value(true));
    ScriptedSource none = source_of(spec, "");
    run(none);
    EXPECT_TRUE(destination_.rows("t").empty());
    EXPECT_TRUE(destination_.rows("t__l").empty());
}

TEST_F(HintsTest, RecordThatNamesNoTableIsBad) {
    ScriptedSource source = source_of(events(), "{\"kind\": \"a\", \"n\": 1}\n{\"n\": 2}\n{\"kind\": [1], \"n\": 3}\n");
    const std::string error = error_of(ErrorKind::data, source);
    EXPECT_TRUE(contains(error, "in:2")) << error;
    EXPECT_TRUE(contains(error, "kind")) << error;
    const RunReport report = run(source, {.on_bad_record = OnBadRecord::skip});
    EXPECT_EQ(report.skipped_count, 2U);
    EXPECT_EQ(values("ev_a", "n"), "1");
}

TEST_F(HintsTest, ContractLeavesChosenTablesOut) {
    ScriptedSource first = source_of(events(), "{\"kind\": \"a\", \"n\": 1}\n");
    run(first);
    extract::ResourceSpec spec = events();
    spec.schema_contract = json::Object{{"tables", "discard_row"}};
    std::string text;
    for (int i = 0; i < 50; ++i) text += fmt::format("{{\"kind\": \"{}\", \"n\": {}}}\n", i % 2 == 0 ? "a" : "b", i);
    ScriptedSource second = source_of(spec, text);
    const RunReport report = run(second, {.page_bytes = 60});
    EXPECT_EQ(destination_.rows("ev_a").size(), 26U);
    EXPECT_TRUE(destination_.rows("ev_b").empty());
    EXPECT_EQ(report.schema.find("ev_b"), nullptr);
    EXPECT_EQ(report.discarded_rows, 25U);
    spec.schema_contract = json::Object{{"tables", "freeze"}};
    ScriptedSource third = source_of(spec, text);
    EXPECT_TRUE(contains(error_of(ErrorKind::data, third), "ev_b"));
}

TEST_F(HintsTest, QuarantineKnowsTheTableThatARecordHasChosen) {
    destination_.edit_capabilities().dispositions.push_back(schema::Disposition::merge);
    ScriptedSource first = source_of(events(), "{\"kind\": \"a\", \"n\": 1}\n");
    run(first);
    extract::ResourceSpec spec = events();
    spec.schema_contract = "quarantine";
    ScriptedSource second = source_of(spec, "{\"kind\": \"a\", \"n\": \"x\"}\n{\"kind\": \"b\", \"n\": 2}\n{\"kind\": \"a\", \"n\": 3}\n");
    ScriptedSource other;
    const RunReport report = run(second);
    EXPECT_EQ(report.quarantined_count, 2U);
    EXPECT_EQ(values("_tipple_quarantine", "root_table"), "\"ev_a\" \"ev_b\"");
    EXPECT_EQ(values("ev_a", "n"), "1 3");
    other.add({.name = "t", .schema_contract = "quarantine"}, [](const auto&, extract::Output& out) {
        extract::JsonPage page = support::json_page("{\"n\": 2}\n", {.name = "in"});
        page.table = "Other Table";
        out.write(std::move(page));
    });
    run(other);
    EXPECT_EQ(values("_tipple_quarantine", "root_table"), "\"ev_a\" \"ev_b\" \"other_table\"");
}

TEST_F(HintsTest, ReplaceEmptiesEachTableThatTheResourceBringsNothingFor) {
    extract::ResourceSpec spec = events();
    spec.disposition = schema::Disposition::replace;
    ScriptedSource both = source_of(spec, "{\"kind\": \"a\"}\n{\"kind\": \"b\"}\n");
    run(both);
    ScriptedSource one = source_of(spec, "{\"kind\": \"a\"}\n{\"kind\": \"a\"}\n");
    run(one);
    EXPECT_EQ(destination_.rows("ev_a").size(), 2U);
    EXPECT_TRUE(destination_.rows("ev_b").empty()) << "each of its tables is replaced, as in the reference";
    ScriptedSource none = source_of(spec, "");
    run(none);
    EXPECT_TRUE(destination_.rows("ev_a").empty());
    EXPECT_TRUE(destination_.rows("ev_b").empty());
}

TEST_F(HintsTest, PagesGoToATableOfTheirOwn) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const auto&, extract::Output& out) {
        out.write(support::json_page("{\"n\": 1}\n", {.name = "in"}));
        extract::JsonPage other = support::json_page("{\"n\": 2, \"l\": [1]}\n", {.name = "in"});
        other.table = "Other Table";
        out.write(std::move(other));
    });
    run(source);
    EXPECT_EQ(values("t", "n"), "1");
    EXPECT_EQ(values("other_table", "n"), "2");
    EXPECT_EQ(destination_.rows("other_table__l").size(), 1U);
}

TEST_F(HintsTest, TableIsMadeWithoutRecords) {
    ScriptedSource source;
    extract::ResourceSpec spec;
    spec.name = "t";
    spec.columns = {schema::Column("a", json::Object{{"data_type", "text"}})};
    source.add(spec, [](const auto&, extract::Output& out) { out.materialize(); });
    run(source);
    ASSERT_EQ(destination_.tables(), std::vector<std::string>{"t"});
    EXPECT_TRUE(destination_.rows("t").empty());
}

TEST_F(HintsTest, NestedTablesHaveHintsOfTheirOwn) {
    extract::ResourceSpec spec;
    spec.name = "t";
    schema::NestedHints lines{.path = {"Order", "Lines"}, .hints = {}};
    lines.hints.columns = {schema::Column("Price", json::Object{{"data_type", "double"}})};
    spec.nested = {lines};
    ScriptedSource source = source_of(spec, "{\"Order\": {\"Lines\": [{\"Price\": \"5\"}, {\"Price\": 6}]}}\n");
    const RunReport report = run(source);
    EXPECT_EQ(values("t__order__lines", "price"), "5.0 6.0");
    EXPECT_EQ(report.schema.find("t__order__lines")->parent(), "t");
}

TEST_F(HintsTest, NestedTableWithAKeyIsATableOfItsOwn) {
    extract::ResourceSpec spec;
    spec.name = "t";
    schema::NestedHints lines{.path = {"lines"}, .hints = {}};
    lines.hints.primary_key = {"k"};
    spec.nested = {lines};
    config_.root_key = true;
    // The second record has a name twice, and so takes the slow way.
    ScriptedSource source = source_of(spec, "{\"n\": 1, \"lines\": [{\"k\": 1, \"parts\": [7]}]}\n{\"n\": 2, \"N\": 3, \"lines\": [{\"k\": 2, \"parts\": [8, 9]}]}\n");
    const RunReport report = run(source);
    EXPECT_FALSE(report.schema.find("t__lines")->is_nested());
    EXPECT_EQ(report.schema.find("t__lines")->resource(), "t");
    EXPECT_EQ(column(report, "t__lines", "_dlt_parent_id"), nullptr);
    EXPECT_NE(column(report, "t__lines", "_dlt_load_id"), nullptr);
    // Its rows know the row they came with; the rows below know theirs.
    EXPECT_EQ(values("t__lines", "_dlt_root_id"), values("t", "_dlt_id"));
    const std::string ids = values("t__lines", "_dlt_id");
    const std::string second = ids.substr(ids.find(' ') + 1);
    EXPECT_EQ(values("t__lines__parts", "_dlt_root_id"), ids + " " + second);
    EXPECT_EQ(values("t__lines__parts", "_dlt_parent_id"), ids + " " + second);
}

TEST_F(HintsTest, RowsThatAreNestedCannotBecomeATableOfTheirOwn) {
    run_lines("{\"n\": 1, \"lines\": [{\"k\": 1}]}\n");
    extract::ResourceSpec spec;
    spec.name = "t";
    schema::NestedHints lines{.path = {"lines"}, .hints = {}};
    lines.hints.primary_key = {"k"};
    spec.nested = {lines};
    ScriptedSource source = source_of(spec, "{\"n\": 1}\n");
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "t__lines"));
}

TEST_F(HintsTest, NamingIsKeptOnceThereAreRows) {
    config_.naming = "sql_cs_v1";
    run_lines("{\"userName\": 1}\n");
    EXPECT_EQ(values("t", "userName"), "1");
    config_.naming = {};
    run_lines("{\"userName\": 2}\n");
    EXPECT_EQ(values("t", "userName"), "1 2");
    config_.naming = "snake_case";
    ScriptedSource source = source_of({.name = "t"}, "{\"userName\": 3}\n");
    const std::string error = error_of(ErrorKind::usage, source);
    EXPECT_TRUE(contains(error, "sql_cs_v1")) << error;
}

TEST_F(HintsTest, HintsOfTheRunComeLast) {
    extract::ResourceSpec spec;
    spec.name = "t";
    spec.columns = {schema::Column("v", json::Object{{"data_type", "text"}})};
    ScriptedSource source = source_of(spec, "{\"v\": \"5\"}\n");
    RunOptions options;
    options.columns = {schema::Column("v", json::Object{{"data_type", "bigint"}})};
    run(source, options);
    EXPECT_EQ(values("t", "v"), "5");
}

}  // namespace
}  // namespace tipple::pipeline
