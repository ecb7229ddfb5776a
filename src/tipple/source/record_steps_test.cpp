#include "tipple/source/record_steps.h"

#include <cstring>

#include <gtest/gtest.h>

#include "tipple/columns/value_at.h"
#include "tipple/config/toml.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"

namespace tipple::extract {

namespace {

using Places = std::vector<std::size_t>;

std::vector<Step> steps(const std::string& toml) {
    config::Problems problems;
    const config::Node settings = config::parse_toml("steps = " + toml, "test.toml");
    std::vector<Step> all =
        read_steps(*settings.find("steps"), "resource \"r\"", json::Path::Dialect::plain, problems);
    EXPECT_TRUE(problems.empty());
    return all;
}

JsonPage json_page(const std::string& text, std::vector<std::size_t> starts = {}) {
    JsonPage page{.text = {},
                  .size = text.size(),
                  .record_starts = std::move(starts),
                  .origin = {.name = "x"}};
    page.text.append(text.data(), text.size());
    std::memset(page.text.extend(limits::json_padding), ' ', limits::json_padding);
    return page;
}

std::string text_of(const Page& page) {
    const auto& json = std::get<JsonPage>(page);
    return {reinterpret_cast<const char*>(json.text.data()), json.size};
}

std::string to_text(const schema::Value& value) {
    if (const auto* number = value.get_if<std::int64_t>()) return std::to_string(*number);
    if (const auto* text = value.get_if<std::string>()) return *text;
    const auto* object = value.get_if<schema::Object>();
    if (object == nullptr) return "null";
    std::string all;
    for (const schema::Field& field : *object) all += field.name + ": " + to_text(field.value) + ", ";
    return "{" + all + "}";
}

columns::Batch batch() {
    columns::Batch batch{.rows = 3, .names = {"id", "name", "place"}, .columns = {}};
    columns::ColumnBuilder id({.type = schema::DataType::bigint});
    columns::ColumnBuilder name({.type = schema::DataType::text});
    columns::ColumnBuilder place({.type = schema::DataType::bigint});
    for (int i = 1; i <= 3; ++i) {
        id.append_int64(i);
        i == 2 ? name.append_null() : name.append_text(i == 1 ? "[1, {\"a\": 2}]" : "no list");
        place.append_int64(10 * i);
    }
    batch.columns.push_back(std::move(id));
    batch.columns.push_back(std::move(name));
    batch.columns.push_back(std::move(place));
    return batch;
}

TEST(RecordSteps, JsonKeepsItsLines) {
    Page page = json_page("{\"a\":1,\"b\":2}\n\n{\"a\":2} {\"a\":3}\nnull\n[1]\n");
    const RecordOrigins origins = RecordSteps().apply(
        steps(R"([{filter = "a != 2", drop = ["b"], set = {c = [1]}}])"), page, "r");
    EXPECT_EQ(text_of(page), "{\"a\":1,\"c\":[1]} \n\n{\"a\":3,\"c\":[1]} \nnull \n[1] ");
    EXPECT_EQ(origins.places, (Places{0, 2, 3, 4}));
    EXPECT_EQ(origins.offsets, (Places{0, 23, 31, 36}));
    EXPECT_EQ(std::get<JsonPage>(page).record_starts, (Places{0, 18, 35, 41}));
}

TEST(RecordSteps, WhatIsNoJsonStays) {
    Page page = json_page("{\"a\":1}\n{\"a\":tru}\n{\"a\":3}{\n{\"a\":4}");
    const RecordOrigins origins = RecordSteps().apply(steps(R"([{mask = ["a"]}])"), page, "r");
    const std::string text = text_of(page);
    EXPECT_EQ(text.find("{\"a\":\"***\"}"), 0) << text;
    EXPECT_NE(text.find("\n{\"a\":tru}"), std::string::npos) << text;
    EXPECT_EQ(text.find("3"), std::string::npos) << text;
    EXPECT_EQ(text.find("4"), std::string::npos) << text;
    EXPECT_EQ(origins.places.size(), 5);
}

TEST(RecordSteps, ListsBecomeRecords) {
    Page page = json_page(R"([{"a":1,"l":[{"n":1},{"n":2}]},{"a":2,"l":[]},{"a":3}])", {1, 31, 46});
    std::get<JsonPage>(page).text.data()[0] = ' ';
    for (const std::size_t at : {30, 45, 53}) std::get<JsonPage>(page).text.data()[at] = ' ';
    const RecordOrigins origins = RecordSteps().apply(steps(R"([{explode = "l"}])"), page, "r");
    EXPECT_EQ(text_of(page),
              R"({"a":1,"l":{"n":1}} {"a":1,"l":{"n":2}} {"a":2,"l":null} {"a":3} )");
    EXPECT_EQ(origins.places, (Places{0, 0, 1, 2}));
}

TEST(RecordSteps, ColumnsStayColumns) {
    Page page = ColumnPage{
        .batch = batch(), .origin = {.name = "x"}, .origin_columns = 1, .null_columns = {"empty"}};
    const RecordOrigins origins = RecordSteps().apply(
        steps(
            R"([{filter = "id > 1 and empty == null", rename = {id = "key", empty = "none"}, mask = ["name"], set = {x = 1.5}}, {drop = ["none", "place"]}])"),
        page, "r");
    const auto& columns = std::get<ColumnPage>(page);
    EXPECT_EQ(columns.batch.names, (std::vector<std::string>{"key", "name", "x", "place"}));
    EXPECT_EQ(columns.null_columns, (std::vector<std::string>{}));
    EXPECT_EQ(columns.batch.rows, 2);
    EXPECT_EQ(origins.places, (Places{1, 2}));
    const columns::BatchView view = columns.batch.view();
    EXPECT_EQ(to_text(columns::value_at(view.columns[0], 0)), "2");
    EXPECT_TRUE(columns::value_at(view.columns[1], 0).is_null());
    EXPECT_EQ(to_text(columns::value_at(view.columns[1], 1)), "***");
    EXPECT_EQ(columns::value_at(view.columns[2], 1).as<double>(), 1.5);
    EXPECT_EQ(to_text(columns::value_at(view.columns[3], 1)), "30");
    Page inside = ColumnPage{.batch = batch(), .origin = {}};
    EXPECT_THROW(RecordSteps().apply(steps(R"([{filter = "name.a == 1"}])"), inside, "r"), Error);
}

TEST(RecordSteps, ANameThatIsThereGivesWay) {
    Page page = ColumnPage{.batch = batch(), .origin = {}};
    RecordSteps().apply(steps(R"([{rename = {place = "id"}}])"), page, "r");
    EXPECT_EQ(std::get<ColumnPage>(page).batch.names, (std::vector<std::string>{"id", "name"}));
    EXPECT_EQ(to_text(columns::value_at(std::get<ColumnPage>(page).batch.view().columns[0], 0)), "10");
    Page json = json_page(R"({"id":1,"place":2})");
    RecordSteps().apply(steps(R"([{rename = {place = "id"}}])"), json, "r");
    EXPECT_EQ(text_of(json), R"({"id":2} )");
}

TEST(RecordSteps, ListsInColumnsMakeRecords) {
    Page page = ColumnPage{.batch = batch(), .origin = {.name = "x"}, .origin_columns = 1};
    const RecordOrigins origins =
        RecordSteps().apply(steps(R"([{explode = "name", keep = ["name"]}])"), page, "r");
    std::string records;
    for (const schema::Value& record : std::get<ValuePage>(page).records) records += to_text(record);
    EXPECT_EQ(records, "{name: 1, place: 10, }{name: {a: 2, }, place: 10, }{name: null, place: 20, }{name: no list, place: 30, }");
    EXPECT_EQ(origins.places, (Places{0, 0, 1, 2}));
}

TEST(RecordSteps, NumbersOfAnyKindComeOutOfListsAsTheyAre) {
    columns::Batch numbers{.rows = 1, .names = {"l"}, .columns = {}};
    columns::ColumnBuilder list({.type = schema::DataType::json});
    list.append_text(R"([-9223372036854775808, 18446744073709551615, 1.5, true, {"n": [9223372036854775808]}])");
    numbers.columns.push_back(std::move(list));
    Page page = ColumnPage{.batch = std::move(numbers), .origin = {.name = "x"}};
    RecordSteps().apply(steps(R"([{explode = "l"}])"), page, "r");
    std::vector<schema::Value> elements;
    for (const schema::Value& record : std::get<ValuePage>(page).records) elements.push_back(record.as<schema::Object>()[0].value);
    ASSERT_EQ(elements.size(), 5U);
    EXPECT_EQ(elements[0].as<std::int64_t>(), INT64_MIN);
    EXPECT_EQ(elements[1].as<std::uint64_t>(), UINT64_MAX);
    EXPECT_EQ(elements[2].as<double>(), 1.5);
    EXPECT_EQ(elements[3].as<bool>(), true);
    EXPECT_EQ(elements[4].as<schema::Object>()[0].value.as<schema::List>()[0].as<std::uint64_t>(), std::uint64_t{1} << 63);
}

TEST(RecordSteps, APageThatGrowsTooLargeIsAnError) {
    std::string list = "{\"pad\":\"" + std::string(1 << 20, 'x') + "\",\"l\":[0";
    for (int i = 0; i < 40; ++i) list += ",1";
    Page page = json_page(list + "]}");
    EXPECT_THROW(RecordSteps().apply(steps(R"([{explode = "l"}])"), page, "r"), Error);
}

TEST(Steps, NamesGoWhereFieldsGo) {
    const std::vector<Step> all = steps(
        R"([{drop = ["a"], rename = {b = "c", d = "e"}, mask = ["f"]}, {set = {g = 1}, explode = "h", keep = ["c", "e", "g", "h", "i"]}])");
    EXPECT_EQ(name_after(all, "b"), "c");
    EXPECT_EQ(name_after(all, "i"), "i");
    for (const char* gone : {"a", "c", "f", "g", "h", "z"})
        EXPECT_EQ(name_after(all, gone), std::nullopt) << gone;
}

}  // namespace
}  // namespace tipple::extract
