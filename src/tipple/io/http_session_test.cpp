#include "tipple/io/http_session.h"

#include <gtest/gtest.h>

#include <deque>

#include "tipple/io/url.h"

namespace tipple::io {
namespace {

using std::chrono::milliseconds;

class FakeClock final : public Clock {
public:
    std::int64_t now_us() const override { return 1'700'000'000'000'000 + steady / 1'000; }
    std::int64_t steady_ns() const override { return steady; }
    std::int64_t steady = 0;
};

/// Answers from a list; waiting makes time pass.
class FakeClient final : public HttpClient {
public:
    explicit FakeClient(FakeClock& clock) : clock_(clock) {}

    void start(std::uint64_t id, const HttpRequest& request) override {
        sent.push_back(request);
        times.push_back(clock_.steady / 1'000'000);
        pending_.push_back(id);
    }
    std::optional<HttpOutcome> wait(milliseconds at_most, const std::stop_token&) override {
        if (pending_.empty()) {
            clock_.steady += std::chrono::nanoseconds(at_most).count();
            return std::nullopt;
        }
        HttpOutcome outcome{.id = pending_.front()};
        pending_.pop_front();
        if (!answers.empty()) {
            outcome.response = answers.front().response;
            outcome.error = answers.front().error;
            answers.pop_front();
        } else {
            outcome.response.status = 200;
        }
        return outcome;
    }
    void resume(std::uint64_t) override {}
    void abandon(std::uint64_t id) override { std::erase(pending_, id); }

    void answer(int status, HttpHeaders headers = {}) { answers.push_back({.response = {.status = status, .headers = std::move(headers)}}); }

    std::vector<HttpRequest> sent;
    std::vector<std::int64_t> times;  ///< in milliseconds
    std::deque<HttpOutcome> answers;

private:
    FakeClock& clock_;
    std::deque<std::uint64_t> pending_;
};

class HttpSessionTest : public testing::Test {
protected:
    HttpExchange send(HttpRequest request, HttpAuthorizer* authorizer = nullptr) {
        if (!session_) session_.emplace(client_, options_, clock_, [] { return 1.0; }, redactor_, Log());
        return session_->send({.request = std::move(request), .authorizer = authorizer}, {});
    }

