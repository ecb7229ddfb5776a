#include "tipple/schema/naming.h"

#include <gtest/gtest.h>
#include <rapidcheck/gtest.h>

#include "tipple/core/error.h"
#include "tipple/schema/unicode.h"

namespace tipple::schema {
namespace {

std::string column(std::string_view name, std::string_view convention = "snake_case") {
    return NamingConvention::make(convention)->normalize_path(name);
}

std::string single(std::string_view name, std::string_view convention = "snake_case") {
    return NamingConvention::make(convention)->normalize_identifier(name);
}

TEST(Naming, SnakeCaseBreaksAtCapitals) {
    const std::pair<const char*, const char*> cases[] = {
        {"HTTPServer", "http_server"},
        {"userID", "user_id"},
        {"IDs", "i_ds"},
        {"ABc", "a_bc"},
        {"S3Bucket", "s3_bucket"},
        {"oAuth2Token", "o_auth2_token"},
        {"aBCd", "a_b_cd"},
        {"123BaNaNa", "_123_ba_na_na"},
        {"BAN_ANA", "ban_ana"},
        {"channelSURFING", "channel_surfing"},
        {"camelCase", "camel_case"},
        {"innerKey", "inner_key"},
        {"XY", "xy"},
    };
    for (const auto& [name, expected] : cases) EXPECT_EQ(column(name), expected) << name;
}

TEST(Naming, SnakeCaseReplacesWhatIsNeitherLetterNorDigit) {
    const std::pair<const char*, const char*> cases[] = {
        {"event-.!:*<>value", "event_x_value"},
        {"+1", "x1"},
        {"-1", "_1"},
        {"@type", "atype"},
        {"$id", "_id"},
        {"price($)", "pricex"},
        {"1event_n'", "_1event_nx"},
        {"+-!$*@#=|:", "x_xa_lx"},
        {" a ", "a"},
        {"naïve", "na_ve"},
        {"日本", "x"},
        {"Привет", "x"},
        {"%", "x"},
        {"_", "x"},
        {"٣abc", "_٣abc"},
        {"col^New", "col_new"},
    };
    for (const auto& [name, expected] : cases) EXPECT_EQ(column(name), expected) << name;
}

TEST(Naming, PathsBreakAtSeparators) {
    const std::pair<const char*, const char*> cases[] = {
        {"a__b", "a__b"},
        {"a___b", "a___b"},
        {"a____b", "a__b"},
        {"__a", "a"},
        {"BANANA_", "bananax"},
        {"BANANA__", "banana"},
        {"a--b", "a_b"},
        {"BANANA___", "banana__x"},
        {"Foo__Bar", "foo__bar"},
        {"a__ __b", "a__b"},
        {"__", ""},
        {" ", ""},
    };
    for (const auto& [name, expected] : cases) EXPECT_EQ(column(name), expected) << name;
    EXPECT_EQ(single("BANANA____"), "bananaxxxx");
    EXPECT_EQ(single("a__b"), "a_b");
}

TEST(Naming, OtherConventions) {
    EXPECT_EQ(single("123BaNaNa", "sql_cs_v1"), "_123BaNaNa");
    EXPECT_EQ(single("___a___b", "sql_cs_v1"), "_a_b");
    EXPECT_EQ(single("+-!$*@#=|:", "sql_cs_v1"), "_");
    EXPECT_EQ(single("a%", "sql_cs_v1"), "a");
    EXPECT_EQ(single("__", "sql_cs_v1"), "") << "of some names nothing is left";
    EXPECT_EQ(column("a__-_%__b", "sql_cs_v1"), "a__b");
    EXPECT_EQ(single("BANaNA", "sql_ci_v1"), "banana");
    EXPECT_EQ(single("A\"b'c", "direct"), "A_b_c");
    EXPECT_EQ(single("a\r\n▶b", "direct"), "a___b");
    EXPECT_EQ(column("a▶ ▶b__c", "direct"), "a▶b__c");
    EXPECT_EQ(single("+1", "duck_case"), "+1");
    EXPECT_EQ(single("a\n\"b__c", "duck_case"), "a_b_c");
    EXPECT_EQ(NamingConvention::make("s3_tables")->normalize_table_path("_dlt_loads"), "dlt_loads");
    EXPECT_EQ(NamingConvention::make("s3_tables")->normalize_path("_dlt_id"), "_dlt_id");
}

TEST(Naming, SaysWhatItIs) {
    for (const std::string& name : NamingConvention::known_names()) {
        const auto convention = NamingConvention::make(name);
        EXPECT_EQ(convention->name(), name);
        EXPECT_EQ(convention->separator(), name == "direct" ? "▶" : "__");
        EXPECT_EQ(convention->is_case_sensitive(),
                  name == "direct" || name == "duck_case" || name == "sql_cs_v1");
        EXPECT_EQ(convention->normalize_path("_dlt_id"), "_dlt_id");
    }
}

TEST(Naming, RefusesBlankAndUnknownNames) {
    EXPECT_THROW(single(""), Error);
    EXPECT_THROW(single(" \u2003"), Error);
    EXPECT_THROW(NamingConvention::make("kebab-case"), Error);
    EXPECT_THROW(NamingConvention::make("direct", 5), Error);
    EXPECT_EQ(NamingConvention::make("direct", 0)->normalize_path(std::string(999, 'a')).size(),
              999U);
}

TEST(Naming, Shortens) {
    EXPECT_EQ(
        NamingConvention::make("snake_case", 20)->normalize_identifier("she played cello well"),
        "she_plauanpualo_well");
    EXPECT_EQ(NamingConvention::make("snake_case", 20)
                  ->normalize_identifier("ThisIsAVeryLongColumnNameIndeed"),
              "this_isrwijnw_indeed");
    EXPECT_EQ(NamingConvention::make("snake_case", 63)->normalize_identifier(std::string(64, 'a')),
              std::string(29, 'a') + "fv1mma" + std::string(28, 'a'));
    EXPECT_EQ(NamingConvention::make("snake_case", 63)->normalize_identifier(std::string(63, 'a')),
              std::string(63, 'a'));
    EXPECT_EQ(NamingConvention::make("snake_case", 20)
                  ->normalize_path("ThisIsAVeryLongName__AnotherVeryLongNameHere"),
              "this_isjcve3wme_here");
    const std::vector<std::string> fragments = {"short_ident_1", "short_ident_2", "", " ",
                                                "short_ident_3"};
    EXPECT_EQ(NamingConvention::make("snake_case", 16)->join_path(fragments), "shortc93wvaent_3");
    EXPECT_EQ(
        NamingConvention::make("snake_case", 6)->normalize_path("abcdefghijklmno__defghijklmnop"),
        "unlmza");
    EXPECT_EQ(NamingConvention::make("sql_ci_v1", 8)->normalize_identifier("ABCDEFGHIJKLMNOP"),
              "akjzv7gp");
}

TEST(Naming, CountsCodePointsAndNeverCutsOne) {
    const auto convention = NamingConvention::make("direct", 8);
    EXPECT_EQ(convention->normalize_path("éééééééé"), "éééééééé");
    EXPECT_EQ(convention->normalize_path("ééééééééé"), "édatc1qé");
}

TEST(Naming, S3TablesTakesTheUnderscoreAwayAfterShortening) {
    const auto convention = NamingConvention::make("s3_tables", 8);
    EXPECT_EQ(convention->normalize_path("_abcdefghijklmnopqrstuvwxyz"), "_kzjvbqz");
    EXPECT_EQ(convention->normalize_table_path("_abcdefghijklmnopqrstuvwxyz"), "kzjvbqz");
    EXPECT_EQ(unicode::length(
                  NamingConvention::make("s3_tables", 300)->normalize_path(std::string(300, 'a'))),
              255U);
}

TEST(Naming, Tag) {
    EXPECT_EQ(
        NamingConvention::tag("3f17271231504b8cf65690bcdc379df8a3b8aabe12efe1ea82848ec5f497cb69"),
        "gds0iw");
    EXPECT_EQ(
        NamingConvention::tag("58e5c351b53ffe1233e0656a532a721ae1d2ac7af71b6cfec8ceb64c63b10721"),
        "uyboiq");
}

RC_GTEST_PROP(Naming, NeverExceedsTheLimit, (const std::string& name)) {
    const auto length_max = *rc::gen::inRange<std::size_t>(6, 40);
    for (const std::string& known : NamingConvention::known_names()) {
        const auto convention = NamingConvention::make(known, length_max);
        RC_ASSERT(unicode::length(convention->normalize_path(name)) <= length_max);
        RC_ASSERT(unicode::length(convention->normalize_table_path(name)) <= length_max);
    }
}

RC_GTEST_PROP(Naming, SnakeCaseIsStable, (const std::string& name)) {
    const auto convention = NamingConvention::make("snake_case");
    const std::string once = convention->normalize_path(name);
    if (!once.empty()) RC_ASSERT(convention->normalize_path(once) == once);
}

TEST(Naming, DefaultSchemaName) {
    EXPECT_EQ(default_schema_name("MyPipe_pipeline"), "my_pipe");
    EXPECT_EQ(default_schema_name("1abc"), "_1abc");
    EXPECT_EQ(default_schema_name("_pipeline"), "_pipeline");
}

}  // namespace
}  // namespace tipple::schema
