#include "tipple/io/glob.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"

namespace tipple::io {
namespace {

TEST(Wildcards, MatchNames) {
    struct Case {
        const char* pattern;
        const char* name;
        bool matches;
    };
    const Case cases[] = {
        {"", "", true},
        {"", "a", false},
        {"*", "", true},
        {"*", "abc", true},
        {"a*c", "abbc", true},
        {"a*c", "abb", false},
        {"*.json", "a.b.json", true},
        {"*a*b*c", "xxaxxbxxbc", true},
        {"?", "é", true},
        {"??", "é", false},
        {"a?c", "abc", true},
        {"a?c", "ac", false},
        {"[a-c]x", "bx", true},
        {"[a-c]x", "dx", false},
        {"[!a-c]x", "dx", true},
        {"[^a-c]x", "ax", false},
        {"[]x]", "]", true},
        {"[é-ü]", "ö", true},
        {"[a-]", "-", true},
        {"a[b", "a[b", true},
        {"a[b", "ab", false},
        {"a\\*", "a*", true},
        {"a\\*", "ab", false},
        {"[\\]]", "]", true},
        {"*\xff", "a\xff", true},
        {"*[0-9]", "part-12", true},
        {"*[", "a[", true},
        {"[", "[", true},
        {"***", "abc", true},
        {"*?", "", false},
    };
    for (const Case& one : cases) {
        EXPECT_EQ(matches_wildcards(one.pattern, one.name), one.matches)
            << one.pattern << " " << one.name;
    }
}

TEST(Wildcards, AreFast) {
    // Exponential matchers never come back from this one.
    std::string pattern;
    for (int i = 0; i < 30; ++i) pattern += "*a";
    EXPECT_FALSE(matches_wildcards(pattern + "b", std::string(2000, 'a')));
}

TEST(Wildcards, AreFound) {
    for (const char* with : {"*", "a?", "[a]", "\\a*"}) EXPECT_TRUE(has_wildcards(with)) << with;
    for (const char* without : {"", "a.json", "\\*", "a\\?b", "a]"})
        EXPECT_FALSE(has_wildcards(without)) << without;
}

class GlobTest : public testing::Test {
protected:
    GlobTest() {
        for (const char* path :
             {"a.json", "b.json", "c.csv", ".hidden.json", "sub/d.json", "sub/deep/e.json",
              ".git/f.json", "sub/x*y.json", "other/g.json"}) {
            files_->create_folders(parent_folder(folder_.path(path)));
            files_->create(folder_.path(path))->close();
        }
        files_->create_folders(folder_.path("folder.json"));
        std::filesystem::create_directory_symlink(folder_.path("sub"),
                                                  folder_.path("sub/deep/circle"));
        std::filesystem::create_directory_symlink(folder_.path("sub"), folder_.path("link"));
    }

    /// Matches without the test's folder in front, joined by blanks.
    std::string found(const std::string& pattern) {
        std::string text;
        for (const std::string& path : expand_glob(*files_, folder_.path(pattern))) {
            if (!text.empty()) text += ' ';
            text += path.substr(folder_.path().size() + 1);
        }
        return text;
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = local_file_system();
};

TEST_F(GlobTest, FindsFiles) {
    EXPECT_EQ(found("*.json"), "a.json b.json");
    EXPECT_EQ(found("[ab].json"), "a.json b.json");
    EXPECT_EQ(found(".*.json"), ".hidden.json");
    EXPECT_EQ(found("*"), "a.json b.json c.csv");
    EXPECT_EQ(found("*/*.json"), "link/d.json link/x*y.json other/g.json sub/d.json sub/x*y.json");
    EXPECT_EQ(found("a.json"), "a.json");
    EXPECT_EQ(found("missing*"), "");
    EXPECT_EQ(found("missing/*"), "");
    EXPECT_EQ(found("a.json/*"), "");
    EXPECT_EQ(found("./sub/../a.json"), "./sub/../a.json");
}

TEST_F(GlobTest, GoesDownAnyNumberOfFolders) {
    const std::string all = "a.json b.json other/g.json sub/d.json sub/deep/e.json sub/x*y.json";
    EXPECT_EQ(found("**/*.json"), all);
    EXPECT_EQ(found("**/**/*.json"), all);
    EXPECT_EQ(found("sub/**"), "sub/d.json sub/deep/e.json sub/x*y.json");
    EXPECT_EQ(found("**/deep/*.json"), "sub/deep/e.json");
    EXPECT_EQ(found("link/**/e.json"), "link/deep/e.json");
}

TEST_F(GlobTest, TakesNamesAsTheyAre) {
    EXPECT_EQ(found("sub/x*y.json"), "sub/x*y.json");
    EXPECT_EQ(found("sub/x\\*y.json"), "sub/x*y.json");
    EXPECT_EQ(found("sub/x[*]y.json"), "sub/x*y.json");
    files_->create(folder_.path("sub/[1].json"))->close();
    EXPECT_EQ(found("sub/[1].json"), "sub/[1].json");
    EXPECT_EQ(found("sub//[1].json"), "sub/[1].json");
}

TEST_F(GlobTest, WorksWithoutAFolder) {
    const std::filesystem::path old = std::filesystem::current_path();
    std::filesystem::current_path(folder_.path());
    EXPECT_EQ(expand_glob(*files_, "*.csv"), std::vector<std::string>{"c.csv"});
    EXPECT_EQ(expand_glob(*files_, "**/e.json"), std::vector<std::string>{"sub/deep/e.json"});
    EXPECT_TRUE(expand_glob(*files_, "").empty());
    EXPECT_TRUE(expand_glob(*files_, "/").empty());
    std::filesystem::current_path(old);
}

TEST(MatchesPath, FoldersAndNames) {
    EXPECT_TRUE(matches_path("a/**/c.csv", "a/c.csv"));
    EXPECT_TRUE(matches_path("a/**/c.csv", "a/x/y/c.csv"));
    EXPECT_FALSE(matches_path("a/**/c.csv", "b/a/c.csv"));
    EXPECT_TRUE(matches_path("**/x/*/y", "x/x/1/2/x/3/y"));
    EXPECT_FALSE(matches_path("**/x/*/y", "x/1/2/y"));
    EXPECT_TRUE(matches_path("a/**", "a/b/c"));
    EXPECT_FALSE(matches_path("*", "a/b"));
    EXPECT_FALSE(matches_path("**/*", ".hidden/b"));
    EXPECT_FALSE(matches_path("**/*", "a/.b"));
    EXPECT_TRUE(matches_path("**/.*", "a/.b"));
    EXPECT_TRUE(matches_path("a\\*/b?", "a*/b1"));
    EXPECT_FALSE(matches_path("a/b", "a/b/c"));
}

TEST(LiteralPrefix, EndsAtTheFirstWildcard) {
    EXPECT_EQ(literal_prefix("in/2024-*/x"), "in/2024-");
    EXPECT_EQ(literal_prefix("a\\*b/[c]"), "a*b/");
    EXPECT_EQ(literal_prefix("a/b.csv"), "a/b.csv");
    EXPECT_EQ(literal_prefix("**"), "");
}

}  // namespace
}  // namespace tipple::io
