#include "tipple/config/settings.h"

#include <gtest/gtest.h>

#include "tipple/config/secret.h"
#include "tipple/config/table_reader.h"
#include "tipple/config/toml.h"
#include "tipple/core/error.h"

namespace tipple::config {
namespace {

std::string message(const auto& function) {
    try {
        function();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return {};
}

std::string as_json(const Node& node) { return json::to_text(to_json(node)); }

TEST(Toml, KeepsOrderTypesAndPlaces) {
    const Node node = parse_toml("z = 1\n[a]\nd = 2024-01-02\nt = 2024-01-02T03:04:05Z\nl = [1, 'x', {b = true}]\n", "f.toml");
    EXPECT_EQ(as_json(node), R"({"z":1,"a":{"d":"2024-01-02","t":"2024-01-02T03:04:05Z","l":[1,"x",{"b":true}]}})");
    EXPECT_EQ(node.find("a")->find("t")->kind, Node::Kind::timestamp);
    EXPECT_EQ(node.find("a")->find("d")->place.text(), "f.toml:3");
    EXPECT_EQ(node.find("b"), nullptr);
}

TEST(Toml, SaysWhereItIsBroken) {
    EXPECT_NE(message([] { parse_toml("a = 1\nb = \n", "f.toml"); }).find("f.toml:2:"), std::string::npos);
    EXPECT_NE(message([] { parse_setting("[1,", {.source = "--set a"}); }).find("--set a"), std::string::npos);
}

TEST(Settings, VariablesFindKeysWhateverTheirCase) {
    Node node = parse_toml("[pipeline.Web-Shop.resources.'public.orders']\ntable = 'a'\n", "f.toml");
    EXPECT_EQ(variable_of({"pipeline", "Web-Shop", "resources", "public.orders", "table"}), "TIPPLE_PIPELINE__WEB_SHOP__RESOURCES__PUBLIC_ORDERS__TABLE");
    overlay_environment(node,
                        {{"TIPPLE_PIPELINE__WEB_SHOP__RESOURCES__PUBLIC_ORDERS__TABLE", "b"},
                         {"TIPPLE_CONNECTION__NEW__URI", "x"},
                         {"TIPPLE_PIPELINE__WEB_SHOP__LIST", "[1, 2]"},
                         {"TIPPLE_MEMORY", "1GB"},
                         {"TIPPLE_OTHER__A", "1"},
                         {"TIPPLE_PIPELINE____A", "1"}},
                        {"connection", "pipeline"});
    EXPECT_EQ(as_json(node), R"({"pipeline":{"Web-Shop":{"resources":{"public.orders":{"table":"b"}},"list":[1,2]}},"connection":{"new":{"uri":"x"}}})");
}

TEST(Settings, ProfilesAndAssignments) {
    Node node = parse_toml("[a]\nb = 1\nc = [1]\n[profile.p.a]\nb = 2\n", "f.toml");
    Node without = node;
    apply_profile(without, "");
    EXPECT_EQ(as_json(without), R"({"a":{"b":1,"c":[1]}})");
    apply_profile(node, "p");
    overlay_assignment(node, "a.\"x.y\"=z", "--set");
    EXPECT_EQ(as_json(node), R"({"a":{"b":2,"c":[1],"x.y":"z"}})");
    EXPECT_NE(message([&] { overlay_assignment(node, "a", "--set"); }).find("KEY=VALUE"), std::string::npos);
    EXPECT_NE(message([&] { overlay_assignment(node, "a..b=1", "--set"); }).find("is no key"), std::string::npos);
    EXPECT_NE(message([&] { apply_profile(node, "q"); }).find("[profile.q]"), std::string::npos);
}

TEST(Settings, ProblemsAreToldOnceAndInOrder) {
    Problems problems;
    problems.throw_if_any();
    problems.add({.source = "f", .line = 9}, "second");
    problems.add({.source = "f", .line = 2}, "first");
    problems.add({.source = "f", .line = 9}, "second");
    EXPECT_EQ(message([&] { problems.throw_if_any(); }), "2 settings are missing or wrong:\n  f:2: first\n  f:9: second");
}

TEST(TableReader, TakesTextsOfVariablesForWhatIsWanted) {
    Problems problems;
    const Node node = parse_toml("yes = 'on'\nno = false\nn = '12'\nsize = '1KiB'\none = 'x'\n", "f.toml");
    TableReader reader(node, "it", problems);
    EXPECT_EQ(reader.boolean("yes"), true);
    EXPECT_EQ(reader.boolean("no"), false);
    EXPECT_EQ(reader.integer("n"), 12);
    EXPECT_EQ(reader.size("size"), 1024U);
    EXPECT_EQ(reader.texts("one"), std::vector<std::string>{"x"});
    EXPECT_EQ(reader.text("absent"), std::nullopt);
    reader.refuse_others();
    problems.throw_if_any();
}

TEST(TableReader, NeverShowsASecret) {
    Problems problems;
    Node node = parse_toml("n = 'hunter2'\n", "f.toml");
    node.find("n")->is_secret = true;
    TableReader(node, "it", problems).integer("n");
    const std::string text = message([&] { problems.throw_if_any(); });
    EXPECT_EQ(text.find("hunter2"), std::string::npos) << text;
    EXPECT_EQ(json::to_text(to_masked_json(node)), R"({"n":"***"})");
}

TEST(Secret, UrlsAreMasked) {
    EXPECT_EQ(mask_url("postgresql://u:p@ss@h:5/d?x=1"), "postgresql://u:***@h:5/d?x=1");
    EXPECT_EQ(mask_url("postgresql://u@h/d"), "postgresql://u@h/d");
    EXPECT_EQ(mask_url("postgresql://h:5/d@e"), "postgresql://h:5/d@e");
    EXPECT_EQ(mask_url("a/b.duckdb"), "a/b.duckdb");
}

}  // namespace
}  // namespace tipple::config