    FakeClock clock_;
    FakeClient client_{clock_};
    Redactor redactor_;
    HttpSessionOptions options_{.allowed_origins = {"https://a.example:443"}};
    std::optional<HttpSession> session_;
};

using Times = std::vector<std::int64_t>;

TEST_F(HttpSessionTest, WaitsTwiceAsLongEachTimeUntilTheBudgetIsUsed) {
    for (int i = 0; i < 9; ++i) client_.answer(500);
    const HttpExchange exchange = send({.url = "https://a.example/x"});
    EXPECT_EQ(exchange.response.status, 500);
    EXPECT_EQ(exchange.attempts, 5);
    EXPECT_EQ(client_.times, (Times{0, 1'000, 3'000, 7'000, 15'000})) << "with the longest waits that the jitter may give";
}

TEST_F(HttpSessionTest, DoesWhatRetryAfterAsks) {
    client_.answer(429, {{"Retry-After", "7"}});
    client_.answer(503, {{"retry-after", "1.5"}});
    client_.answer(503, {{"Retry-After", "Tue, 14 Nov 2023 22:13:30 GMT"}});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 200);
    EXPECT_EQ(client_.times, (Times{0, 7'000, 8'500, 10'000})) << "seconds, broken seconds, a date";
}

TEST_F(HttpSessionTest, DoesNotWaitLongerThanAllowed) {
    client_.answer(429, {{"Retry-After", "7200"}});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 429);
    EXPECT_EQ(client_.times, Times{0});
}

TEST_F(HttpSessionTest, AUsedUpLimitHoldsTheNextRequest) {
    client_.answer(200, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1700000030"}});
    client_.answer(200, {{"RateLimit-Remaining", "0"}, {"RateLimit-Reset", "5"}});
    for (int i = 0; i < 3; ++i) send({.url = "https://a.example/x"});
    EXPECT_EQ(client_.times, (Times{0, 30'000, 35'000}));
}

TEST_F(HttpSessionTest, ARefusalSaysByItsHeadersThatALimitIsUsedUp) {
    client_.answer(403, {{"X-RateLimit-Remaining", "0"}, {"X-RateLimit-Reset", "1700000030"}});
    client_.answer(403, {{"Retry-After", "2"}});
    client_.answer(429, {{"X-RateLimit-Reset", "4"}});
    EXPECT_EQ(send({.method = "POST", .url = "https://a.example/x"}).response.status, 200) << "the server has done nothing";
    EXPECT_EQ(client_.times, (Times{0, 30'000, 32'000, 36'000}));
    client_.answer(403, {{"X-RateLimit-Remaining", "12"}, {"X-RateLimit-Reset", "5"}});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 403) << "forbidden for good";
    client_.answer(429, {{"X-RateLimit-Reset", "7200"}});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 429) << "longer than retry_after_max";
    EXPECT_EQ(client_.times.size(), 6U);
}

TEST_F(HttpSessionTest, StatusesThatAreGivenCount) {
    options_.retry.statuses = {503};
    client_.answer(403, {{"Retry-After", "2"}});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 403);
}

TEST_F(HttpSessionTest, EachAttemptMayAskForTheRest) {
    session_.emplace(client_, options_, clock_, [] { return 1.0; }, redactor_, Log());
    const Error broken(ErrorKind::transient, "broken");
    for (int i = 0; i < 3; ++i) client_.answers.push_back({.error = broken});
    client_.answer(302, {{"Location", "https://other.example/y"}});
    for (int i = 0; i < 9; ++i) client_.answers.push_back({.error = broken});
    int attempts = 0;
    int progress_at = 3;
    const HttpCall call{.request = {.url = "https://a.example/x"},
                        .on_attempt = [&](HttpRequest& request) { set_header(request.headers, "Range", "bytes=" + std::to_string(attempts++) + "-"); },
                        // Once there is progress.
                        .has_progress = [&] { return attempts == progress_at; }};
    const HttpExchange exchange = session_->send(call, {});
    EXPECT_TRUE(exchange.error);
    // Three, then five with a redirect among them.
    EXPECT_EQ(attempts, 3 + 1 + 5);
    for (int i = 0; i < attempts; ++i) EXPECT_EQ(*find_header(client_.sent[static_cast<std::size_t>(i)].headers, "Range"), "bytes=" + std::to_string(i) + "-");
    // That of the last attempt counts too.
    attempts = 0;
    progress_at = 5;
    client_.answers.assign(20, {.error = broken});
    EXPECT_TRUE(session_->send(call, {}).error);
    EXPECT_EQ(attempts, 5 + 5);
}

TEST_F(HttpSessionTest, KeepsToARateLimit) {
    options_.rate_limit = *parse_rate_limit("2/s");
    for (int i = 0; i < 5; ++i) send({.url = "https://a.example/x"});
    ASSERT_EQ(client_.times.size(), 5U);
    EXPECT_EQ(client_.times[1], 0) << "two at once";
    EXPECT_NEAR(static_cast<double>(client_.times[4]), 1'500, 3);
}

TEST_F(HttpSessionTest, OtherMethodsAreRepeatedOnlyWhenTheServerHasDoneNothing) {
    client_.answer(500);
    EXPECT_EQ(send({.method = "POST", .url = "https://a.example/x"}).response.status, 500);
    client_.answer(429);
    EXPECT_EQ(send({.method = "POST", .url = "https://a.example/x"}).response.status, 200);
    EXPECT_EQ(client_.sent.size(), 3U);
}

TEST_F(HttpSessionTest, RedirectsAndRetriesShareOneBudget) {
    client_.answer(302, {{"Location", "/y"}});
    for (int i = 0; i < 40; ++i) client_.answer(500);
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 500);
    EXPECT_EQ(client_.sent.size(), 6U) << "one redirect and five attempts; the reference needs 30 requests";
}

TEST_F(HttpSessionTest, RedirectsAreBounded) {
    for (int i = 0; i < 40; ++i) client_.answer(302, {{"Location", "/y"}});
    const HttpExchange exchange = send({.url = "https://a.example/x"});
    ASSERT_TRUE(exchange.error);
    EXPECT_NE(std::string(exchange.error->what()).find("more than 10 redirects"), std::string::npos) << exchange.error->what();
}

class Bearer final : public HttpAuthorizer {
public:
    void authorize(HttpRequest& request, const std::stop_token&) override { set_header(request.headers, "Authorization", "Bearer " + std::to_string(token)); }
    bool renew(const HttpRequest&) override {
        ++token;
        return true;
    }
    int token = 1;
};

TEST_F(HttpSessionTest, CredentialsGoToTheConfiguredHostOnly) {
    Bearer bearer;
    client_.answer(307, {{"Location", "https://b.example/x"}});
    client_.answer(307, {{"Location", "https://a.example:444/x"}});
    client_.answer(307, {{"Location", "http://a.example/x"}});
    send({.url = "https://a.example/x", .headers = {{"X-Key", "secret"}, {"Accept", "application/json"}}}, &bearer);
    ASSERT_EQ(client_.sent.size(), 4U);
    EXPECT_EQ(*find_header(client_.sent[0].headers, "Authorization"), "Bearer 1");
    for (std::size_t i = 1; i < 4; ++i) EXPECT_EQ(client_.sent[i].headers, (HttpHeaders{{"Accept", "application/json"}})) << client_.sent[i].url;
}

TEST_F(HttpSessionTest, ABodyGoesToTheConfiguredHostOnly) {
    client_.answer(307, {{"Location", "https://b.example/x"}});
    const HttpExchange exchange = send({.method = "POST", .url = "https://a.example/x", .body = "{\"key\": \"secret\"}"});
    ASSERT_TRUE(exchange.error);
    EXPECT_NE(std::string(exchange.error->what()).find("allow_hosts"), std::string::npos) << exchange.error->what();
    EXPECT_EQ(client_.sent.size(), 1U);
    EXPECT_THROW(send({.method = "POST", .url = "https://b.example/x", .body = "{}"}), Error);
    // What becomes a GET has none.
    client_.answer(303, {{"Location", "https://b.example/y"}});
    EXPECT_FALSE(send({.method = "POST", .url = "https://a.example/x", .body = "{}"}).error);
    EXPECT_EQ(client_.sent.back().url, "https://b.example/y");
    EXPECT_FALSE(client_.sent.back().body);
}

TEST_F(HttpSessionTest, ASecretInAUrlGoesToTheConfiguredHostOnly) {
    redactor_.add("secret/value");
    redactor_.add("1000");
    const std::string text = "Name that host in allow_hosts";
    for (const char* target : {"https://b.example/x?key=secret/value", "https://b.example/x?key=secret%2Fvalue", "http://a.example/secret%2Fvalue"}) {
        client_.sent.clear();
        client_.answer(302, {{"Location", target}});
        const HttpExchange exchange = send({.url = "https://a.example/x?key=secret%2Fvalue"});
        ASSERT_TRUE(exchange.error) << target;
        EXPECT_NE(std::string(exchange.error->what()).find(text), std::string::npos) << exchange.error->what();
        EXPECT_EQ(std::string(exchange.error->what()).find("value"), std::string::npos) << exchange.error->what();
        EXPECT_EQ(client_.sent.size(), 1U);
        EXPECT_THROW(send({.url = target}), Error);
    }
    client_.answer(302, {{"Location", "https://b.example/x?size=1000"}});
    EXPECT_FALSE(send({.url = "https://a.example/x"}).error) << "what is short may be there by chance";
}

TEST_F(HttpSessionTest, ARefusedTokenIsRenewedOnce) {
    Bearer bearer;
    for (int i = 0; i < 5; ++i) client_.answer(401);
    EXPECT_EQ(send({.url = "https://a.example/x"}, &bearer).response.status, 401);
    ASSERT_EQ(client_.sent.size(), 2U);
    EXPECT_EQ(*find_header(client_.sent[1].headers, "Authorization"), "Bearer 2");
}

TEST_F(HttpSessionTest, OnlyFailuresThatAreKnownToPassAreTriedAgain) {
    client_.answers.push_back({.error = Error(ErrorKind::transient, "reset")});
    EXPECT_EQ(send({.url = "https://a.example/x"}).response.status, 200);
    client_.answers.push_back({.error = Error(ErrorKind::remote, "strange")});
    redactor_.add("hidden-secret");
    const HttpExchange exchange = send({.url = "https://a.example/x?api_key=k&q=hidden-secret"});
    ASSERT_TRUE(exchange.error);
    EXPECT_STREQ(exchange.error->what(), "GET https://a.example/x?api_key=***&q=***: strange");
}

TEST(Redactor, KnowsASecretInAllItsForms) {
    Redactor redactor;
    redactor.add("a \"b/c\\d");
    redactor.add("abc");
    for (const char* text : {"a \"b/c\\d", "a%20%22b%2Fc%5Cd", "a+%22b%2Fc%5Cd", R"(a \"b/c\\d)", R"(a \"b\/c\\d)", R"(a \\\"b/c\\\\d)"}) EXPECT_EQ(redactor.redact(std::string("<") + text + ">"), "<***>") << text;
    EXPECT_EQ(redactor.redact("abc"), "abc") << "too short for a secret";
    redactor.add("pä€😀");
    for (const char* text : {"pä€😀", "p%C3%A4%E2%82%AC%F0%9F%98%80", R"(p\u00e4\u20ac\ud83d\ude00)", R"(p\\u00e4\\u20ac\\ud83d\\ude00)"}) EXPECT_EQ(redactor.redact(text), "***") << text;
}

TEST(Url, ResolvesAndEncodes) {
    EXPECT_EQ(resolve_url("https://a/v1/x?p=1", "?page=2"), "https://a/v1/x?page=2");
    EXPECT_EQ(resolve_url("https://a/v1/x", "x2"), "https://a/v1/x2");
    EXPECT_EQ(resolve_url("https://a/v1/x", "/api/r?page=2"), "https://a/api/r?page=2");
    EXPECT_EQ(resolve_url("https://a/v1/x", "https://b/y"), "https://b/y");
    EXPECT_EQ(resolve_url("https://a/v1/x", "file:///etc/passwd"), std::nullopt);
    EXPECT_EQ(url_origin("HTTPS://A.example/x"), "https://a.example:443");
    EXPECT_EQ(percent_encode("a/b c?d"), "a%2Fb%20c%3Fd");
    EXPECT_EQ(percent_decode("a%2fb%zz%4"), "a/b%zz%4");
    EXPECT_EQ(form_encode({{"scope", "a b"}, {"x", "&"}}), "scope=a+b&x=%26");
    EXPECT_EQ(split_query("https://a/x?l=1&l=2+3&e#f"), (std::pair<std::string, QueryParams>{"https://a/x", {{"l", "1"}, {"l", "2 3"}, {"e", ""}}}));
    EXPECT_EQ(mask_url_secrets("https://u:p@a/x?API_KEY=k&page=2&token=t"), "https://u:***@a/x?API_KEY=***&page=2&token=***");
    EXPECT_EQ(mask_url_secrets("https://b.s3/x?X-Amz-Algorithm=a&X-Amz-Credential=c&X-Amz-Expires=60&X-Amz-Security-Token=t&X-Amz-Signature=s"),
              "https://b.s3/x?X-Amz-Algorithm=a&X-Amz-Credential=***&X-Amz-Expires=60&X-Amz-Security-Token=***&X-Amz-Signature=***");
    EXPECT_EQ(mask_url_secrets("https://g/x?X-Goog-Credential=c&x-goog-signature=s&X%2DGoog%2DSignature=s"), "https://g/x?X-Goog-Credential=***&x-goog-signature=***&X%2DGoog%2DSignature=***");
}

TEST(HttpRetry, ReadsTimes) {
    EXPECT_EQ(parse_iso_time_us("1970-01-01T00:00:01.5Z"), 1'500'000);
    EXPECT_EQ(parse_iso_time_us("1970-01-01T00:01:00Z"), 60'000'000);
    EXPECT_EQ(parse_iso_time_us("1970-01-01"), std::nullopt);
    EXPECT_EQ(parse_iso_time_us(""), std::nullopt);
}

TEST(HttpRetry, ReadsRates) {
    EXPECT_EQ(parse_rate_limit("300/min")->seconds, 60);
    EXPECT_EQ(parse_rate_limit("100/10s")->seconds, 10);
    for (const char* bad : {"", "10", "/s", "x/s", "0/s", "10/", "10/x"}) EXPECT_FALSE(parse_rate_limit(bad)) << bad;
}

}  // namespace
}  // namespace tipple::io
