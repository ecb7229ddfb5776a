// The result of a run does not depend on how many workers it has, or on how its input is cut: a
// nasty corpus through files, the pipeline and DuckDB, and every value of every table compared.
#include <algorithm>
#include <map>
#include <sstream>

#include <gtest/gtest.h>

#include "pipeline/nasty_corpus.h"
#include "support/package_maker.h"
#include "support/temporary_folder.h"
#include "tipple/destinations/builtin.h"
#include "tipple/engine/engine.h"
#include "tipple/pipeline/pipeline.h"
#include "tipple/sources/builtin.h"

namespace tipple::pipeline {
namespace {

/// How one dataset is made.
struct Variation {
    std::size_t workers = 1;
    std::size_t page_bytes = 100;
    schema::Disposition disposition = schema::Disposition::append;
    bool is_json_array = false;
};

enum class Ids { as_they_are, as_links };

class IndependenceTest : public testing::Test {
protected:
    /// Loads all parts, each in a run of its own, and describes what is there then.
    std::string load(const std::vector<std::vector<std::string>>& parts, const Variation& variation,
                     Ids ids) {
        const std::string folder = folder_.path(fmt::format("dataset{}", ++datasets_));
        files_->create_folders(folder);
        const std::string database = io::join_path(folder, "shop.duckdb");
        support::StoppedClock clock;
        std::string reported;
        for (std::size_t i = 0; i < parts.size(); ++i) {
            clock.now += 1'000'000;
            const std::string path = write(folder, parts[i], variation);
            const RunReport report =
                run(path, database, folder, variation, clock, fmt::format("prefix{:02}", i));
            reported += fmt::format("records {} rows {} skipped {}\n", report.records, report.rows,
                                    report.skipped_count);
            for (const SkippedRecord& skipped : report.skipped) {
                reported += fmt::format("skipped {} {} {}\n", skipped.table, skipped.column,
                                        skipped.reason);
                if (ids == Ids::as_they_are) reported += io::file_name(skipped.place()) + "\n";
            }
            for (const auto& column : report.null_only)
                reported += fmt::format("null {} {}\n", column.table, column.column);
        }
        return reported + describe(database, ids);
    }

    /// Empty when both are equal, else the first lines that are not.
    static std::string difference(const std::string& a, const std::string& b) {
        std::istringstream left(a);
        std::istringstream right(b);
        std::string left_line;
        std::string right_line;
        for (std::size_t line = 1;; ++line) {
            const bool has_left = static_cast<bool>(std::getline(left, left_line));
            const bool has_right = static_cast<bool>(std::getline(right, right_line));
            if (!has_left && !has_right) return "";
            if (has_left != has_right || left_line != right_line)
                return fmt::format("line {}:\n{}\n{}", line, left_line, right_line);
        }
    }

    static std::vector<std::vector<std::string>> corpus() {
        NastyCorpus corpus(7);
        return {corpus.records(700), corpus.records(300)};
    }

private:
    std::string write(const std::string& folder, const std::vector<std::string>& records,
                      const Variation& variation) {
        std::string text = variation.is_json_array ? "[" : "";
        for (std::size_t i = 0; i < records.size(); ++i) {
            if (variation.is_json_array && i > 0) text += i % 2 == 0 ? "," : "\n  ,\n";
            text += records[i];
            if (!variation.is_json_array) text += '\n';
        }
        if (variation.is_json_array) text += "]";
        const std::string path =
            io::join_path(folder, variation.is_json_array ? "t.json" : "t.jsonl");
        files_->write_text_durably(path, text);
        return path;
    }

    RunReport run(const std::string& path, const std::string& database, const std::string& folder,
                  const Variation& variation, const Clock& clock,
                  const std::string& row_id_prefix) {
        extract::Registry sources;
        sources::add_builtin(sources);
        extract::SourceContext source_context;
        source_context.options.set("paths", path);
        const auto source = sources.make("files", source_context);
        destination::Registry destinations;
        destinations::add_builtin(destinations);
        destination::DestinationContext context;
        context.options.set("path", database);
        context.pipeline = "shop";
        context.schema_name = "shop";
        context.tool_version = "test";
        context.memory_bytes = std::size_t{256} << 20;
        context.temp_folder = io::join_path(folder, "temp");
        context.files = files_.get();
        context.clock = &clock;
        const auto destination = destinations.find("duckdb")->make(context);
        Pipeline pipeline({.name = "shop",
                           .data_folder = io::join_path(folder, "data"),
                           .tool_version = "test",
                           .workers = variation.workers},
                          *destination, *files_, clock, Log());
        Observer observer;
        // One by one: GCC 12 takes a member of a designated initializer here for uninitialized.
        RunOptions options;
        options.disposition = variation.disposition;
        options.on_bad_record = OnBadRecord::skip;
        options.page_bytes = variation.page_bytes;
        options.row_id_prefix = row_id_prefix;
        if (variation.disposition == schema::Disposition::merge)
            options.primary_key = std::vector<std::string>{"id"};
        return pipeline.run(*source, options, observer, {});
    }

