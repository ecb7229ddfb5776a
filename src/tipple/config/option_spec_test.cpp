#include "tipple/config/option_spec.h"

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::config {
namespace {

const std::vector<OptionSpec> specs = {
    {.name = "path", .summary = "the file", .kind = OptionKind::path, .is_required = true},
    {.name = "retries", .summary = "how often", .kind = OptionKind::integer, .default_value = "5"},
    {.name = "memory", .summary = "how much", .kind = OptionKind::size},
    {.name = "timeout", .summary = "how long", .kind = OptionKind::seconds},
    {.name = "verify", .summary = "whether", .kind = OptionKind::boolean},
    {.name = "password", .summary = "the key", .kind = OptionKind::secret},
};

std::string problems_of(const std::vector<std::pair<std::string, std::string>>& values) {
    Options options;
    for (const auto& [name, value] : values) options.set(name, value);
    try {
        check_options(options, specs, "destination test");
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return {};
}

TEST(Options, ListsAreLines) {
    using Texts = std::vector<std::string>;
    EXPECT_EQ(lines_of("a\nb"), (Texts{"a", "b"}));
    EXPECT_EQ(lines_of("NA\n"), (Texts{"NA", ""})) << "the empty text is a value";
    EXPECT_EQ(lines_of(""), Texts{""});
    EXPECT_EQ(names_of("a\n\nb\n"), (Texts{"a", "b"})) << "but no name";
    EXPECT_EQ(names_of(""), Texts());
}

TEST(CheckOptions, FillsInDefaultsAndKeepsWhatIsGiven) {
    Options given;
    given.set("path", "x.db");
    given.set("memory", "1.5 GiB");
    const Options checked = check_options(given, specs, "destination test");
    EXPECT_EQ(checked.require("path"), "x.db");
    EXPECT_EQ(checked.require("retries"), "5");
    EXPECT_EQ(checked.require("memory"), "1.5 GiB");
    EXPECT_EQ(checked.find("timeout"), std::nullopt);
    EXPECT_THROW(checked.require("timeout"), Error);
}

TEST(CheckOptions, NamesEveryProblemAtOnce) {
    EXPECT_EQ(
        problems_of({{"pth", "x"}, {"retries", "many"}, {"memory", "lots"}, {"verify", "yes"}}),
        "options of destination test: \"memory\" must be a size such as 512MiB, not \"lots\"; "
        "\"pth\" is not known; did you mean \"path\"?; \"retries\" must be a whole number, not "
        "\"many\"; "
        "\"verify\" must be true or false, not \"yes\"; \"path\" is missing (the file)");
}

TEST(CheckOptions, ChecksSecondsAndWholeNumbers) {
    EXPECT_EQ(problems_of({{"path", "x"}, {"timeout", "1.5"}, {"retries", "-3"}}), "");
    EXPECT_NE(problems_of({{"path", "x"}, {"timeout", "-1"}}), "");
    EXPECT_NE(problems_of({{"path", "x"}, {"timeout", "nan"}}), "");
    EXPECT_NE(problems_of({{"path", "x"}, {"retries", "3x"}}), "");
}

TEST(CheckOptions, NeverRepeatsASecret) {
    EXPECT_EQ(problems_of({{"path", "x"}, {"password", ""}}),
              "options of destination test: \"password\" must not be empty");
}

TEST(CheckOptions, ListsWhatIsKnownWhenNothingIsNear) {
    const std::string text = problems_of({{"path", "x"}, {"colour", "red"}});
    EXPECT_NE(text.find("known are path, retries, memory, timeout, verify, password"),
              std::string::npos);
}

}  // namespace
}  // namespace tipple::config
