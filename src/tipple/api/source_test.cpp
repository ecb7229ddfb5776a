#include "tipple/api/source.h"

#include <stdexcept>

#include "tipple/api/api_fixture.h"
#include "tipple/pipeline/source_state.h"

namespace tipple {

namespace {

class SourceTest : public ApiTest {};

/// Orders as an API would answer, newest last.
Source shop(std::vector<std::string> pages, std::string* asked_since = nullptr) {
    auto orders = resource("orders", [pages = std::move(pages), asked_since](Output& out, ResourceContext& context) {
        if (asked_since != nullptr) *asked_since = context.cursor().start_text();
        for (const std::string& page : pages) out.write_json(page);
    });
    orders.write_disposition(Disposition::merge).primary_key("id").incremental("updated_at", {.initial_value = "2024-01-01"});
    return source("shop", "Orders of the web shop.").add(std::move(orders));
}

TEST_F(SourceTest, ACursorGoesOnWhereTheRunBeforeStopped) {
    std::string since;
    run(shop({R"([{"id":1,"updated_at":"2024-01-02"},{"id":2,"updated_at":"2024-01-03"}])"}, &since));
    EXPECT_EQ(since, "2024-01-01");
    const LoadInfo second = run(shop({R"([{"id":1,"updated_at":"2024-01-02"},{"id":2,"updated_at":"2024-01-05","n":7}])"}, &since));
    EXPECT_EQ(since, "2024-01-03");
    EXPECT_EQ(second.records, 1);
    EXPECT_EQ(rows("SELECT id, updated_at, n FROM orders ORDER BY id"), "1 2024-01-02 NULL | 2 2024-01-05 7");
}

TEST_F(SourceTest, TheDescriptionIsInTheSchema) {
    const LoadInfo info = run(shop({R"({"id":1,"updated_at":"2024-01-02"})"}));
    ASSERT_NE(info.schema.extras().find("description"), nullptr);
    EXPECT_EQ(info.schema.extras().find("description")->as_text(), "Orders of the web shop.");
    EXPECT_EQ(info.schema.name(), "shop");
}

TEST_F(SourceTest, TheCursorIsLive) {
    std::vector<std::string> seen;
    auto orders = resource("orders", [&](Output& out, ResourceContext& context) {
        for (int i = 1; i <= 3; ++i) {
            out.write_json(fmt::format(R"([{{"id":{}}},{{"id":{}}}])", i, 10 - i));
            seen.push_back(context.cursor().last_text());
        }
        EXPECT_TRUE(context.cursor().start().is_null());
        EXPECT_EQ(context.cursor().start_int(), std::nullopt);
        EXPECT_EQ(context.cursor().end_text(), "20");
    });
    orders.incremental("id", {.end_value = 20});
    run(one(orders));
    EXPECT_EQ(join(seen, " "), "9 9 9");
}

TEST_F(SourceTest, AResourceWithoutACursorSaysSo) {
    const std::string error = error_of(ErrorKind::usage, [&] { run(one(resource("orders", [](Output&, ResourceContext& context) { context.cursor(); }))); });
    EXPECT_EQ(error, "source \"shop\", resource \"orders\", page 1: resource \"orders\" has no cursor; give it one with .incremental(\"FIELD\")");
}

TEST_F(SourceTest, StatesAreKeptWithTheRows) {
    std::vector<std::int64_t> seen;
    const auto counting = [&](bool fails) {
        return one(resource("ticks", [&seen, fails](Output& out, ResourceContext& context) {
            const auto next = context.resource_state().get<std::int64_t>("next", 1);
            seen.push_back(next);
            EXPECT_EQ(context.source_state().get("shop", "none"), next == 1 ? "none" : "web");
            context.source_state().set("shop", "web");
            context.resource_state().set("next", next + 1);
            out.write({{"n", next}});
            if (fails) throw std::runtime_error("gone");
        }));
    };
    run(counting(false));
    EXPECT_THROW(run(counting(true)), Error);
    run(counting(false));
    EXPECT_EQ(seen, (std::vector<std::int64_t>{1, 2, 2}));
    EXPECT_EQ(rows("SELECT n FROM ticks ORDER BY n"), "1 | 2");
}

TEST_F(SourceTest, AStateOfAnotherTypeIsAnError) {
    const std::string error = error_of(ErrorKind::usage, [&] {
        run(one(resource("ticks", [](Output&, ResourceContext& context) {
            context.resource_state().set("next", "one");
            context.resource_state().get<int>("next", 0);
        })));
    });
    EXPECT_TRUE(contains(error, "\"next\" in the state is a text")) << error;
}

TEST_F(SourceTest, ExceptionsNameSourceResourceAndPage) {
    const auto failing = one(resource("orders", [](Output& out, ResourceContext&) {
        out.write_json(R"({"id":1})");
        throw std::runtime_error("status 503");
    }));
    EXPECT_EQ(error_of(ErrorKind::remote, [&] { run(failing); }), "source \"shop\", resource \"orders\", page 2: status 503");

    const auto broken = one(resource("orders", [](Output& out, ResourceContext&) {
        out.write_json(R"({"id":1})");
        out.write_json(R"([{"id":2)");
    }));
    EXPECT_TRUE(contains(error_of(ErrorKind::data, [&] { run(broken); }), "source \"shop\", resource \"orders\", page 2: ")) << "page";

    const auto bad_record = one(resource("orders", [](Output& out, ResourceContext&) {
        out.write_json(R"({"id":1})");
        out.write_json(R"([{"id":2},{"id":tru}])");
    }));
    EXPECT_TRUE(contains(error_of(ErrorKind::data, [&] { run(bad_record); }), "shop.orders page 2")) << "record";
}

TEST_F(SourceTest, StepsRunInOrderBeforeTheCursor) {
    auto numbers = resource("numbers", [](Output& out, ResourceContext&) { out.write_json(R"([{"n":1},{"n":2},{"n":3}])"); });
    numbers.map([](Record& record) { record.set("n", *record.get<std::int64_t>("n") * 10); })
        .filter([](const Record& record) { return record.get<std::int64_t>("n") != 20; })
        .expand([](Record record) {
            Record copy = record;
            copy.set("copy", true);
            return Records{record, copy};
        })
        .incremental("n", {.initial_value = 20});
    run(one(numbers));
    EXPECT_EQ(rows("SELECT n, copy FROM numbers ORDER BY n, copy NULLS FIRST"), "30 NULL | 30 true");
}

TEST_F(SourceTest, RecordsChooseTheirTables) {
    const std::string page = R"([{"kind":"click","n":1},{"kind":"view","n":2},{"kind":"click","n":3}])";
    auto by_field = resource("events", [&](Output& out, ResourceContext&) { out.write_json(page); });
    by_field.table_by("kind", "event_");
    auto by_function = resource("logs", [&](Output& out, ResourceContext&) { out.write_json(page); });
    by_function.table_by([](const Record& record) { return *record.get<std::int64_t>("n") > 1 ? "late" : "early"; });
    auto by_page = resource("pages", [&](Output& out, ResourceContext&) { out.write_json(page, {.table = "whole"}); });
    auto fixed = resource("fixed", [&](Output& out, ResourceContext&) { out.write_json(page); });
    fixed.table("Named Table");
    run(source("shop").add(by_field).add(by_function).add(by_page).add(fixed));
    EXPECT_EQ(rows("SELECT table_name FROM information_schema.tables WHERE table_name NOT LIKE '\\_%' ESCAPE '\\' ORDER BY 1"),
              "early | event_click | event_view | late | named_table | whole");
    EXPECT_EQ(rows("SELECT n FROM late ORDER BY n"), "2 | 3");
}

TEST_F(SourceTest, ALimitCountsPages) {
    auto numbers = resource("numbers", [](Output& out, ResourceContext&) {
        for (int i = 0; i < 1'000'000 && out.wants_more(); ++i) out.write_json(fmt::format(R"({{"n":{}}})", i));
    });
    numbers.limit(3);
    EXPECT_EQ(run(one(numbers)).records, 3);
}

TEST_F(SourceTest, HintsMakeColumns) {
    auto orders = resource("orders", [](Output& out, ResourceContext&) { out.write_json(R"({"id":1,"price":"12.5","lines":[{"sku":7}],"deep":{"a":{"b":1}}})"); });
    orders.columns({"price:decimal(10,2)", "lines/sku:text"}).max_nesting(1).description("What was bought.");
    const LoadInfo info = run(one(orders));
    EXPECT_EQ(rows("SELECT typeof(price), price FROM orders"), "DECIMAL(10,2) 12.50");
    EXPECT_EQ(rows("SELECT sku FROM orders__lines"), "7");
    EXPECT_EQ(info.schema.require("orders").text("description"), "What was bought.");
}

TEST_F(SourceTest, FiguresAreReported) {
    const LoadInfo info = run(one(resource("orders", [](Output& out, ResourceContext& context) {
        context.count("requests");
        context.count("requests", 2);
        out.write({{"id", 1}});
    })));
    EXPECT_EQ(info.metrics.at("orders").at("requests"), 3);
}

TEST_F(SourceTest, NamesAreChecked) {
    Source shop = one(resource("orders", [](Output&, ResourceContext&) {}));
    EXPECT_EQ(error_of(ErrorKind::usage, [&] { shop.add(resource("orders", [](Output&, ResourceContext&) {})); }), "source \"shop\" has a resource \"orders\" already");
    EXPECT_EQ(error_of(ErrorKind::usage, [&] { shop.add(transformer("lines", "order", [](const Records&, Output&, ResourceContext&) {})); }),
              "source \"shop\": \"lines\" transforms the records of \"order\" (did you mean \"orders\"?), which must be added before it");
}

// ---- transformers ----

/// Customers, and the details of each, fetched one by one.
Source customers(int* reads, bool is_incremental = false) {
    auto list = resource("customers", [reads](Output& out, ResourceContext&) {
        ++*reads;
        out.write_json(R"([{"id":1,"name":"Anna"},{"id":2,"name":"Bo"}])");
        out.write(Record{{"id", 3}, {"name", "Cleo"}, {"born", Date{.days = 1}}});
    });
    if (is_incremental) list.incremental("id");
    auto details = transformer("details", list, [](const Records& records, Output& out, ResourceContext& context) {
        context.count("calls");
        for (const Record& record : records) {
            out.write({{"customer", *record.get<std::int64_t>("id")}, {"greeting", "hi " + *record.get<std::string>("name")}, {"born", record.get<Date>("born") ? Value(*record.get<Date>("born")) : Value()}});
        }
    });
    auto letters = transformer("letters", details, [](const Records& records, Output& out, ResourceContext&) {
        for (const Record& record : records) out.write({{"text", *record.get<std::string>("greeting") + "!"}});
    });
    return source("crm").add(list).add(details).add(letters);
}

TEST_F(SourceTest, TransformersGetTheRecordsOfAParentThatIsReadOnce) {
    int reads = 0;
    const LoadInfo info = run(customers(&reads));
    EXPECT_EQ(reads, 1);
    EXPECT_EQ(info.metrics.at("details").at("calls"), 2);
    EXPECT_EQ(rows("SELECT id FROM customers ORDER BY id"), "1 | 2 | 3");
    EXPECT_EQ(rows("SELECT customer, greeting, born FROM details ORDER BY customer"), "1 hi Anna NULL | 2 hi Bo NULL | 3 hi Cleo 1970-01-02");
    EXPECT_EQ(rows("SELECT text FROM letters ORDER BY text"), "hi Anna! | hi Bo! | hi Cleo!");
}

TEST_F(SourceTest, AParentThatIsNotLoadedIsReadAllTheSame) {
    int reads = 0;
    run(customers(&reads), {.select = {"letters"}});
    EXPECT_EQ(reads, 1);
    EXPECT_EQ(rows("SELECT text FROM letters ORDER BY text"), "hi Anna! | hi Bo! | hi Cleo!");
    EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name IN ('customers', 'details')"), "0");
}

TEST_F(SourceTest, AParentThatIsNotLoadedEndsAtItsLimit) {
    auto list = resource("list", [](Output& out, ResourceContext&) {
        for (int i = 0; out.wants_more(); ++i) out.write_json(fmt::format(R"({{"n":{}}})", i));
    });
    list.limit(3);
    auto copy = transformer("copy", list, [](const Records& records, Output& out, ResourceContext&) { out.write(records); });
    run(source("s").add(list).add(copy), {.select = {"copy"}});
    EXPECT_EQ(rows("SELECT n FROM copy ORDER BY n"), "0 | 1 | 2");
}

TEST_F(SourceTest, TransformersGetWhatTheParentsCursorLeaves) {
    int reads = 0;
    run(customers(&reads, true));
    run(customers(&reads, true));
    EXPECT_EQ(rows("SELECT customer FROM details ORDER BY customer"), "1 | 2 | 3");
}

TEST_F(SourceTest, ATransformerHasACursorOfItsOwn) {
    auto list = resource("list", [](Output& out, ResourceContext&) { out.write_json(R"([{"n":1},{"n":2}])"); });
    auto copy = transformer("copy", list, [](const Records& records, Output& out, ResourceContext&) { out.write(records); });
    copy.incremental("n");
    const Source both = source("s").add(list).add(copy);
    run(both, {.select = {"copy"}});
    run(both, {.select = {"copy"}});
    EXPECT_EQ(rows("SELECT n FROM copy ORDER BY n"), "1 | 2");
    EXPECT_EQ(rows("SELECT count(*) FROM _dlt_loads"), "1");
}

TEST_F(SourceTest, AStateAloneIsALoad) {
    const auto remember = [this](int value) {
        return run(one(resource("quiet", [value](Output&, ResourceContext& context) { context.resource_state().set("n", value); })));
    };
    EXPECT_EQ(remember(1).load_ids.size(), 1);
    EXPECT_EQ(remember(1).load_ids.size(), 0);
    EXPECT_EQ(remember(2).load_ids.size(), 1);
    EXPECT_EQ(rows("SELECT count(*) FROM information_schema.tables WHERE table_name NOT LIKE '\\_%' ESCAPE '\\'"), "0");
}

TEST_F(SourceTest, TextsThatLookLikeTypedValuesReachTransformersAsTexts) {
    auto list = resource("list", [](Output& out, ResourceContext&) { out.write({{"text", "\uf0265"}, {"list", List{Value(1), Value("a")}}}); });
    auto copy = transformer("copy", list, [](const Records& records, Output& out, ResourceContext&) { out.write(records); });
    run(source("s").add(list).add(copy));
    EXPECT_EQ(rows("SELECT count(*) FROM copy c JOIN list l ON c.text = l.text"), "1");
    EXPECT_EQ(rows("SELECT count(*) FROM copy__list"), "2");
}

/// Takes records of pages, as they come.
class Collected final : public extract::Output {
public:
    void write(extract::Page page) override {
        for (Value& record : std::get<extract::ValuePage>(page).records) records.emplace_back(std::get<schema::Object>(std::move(record)));
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText&) override {}
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return true; }

