#include "tipple/io/s3_store.h"

#include <algorithm>
#include <cstdlib>
#include <map>

#include <gtest/gtest.h>

#include "support/http_server.h"
#include "support/sanitized.h"
#include "tipple/core/error.h"
#include "tipple/io/process.h"

namespace tipple::io {
namespace {

using support::Answer;
using support::HttpServer;
using support::SeenRequest;

Answer refusal(int status, const std::string& code, const std::string& more = "") {
    return {.body = "<?xml version=\"1.0\"?><Error><Code>" + code + "</Code><Message>why</Message>" + more + "</Error>", .status = status};
}

/// Objects of one bucket, in the memory of this process. What is asked is asked of `first`, which may answer in its place.
class S3StoreTest : public testing::Test {
protected:
    Answer answer(const SeenRequest& request) {
        if (first) {
            if (std::optional<Answer> instead = first(request)) return *std::move(instead);
        }
        const std::string key = request.path.size() > 8 ? request.path.substr(8) : "";  // "/bucket/"
        if (key.empty() && request.params.contains("uploads")) {
            const std::string key_of_leftover = request.param("prefix") + (request.param("prefix") == "large" ? "" : "-and-more");
            return {.body = "<ListMultipartUploadsResult><Upload><Key>" + key_of_leftover + "</Key><UploadId>left</UploadId></Upload></ListMultipartUploadsResult>"};
        }
        if (key.empty()) return page(request);
        const std::lock_guard lock(mutex_);
        if (request.method == "PUT" && request.params.contains("partNumber")) {
            parts_[request.param("partNumber")] = request.body;
            return {.headers = {{"ETag", "\"part" + request.param("partNumber") + "\""}}};
        }
        if (request.method == "POST" && request.params.contains("uploads")) {
            mark_ = request.header("x-amz-meta-tipple-upload");
            return {.body = "<InitiateMultipartUploadResult><UploadId>7</UploadId></InitiateMultipartUploadResult>"};
        }
        if (request.method == "POST") {
            std::string body;
            for (const auto& [number, part] : parts_) body += part;
            parts_.clear();
            objects[key] = body;
            return {.body = "<CompleteMultipartUploadResult/>"};
        }
        if (request.method == "PUT") {
            if (request.header("if-none-match") == "*" && objects.contains(key)) return refusal(412, "PreconditionFailed");
            objects[key] = request.body;
            return {};
        }
        if (request.method == "DELETE") {
            if (request.params.contains("uploadId")) {
                parts_.clear();
            } else {
                objects.erase(key);
            }
            return {.status = 204};
        }
        if (!objects.contains(key)) return refusal(404, "NoSuchKey");
        return content(request, objects[key]);
    }

    static std::string etag_of(const std::string& body) { return std::to_string(std::hash<std::string>()(body)); }

    Answer content(const SeenRequest& request, const std::string& body) const {
        const std::string etag = "\"" + etag_of(body) + "\"";
        if (const std::string match = request.header("if-match"); !match.empty() && match != etag) return refusal(412, "PreconditionFailed");
        Answer answer{.body = body, .headers = {{"ETag", etag}, {"Last-Modified", "Mon, 12 Oct 2009 17:50:30 GMT"}}};
        if (!mark_.empty()) answer.headers.emplace_back("x-amz-meta-tipple-upload", mark_);
        // The server cuts the body as the header Range says.
        return answer;
    }

    Answer page(const SeenRequest& request) {
        const std::lock_guard lock(mutex_);
        std::string body = "<ListBucketResult><EncodingType>url</EncodingType>";
        auto at = objects.lower_bound(std::max(request.param("prefix"), request.param("continuation-token")));
        int count = 0;
        for (; at != objects.end() && at->first.starts_with(request.param("prefix")) && count < 3; ++at, ++count) {
            body += "<Contents><Key>" + at->first + "</Key><Size>" + std::to_string(at->second.size()) + "</Size><ETag>\"" + etag_of(at->second) + "\"</ETag></Contents>";
        }
        if (at != objects.end() && at->first.starts_with(request.param("prefix"))) {
            body += "<IsTruncated>true</IsTruncated><NextContinuationToken>" + at->first + "</NextContinuationToken>";
        }
        return {.body = body + "</ListBucketResult>"};
    }

