#include "tipple/config/dlt_settings.h"

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"

namespace tipple::config {
namespace {

/// A dlt project of these files and variables.
class DltProject {
public:
    DltProject(const std::string& secrets, const std::string& config, Environment environment = {}) : environment_(std::move(environment)) {
        if (!secrets.empty()) write(".dlt/secrets.toml", secrets);
        if (!config.empty()) write(".dlt/config.toml", config);
    }

    /// A file of the project's folder, in which `global` and `mounted` are those of all projects.
    void write(const std::string& name, const std::string& text) {
        files_->create_folders(io::parent_folder(path(name)));
        files_->write_text_durably(path(name), text);
    }

    std::string path(const std::string& name) const { return folder_.path() + "/" + name; }

    std::optional<DltValue> find_value(const DltField& field, std::string_view pipeline = "") const {
        return DltSettings::read(*files_, {.folder = folder_.path(), .global_folder = path("global"), .secrets_folder = path("mounted")}, environment_).find(field, pipeline);
    }

    std::string find(const DltField& field, std::string_view pipeline = "") const {
        const std::optional<DltValue> found = find_value(field, pipeline);
        return found ? dlt_text(found->node) : "(missing)";
    }

private:
    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    Environment environment_;
};

const DltField api_key{.key = "api_key", .is_secret = true, .sections = {"sources", "mod", "fn"}};
const DltField region{.key = "region", .sections = {"sources", "mod", "fn"}};

DltField credential(const std::string& key, const std::string& destination) {
    return {.key = key, .is_secret = key == "password", .sections = {"destination", destination}, .last_section = "credentials"};
}

// The numbers are those of the vectors of the reference's lookup.
TEST(DltSettings, KeysAndTheirOrder) {
    const std::vector<std::string> one = {"SOURCES__MOD__FN__API_KEY",
                                          "SOURCES__MOD__API_KEY",
                                          "SOURCES__FN__API_KEY",
                                          "SOURCES__API_KEY",
                                          "API_KEY",
                                          "secrets.toml: sources.mod.fn.api_key",
                                          "secrets.toml: sources.mod.api_key",
                                          "secrets.toml: sources.fn.api_key",
                                          "secrets.toml: sources.api_key",
                                          "secrets.toml: api_key"};
    EXPECT_EQ(DltSettings::keys(api_key, ""), one) << "1";
    EXPECT_EQ(DltSettings::keys(region, "").size(), 15U) << "2";
    const std::vector<std::string> three = DltSettings::keys(region, "p1");
    ASSERT_EQ(three.size(), 30U) << "3";
    EXPECT_EQ(three[0], "P1__SOURCES__MOD__FN__REGION");
    EXPECT_EQ(three[5], "secrets.toml: p1.sources.mod.fn.region");
    EXPECT_EQ(three[15], "SOURCES__MOD__FN__REGION");
    const DltField same{.key = "api_key", .is_secret = true, .sections = {"sources", "mod", "mod"}};
    EXPECT_EQ(DltSettings::keys(same, "").size(), 8U) << "4";
    const std::vector<std::string> five = DltSettings::keys(credential("password", "postgres"), "");
    EXPECT_EQ(five[0], "DESTINATION__POSTGRES__CREDENTIALS__PASSWORD") << "5";
    EXPECT_EQ(five[1], "DESTINATION__CREDENTIALS__PASSWORD");
    EXPECT_EQ(five[2], "CREDENTIALS__PASSWORD");
    EXPECT_EQ(DltSettings::keys(credential("host", "wh"), "")[6], "config.toml: destination.wh.credentials.host") << "6";
}

TEST(DltSettings, ScopeBeatsProviderAndProviderBeatsSpecificity) {
    EXPECT_EQ(DltProject("[sources.mod.fn]\napi_key='S'", "", {{"API_KEY", "E"}}).find(api_key), "E") << "7";
    EXPECT_EQ(DltProject("[p1]\napi_key='S'", "", {{"SOURCES__MOD__FN__API_KEY", "E"}}).find(api_key, "p1"), "S") << "8";
    EXPECT_EQ(DltProject("", "[p1]\nregion='C'", {{"SOURCES__MOD__FN__REGION", "E"}}).find(region, "p1"), "C") << "9";
    EXPECT_EQ(DltProject("region='S'", "[sources.mod.fn]\nregion='C'").find(region), "S") << "10";
    EXPECT_EQ(DltProject("[sources.mod]\napi_key='SEC'\n[sources.fn]\napi_key='COMPACT'", "").find(api_key), "SEC") << "11";
    EXPECT_EQ(DltProject("[sources]\napi_key='TOP'\n[sources.fn]\napi_key='COMPACT'", "").find(api_key), "COMPACT") << "12";
    EXPECT_EQ(DltProject("api_key='S'", "[sources.mod.fn]\napi_key='C'").find(api_key), "S") << "14";
    EXPECT_EQ(DltProject("", "", {{"api_key", "E"}}).find(api_key), "(missing)") << "15";
    EXPECT_EQ(DltProject("api_key='S'", "", {{"API_KEY", ""}}).find(api_key), "") << "16";
    const DltField dataset{.key = "dataset_name", .sections = {"pipelines", "p1"}};
    EXPECT_EQ(DltProject("", "[pipelines]\ndataset_name='B'\n[pipelines.p1]\ndataset_name='A'").find(dataset, "p1"), "A") << "44";
}

TEST(DltSettings, SecretsDoNotBelongIntoConfig) {
    try {
        DltProject("", "[sources.mod]\napi_key='C'").find(api_key);
        FAIL() << "13";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_NE(std::string(error.what()).find("sources.mod.api_key"), std::string::npos) << error.what();
    }
}

TEST(DltSettings, FieldsOfCredentialsMayComeFromSeveralPlaces) {
    const DltProject project("[destination.postgres.credentials]\nhost='h'\ndatabase='d'\n[credentials]\npassword='pw'", "");
    EXPECT_EQ(project.find(credential("host", "postgres")), "h") << "38";
    EXPECT_EQ(project.find(credential("password", "postgres")), "pw") << "38";
    const DltField whole{.key = "credentials", .is_secret = true, .sections = {"destination", "postgres"}, .is_whole = true};
    EXPECT_EQ(DltProject("credentials='postgresql://h'", "[destination.postgres.credentials]\nhost='h'").find(whole), "postgresql://h") << "a table is no URL, and no secret";
    const DltProject parts("credentials='postgresql://h'\n[destination.postgres.credentials]\nhost='h2'", "");
    EXPECT_TRUE(parts.find_value(whole)->node.is_table()) << "parts that count more than a URL";
    EXPECT_EQ(DltProject("[destination.postgres.credentials]\nhost='h2'", "", {{"CREDENTIALS", "postgresql://h"}}).find(whole), "postgresql://h") << "37";
    // A text where a table is expected holds no fields.
    EXPECT_EQ(DltProject("[destination.postgres]\ncredentials='postgresql://h'", "").find(credential("host", "postgres")), "(missing)");
}

TEST(DltSettings, FilesOfAllProjectsAreBelowThoseOfTheProject) {
    DltProject both("[sources.mod]\napi_key='L'", "");
    both.write("global/secrets.toml", "[sources.mod]\napi_key='G'\nregion='G'");
    EXPECT_EQ(both.find(api_key), "L") << "47";
    EXPECT_EQ(both.find(region), "G") << "47";
    EXPECT_EQ(both.find_value(region)->node.place.text(), both.path("global/secrets.toml") + ":3");
    DltProject specific("api_key='L'", "");
    specific.write("global/secrets.toml", "[sources.mod.fn]\napi_key='G'");
    EXPECT_EQ(specific.find(api_key), "G") << "48: one document";
    DltProject merged("", "n=['l']\n[t]\na=1");
    merged.write("global/config.toml", "n=['g','g2']\n[t]\na=0\nb=2");
    EXPECT_EQ(merged.find({.key = "n"}), R"(["l"])") << "49";
    EXPECT_EQ(merged.find({.key = "t"}), R"({"a":1,"b":2})") << "49";
    DltProject alone("", "");
    alone.write("global/config.toml", "[sources.mod]\nregion='G'");
    EXPECT_EQ(alone.find(region), "G") << "the project has none of its own";
}

TEST(DltSettings, MountedSecrets) {
    DltProject project("[sources.mod.fn]\napi_key='S'", "", {{"SOURCES__MOD__API_KEY", "E"}, {"SOURCES__MOD__FN__REGION", "E"}});
    EXPECT_EQ(project.find(api_key), "E");
    project.write("mounted/sources--mod--api-key", "X\n");
    EXPECT_EQ(project.find(api_key), "X") << "50";
    EXPECT_EQ(project.find_value(api_key)->key, project.path("mounted/sources--mod--api-key"));
    EXPECT_EQ(project.find_value(api_key)->node.place.text(), project.path("mounted/sources--mod--api-key"));
    project.write("mounted/sources--mod--fn--api-key/sources--mod--fn--api-key", "in a folder");
    EXPECT_EQ(project.find(api_key), "in a folder");
    project.write("mounted/p1--api-key", "scoped");
    EXPECT_EQ(project.find(api_key, "p1"), "scoped");
    project.write("mounted/sources--mod--fn--region", "X");
    EXPECT_EQ(project.find(region), "E") << "no secret";
}

TEST(DltSettings, WithoutFilesVariablesCountThatAreNamedByDlt) {
    const DltField dataset{.key = "dataset_name", .sections = {"pipelines", "p1"}};
    DltProject none("", "", {{"API_KEY", "bare"}, {"P1__API_KEY", "bare"}, {"DATASET_NAME", "bare"}, {"CREDENTIALS__HOST", "bare"}, {"REGION", "bare"}});
    EXPECT_EQ(none.find(api_key, "p1"), "(missing)");
    EXPECT_EQ(none.find(dataset, "p1"), "(missing)");
    EXPECT_EQ(none.find(credential("host", "wh")), "(missing)");
    none.write("mounted/api-key", "bare");
    EXPECT_EQ(none.find(api_key), "(missing)");
    none.write("global/config.toml", "[runtime]\nlog_level='INFO'");
    EXPECT_EQ(none.find(region), "(missing)") << "a file of all projects does not make this one dlt's";
    none.write("mounted/sources--api-key", "named");
    EXPECT_EQ(none.find(api_key), "named");
    none.write(".dlt/config.toml", "");
    EXPECT_EQ(none.find(region), "bare") << "a project of dlt's";
    const DltProject named("", "", {{"P1__SOURCES__MOD__REGION", "scoped"}, {"SOURCES__REGION", "S"}, {"PIPELINES__DATASET_NAME", "D"}, {"DESTINATION__CREDENTIALS__HOST", "H"}});
    EXPECT_EQ(named.find(region, "p1"), "scoped");
    EXPECT_EQ(named.find(region), "S");
    EXPECT_EQ(named.find(dataset, "p1"), "D");
    EXPECT_EQ(named.find(credential("host", "wh")), "H");
}

TEST(DltSettings, TheFolderThatVariablesName) {
    DltProject project("", "region='usual'", {{"DLT_CONFIG_FOLDER", "settings"}});
    project.write("settings/config.toml", "region='other'");
    EXPECT_EQ(project.find(region), "other");
    DltProject elsewhere("", "region='usual'", {{"DLT_PROJECT_DIR", project.path("there")}});
    project.write("there/.dlt/config.toml", "region='elsewhere'");
    EXPECT_EQ(elsewhere.find(region), "elsewhere");
}

Node text(const char* value) { return make_text(value, {}); }
Node scalar(Node::Kind kind, json::Value value) {
    Node node{.kind = kind};
    node.value = std::move(value);
    return node;
}

TEST(DltSettings, Coercion) {
    EXPECT_EQ(dlt_integer(text("")), std::nullopt) << "17";
    EXPECT_EQ(dlt_integer(text(" 0x1F ")), 31) << "18";
    EXPECT_EQ(dlt_integer(text("1.5")), std::nullopt) << "18";
    EXPECT_EQ(dlt_integer(scalar(Node::Kind::number, 2.0)), 2) << "18";
    EXPECT_EQ(dlt_integer(scalar(Node::Kind::number, 2.5)), std::nullopt) << "18";
    EXPECT_EQ(dlt_text(scalar(Node::Kind::integer, 7)), "7") << "20";
    EXPECT_EQ(dlt_text(scalar(Node::Kind::boolean, true)), "True") << "20";
    for (const char* yes : {"yes", "TRUE", "t", "Y", "1"}) EXPECT_EQ(dlt_boolean(text(yes)), true) << yes;
    for (const char* no : {"no", "False", "f", "N", "0"}) EXPECT_EQ(dlt_boolean(text(no)), false) << no;
    for (const char* neither : {"on", "off", "2", " true "}) EXPECT_EQ(dlt_boolean(text(neither)), std::nullopt) << neither;
}

}  // namespace
}  // namespace tipple::config
