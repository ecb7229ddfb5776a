#include "tipple/store/open_store.h"

#include <filesystem>

#include <gtest/gtest.h>

#include "tipple/core/error.h"

namespace tipple::store {
namespace {

class OpenStoreTest : public testing::Test {
protected:
    Location open(std::string_view text, const config::Options& options = {}) { return open_store(text, options, {.files = files_.get(), .clock = &clock_}); }
    void expect_usage_error(std::string_view text, std::string_view part) {
        try {
            open(text);
            ADD_FAILURE() << "no error for " << text;
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::usage) << error.what();
            EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
        }
    }

    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    SystemClock clock_;
};

TEST_F(OpenStoreTest, PathsAreAbsolute) {
    EXPECT_EQ(open("/data/x/../*.csv").key, "data/*.csv");
    EXPECT_EQ(open("file:///data/a%20b.csv").key, "data/a b.csv");
    EXPECT_EQ(open("FILE://localhost/data/").key, "data/");
    const Location here = open("a/*.csv");
    EXPECT_EQ(here.store->url(here.key), std::filesystem::current_path().string() + "/a/*.csv");
    expect_usage_error("file://elsewhere/data", "another host");
    expect_usage_error("", "empty path");
}

TEST_F(OpenStoreTest, OtherUrlsAreRefused) {
    EXPECT_TRUE(is_store_url("file:///a"));
    EXPECT_FALSE(is_store_url("/a/b"));
    EXPECT_FALSE(is_store_url("postgres://host/db"));
    expect_usage_error("ftp://host/a", "\"ftp://host/a\"");
}

}  // namespace
}  // namespace tipple::store
