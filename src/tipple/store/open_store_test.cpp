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

TEST_F(OpenStoreTest, BucketsAndServers) {
    config::Options options;
    options.set("access_key_id", "k");
    const auto open_it = [&](std::string_view text) {
        const Location location = open(text, options);
        return location.store->url(location.key) + " " + location.key;
    };
    try {
        open_it("s3://bucket/a");
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_STREQ(error.what(), "option \"secret_access_key\" is missing: an access key is access_key_id and secret_access_key");
    }
    options.set("secret_access_key", "s");
    EXPECT_EQ(open_it("s3://bucket/a/*.csv"), "s3://bucket/a/*.csv a/*.csv");
    EXPECT_EQ(open_it("S3A://bucket"), "s3://bucket/ ");
    EXPECT_EQ(open_it("gs://bucket/a?.csv"), "gs://bucket/a?.csv a?.csv");
    EXPECT_EQ(open_it("https://host/a?token=x"), "https://host/a?token=*** https://host/a?token=x");
    EXPECT_EQ(open_bucket("s3://bucket/x", options, {.files = files_.get(), .clock = &clock_}).identity, "s3://bucket");
    options.set("endpoint", "http://localhost:9000");
    EXPECT_EQ(open_bucket("s3://bucket/x", options, {.files = files_.get(), .clock = &clock_}).identity, "s3://bucket at http://localhost:9000");
    options.set("url_style", "vertical");
    EXPECT_THROW(open_it("s3://bucket/a"), Error);
    expect_usage_error("gs://bucket/a", "HMAC key");
    expect_usage_error("s3:///a", "names no bucket");
    expect_usage_error("s3://key:secret@bucket/a", "names no bucket");
    config::Options anonymous;
    anonymous.set("anonymous", "true");
    EXPECT_EQ(open("gs://bucket/a", anonymous).key, "a");
}

TEST_F(OpenStoreTest, OtherUrlsAreRefused) {
    for (const char* url : {"file:///a", "s3://b/a", "gcs://b/a", "HTTPS://host/a"}) EXPECT_TRUE(is_store_url(url)) << url;
    EXPECT_FALSE(is_store_url("/a/b"));
    EXPECT_FALSE(is_store_url("postgres://host/db"));
    expect_usage_error("ftp://host/a", "\"ftp://host/a\"");
}

}  // namespace
}  // namespace tipple::store
