#include "tipple/core/log.h"

#include <fstream>
#include <sstream>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"

namespace tipple {
namespace {

std::string text_of(const std::string& path) {
    std::ifstream file(path);
    std::stringstream text;
    text << file.rdbuf();
    return text.str();
}

TEST(Log, SaysNothingByDefault) {
    const Log log;
    EXPECT_FALSE(log.enabled(LogLevel::error));
    log.error("nobody reads {}", "this");
}

TEST(Log, WritesFromItsLevelOn) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("log");
    {
        const Log log = Log::to_file(path, LogLevel::info);
        const Log copy = log;
        EXPECT_TRUE(log.enabled(LogLevel::warning));
        EXPECT_FALSE(log.enabled(LogLevel::debug));
        log.debug("not {}", 1);
        log.info("one {}", 1);
        copy.warning("two {}", "{}");
        log.error("three");
    }
    const std::string text = text_of(path);
    EXPECT_EQ(text.find("not 1"), std::string::npos) << text;
    EXPECT_NE(text.find(" info one 1\n"), std::string::npos) << text;
    EXPECT_NE(text.find(" warning two {}\n"), std::string::npos) << text;
    EXPECT_NE(text.find(" error three\n"), std::string::npos) << text;
    Log::to_file(path, LogLevel::info).info("later");
    EXPECT_EQ(text_of(path).find(text), 0U) << "a file is appended to";
}

TEST(Log, AFileThatCannotBeOpenedIsALocalError) {
    const support::TemporaryFolder folder;
    try {
        Log::to_file(folder.path(), LogLevel::info);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::local);
    }
}

TEST(Log, AsJsonAnObjectPerLine) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("log");
    const Log log = Log::to_file(path, LogLevel::info, LogFormat::json);
    log.debug("not this");
    log.with("pipeline", "a\"b").with("run", "1f").warning("two\nlines \\ {} \x01", "\"quoted\"");
    const std::string text = text_of(path);
    EXPECT_TRUE(text.starts_with(R"({"v":1,"ts":"20)")) << text;
    EXPECT_NE(text.find(R"(Z","level":"warning","pipeline":"a\"b","run":"1f","message":"two\nlines \\ \"quoted\" \u0001"})" "\n"), std::string::npos) << text;
    EXPECT_EQ(text.find("not this"), std::string::npos);
    EXPECT_EQ(text.find('\n'), text.size() - 1);
}

TEST(Log, GoesToStderr) {
    testing::internal::CaptureStderr();
    Log::to_stderr(LogLevel::warning).warning("look");
    const std::string text = testing::internal::GetCapturedStderr();
    EXPECT_NE(text.find(" warning look\n"), std::string::npos) << text;
}

}  // namespace
}  // namespace tipple
