#include "tipple/io/http_store.h"

#include <gtest/gtest.h>

#include "support/http_server.h"
#include "tipple/core/error.h"

namespace tipple::io {
namespace {

using support::Answer;
using support::HttpServer;
using support::SeenRequest;

class HttpStoreTest : public testing::Test {
protected:
    std::string read(const ObjectInfo& object) {
        const auto file = store_->open_read(object, {});
        std::string text;
        std::string buffer(100'000, '\0');
        while (const std::size_t count = file->read(buffer.data(), buffer.size())) text.append(buffer, 0, count);
        return text;
    }
    template <typename Action>
    void expect_error(ErrorKind kind, std::string_view part, Action action) {
        try {
            action();
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos) << error.what();
        }
    }

    std::function<Answer(const SeenRequest&)> handle;
    HttpServer server_{[this](const SeenRequest& request) { return handle(request); }};
    SystemClock clock_;
    std::unique_ptr<ObjectStore> store_ = http_store({}, clock_, Log());
    const std::string url_ = server_.url() + "/a.csv?token=TheSecret";
    const HttpHeaders version_ = {{"ETag", "\"v1\""}, {"Last-Modified", "Mon, 12 Oct 2009 17:50:30 GMT"}};
    std::vector<std::pair<std::string, std::string>> headers(const HttpHeaders& version) {
        std::vector<std::pair<std::string, std::string>> pairs;
        for (const HttpHeader& header : version) pairs.emplace_back(header.name, header.value);
        return pairs;
    }
};

TEST_F(HttpStoreTest, FindsAndReads) {
    handle = [&](const SeenRequest&) { return Answer{.body = "hello", .headers = headers(version_)}; };
    const ObjectInfo object = store_->find(url_, {}).value();
    EXPECT_EQ(object, (ObjectInfo{.key = url_, .size = 5, .modified_ns = 1'255'369'830'000'000'000, .etag = "v1"}));
    EXPECT_EQ(server_.seen().size(), 1U);
    EXPECT_EQ(read(object), "hello");
    EXPECT_EQ(server_.seen().back().header("if-match"), "\"v1\"");
    EXPECT_EQ(store_->url(url_).find("TheSecret"), std::string::npos);
    expect_error(ErrorKind::usage, "no listing", [&] { store_->list(url_, {}, [](const ObjectInfo&) { return true; }); });
}

TEST_F(HttpStoreTest, ServersWithoutHead) {
    bool knows_ranges = true;
    handle = [&](const SeenRequest& request) {
        if (request.method == "HEAD") return Answer{.status = 405};
        return Answer{.body = std::string(3'000'000, 'x'), .headers = headers(version_), .ignores_range = !knows_ranges};
    };
    EXPECT_EQ(store_->find(url_, {}).value().size, 3'000'000U);
    knows_ranges = false;
    EXPECT_EQ(store_->find(url_, {}).value().size, 3'000'000U);
    EXPECT_EQ(store_->find(url_, {}).value().etag, "v1");
    handle = [&](const SeenRequest&) { return Answer{.status = 404}; };
    EXPECT_EQ(store_->find(url_, {}), std::nullopt);
    handle = [&](const SeenRequest&) { return Answer{.status = 403}; };
    expect_error(ErrorKind::usage, "403", [&] { store_->find(url_, {}); });
}

TEST_F(HttpStoreTest, ServersWhoseHeadSaysThatNothingIsThere) {
    std::string body = "a,b\n1,2\n";
    handle = [&](const SeenRequest& request) { return Answer{.body = request.method == "HEAD" ? "" : body, .headers = headers(version_), .ignores_range = body.empty()}; };
    ObjectInfo object = store_->find(url_, {}).value();
    EXPECT_EQ(object.size, body.size());
    EXPECT_EQ(read(object), body);
    // One that really is empty has no first byte.
    body.clear();
    EXPECT_EQ(store_->find(url_, {}).value(), (ObjectInfo{.key = url_, .modified_ns = 1'255'369'830'000'000'000, .etag = "v1"}));
    const auto answer_416 = [&](std::vector<std::pair<std::string, std::string>> more) {
        handle = [more](const SeenRequest& request) { return request.method == "HEAD" ? Answer{} : Answer{.body = "no such range", .status = 416, .headers = more}; };
        return store_->find(url_, {}).value();
    };
    object = answer_416({{"Content-Range", "bytes */0"}});
    EXPECT_TRUE(object.has_size);
    EXPECT_EQ(object.size, 0U);
    EXPECT_FALSE(answer_416({}).has_size) << "the length of the message is not that of the object";
}

TEST_F(HttpStoreTest, ASizeThatNobodyKnows) {
    handle = [&](const SeenRequest&) { return Answer{.body = "not really compressed", .headers = {{"Content-Encoding", "gzip"}, {"ETag", "W/\"v1\""}}}; };
    const ObjectInfo object = store_->find(url_, {}).value();
    EXPECT_FALSE(object.has_size);
    EXPECT_EQ(object.etag, "W/v1");
    EXPECT_EQ(read(object), "not really compressed");
    EXPECT_EQ(server_.seen().back().header("if-match"), "") << "a weak ETag is no condition";
}

TEST_F(HttpStoreTest, GoesOnWhereTheVersionIsKnown) {
    const std::string body = std::string(200'000, 'a') + std::string(200'000, 'b');
    bool says_version = true;
    const auto answer = [&](bool breaks) {
        Answer whole{.body = body, .ignores_range = true};
        if (says_version) whole.headers = {{"Last-Modified", "Mon, 12 Oct 2009 17:50:30 GMT"}};
        if (breaks) whole.breaks_after = 250'000;
        return whole;
    };
    handle = [&](const SeenRequest& request) { return answer(request.number == 2); };
    EXPECT_TRUE(read(store_->find(url_, {}).value()) == body);
    EXPECT_EQ(server_.seen().size(), 3U);
    EXPECT_EQ(server_.seen().back().header("range"), "bytes=250000-");
    EXPECT_EQ(server_.seen().back().header("if-unmodified-since"), "Mon, 12 Oct 2009 17:50:30 GMT");
    says_version = false;
    handle = [&](const SeenRequest& request) { return answer(request.method == "GET"); };
    expect_error(ErrorKind::transient, "neither", [&] { read(store_->find(url_, {}).value()); });
}

TEST_F(HttpStoreTest, GoesOnWithTheVersionOfTheFirstAnswer) {
    const std::string body = std::string(200'000, 'a') + std::string(200'000, 'b');
    HttpHeaders version = version_;
    handle = [&](const SeenRequest& request) {
        Answer whole{.body = body, .headers = headers(version), .ignores_range = true};
        if (request.number % 2 == 1) whole.breaks_after = 250'000;
        return whole;
    };
    EXPECT_TRUE(read({.key = url_, .has_size = false}) == body);
    EXPECT_EQ(server_.seen().back().header("if-match"), "\"v1\"");
    version = {{"ETag", "W/\"v1\""}, version_[1]};
    EXPECT_TRUE(read({.key = url_, .has_size = false}) == body);
    EXPECT_EQ(server_.seen().back().header("if-match"), "");
    EXPECT_EQ(server_.seen().back().header("if-unmodified-since"), version_[1].value);
    handle = [&](const SeenRequest& request) {
        Answer whole{.body = body, .headers = {{"ETag", request.number % 2 == 1 ? "\"v1\"" : "\"v2\""}}, .ignores_range = true};
        if (request.number % 2 == 1) whole.breaks_after = 250'000;
        return whole;
    };
    expect_error(ErrorKind::transient, "changed", [&] { read({.key = url_, .has_size = false}); });
}

TEST_F(HttpStoreTest, FollowsRedirects) {
    HttpServer other([&](const SeenRequest&) { return Answer{.body = "0123456789", .headers = headers(version_)}; });
    handle = [&](const SeenRequest&) { return Answer{.status = 302, .headers = {{"Location", other.url() + "/b"}}}; };
    const ObjectInfo object = store_->find(url_, {}).value();
    std::string text(3, '\0');
    store_->open_read(object, {})->read_at(4, text.data(), 3);
    EXPECT_EQ(text, "456");
    EXPECT_EQ(other.seen().back().header("range"), "bytes=4-6");
}

}  // namespace
}  // namespace tipple::io