    Records records;
};

TEST_F(SourceTest, TransformersGetWhatTheParentsStepsAndConditionLeave) {
    auto list = resource("list", [](Output& out, ResourceContext&) { out.write_json(R"([{"n":1},{"n":2,"l":[5,6,7]},{"n":3,"l":[9]}])"); });
    auto copy = transformer("copy", list, [](const Records& records, Output& out, ResourceContext&) { out.write(records); });
    const std::unique_ptr<extract::SourceDriver> driver = make_driver(source("s").add(list).add(copy));
    std::vector<extract::ResourceSpec> specs = driver->resources({});
    std::vector<extract::Step> steps(2);
    steps[0].filter = extract::Condition::parse("n > 1", "filter");
    steps[0].explode = "l";
    steps[1].rename = {{"l", "m"}};
    specs[0].steps = std::make_shared<const std::vector<extract::Step>>(steps);
    specs[0].where = std::make_shared<const extract::Condition>(extract::Condition::parse("m != 6", "where"));
    pipeline::SourceState memory{json::Object()};
    pipeline::ResourceState state(memory, "list");
    const extract::ResourceContext context{.state = &state, .temp_folder = folder_.path("temp")};
    Collected parent;
    Collected child;
    driver->read(specs[0], context, parent);
    driver->read(specs[1], context, child);
    std::string seen;
    for (const Record& record : child.records) seen += fmt::format("{} {} | ", *record.get<std::int64_t>("n"), *record.get<std::int64_t>("m"));
    EXPECT_EQ(seen, "2 5 | 2 7 | 3 9 | ");
    EXPECT_EQ(parent.records.size(), 3) << "the run itself does the steps of what is loaded";
}

}  // namespace
}  // namespace tipple
