#include <stdexcept>

#include "tipple/api/api_fixture.h"
#include "tipple/api/source.h"
#include "tipple/destination/system_tables.h"

namespace tipple {

namespace {

class LastValueTest : public ApiTest {
protected:
    std::string slot(const std::string& resource, const std::string& path) {
        const json::Value state = destination::decode_state(rows("SELECT state FROM _dlt_pipeline_state ORDER BY version DESC LIMIT 1"));
        const json::Value* at = &state;
        for (const std::string& name : {std::string("sources"), std::string("shop"), std::string("resources"), resource, std::string("incremental"), path}) {
            at = at->as_object().find(name);
            if (at == nullptr) return "no " + name;
        }
        return json::to_text(*at);
    }
};

Value greatest_and_one(const Value& value, const Value* last) {
    const auto number = value.as<std::int64_t>();
    return (last != nullptr ? std::max(number, last->as<std::int64_t>()) : number) + 1;
}

/// Pages of one record, `id` and `t`, written in one of three ways.
enum class Way { json, records, rows };
Resource numbers(std::vector<std::int64_t> values, Way way = Way::json) {
    auto made = resource("numbers", [values = std::move(values), way](Output& out, ResourceContext&) {
        for (const std::int64_t t : values) {
            if (way == Way::json) out.write_json(fmt::format(R"({{"t":{}}})", t));
            if (way == Way::records) out.write(Records{{{"t", t}}});
            if (way != Way::rows) continue;
            Rows& rows = out.rows({{"t", DataType::bigint}});
            rows.add(t);
            rows.flush();
        }
    });
    made.incremental("t", {.last_value_func = greatest_and_one});
    return made;
}

TEST_F(LastValueTest, IsWhatAFunctionMakesOfTheRecordsInTheirOrder) {
    for (const Way way : {Way::json, Way::records, Way::rows}) {
        EXPECT_EQ(run(one(numbers({9, 10}, way)), {.refresh = pipeline::Refresh::drop_data}).records, 2);
        EXPECT_TRUE(contains(slot("numbers", "t"), R"("last_value":11,)")) << slot("numbers", "t");
        EXPECT_EQ(run(one(numbers({9, 10, 11, 12}, way))).records, 4);
        EXPECT_TRUE(contains(slot("numbers", "t"), R"("last_value":15,)")) << slot("numbers", "t");
        EXPECT_TRUE(contains(slot("numbers", "t"), R"("start_value":11)")) << slot("numbers", "t");
    }
}

/// The latest time of each kind of event: the last value is an object.
Source events(const std::string& text) {
    auto made = resource("events", [text](Output& out, ResourceContext&) { out.write_json(text); });
    made.primary_key("id").incremental("$", {.last_value_func = [](const Value& event, const Value* last) -> Value {
        Object latest = last != nullptr ? last->as<Object>() : Object();
        std::string kind;
        Value time;
        for (const auto& field : event.as<Object>()) {
            if (field.name == "kind") kind = field.value.as<std::string>();
            if (field.name == "t") time = field.value;
        }
        for (auto& known : latest) {
            if (known.name != kind) continue;
            known.value = std::max(known.value.as<std::int64_t>(), time.as<std::int64_t>());
            return latest;
        }
        latest.push_back({kind, time});
        return latest;
    }});
    return source("shop").add(made);
}

TEST_F(LastValueTest, MayBeAnObject) {
    run(events(R"([{"id":1,"kind":"push","t":5},{"id":2,"kind":"fork","t":3},{"id":3,"kind":"push","t":9}])"));
    EXPECT_TRUE(contains(slot("events", "$"), R"("last_value":{"push":9,"fork":3})")) << slot("events", "$");
    const LoadInfo second = run(events(R"([{"id":4,"kind":"push","t":8},{"id":5,"kind":"fork","t":4},{"id":3,"kind":"push","t":9},{"id":6,"kind":"star","t":1}])"));
    EXPECT_EQ(second.records, 2);
    EXPECT_EQ(rows("SELECT id FROM events ORDER BY id"), "1 | 2 | 3 | 5 | 6");
}

TEST_F(LastValueTest, DoesNotDependOnWorkers) {
    const auto loaded = [](std::size_t workers) {
        const support::TemporaryFolder folder;
        Pipeline pipeline({.name = "test", .destination = folder.path("test.duckdb"), .dataset = "data", .data_folder = folder.path("state"), .workers = workers});
        auto made = resource("numbers", [](Output& out, ResourceContext&) {
            for (int page = 0; page < 60; ++page) {
                std::string text;
                for (int i = 0; i < 1 + page % 7 * 40; ++i) text += fmt::format(R"({{"id":{},"t":{}}})", page * 1'000 + i, (page * 37 + i * 11) % 50);
                out.write_json(text);
            }
        });
        // Counts how often a value came that is greater than the one before, so that each record counts for all that follow.
        made.primary_key("id").incremental("t", {.last_value_func = [](const Value& value, const Value* last) -> Value {
            if (last == nullptr) return List{value, Value(0)};
            const List& list = last->as<List>();
            const bool is_greater = value.as<std::int64_t>() > list[0].as<std::int64_t>();
            return is_greater ? List{value, Value(list[1].as<std::int64_t>() + 1)} : value.as<std::int64_t>() % 5 == 0 ? List{Value(0), list[1]} : *last;
        }});
        const Source shop = source("shop").add(made);
        std::string text = fmt::format("{}", pipeline.run(shop, {.row_id_prefix = "prefix00"}).records);
        text += fmt::format(" {}\n", pipeline.run(shop, {.row_id_prefix = "prefix01"}).records);
        for (const char* sql : {"SELECT id, _dlt_id FROM data.numbers ORDER BY rowid", "SELECT state FROM data._dlt_pipeline_state ORDER BY version"}) {
            for (const destination::QueryRow& row : pipeline.query(sql).rows) {
                for (const auto& cell : row) text += cell.value_or("NULL") + " ";
            }
        }
        return text;
    };
    const std::string first = loaded(1);
    EXPECT_EQ(loaded(2), first);
    EXPECT_EQ(loaded(5), first);
}

TEST_F(LastValueTest, ALimitStopsItAtTheLastRecordThatWasLoaded) {
    EXPECT_EQ(run(one(numbers({3, 5, 8, 9})), {.limit = 2}).records, 2);
    EXPECT_TRUE(contains(slot("numbers", "t"), R"("last_value":6,)")) << slot("numbers", "t");
}

TEST_F(LastValueTest, TransformersGetTheRecordsThatItLeaves) {
    const auto both = [](const std::vector<std::string>& pages) {
        auto list = resource("list", [pages](Output& out, ResourceContext&) {
            for (const std::string& page : pages) out.write_json(page);
        });
        list.primary_key("id").incremental("t", {.last_value_func = [](const Value& value, const Value* last) -> Value {
            return last != nullptr && last->as<std::int64_t>() >= value.as<std::int64_t>() ? *last : value;
        }});
        auto copy = transformer("copy", list, [](const Records& records, Output& out, ResourceContext&) { out.write(records); });
        return source("shop").add(list).add(copy);
    };
    run(both({R"({"id":1,"t":1})", R"({"id":2,"t":4})"}));
    run(both({R"({"id":3,"t":3})", R"([{"id":2,"t":4},{"id":4,"t":4}])", R"({"id":5,"t":9})"}));
    EXPECT_EQ(rows("SELECT id FROM list ORDER BY id"), "1 | 2 | 4 | 5");
    EXPECT_EQ(rows("SELECT id FROM copy ORDER BY id"), "1 | 2 | 4 | 5");
}

TEST_F(LastValueTest, ItsErrorsNameTheRecord) {
    auto failing = numbers({1, 2, 13});
    failing.incremental("t", {.last_value_func = [](const Value& value, const Value*) -> Value {
        if (value.as<std::int64_t>() == 13) throw std::runtime_error("bad luck");
        return value;
    }});
    const std::string error = error_of(ErrorKind::data, [&] { run(one(failing)); });
    EXPECT_TRUE(contains(error, "shop.numbers page 3")) << error;
    EXPECT_TRUE(contains(error, "resource \"numbers\", cursor \"t\": its last_value_func has failed: bad luck")) << error;
}

TEST_F(LastValueTest, WhatItCannotGoWithIsRefused) {
    auto ordered = numbers({1});
    ordered.incremental("t", {.last_value_func = greatest_and_one, .row_order = incremental::RowOrder::asc});
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, [&] { run(one(ordered)); }), "it cannot go with row_order"));
    auto in_parts = numbers({1});
    in_parts.checkpoint({.records = 10});
    const std::string error = error_of(ErrorKind::usage, [&] { run(one(in_parts)); });
    EXPECT_TRUE(contains(error, "resource \"numbers\" cannot be committed in parts: its cursor's last value is made by a function of its own")) << error;
}

}  // namespace

}  // namespace tipple