    /// Every table with its columns and rows, in the order in which they lie there.
    static std::string describe(const std::string& database, Ids ids) {
        engine::Engine engine({.memory_bytes = std::size_t{256} << 20});
        engine.attach(database, "shop", engine::AttachMode::read_only);
        std::map<std::string, engine::Result> tables;
        for (const auto& row : engine
                                   .query("SELECT table_name FROM duckdb_tables() WHERE "
                                          "database_name = 'shop' ORDER BY 1")
                                   .rows) {
            const std::string name = engine::quote_identifier(*row[0]);
            // The row id of a state is random and nobody refers to it.
            const std::string left_out =
                *row[0] == "_dlt_pipeline_state" ? " EXCLUDE (_dlt_id)" : "";
            tables[*row[0]] = engine.query(
                fmt::format("SELECT *{} FROM shop.main.{} ORDER BY rowid", left_out, name));
        }
        std::map<std::string, std::string> places;
        if (ids == Ids::as_links) places = places_of_rows(tables);
        std::string out;
        for (const auto& [name, result] : tables) {
            out += "table " + name + ":";
            for (const engine::ResultColumn& column : result.columns)
                out += fmt::format(" {} {},", column.name, column.type);
            out += "\n";
            for (const auto& row : result.rows) {
                for (std::size_t i = 0; i < row.size(); ++i) {
                    const auto place = row[i] && result.columns[i].name.starts_with("_dlt")
                                           ? places.find(*row[i])
                                           : places.end();
                    out += place != places.end() ? place->second : row[i].value_or("NULL");
                    out += "|";
                }
                out += "\n";
            }
        }
        return out;
    }

    /// Where the row with an id lies: the same for datasets that differ in ids only.
    static std::map<std::string, std::string> places_of_rows(
        const std::map<std::string, engine::Result>& tables) {
        std::map<std::string, std::string> places;
        for (const auto& [name, result] : tables) {
            for (std::size_t i = 0; i < result.columns.size(); ++i) {
                if (result.columns[i].name != "_dlt_id") continue;
                for (std::size_t row = 0; row < result.rows.size(); ++row) {
                    const bool is_new =
                        places.emplace(*result.rows[row][i], fmt::format("{}#{}", name, row))
                            .second;
                    EXPECT_TRUE(is_new) << "id twice: " << *result.rows[row][i];
                }
            }
        }
        return places;
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    int datasets_ = 0;
};

TEST_F(IndependenceTest, TheCorpusIsNasty) {
    const std::string text = load(corpus(), {.page_bytes = std::size_t{1} << 20}, Ids::as_they_are);
    const auto occurrences = [&](std::string_view part) {
        std::size_t count = 0;
        for (std::size_t at = text.find(part); at != std::string::npos;
             at = text.find(part, at + 1))
            ++count;
        return count;
    };
    EXPECT_GT(occurrences("\ntable "), 60U);
    EXPECT_GT(occurrences("__v_text VARCHAR"), 10U);
    EXPECT_GT(occurrences("__v_double DOUBLE"), 5U);
    EXPECT_GT(occurrences("\nskipped "), 3U);
    EXPECT_GT(occurrences("\nnull "), 3U);
}

class WorkersTest : public IndependenceTest,
                    public testing::WithParamInterface<schema::Disposition> {};

TEST_P(WorkersTest, NoValueOrIdDependsOnTheirNumber) {
    const auto parts = corpus();
    const std::string expected =
        load(parts, {.workers = 1, .disposition = GetParam()}, Ids::as_they_are);
    for (const std::size_t workers : {std::size_t{2}, std::size_t{3}, std::size_t{8}}) {
        const std::string got =
            load(parts, {.workers = workers, .disposition = GetParam()}, Ids::as_they_are);
        EXPECT_EQ(difference(expected, got), "") << workers << " workers";
    }
}

INSTANTIATE_TEST_SUITE_P(Dispositions, WorkersTest,
                         testing::Values(schema::Disposition::append, schema::Disposition::replace,
                                         schema::Disposition::merge));

TEST_F(IndependenceTest, NoValueDependsOnThePages) {
    const auto parts = corpus();
    const std::string expected = load(parts, {.page_bytes = std::size_t{1} << 20}, Ids::as_links);
    for (const std::size_t page_bytes : {std::size_t{1}, std::size_t{333}, std::size_t{5'000}}) {
        const std::string got =
            load(parts, {.workers = 3, .page_bytes = page_bytes}, Ids::as_links);
        EXPECT_EQ(difference(expected, got), "") << page_bytes << " bytes";
    }
}

TEST_F(IndependenceTest, AListOfRecordsIsTheSameAsLines) {
    const auto parts = corpus();
    const std::string expected = load(parts, {}, Ids::as_links);
    for (const std::size_t page_bytes : {std::size_t{64}, std::size_t{1} << 20}) {
        const std::string got = load(
            parts, {.workers = 2, .page_bytes = page_bytes, .is_json_array = true}, Ids::as_links);
        EXPECT_EQ(difference(expected, got), "") << page_bytes << " bytes";
    }
}

}  // namespace
}  // namespace tipple::pipeline
