// Runs that are committed in parts: what each part holds, where a run that ended in between goes on, and what may not be parted.
#include <algorithm>
#include <set>

#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

class PartsTest : public PipelineTest {
protected:
    static extract::ResourceSpec ordered(const std::string& name, std::uint64_t every = 2) {
        return {.name = name,
                .primary_key = {"id"},
                .incremental = incremental::Spec{.cursor_path = "t", .row_order = incremental::RowOrder::asc},
                .checkpoint = extract::Checkpoint{.records = every}};
    }
    /// A page for each number from `first` on: two records that share it as their cursor's value. Fails in front of page `failing`.
    static void add_pages(ScriptedSource& source, extract::ResourceSpec spec, int first, int last, int failing = 0) {
        source.add(std::move(spec), [=](const auto&, extract::Output& out) {
            for (int page = first; page <= last && out.wants_more(); ++page) {
                if (page == failing) throw Error(ErrorKind::remote, "gone");
                out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":{}}}\n{{\"id\":{},\"t\":{},\"lines\":[{{\"n\":1}}]}}\n", 2 * page, page, 2 * page + 1, page),
                                             {.name = "page " + std::to_string(page)}));
            }
        });
    }

    json::Value last_value(const std::string& resource) {
        const auto dataset = destination_.read_dataset();
        const json::Value& sources = *dataset->state->document.as_object().find("sources");
        const json::Object& slot = sources.as_object().find("shop")->as_object().find("resources")->as_object().find(resource)->as_object();
        return *slot.find("incremental")->as_object().find("t")->as_object().find("last_value");
    }
};

/// Waits until all that was written is looked at, so that the borders of parts are known.
void settle(const extract::ResourceContext& context) { context.cursor->last(); }

TEST_F(PartsTest, EachPartIsALoadWithItsCursor) {
    ScriptedSource source;
    source.add(ordered("orders"), [](const extract::ResourceContext& context, extract::Output& out) {
        for (int id = 1; id <= 5; ++id) {
            out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":{}{}}}\n", id, id, id == 4 ? ",\"note\":\"x\"" : ""), {.name = "pages"}));
            settle(context);
        }
    });
    const RunReport report = run(source);
    EXPECT_EQ(report.load_ids.size(), 3U);
    EXPECT_EQ(report.records, 5U);
    EXPECT_EQ(report.rows, 5U);
    ASSERT_EQ(report.tables.size(), 1U);
    EXPECT_EQ(report.tables[0].rows, 5U);
    EXPECT_TRUE(report.tables[0].is_new);
    EXPECT_EQ(values("orders", "id"), "1 2 3 4 5");
    EXPECT_EQ(values("orders", "note"), "- - - \"x\" -");
    EXPECT_EQ(json::to_text(last_value("orders")), "5");
    EXPECT_EQ(report.cursors.at(0).before, json::Value());
    EXPECT_EQ(report.cursors.at(0).after, json::Value(5));
    EXPECT_TRUE(pending().empty());
}

TEST_F(PartsTest, ARunThatFailedGoesOnBehindItsLastPart) {
    ScriptedSource failing;
    failing.add(ordered("orders"), [](const extract::ResourceContext& context, extract::Output& out) {
        for (int id = 1; id <= 5; ++id) {
            if (id == 4) throw Error(ErrorKind::remote, "gone");
            out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":7}}\n", id), {.name = "pages"}));
            settle(context);
        }
    });
    const std::string message = error_of(ErrorKind::remote, failing);
    EXPECT_TRUE(contains(message, "1 load was committed; the next run goes on behind them")) << message;
    EXPECT_EQ(values("orders", "id"), "1 2");

    ScriptedSource again;
    again.add(ordered("orders", 100), [](const extract::ResourceContext&, extract::Output& out) {
        for (int id = 1; id <= 5; ++id) out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":7}}\n", id), {.name = "pages"}));
    });
    EXPECT_EQ(run(again).filtered_records, 2U) << "records at the value at which the part ended are told apart";
    EXPECT_EQ(values("orders", "id"), "1 2 3 4 5");
}

