#include "tipple/io/http_client.h"

#include <gtest/gtest.h>

#include "support/http_server.h"

namespace tipple::io {
namespace {

using std::chrono::milliseconds;
using support::Answer;
using support::HttpServer;
using support::SeenRequest;

HttpOutcome fetch(HttpClient& client, const HttpRequest& request) {
    client.start(7, request);
    while (true) {
        if (std::optional<HttpOutcome> outcome = client.wait(milliseconds(1'000), {})) return *outcome;
    }
}

TEST(HttpClient, SendsWhatItIsToldAndReadsTheAnswer) {
    HttpServer server([](const SeenRequest& request) { return Answer{.body = request.method + request.body, .status = 201, .headers = {{"X-One", " 1 "}}}; });
    const auto client = make_http_client({});
    const HttpOutcome outcome = fetch(*client, {.method = "PATCH", .url = server.url() + "/a%20b?x=1", .headers = {{"X-Two", "2"}}, .body = "hello"});
    ASSERT_FALSE(outcome.error) << outcome.error->what();
    EXPECT_EQ(outcome.id, 7U);
    EXPECT_EQ(outcome.response.status, 201);
    EXPECT_EQ(outcome.response.body, "PATCHhello");
    EXPECT_EQ(*find_header(outcome.response.headers, "x-one"), "1");
    EXPECT_GT(outcome.response.bytes_received, 10U);
    const SeenRequest seen = server.seen().front();
    EXPECT_EQ(seen.target, "/a%20b?x=1");
    EXPECT_EQ(seen.header("x-two"), "2");
    EXPECT_EQ(seen.header("content-type"), "");
    EXPECT_EQ(seen.header("user-agent"), "tipple");
}

TEST(HttpClient, SaysThatNoBodyFollows) {
    HttpServer server([](const SeenRequest& request) { return Answer{.body = request.header("content-length") + "|" + request.header("content-type")}; });
    const auto client = make_http_client({});
    for (const char* method : {"POST", "PUT", "PATCH"}) {
        const HttpOutcome outcome = fetch(*client, {.method = method, .url = server.url()});
        EXPECT_EQ(outcome.response.status, 200) << method;
        EXPECT_EQ(outcome.response.body, "0|") << method;
    }
    EXPECT_EQ(fetch(*client, {.url = server.url()}).response.body, "|");
}

TEST(HttpClient, HasManyTransfersAtATimeAndAbandonsThem) {
    HttpServer server([](const SeenRequest& request) { return Answer{.body = request.path}; });
    const auto client = make_http_client({});
    for (std::uint64_t i = 0; i < 20; ++i) client->start(i, {.url = server.url() + "/" + std::to_string(i)});
    client->abandon(3);
    client->abandon(99);
    std::map<std::uint64_t, std::string> bodies;
    while (bodies.size() < 19) {
        const std::optional<HttpOutcome> outcome = client->wait(milliseconds(1'000), {});
        if (outcome) bodies[outcome->id] = outcome->response.body;
    }
    EXPECT_EQ(bodies[19], "/19");
    EXPECT_FALSE(bodies.contains(3));
}

TEST(HttpClient, AnswersAreBounded) {
    HttpServer server([](const SeenRequest&) { return Answer{.body = std::string(100'000, 'x')}; });
    const auto client = make_http_client({});
    const HttpOutcome outcome = fetch(*client, {.url = server.url(), .response_bytes_max = 99'999});
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::data);
    EXPECT_EQ(fetch(*client, {.url = server.url(), .response_bytes_max = 100'000}).response.body.size(), 100'000U);
}

TEST(HttpClient, OfARefusalOnlyTheBeginningIsRead) {
    HttpServer server([](const SeenRequest& request) {
        const int status = request.path == "/moved" ? 302 : 404;
        return Answer{.body = request.path == "/small" ? "gone" : std::string(std::size_t{64} << 20, 'x'), .status = status, .headers = {{"Location", "/other"}}};
    });
    const auto client = make_http_client({});
    for (const char* path : {"/moved", "/gone"}) {
        const HttpOutcome outcome = fetch(*client, {.url = server.url() + path, .decompresses = false});
        ASSERT_FALSE(outcome.error) << outcome.error->what();
        EXPECT_GE(outcome.response.status, 302);
        EXPECT_EQ(*find_header(outcome.response.headers, "Location"), "/other");
        EXPECT_LE(outcome.response.body.size(), std::size_t{256} << 10);
        EXPECT_GT(outcome.response.body.size(), 100'000U) << "the beginning says why";
        EXPECT_LT(outcome.response.bytes_received, std::uint64_t{2} << 20) << "a body without an end would be read for ever";
    }
    EXPECT_EQ(fetch(*client, {.url = server.url() + "/small"}).response.body, "gone") << "the client goes on";
}

TEST(HttpClient, BodiesCanBeStreamedAndRefusedByWhoTakesThem) {
    HttpServer server([](const SeenRequest& request) { return Answer{.body = std::string(300'000, 'x'), .status = request.path == "/no" ? 404 : 200}; });
    const auto client = make_http_client({});
    std::size_t streamed = 0;
    HttpRequest request{.url = server.url(), .on_body = [&](const HttpResponse& head, std::string_view piece) {
                            EXPECT_EQ(head.status, 200);
                            EXPECT_NE(find_header(head.headers, "Content-Length"), nullptr);
                            streamed += piece.size();
                            return true;
                        }};
    EXPECT_EQ(fetch(*client, request).response.body, "");
    EXPECT_EQ(streamed, 300'000U);
    request.url += "/no";
    EXPECT_FALSE(fetch(*client, request).response.body.empty()) << "of a refusal the body says why";
    EXPECT_EQ(streamed, 300'000U);
    request = {.url = server.url(), .on_body = [](const HttpResponse&, std::string_view) -> bool { throw Error(ErrorKind::local, "disk full"); }};
    EXPECT_EQ(fetch(*client, request).error->kind(), ErrorKind::local);
}

TEST(HttpClient, WhoTakesABodyMayPause) {
    std::string body;
    for (int i = 0; body.size() < 8'000'000; ++i) body += std::to_string(i) + ",";
    HttpServer server([&](const SeenRequest&) { return Answer{.body = body}; });
    const auto client = make_http_client({.first_byte_timeout = milliseconds(500), .idle_timeout = milliseconds(500)});
    std::string taken;
    std::size_t pieces_max = 1;
    std::size_t pieces = 0;
    client->start(1, {.url = server.url(), .decompresses = false, .on_body = [&](const HttpResponse&, std::string_view piece) {
                          taken += piece;
                          return ++pieces < pieces_max;
                      }});
    std::optional<HttpOutcome> outcome;
    int pauses = 0;
    while (!(outcome = client->wait(milliseconds(10'000), {}))) {
        ASSERT_EQ(pieces, pieces_max) << "nothing comes after a pause";
        // Longer than a server may be silent; nobody waits in between but the first times.
        if (pauses < 2) {
            EXPECT_FALSE(client->wait(milliseconds(600), {}));
        }
        ++pauses;
        pieces = 0;
        pieces_max = 20;
        client->resume(1);
    }
    EXPECT_FALSE(outcome->error) << outcome->error->what();
    EXPECT_GT(pauses, 5);
    EXPECT_EQ(taken.size(), body.size());
    EXPECT_TRUE(taken == body);
}

TEST(HttpClient, AnErrorBehindAPauseEndsTheTransfer) {
    HttpServer server([&](const SeenRequest&) { return Answer{.body = std::string(1'000'000, 'x')}; });
    const auto client = make_http_client({});
    int pieces = 0;
    client->start(1, {.url = server.url(), .decompresses = false, .on_body = [&](const HttpResponse&, std::string_view) {
                          if (++pieces == 2) throw Error(ErrorKind::local, "disk full");
                          return false;
                      }});
    EXPECT_FALSE(client->wait(milliseconds(10'000), {}));
    client->resume(1);
    const std::optional<HttpOutcome> outcome = client->wait(milliseconds(10'000), {});
    ASSERT_TRUE(outcome && outcome->error);
    EXPECT_STREQ(outcome->error->what(), "disk full");
    client->resume(1);
}

TEST(HttpClient, CompressedBodiesStayWhatTheyAreForWhoWantsThat) {
    HttpServer server([](const SeenRequest& request) {
        EXPECT_EQ(request.header("accept-encoding"), "");
        return Answer{.body = "no gzip", .headers = {{"Content-Encoding", "gzip"}}};
    });
    EXPECT_EQ(fetch(*make_http_client({}), {.url = server.url(), .decompresses = false}).response.body, "no gzip");
}

TEST(HttpClient, ErrorsSayWhatMayBeDone) {
    const auto client = make_http_client({.connect_timeout = milliseconds(2'000)});
    std::string url;
    {
        HttpServer gone([](const SeenRequest&) { return Answer{}; });
        url = gone.url();
    }
    EXPECT_EQ(fetch(*client, {.url = url}).error->kind(), ErrorKind::transient) << "nobody listens";
    HttpServer breaking([](const SeenRequest&) { return Answer{.body = "[1,", .breaks = true}; });
    EXPECT_EQ(fetch(*client, {.url = breaking.url()}).error->kind(), ErrorKind::transient) << "it ends in the middle";
    EXPECT_THROW(client->start(1, {.url = "file:///etc/passwd"}), Error);
    EXPECT_THROW(client->start(1, {.url = "no url"}), Error);
}

TEST(HttpClient, ASlowServerMeetsTheTimeouts) {
    std::mutex gate;
    gate.lock();
    HttpServer server([&](const SeenRequest&) {
        const std::lock_guard wait(gate);
        return Answer{};
    });
    const auto client = make_http_client({.first_byte_timeout = milliseconds(50)});
    const HttpOutcome outcome = fetch(*client, {.url = server.url()});
    gate.unlock();
    ASSERT_TRUE(outcome.error);
    EXPECT_EQ(outcome.error->kind(), ErrorKind::transient);
    EXPECT_NE(std::string(outcome.error->what()).find("no answer within 0.05 s"), std::string::npos) << outcome.error->what();
}

TEST(HttpClient, TimeInWhichABodyLeavesIsNoWaitForAnAnswer) {
    httplib::Server server;
    server.set_keep_alive_timeout(1);
    // So that what was not read yet is seen not to have left.
    server.set_socket_options([](socket_t socket) {
        const int bytes = 65'536;
        setsockopt(socket, SOL_SOCKET, SO_RCVBUF, &bytes, sizeof(bytes));
    });
    std::size_t received = 0;
    server.Put("/", [&](const httplib::Request&, httplib::Response& response, const httplib::ContentReader& read) {
        read([&](const char*, std::size_t length) {
            constexpr std::size_t step = 131'072;
            if (received / step != (received + length) / step) std::this_thread::sleep_for(milliseconds(20));
            received += length;
            return true;
        });
        response.status = 204;
    });
    const int port = server.bind_to_any_port("127.0.0.1");
    std::thread listener([&] { server.listen_after_bind(); });
    while (!server.is_running()) std::this_thread::yield();
    const auto client = make_http_client({.first_byte_timeout = milliseconds(1'000)});
    const std::string body(std::size_t{8} << 20, 'x');
    const HttpOutcome outcome = fetch(*client, {.method = "PUT", .url = "http://127.0.0.1:" + std::to_string(port) + "/", .body = body});
    server.stop();
    listener.join();
    ASSERT_FALSE(outcome.error) << outcome.error->what();
    EXPECT_EQ(outcome.response.status, 204);
    EXPECT_EQ(received, body.size());
    EXPECT_GT(outcome.response.seconds, 1) << "else nothing was tried";
}

TEST(HttpClient, ARequestToStopEndsTheWait) {
    std::mutex gate;
    gate.lock();
    HttpServer server([&](const SeenRequest&) {
        const std::lock_guard wait(gate);
        return Answer{};
    });
    const auto client = make_http_client({});
    client->start(1, {.url = server.url()});
    std::stop_source stop;
    std::thread stopper([&] { stop.request_stop(); });
    EXPECT_THROW(
        {
            while (true) client->wait(milliseconds(60'000), stop.get_token());
        },
        Error);
    stopper.join();
    gate.unlock();
}

TEST(HttpClient, AProxyIsAskedInTheServersPlace) {
    HttpServer proxy([](const SeenRequest& request) { return Answer{.body = request.header("host")}; });
    const auto client = make_http_client({.proxy = proxy.url()});
    EXPECT_EQ(fetch(*client, {.url = "http://nowhere.example/x"}).response.body, "nowhere.example");
}

}  // namespace
}  // namespace tipple::io
