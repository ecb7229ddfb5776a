#include "tipple/pipeline/input_log.h"

#include <memory>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace tipple::pipeline {
namespace {

class InputLogTest : public testing::Test {
protected:
    InputLog open() { return {*files_, folder_.path("inputs.json")}; }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    const extract::InputFile file_{.path = "/data/é \"x\".jsonl", .size = 8, .modified_ns = -5};
};

TEST_F(InputLogTest, RemembersOverRuns) {
    EXPECT_EQ(open().find(file_), std::nullopt);
    InputLog log = open();
    log.add({file_}, "1.0");
    EXPECT_EQ(log.find(file_), "1.0");
    EXPECT_EQ(open().find(file_), std::nullopt) << "not before it is saved";
    log.save();
    InputLog later = open();
    EXPECT_EQ(later.find(file_), "1.0");
    later.add({file_}, "2.0");
    EXPECT_EQ(later.find(file_), "2.0");
}

TEST_F(InputLogTest, AnotherSizeOrTimeIsAnotherFile) {
    InputLog log = open();
    log.add({file_}, "1.0");
    extract::InputFile other = file_;
    ++other.size;
    EXPECT_EQ(log.find(other), std::nullopt);
    other = file_;
    ++other.modified_ns;
    EXPECT_EQ(log.find(other), std::nullopt);
}

TEST_F(InputLogTest, IsOnlyAHint) {
    for (const char* text :
         {"", "nonsense", "[]", R"({"/data/é \"x\".jsonl": 7})",
          R"({"/data/é \"x\".jsonl": {"size": 8, "modified_ns": -5}})",
          R"({"/data/é \"x\".jsonl": {"size": "8", "modified_ns": -5, "load_id": "1.0"}})"}) {
        files_->write_text_durably(folder_.path("inputs.json"), text);
        InputLog log = open();
        EXPECT_EQ(log.find(file_), std::nullopt) << text;
        log.add({file_}, "1.0");
        log.save();
        EXPECT_EQ(open().find(file_), "1.0") << text;
    }
}

TEST_F(InputLogTest, ForgetsTheOldest) {
    std::vector<extract::InputFile> many;
    for (int i = 0; i < 10'001; ++i)
        many.push_back({.path = std::to_string(i), .size = 1, .modified_ns = 1});
    InputLog log = open();
    log.add({file_}, "1.0");
    log.add(many, "2.0");
    EXPECT_EQ(log.find(file_), std::nullopt);
    EXPECT_EQ(log.find(many[0]), std::nullopt);
    EXPECT_EQ(log.find(many[1]), "2.0");
    EXPECT_EQ(log.find(many.back()), "2.0");
}

}  // namespace
}  // namespace tipple::pipeline