    std::unique_ptr<WritableObjectStore> make(S3Options options = {}) {
        options.bucket = "bucket";
        options.endpoint = server_.url();
        options.retry.base = std::chrono::milliseconds(1);
        return s3_store(options, fixed_credentials(AccessKey{.id = "TheKeyId", .secret = "TheSecret", .session_token = "TheToken"}), clock_, Log());
    }

    std::string read(ReadFile& file) {
        std::string text;
        std::string buffer(100'000, '\0');
        while (const std::size_t count = file.read(buffer.data(), buffer.size())) text.append(buffer, 0, count);
        return text;
    }
    std::string read(const std::string& key) { return read(*store_->open_read(store_->find(key, {}).value(), {})); }

    template <typename Action>
    void expect_error(ErrorKind kind, const std::vector<std::string>& parts, Action action) {
        try {
            action();
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            const std::string_view text = error.what();
            EXPECT_EQ(error.kind(), kind) << text;
            for (const std::string& part : parts) EXPECT_NE(text.find(part), std::string_view::npos) << text;
            for (const char* secret : {"TheSecret", "TheToken"}) EXPECT_EQ(text.find(secret), std::string_view::npos) << text;
        }
    }

    std::map<std::string, std::string> objects;
    std::function<std::optional<Answer>(const SeenRequest&)> first;
    std::mutex mutex_;
    std::map<std::string, std::string> parts_;
    std::string mark_;  ///< of the last upload in parts
    HttpServer server_{[this](const SeenRequest& request) { return answer(request); }};
    SystemClock clock_;
    std::unique_ptr<WritableObjectStore> store_ = make();
};

TEST_F(S3StoreTest, ListsPageByPage) {
    for (const char* key : {"a/1", "a/2", "a/3", "a/4", "a/5", "b/1"}) objects[key] = "x";
    std::vector<std::string> keys;
    const auto take = [&](const ObjectInfo& object) {
        keys.push_back(object.key);
        EXPECT_EQ(object.size, 1U);
        EXPECT_EQ(object.etag, etag_of("x"));
        return true;
    };
    store_->list("a/", {}, take);
    EXPECT_EQ(keys, (std::vector<std::string>{"a/1", "a/2", "a/3", "a/4", "a/5"}));
    EXPECT_EQ(server_.seen().size(), 2U);
    store_->list("a/", {}, [](const ObjectInfo&) { return false; });
    EXPECT_EQ(server_.seen().size(), 3U) << "nobody wants the second page";
    store_->list("c/", {}, [](const ObjectInfo&) -> bool { throw Bug("there is nothing"); });
}

TEST_F(S3StoreTest, ManyKeysTakeNoMemory) {
    const int pages = std::getenv("TIPPLE_LONG_TESTS") != nullptr ? 1'000 : 100;
    std::string keys;
    for (int i = 0; i < 1'000; ++i) keys += "<Contents><Key>some/folder/of/a/lake/2026-11-30/file-" + std::to_string(i) + ".csv.gz</Key><Size>1000000</Size></Contents>";
    first = [&](const SeenRequest& request) {
        const int number = std::atoi(("0" + request.param("continuation-token")).c_str()) + 1;
        const std::string next = number < pages ? "<IsTruncated>true</IsTruncated><NextContinuationToken>" + std::to_string(number) + "</NextContinuationToken>" : "";
        return Answer{.body = "<ListBucketResult>" + keys + next + "</ListBucketResult>"};
    };
    std::uint64_t count = 0;
    store_->list("", {}, [&](const ObjectInfo&) { return ++count < 20'000; });
    const std::uint64_t before = process_usage().peak_resident_bytes;
    count = 0;
    store_->list("", {}, [&](const ObjectInfo&) { return ++count > 0; });
    EXPECT_EQ(count, static_cast<std::uint64_t>(pages) * 1'000);
    if (!support::is_sanitized) {
        EXPECT_LT(process_usage().peak_resident_bytes - before, std::uint64_t{8} << 20);
    }
}

TEST_F(S3StoreTest, KeysOfAllKinds) {
    for (const std::string key : {"a b+c/\xc3\xa9%41?&=#.csv", "~-._!$'()*,;:@", "a//b", "\xf0\x9f\xa6\x86", "a/./b", "a/../b", "a/..", "/..a/.b"}) {
        EXPECT_TRUE(store_->put(key, key, PutCondition::always, {}));
        EXPECT_TRUE(objects.contains(key)) << key;
        EXPECT_EQ(read(key), key);
        EXPECT_EQ(store_->url(key), "s3://bucket/" + key);
        store_->remove(key, {});
        EXPECT_EQ(store_->find(key, {}), std::nullopt);
        store_->remove(key, {});
    }
}

TEST_F(S3StoreTest, OneAttemptToRemove) {
    objects["a"] = "x";
    EXPECT_TRUE(store_->remove_once("a"));
    EXPECT_FALSE(objects.contains("a"));
    EXPECT_TRUE(store_->remove_once("a"));
    const std::size_t before = server_.seen().size();
    first = [](const SeenRequest&) { return Answer{.status = 503}; };
    EXPECT_FALSE(store_->remove_once("a"));
    EXPECT_EQ(server_.seen().size(), before + 1);
}

TEST_F(S3StoreTest, ConditionsOfWrites) {
    EXPECT_TRUE(store_->put("a", "one", PutCondition::if_absent, {}));
    EXPECT_FALSE(store_->put("a", "two", PutCondition::if_absent, {}));
    EXPECT_EQ(objects["a"], "one");
    EXPECT_TRUE(store_->put("a", "two", PutCondition::always, {}));
    EXPECT_EQ(objects["a"], "two");
    // Others write at the same time: the store asks to try again.
    int conflicts = 2;
    first = [&](const SeenRequest&) { return conflicts-- > 0 ? std::optional(refusal(409, "ConditionalRequestConflict")) : std::nullopt; };
    EXPECT_TRUE(store_->put("b", "one", PutCondition::if_absent, {}));
}

TEST_F(S3StoreTest, ReadsRangesAndWhatIsEmpty) {
    objects["a"] = "0123456789";
    objects["empty"] = "";
    const auto file = store_->open_read(store_->find("a", {}).value(), {});
    std::string text(4, '\0');
    file->read_at(3, text.data(), 4);
    EXPECT_EQ(text, "3456");
    EXPECT_EQ(server_.seen().back().header("range"), "bytes=3-6");
    file->read_at(6, text.data(), 4);
    EXPECT_EQ(text, "6789");
    EXPECT_THROW(file->read_at(8, text.data(), 4), Error);
    EXPECT_EQ(read(*file), "0123456789");
    EXPECT_EQ(read(*file), "");
    EXPECT_EQ(file->size(), 10U);
    EXPECT_EQ(file->path(), "s3://bucket/a");
    EXPECT_EQ(read("empty"), "");
}

TEST_F(S3StoreTest, GoesOnBehindABreak) {
    std::string& body = objects["a"];
    for (int i = 0; body.size() < 5'000'000; ++i) body += std::to_string(i) + "\n";
    const ObjectInfo object = store_->find("a", {}).value();
    const std::size_t before = server_.seen().size();
    first = [&](const SeenRequest& request) -> std::optional<Answer> {
        const int attempt = request.number - static_cast<int>(before);
        if (attempt > 4) return std::nullopt;
        // One that knows no ranges sends all of it from the start.
        if (attempt == 4) return Answer{.body = body, .headers = {{"ETag", "\"" + object.etag + "\""}}, .breaks_after = 2'500'000};
        // Some bytes of what was asked for, then nothing more.
        const std::string range = request.header("range");
        const std::size_t from = range.empty() ? 0 : std::stoul(range.substr(6));
        return Answer{.body = body.substr(from),
                      .status = range.empty() ? 200 : 206,
                      .headers = {{"ETag", "\"" + object.etag + "\""}, {"Content-Range", "bytes " + std::to_string(from) + "-4999999/" + std::to_string(body.size())}},
                      .breaks_after = 700'000};
    };
    EXPECT_TRUE(read(*store_->open_read(object, {})) == body);
    const std::vector<SeenRequest> seen = server_.seen();
    ASSERT_EQ(seen.size(), before + 5);
    EXPECT_EQ(seen[before + 2].header("range"), "bytes=1400000-");
    EXPECT_EQ(seen[before + 3].header("range"), "bytes=2100000-");
    EXPECT_EQ(seen.back().header("range"), "bytes=2500000-");
    EXPECT_EQ(seen.back().header("if-match"), "\"" + object.etag + "\"");
    EXPECT_EQ(seen.back().header("accept-encoding"), "");
}

TEST_F(S3StoreTest, ReadsNoOtherVersion) {
    objects["a"] = "old";
    const ObjectInfo object = store_->find("a", {}).value();
    objects["a"] = "new version";
    expect_error(ErrorKind::transient, {"s3://bucket/a", "has changed"}, [&] { read(*store_->open_read(object, {})); });
    // A server that does not know If-Match is seen through by what it says of itself.
    first = [&](const SeenRequest&) { return Answer{.body = "new", .headers = {{"ETag", "\"other\""}}}; };
    const std::size_t before = server_.seen().size();
    expect_error(ErrorKind::transient, {"has changed"}, [&] { read(*store_->open_read(object, {})); });
    EXPECT_EQ(server_.seen().size(), before + 1);
}

TEST_F(S3StoreTest, UploadsInParts) {
    store_ = make({.part_bytes = 1'000});
    std::string text(10'500, '\0');
    for (std::size_t i = 0; i < text.size(); ++i) text[i] = static_cast<char>('a' + i % 26);
    const auto small = store_->create("small", {});
    small->write("abc");
    EXPECT_FALSE(objects.contains("small"));
    small->close();
    EXPECT_EQ(objects["small"], "abc");
    EXPECT_EQ(server_.seen().size(), 1U);
    store_->create("empty", {})->close();
    EXPECT_TRUE(objects.contains("empty"));
    {
        const auto file = store_->create("large", {});
        for (std::size_t at = 0; at < 5'000; at += 250) file->write(std::string_view(text).substr(at, 250));
        file->write(std::string_view(text).substr(5'000));
        EXPECT_EQ(file->size(), text.size());
        EXPECT_FALSE(objects.contains("large"));
        file->close();
    }
    EXPECT_EQ(objects["large"].size(), text.size());
    EXPECT_EQ(server_.seen().back().body.substr(0, 89), "<CompleteMultipartUpload><Part><PartNumber>1</PartNumber><ETag>\"part1\"</ETag></Part><Part");
    const std::vector<std::string> targets = server_.targets();
    EXPECT_EQ(std::count(targets.begin(), targets.end(), "/bucket/large?uploadId=left"), 1) << "of one that died";
    {
        const auto file = store_->create("unfinished", {});
        file->write(text);
    }
    EXPECT_FALSE(objects.contains("unfinished"));
    EXPECT_EQ(server_.seen().back().method + " " + server_.seen().back().target, "DELETE /bucket/unfinished?uploadId=7");
}

TEST_F(S3StoreTest, APartedUploadWhoseLastAnswerWasLostIsThere) {
    store_ = make({.part_bytes = 1'000});
    bool is_lost = false;
    first = [&](const SeenRequest& request) -> std::optional<Answer> {
        if (request.method != "POST" || !request.params.contains("uploadId")) return std::nullopt;
        if (std::exchange(is_lost, true)) return refusal(404, "NoSuchUpload");
        objects["a"] = std::string(2'000, 'x');
        return Answer{.body = "<Error><Code>InternalError</Code></Error>"};
    };
    {
        const auto file = store_->create("a", {});
        file->write(std::string(2'000, 'x'));
        file->close();
        EXPECT_TRUE(is_lost);
    }
    // Another object of this length is not that of this upload.
    is_lost = false;
    const auto file = store_->create("a", {});
    file->write(std::string(2'000, 'x'));
    mark_ = "of somebody else";
    expect_error(ErrorKind::remote, {"s3://bucket/a", "2 parts", "404 NoSuchUpload"}, [&] { file->close(); });
}

TEST_F(S3StoreTest, APartedUploadIsThereOnlyWhenTheStoreSaysSo) {
    store_ = make({.part_bytes = 1'000});
    const auto failure = [&](ErrorKind kind, const Answer& completion, const std::string& part) {
        first = [&](const SeenRequest& request) { return request.method == "POST" && request.params.contains("uploadId") ? std::optional(completion) : std::nullopt; };
        const auto file = store_->create("a", {});
        file->write(std::string(2'000, 'x'));
        expect_error(kind, {part}, [&] { file->close(); });
    };
    failure(ErrorKind::remote, {.body = ""}, "not put together: 200");
    failure(ErrorKind::remote, {.body = "<html>log in</html>"}, "log in");
    failure(ErrorKind::transient, {.body = "<Error><Code>InternalError</Code></Error>"}, "InternalError");
    EXPECT_TRUE(objects.empty());
}

TEST_F(S3StoreTest, NothingIsWrittenWithoutWhatCouldNotBeSent) {
    store_ = make({.part_bytes = 1'000});
    for (const char* what : {"partNumber", "uploads"}) {
        first = [&](const SeenRequest& request) { return request.params.contains(what) ? std::optional(refusal(400, "Teapot")) : std::nullopt; };
        const auto file = store_->create("a", {});
        expect_error(ErrorKind::remote, {"Teapot"}, [&] { file->write(std::string(1'000, 'x')); });
        first = nullptr;
        expect_error(ErrorKind::remote, {"s3://bucket/a", "failed before"}, [&] { file->write("y"); });
        expect_error(ErrorKind::remote, {"failed before"}, [&] { file->close(); });
    }
    const auto file = store_->create("a", {});
    file->write("abc");
    first = [&](const SeenRequest&) { return refusal(400, "Teapot"); };
    expect_error(ErrorKind::remote, {"Teapot"}, [&] { file->close(); });
    first = nullptr;
    expect_error(ErrorKind::remote, {"failed before"}, [&] { file->close(); });
    EXPECT_TRUE(objects.empty());
}

TEST_F(S3StoreTest, AnUnfinishedUploadIsTakenBackInOneAttempt) {
    S3Options options{.part_bytes = 1'000};
    options.retry.max = std::chrono::milliseconds(3'600'000);
    store_ = make(options);
    auto file = store_->create("a", {});
    file->write(std::string(1'000, 'x'));
    first = [&](const SeenRequest&) { return refusal(503, "SlowDown"); };
    const std::size_t before = server_.seen().size();
    file.reset();
    EXPECT_EQ(server_.seen().size(), before + 1);
    first = nullptr;
    EXPECT_TRUE(store_->put("b", "x", PutCondition::always, {})) << "nothing is left of it";
}

TEST_F(S3StoreTest, TakesBackAllThatDeadUploadsOfTheKeyHaveLeft) {
    store_ = make({.part_bytes = 1'000});
    first = [&](const SeenRequest& request) -> std::optional<Answer> {
        if (request.method != "GET" || !request.params.contains("uploads")) return std::nullopt;
        const auto upload = [](const std::string& key, const std::string& id) { return "<Upload><Key>" + key + "</Key><UploadId>" + id + "</UploadId></Upload>"; };
        const std::string marker = request.param("key-marker") + " " + request.param("upload-id-marker");
        std::string body = "<ListMultipartUploadsResult><EncodingType>url</EncodingType>";
        if (marker == " ") body += upload("p/a%20b", "1") + upload("other", "2") + "<IsTruncated>true</IsTruncated><NextKeyMarker>p/a%20b</NextKeyMarker><NextUploadIdMarker>1</NextUploadIdMarker>";
        if (marker == "p/a b 1") body += upload("p/a%20b", "3");
        return Answer{.body = body + "</ListMultipartUploadsResult>"};
    };
    const auto file = store_->create("p/a b", {});
    file->write(std::string(2'500, 'x'));
    file->close();
    std::vector<std::string> taken;
    for (const SeenRequest& request : server_.seen()) {
        if (request.method == "DELETE") taken.push_back(request.target);
    }
    EXPECT_EQ(taken, (std::vector<std::string>{"/bucket/p/a%20b?uploadId=1", "/bucket/p/a%20b?uploadId=3"}));
    EXPECT_EQ(objects.at("p/a b").size(), 2'500U);
}

/// Counts its tokens: `t1`, `t2`, …
class RotatingCredentials final : public S3Credentials {
public:
    std::optional<AccessKey> key(const std::stop_token&) override { return AccessKey{.id = "TheKeyId", .secret = "TheSecret", .session_token = token_}; }
    bool renew(const std::string& refused_token) override {
        EXPECT_EQ(refused_token, token_);
        token_ = "t" + std::to_string(++number_);
        return true;
    }

private:
    int number_ = 1;
    std::string token_ = "t1";
};

TEST_F(S3StoreTest, AnObjectIsNotEmptyBecauseATokenHasExpired) {
    objects["a"] = "0123456789";
    objects["empty"] = "";
    for (const auto& [key, body] : std::map(objects)) {
        const auto store = s3_store({.bucket = "bucket", .endpoint = server_.url()}, std::make_shared<RotatingCredentials>(), clock_, Log());
        first = [](const SeenRequest& request) -> std::optional<Answer> {
            if (request.header("x-amz-security-token") != "t1") return std::nullopt;
            return request.method == "HEAD" ? Answer{.status = 400} : refusal(400, "ExpiredToken");
        };
        const ObjectInfo object = store->find(key, {}).value();
        EXPECT_EQ(object.size, body.size());
        EXPECT_EQ(object.etag, etag_of(body));
        EXPECT_EQ(read(*store->open_read(object, {})), body);
    }
    // What is gone by then, or was never there, is not there.
    first = [](const SeenRequest& request) { return request.method == "HEAD" ? std::optional(Answer{.status = 403}) : std::nullopt; };
    EXPECT_EQ(store_->find("missing", {}), std::nullopt);
}

TEST_F(S3StoreTest, ATokenThatIsRefusedForGoodIsToldOnce) {
    const auto store = s3_store({.bucket = "bucket", .endpoint = server_.url()}, std::make_shared<RotatingCredentials>(), clock_, Log());
    first = [](const SeenRequest&) { return refusal(400, "ExpiredToken"); };
    expect_error(ErrorKind::usage, {"has expired"}, [&] { store->put("a", "x", PutCondition::always, {}); });
    EXPECT_EQ(server_.seen().size(), 2U);
}

TEST_F(S3StoreTest, TriesAgainWhatPasses) {
    objects["a"] = "x";
    int left = 3;
    first = [&](const SeenRequest&) -> std::optional<Answer> {
        switch (left--) {
            case 3:
                return refusal(503, "SlowDown");
            case 2:
                return refusal(400, "RequestTimeout");
            case 1:
                return Answer{.body = "<html>bad gateway</html>", .status = 502};
            default:
                return std::nullopt;
        }
    };
    EXPECT_TRUE(store_->put("b", "x", PutCondition::always, {}));
    EXPECT_EQ(server_.seen().size(), 4U);
    first = [&](const SeenRequest&) { return refusal(503, "SlowDown"); };
    expect_error(ErrorKind::transient, {"s3://bucket/b", "503 SlowDown"}, [&] { store_->put("b", "x", PutCondition::always, {}); });
    EXPECT_EQ(server_.seen().size(), 4U + 7U);
}

TEST_F(S3StoreTest, GoesToTheRegionThatTheStoreNames) {
    objects["a"] = "x";
    first = [&](const SeenRequest& request) -> std::optional<Answer> {
        if (request.header("authorization").find("/eu-west-1/s3/") != std::string::npos) return std::nullopt;
        // An answer to HEAD has no body.
        if (request.method == "HEAD") return Answer{.status = 400, .headers = {{"x-amz-bucket-region", "eu-west-1"}}};
        return refusal(400, "AuthorizationHeaderMalformed", "<Region>eu-west-1</Region>");
    };
    EXPECT_EQ(read("a"), "x");
    EXPECT_EQ(server_.seen().size(), 3U);
    store_ = make();
    EXPECT_TRUE(store_->put("b", "x", PutCondition::always, {}));
    first = [&](const SeenRequest&) { return refusal(400, "AuthorizationHeaderMalformed", "<Region>mars-1</Region>"); };
    expect_error(ErrorKind::usage, {"not in region mars-1"}, [&] { store_->put("b", "x", PutCondition::always, {}); });
}

TEST_F(S3StoreTest, ErrorsSayWhatToDo) {
    const auto list = [&] { store_->list("p", {}, [](const ObjectInfo&) { return true; }); };
    const std::vector<std::tuple<int, std::string, std::vector<std::string>>> cases = {
        {404, "NoSuchBucket", {"no bucket \"bucket\"", server_.url()}},
        {403, "AccessDenied", {"s3://bucket/", "access key TheKeyId", "s3:ListBucket"}},
        {403, "InvalidAccessKeyId", {"TheKeyId", "access_key_id"}},
        {403, "SignatureDoesNotMatch", {"secret_access_key"}},
        {400, "ExpiredToken", {"has expired"}},
        {403, "RequestTimeTooSkewed", {"clock"}},
        {301, "PermanentRedirect", {"region", "us-east-1"}},
    };
    for (const auto& [status, code, parts] : cases) {
        first = [&, status = status, code = code](const SeenRequest&) { return refusal(status, code); };
        expect_error(ErrorKind::usage, parts, list);
    }
    first = [&](const SeenRequest&) { return refusal(418, "Teapot"); };
    expect_error(ErrorKind::remote, {"418 Teapot: why"}, list);
    first = [&](const SeenRequest&) { return Answer{.body = "<html>hello</html>"}; };
    expect_error(ErrorKind::remote, {"no object store"}, list);
    // HEAD does not say why, so that it is asked again in another way.
    first = [&](const SeenRequest& request) { return request.method == "HEAD" ? Answer{.status = 403} : refusal(403, "InvalidAccessKeyId"); };
    expect_error(ErrorKind::usage, {"knows no access key TheKeyId"}, [&] { store_->find("a", {}); });
    first = [&](const SeenRequest& request) { return request.method == "HEAD" ? Answer{.status = 404} : refusal(404, "NoSuchBucket"); };
    expect_error(ErrorKind::usage, {"no bucket"}, [&] { store_->find("a", {}); });
}

TEST_F(S3StoreTest, SignsOrDoesNot) {
    EXPECT_TRUE(store_->put("a", "x", PutCondition::always, {}));
    EXPECT_TRUE(server_.seen().back().header("authorization").starts_with("AWS4-HMAC-SHA256 Credential=TheKeyId/"));
    EXPECT_EQ(server_.seen().back().header("x-amz-security-token"), "TheToken");
    const auto open = s3_store({.bucket = "bucket", .endpoint = server_.url()}, fixed_credentials(std::nullopt), clock_, Log());
    EXPECT_TRUE(open->find("a", {}));
    EXPECT_EQ(server_.seen().back().header("authorization"), "");
    first = [&](const SeenRequest&) { return refusal(403, "AccessDenied"); };
    expect_error(ErrorKind::usage, {"nobody signed"}, [&] { open->put("a", "x", PutCondition::always, {}); });
}

TEST_F(S3StoreTest, BucketsInTheHost) {
    // Names below localhost are this machine.
    const auto store = s3_store({.bucket = "bucket", .endpoint = "http://localhost:" + std::to_string(server_.port()), .style = BucketStyle::virtual_host},
                                fixed_credentials(std::nullopt), clock_, Log());
    store->put("some/key", "x", PutCondition::always, {});
    EXPECT_EQ(server_.seen().back().target, "/some/key");
    EXPECT_EQ(server_.seen().back().header("host"), "bucket.localhost:" + std::to_string(server_.port()));
    EXPECT_THROW(s3_store({.bucket = "bucket", .endpoint = "host.without.scheme"}, fixed_credentials(std::nullopt), clock_, Log()), Error);
}

TEST_F(S3StoreTest, Google) {
    const auto store = s3_store({.scheme = "gs", .bucket = "bucket", .endpoint = server_.url(), .region = "auto", .dialect = SignatureDialect::google},
                                fixed_credentials(AccessKey{.id = "GOOG1E", .secret = "s"}), clock_, Log());
    EXPECT_TRUE(store->put("a", "x", PutCondition::if_absent, {}));
    const SeenRequest seen = server_.seen().back();
    EXPECT_EQ(seen.header("x-goog-if-generation-match"), "0");
    EXPECT_EQ(seen.header("if-none-match"), "");
    EXPECT_NE(seen.header("authorization").find("/auto/storage/goog4_request"), std::string::npos);
    EXPECT_EQ(store->url("a"), "gs://bucket/a");
}

TEST_F(S3StoreTest, ARequestToStopEndsWhatWaits) {
    first = [&](const SeenRequest&) { return refusal(503, "SlowDown"); };
    S3Options options;
    options.retry.base = options.retry.max = std::chrono::milliseconds(3'600'000);
    options.bucket = "bucket";
    options.endpoint = server_.url();
    const auto store = s3_store(options, fixed_credentials(std::nullopt), clock_, Log());
    std::stop_source source;
    std::thread stopper([&] {
        while (server_.seen().empty()) std::this_thread::yield();
        source.request_stop();
    });
    expect_error(ErrorKind::cancelled, {}, [&] { store->put("a", "x", PutCondition::always, source.get_token()); });
    stopper.join();
}

}  // namespace
}  // namespace tipple::io