TEST_F(PartsTest, APartThatCannotBeLoadedEndsTheRunAndWaits) {
    ScriptedSource source;
    add_pages(source, ordered("orders"), 1, 30);
    destination_.fail(FailPoint::begin, ErrorKind::remote);
    error_of(ErrorKind::remote, source);
    EXPECT_EQ(pending().size(), 1U);
    EXPECT_EQ(run(source).pending_finished, 1U);
    std::string all;
    for (int id = 2; id <= 61; ++id) all += fmt::format("{}{}", id == 2 ? "" : " ", id);
    EXPECT_EQ(values("orders", "id"), all);
}

TEST_F(PartsTest, NestedRowsBelongToTheirParents) {
    ScriptedSource source;
    add_pages(source, ordered("orders"), 1, 40, 33);
    error_of(ErrorKind::remote, source);
    ScriptedSource rest;
    add_pages(rest, ordered("orders", 1'000), 1, 40);
    run(rest);
    EXPECT_EQ(destination_.rows("orders").size(), 80U);
    EXPECT_EQ(destination_.rows("orders__lines").size(), 40U);
    std::set<std::string> ids;
    std::set<std::string> parents;
    for (const json::Value& row : destination_.rows("orders")) ids.insert(row.as_object().find("_dlt_id")->as_text());
    for (const json::Value& row : destination_.rows("orders__lines")) parents.insert(row.as_object().find("_dlt_parent_id")->as_text());
    EXPECT_EQ(ids.size(), 80U) << "ids are unique over parts and runs";
    EXPECT_TRUE(std::includes(ids.begin(), ids.end(), parents.begin(), parents.end()));
}

TEST_F(PartsTest, OthersOfTheRunAreLoadedOnce) {
    int version = 1;
    ScriptedSource source;
    source.add({.name = "countries", .disposition = schema::Disposition::replace},
               [&](const auto&, extract::Output& out) { out.write(support::json_page(fmt::format("{{\"code\":\"v{}\"}}\n", version), {.name = "countries"})); });
    source.add(ordered("orders"), [](const extract::ResourceContext& context, extract::Output& out) {
        for (int id = 1; id <= 5; ++id) {
            out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":{}}}\n", id, id), {.name = "pages"}));
            settle(context);
        }
    });
    source.add({.name = "rates", .disposition = schema::Disposition::replace},
               [&](const auto&, extract::Output& out) { out.write(support::json_page(fmt::format("{{\"rate\":{}}}\n", version), {.name = "rates"})); });
    for (version = 1; version <= 2; ++version) {
        run(source);
        EXPECT_EQ(values("countries", "code"), fmt::format("\"v{}\"", version)) << "a later part does not empty what an earlier one has replaced";
        EXPECT_EQ(values("rates", "rate"), std::to_string(version));
        EXPECT_EQ(values("orders", "id"), "1 2 3 4 5");
    }
}

TEST_F(PartsTest, ASourceWithAStateSaysWhereAPartMayEnd) {
    ScriptedSource source;
    extract::ResourceSpec spec{.name = "pages", .checkpoint = extract::Checkpoint{.records = 1}, .marks_checkpoints = true};
    int failing = 4;
    source.add(spec, [&](const extract::ResourceContext& context, extract::Output& out) {
        for (int page = static_cast<int>(context.state->resource()["next"].is_int() ? context.state->resource()["next"].as_int() : 1); page <= 6; ++page) {
            if (page == failing) throw Error(ErrorKind::remote, "gone");
            context.state->resource().set("next", page + 1);
            out.write(support::json_page(fmt::format("{{\"page\":{}}}\n", page), {.name = "pages"}));
            // Every other page; what lies between is committed with the next mark. The first one is marked until the page was looked at.
            if (page % 2 == 0) out.checkpoint();
            while (page == 2 && values("pages", "page").empty()) out.checkpoint();
        }
    });
    error_of(ErrorKind::remote, source);
    EXPECT_EQ(values("pages", "page"), "1 2") << "page 3 belongs to a part that was not marked";
    failing = 0;
    run(source);
    EXPECT_EQ(values("pages", "page"), "1 2 3 4 5 6");
}

