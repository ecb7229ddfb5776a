// Inputs that take the place of an earlier version of themselves, on a database: whole records go, in the commit that brings the new ones.
#include "pipeline/pipeline_fixture.h"
#include "tipple/core/clock.h"
#include "tipple/destinations/builtin.h"

namespace tipple::pipeline {
namespace {

using extract::Output;
using extract::ResourceContext;

/// What a folder holds: by file, the ids of its records. Each record has two nested ones, which have one each.
using Folder = std::map<std::string, std::vector<int>>;

class ReloadTest : public PipelineTest {
protected:
    void SetUp() override {
        destination::Registry registry;
        destinations::add_builtin(registry);
        config::Options options;
        options.set("path", temporary_.path("shop.duckdb"));
        database_ = registry.find("duckdb")->make({.options = options,
                                                   .pipeline = "shop",
                                                   .schema_name = "shop",
                                                   .memory_bytes = std::size_t{256} << 20,
                                                   .temp_folder = temporary_.path("temp"),
                                                   .files = files_.get(),
                                                   .clock = &clock_});
    }

    static std::string record(const std::string& file, int id) {
        return fmt::format("{{\"id\":{},\"src\":\"{}\",\"lines\":[{{\"n\":1,\"deep\":[1]}},{{\"n\":2,\"deep\":[2]}}]}}\n", id, file);
    }

    /// Reads the folder's files, of which `changed` were loaded before.
    RunReport load(extract::ResourceSpec spec, const Folder& folder, const std::vector<std::string>& changed = {}) {
        spec.name = "t";
        spec.keeps_ledger = true;
        spec.input_column = "src";
        ScriptedSource source;
        source.add(spec, [=](const ResourceContext&, Output& out) {
            for (const auto& [file, ids] : folder) {
                const bool is_changed = std::find(changed.begin(), changed.end(), file) != changed.end();
                out.begin_input({.path = file, .version = fmt::format("{}", ids.size()), .replaces_load_id = is_changed ? "1795404633.634409" : ""});
                for (const int id : ids) out.write(support::json_page(record(file, id), {.name = file}));
                out.end_input();
            }
        });
        return Pipeline(config_, *database_, *files_, clock_, Log()).run(source, {}, observer_, {});
    }

    std::string query(const std::string& sql) {
        std::string text;
        for (const destination::QueryRow& row : database_->query(sql, {}).rows) {
            for (const auto& value : row) text += (text.empty() ? "" : " ") + value.value_or("null");
        }
        return text;
    }

    /// Whole records, and nothing else.
    void expect(const Folder& folder) {
        std::string records;
        std::string entries;
        std::size_t count = 0;
        for (const auto& [file, ids] : folder) {
            for (const int id : ids) records += fmt::format("{}{}{}", records.empty() ? "" : " ", file, id);
            entries += fmt::format("{}{} {}", entries.empty() ? "" : " ", file, ids.size());
            count += ids.size();
        }
        EXPECT_EQ(query("SELECT src || id FROM t ORDER BY src, id"), records);
        EXPECT_EQ(query("SELECT file, row_count FROM _tipple_files_t ORDER BY file"), entries);
        EXPECT_EQ(query("SELECT count(*) FROM t JOIN t__lines l ON l._dlt_parent_id = t._dlt_id JOIN t__lines__deep d ON d._dlt_parent_id = l._dlt_id"), std::to_string(2 * count));
        EXPECT_EQ(query("SELECT count(*) FROM t__lines"), std::to_string(2 * count));
        EXPECT_EQ(query("SELECT count(*) FROM t__lines__deep"), std::to_string(2 * count));
    }

    std::unique_ptr<destination::Destination> database_;
};

TEST_F(ReloadTest, RecordsOfAnAppendedTable) {
    load({}, {{"a", {1, 2}}, {"b", {3}}});
    expect({{"a", {1, 2}}, {"b", {3}}});
    load({}, {{"a", {2, 7, 8}}, {"c", {1}}}, {"a"});
    expect({{"a", {2, 7, 8}}, {"b", {3}}, {"c", {1}}});
    load({}, {{"a", {}}, {"b", {3, 3}}}, {"a", "b"});
    expect({{"a", {}}, {"b", {3, 3}}, {"c", {1}}});
}

TEST_F(ReloadTest, RecordsOfAMergedTable) {
    for (const schema::MergeStrategy strategy : {schema::MergeStrategy::delete_insert, schema::MergeStrategy::upsert}) {
        const extract::ResourceSpec spec{.disposition = schema::Disposition::merge, .merge = {.strategy = strategy}, .primary_key = {"src", "id"}};
        load(spec, {{"a", {1, 2}}, {"b", {3}}}, {"a", "b", "c"});
        load(spec, {{"a", {2, 7}}, {"c", {1}}}, {"a", "c"});
        expect({{"a", {2, 7}}, {"b", {3}}, {"c", {1}}});
        load(spec, {{"c", {}}}, {"c"});
        expect({{"a", {2, 7}}, {"b", {3}}, {"c", {}}});
    }
}

TEST_F(ReloadTest, UndoSaysWhatDoesNotComeBack) {
    load({}, {{"a", {1, 2}}});
    const std::string second = load({}, {{"a", {5}}}, {"a"}).load_ids.at(0);
    Pipeline pipeline(config_, *database_, *files_, clock_, Log());
    const std::string error = error_from(ErrorKind::usage, [&] { pipeline.undo({.load_id = second}, observer_, {}); });
    EXPECT_TRUE(contains(error, "1 changed files anew")) << error;
    pipeline.undo({.load_id = second, .rows_only = true}, observer_, {});
    EXPECT_EQ(query("SELECT count(*) FROM t"), "0");
    EXPECT_EQ(query("SELECT count(*) FROM _tipple_files_t"), "0");
}

TEST_F(ReloadTest, ATableOfTwoResources) {
    const auto load_both = [&](const std::map<std::string, std::vector<int>>& ids, const std::string& changed) {
        ScriptedSource source;
        for (const char* name : {"first", "second"}) {
            source.add({.name = name, .table = "t", .keeps_ledger = true, .input_column = "src"}, [=](const ResourceContext&, Output& out) {
                const auto own = ids.find(name);
                if (own == ids.end()) return;
                out.begin_input({.path = name, .version = std::to_string(own->second.size()), .replaces_load_id = changed == name ? "1795404633.634409" : ""});
                for (const int id : own->second) out.write(support::json_page(record(name, id), {.name = name}));
                out.end_input();
            });
        }
        Pipeline(config_, *database_, *files_, clock_, Log()).run(source, {}, observer_, {});
    };
    load_both({{"first", {1, 2}}, {"second", {3, 4}}}, "");
    load_both({{"first", {5}}}, "first");
    EXPECT_EQ(query("SELECT src || id FROM t ORDER BY src, id"), "first5 second3 second4");
    load_both({{"second", {6, 7, 8}}}, "second");
    EXPECT_EQ(query("SELECT src || id FROM t ORDER BY src, id"), "first5 second6 second7 second8");
    EXPECT_EQ(query("SELECT file, row_count FROM _tipple_files_first"), "first 1");
    EXPECT_EQ(query("SELECT file, row_count FROM _tipple_files_second"), "second 3");
}

TEST_F(ReloadTest, RowsThatDoNotSayWhoseTheyAre) {
    ScriptedSource source;
    source.lines("t", "{\"id\":1}\n");
    Pipeline(config_, *database_, *files_, clock_, Log()).run(source, {}, observer_, {});
    const std::string error = error_from(ErrorKind::usage, [&] { load({}, {{"a", {1}}}, {"a"}); });
    EXPECT_TRUE(contains(error, "rows were loaded before column \"src\"")) << error;
    EXPECT_EQ(query("SELECT count(*) FROM t"), "1");
}

TEST_F(ReloadTest, APlaceThatCannotTakeRowsAway) {
    destination_.edit_capabilities().reads_rows = true;
    ScriptedSource source;
    source.add({.name = "t", .keeps_ledger = true, .input_column = "src"}, [](const ResourceContext&, Output&) {});
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "what is written there stays"));
}

}  // namespace
}  // namespace tipple::pipeline