TEST_F(PartsTest, ANewTableIsOpenToNewColumnsInAllPartsOfItsFirstRun) {
    config_.schema_contract = json::Object{{"columns", "freeze"}};
    const auto pages = [](int first, int last) {
        return [=](const extract::ResourceContext& context, extract::Output& out) {
            for (int id = first; id <= last; ++id) {
                out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":{},\"column_{}\":1}}\n", id, id, id), {.name = "pages"}));
                settle(context);
            }
        };
    };
    ScriptedSource first;
    first.add(ordered("orders"), pages(1, 5));
    EXPECT_EQ(run(first).load_ids.size(), 3U);
    EXPECT_EQ(values("orders", "column_5"), "- - - - 1");
    EXPECT_TRUE(destination_.read_dataset()->schemas.at("shop").require("orders").normalizer_hint("evolve-columns-once").is_null());

    ScriptedSource later;
    later.add(ordered("orders"), pages(6, 8));
    EXPECT_TRUE(contains(error_of(ErrorKind::data, later), "column_6"));
}

TEST_F(PartsTest, WhatMayNotBeParted) {
    const auto refused = [&](extract::ResourceSpec spec, std::string_view reason) {
        ScriptedSource source;
        source.add(std::move(spec), [](const auto&, extract::Output&) { ADD_FAILURE() << "nothing is read"; });
        const std::string message = error_of(ErrorKind::usage, source);
        EXPECT_TRUE(contains(message, reason)) << message;
    };
    extract::ResourceSpec spec = ordered("t");
    spec.disposition = schema::Disposition::replace;
    refused(spec, "replaces the table as a whole");
    spec = ordered("t");
    spec.incremental->row_order = incremental::RowOrder::none;
    refused(spec, "order = \"asc\"");
    spec.incremental->row_order = incremental::RowOrder::desc;
    refused(spec, "order = \"asc\"");
    spec = ordered("t");
    spec.incremental->range_start = incremental::Range::open;
    refused(spec, "open");
    spec = ordered("t");
    spec.incremental->begins_anew = true;
    refused(spec, "begins at --since again");
    spec = ordered("t");
    spec.incremental->end_value = std::int64_t{9};
    refused(spec, "remembers nothing");
    spec = ordered("t");
    spec.incremental.reset();
    refused(spec, "it has no cursor");
    spec = ordered("t");
    spec.disposition = schema::Disposition::merge;
    spec.merge_key = {"day"};
    refused(spec, "merge_key");
    spec = ordered("t");
    spec.is_linked = true;
    refused(spec, "both belong into one load");

    spec = ordered("t");
    spec.incremental->row_order = incremental::RowOrder::desc;
    spec.incremental->last_value_func = incremental::LastValue::min;
    refused(spec, "ever smaller values of the cursor (order = \"asc\")");
}

TEST_F(PartsTest, ACursorThatLooksForTheLeastValueMovesDown) {
    const auto pages = [](int last, bool fails) {
        return [=](const extract::ResourceContext& context, extract::Output& out) {
            for (int t = 5; t >= last; --t) {
                out.write(support::json_page(fmt::format("{{\"id\":{},\"t\":{}}}\n", t, t), {.name = "pages"}));
                settle(context);
            }
            if (fails) throw Error(ErrorKind::remote, "gone");
        };
    };
    extract::ResourceSpec spec = ordered("t");
    spec.incremental->last_value_func = incremental::LastValue::min;
    ScriptedSource first;
    first.add(spec, pages(3, true));
    error_of(ErrorKind::remote, first);
    EXPECT_EQ(values("t", "id"), "5 4");
    ScriptedSource second;
    second.add(spec, pages(1, false));
    run(second);
    EXPECT_EQ(values("t", "id"), "5 4 3 2 1");
}

TEST_F(PartsTest, ADryRunHasNoParts) {
    ScriptedSource source;
    add_pages(source, ordered("orders"), 1, 30);
    EXPECT_TRUE(run(source, {.is_dry_run = true}).load_ids.empty());
    EXPECT_FALSE(destination_.read_dataset());
}

}  // namespace
}  // namespace tipple::pipeline
