#include <gtest/gtest.h>

#include "support/http_server.h"
#include "support/rsa_key.h"
#include "support/temporary_folder.h"
#include "tipple/config/toml.h"
#include "tipple/core/error.h"
#include "tipple/core/hash.h"
#include "tipple/core/signature.h"
#include "tipple/json/value.h"
#include "tipple/schema/coerce.h"
#include "tipple/sources/builtin.h"

/// The source against a server: the vectors of our specification by their names (P1, A7, …), and where tipple differs on purpose, what it does.
namespace tipple::sources {
namespace {

using support::Answer;
using support::HttpServer;
using support::SeenRequest;
using Texts = std::vector<std::string>;

class Records final : public extract::Output {
public:
    void write(extract::Page page) override {
        const auto& json = std::get<extract::JsonPage>(page);
        const std::string_view text(reinterpret_cast<const char*>(json.text.data()), json.size);
        for (std::size_t i = 0; i < json.record_starts.size(); ++i) {
            const std::size_t end = i + 1 < json.record_starts.size() ? json.record_starts[i + 1] : text.size();
            std::string record(text.substr(json.record_starts[i], end - json.record_starts[i]));
            while (!record.empty() && (record.back() == ' ' || record.back() == '\n')) record.pop_back();
            records.push_back(std::move(record));
        }
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText& text) override { skipped.push_back(text.reason); }
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return records.size() < records_wanted; }

    std::size_t records_wanted = SIZE_MAX;
    Texts records;
    Texts skipped;
};

class Memory final : public extract::State {
public:
    json::Object& resource() override { return resource(name); }
    json::Object& resource(std::string_view of) override {
        json::Value& resources = document_["resources"];
        if (!resources.is_object()) resources = json::Object();
        json::Value& own = resources.as_object()[of];
        if (!own.is_object()) own = json::Object();
        return own.as_object();
    }
    json::Object& source() override { return document_; }
    const json::Object& source() const override { return document_; }
    std::string name;

private:
    json::Object document_;
};

class FixedCursor final : public extract::CursorView {
public:
    const schema::Value& start() const override { return start_value; }
    const schema::Value& end() const override { return end_value; }
    schema::Value last() override { return start_value; }
    schema::Value start_value;
    schema::Value end_value;
};

class RestApiTest : public testing::Test {
protected:
    RestApiTest() { add_builtin(registry_); }

    /// `settings`: the source's keys, and tables `resources.NAME`. `SERVER` stands for the server's URL; retries do not wait.
    std::unique_ptr<extract::SourceDriver> make(const std::string& settings) {
        std::string text = settings.find("retry =") == std::string::npos ? "retry = { base = \"0s\" }\n" + settings : settings;
        if (text.find("base_url") == std::string::npos) text = "base_url = \"SERVER\"\n" + text;
        for (std::size_t at = text.find("SERVER"); at != std::string::npos; at = text.find("SERVER")) text.replace(at, 6, server_->url());
        config::Node node = config::parse_toml(text, "t.toml");
        extract::SourceContext context;
        if (const config::Node* resources = node.find("resources")) {
            for (const auto& [name, table] : resources->members) {
                const config::Node* enabled = table.find("enabled");
                context.resources.push_back({.name = name, .settings = table, .is_enabled = enabled == nullptr || enabled->value.as_bool()});
            }
        }
        std::erase_if(node.members, [](const auto& member) { return member.first == "resources"; });
        context.settings = std::move(node);
        return registry_.make("rest_api", context);
    }

    /// All records of the resource, in order. Its parents are read as the pipeline would.
    Texts read(const std::string& settings, const std::string& name = "x") {
        std::unique_ptr<extract::SourceDriver> driver = make(settings);
        Texts records;
        for (const extract::ResourceSpec& spec : driver->resources({})) {
            if (is_selected_ && spec.name != name) continue;
            memory_.name = spec.name;
            const extract::ResourceContext context{.state = &memory_, .cursor = &cursor_, .page_bytes = 100, .memory_bytes = 1 << 20, .temp_folder = folder_.path()};
            Records out;
            if (spec.name == name) out.records_wanted = records_wanted_;
            driver->read(spec, context, out);
            if (spec.name == name) records = out.records;
            skipped_.insert(skipped_.end(), out.skipped.begin(), out.skipped.end());
        }
        return records;
    }

    void serve(std::function<Answer(const SeenRequest&)> handler) {
        server_.emplace(std::move(handler));
        if (forgets_) memory_ = {};
    }
    /// The body for each target, 404 for others.
    void serve(std::map<std::string, std::string> bodies) {
        serve([bodies = std::move(bodies)](const SeenRequest& request) {
            const auto found = bodies.find(request.target);
            return found != bodies.end() ? Answer{.body = found->second} : Answer{.body = "{}", .status = 404};
        });
    }
    Texts targets() const { return server_->targets(); }

    std::string error_of(const std::string& settings) {
        try {
            read(settings);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }
    void expect_error(const std::string& settings, const std::string& part) {
        const std::string error = error_of(settings);
        EXPECT_NE(error.find(part), std::string::npos) << settings << "\n" << error;
    }

    extract::Registry registry_;
    support::TemporaryFolder folder_;
    std::optional<HttpServer> server_;
    Memory memory_;
    FixedCursor cursor_;
    Texts skipped_;
    bool is_selected_ = false;
    std::size_t records_wanted_ = SIZE_MAX;
    /// What was found out of one server says nothing of the next.
    bool forgets_ = true;
};

std::string page_of(int number) { return "{\"data\":[{\"id\":" + std::to_string(number) + "}]}"; }

TEST_F(RestApiTest, PageNumbers) {
    const auto pages = [](const std::string& total) {
        return [total](const SeenRequest& request) {
            return Answer{.body = "{\"data\":[{\"id\":" + (request.param("page").empty() ? "0" : request.param("page")) + "}]" + total + "}"};
        };
    };
    serve(pages(",\"total_pages\":3"));
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'page_number', base_page = 1, total_path = 'total_pages' }"), (Texts{R"({"id":1})", R"({"id":2})", R"({"id":3})"}));
    EXPECT_EQ(targets(), (Texts{"/x?page=1", "/x?page=2", "/x?page=3"})) << "P1";
    serve(pages(""));
    read("[resources.x]\npaginator = { type = 'page_number', base_page = 1, maximum_page = 3 }");
    EXPECT_EQ(targets(), (Texts{"/x?page=1", "/x?page=2"})) << "P2";
    serve(pages(""));
    read("[resources.x]\npaginator = { type = 'page_number', maximum_page = 3 }");
    EXPECT_EQ(targets(), (Texts{"/x?page=0", "/x?page=1", "/x?page=2"})) << "P2";
    serve(pages(",\"t\":\"5\""));
    read("[resources.x]\nparams = { page = 9 }\npaginator = { type = 'page_number', base_page = 1, page = 3, total_path = 't' }");
    EXPECT_EQ(targets(), (Texts{"/x?page=3", "/x?page=4", "/x?page=5"})) << "P4";
    serve(pages(""));
    read("[resources.x]\nmax_pages = 2\npaginator = { type = 'page_number', base_page = 1 }");
    EXPECT_EQ(targets(), (Texts{"/x?page=1", "/x?page=2"})) << "max_pages counts pages";
}

TEST_F(RestApiTest, PageNumbersInTheBody) {
    serve([](const SeenRequest&) { return Answer{.body = R"({"data":[{"id":1}],"t":2})"}; });
    read("[resources.x]\nmethod = 'post'\njson = { q = 1 }\npaginator = { type = 'page_number', base_page = 1, page_body_path = 'pg.n', total_path = 't' }");
    ASSERT_EQ(server_->seen().size(), 2U) << "P6";
    EXPECT_EQ(server_->seen()[0].body, R"({"q":1,"pg":{"n":1}})");
    EXPECT_EQ(server_->seen()[1].body, R"({"q":1,"pg":{"n":2}})");
    EXPECT_EQ(server_->seen()[0].header("content-type"), "application/json");
}

TEST_F(RestApiTest, Offsets) {
    const auto rows = [](const std::string& total, int last) {
        return [=](const SeenRequest& request) {
            const bool has_rows = std::stoi(request.param("offset")) <= last;
            return Answer{.body = std::string("{\"data\":[") + (has_rows ? "{\"id\":1}" : "") + "]" + total + "}"};
        };
    };
    serve(rows(",\"total\":\"25\"", 100));
    read("[resources.x]\npaginator = { type = 'offset', limit = 10 }");
    EXPECT_EQ(targets(), (Texts{"/x?offset=0&limit=10", "/x?offset=10&limit=10", "/x?offset=20&limit=10"})) << "P7";
    serve(rows("", 10));
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'offset', limit = 10 }").size(), 2U) << "P8: without a total, until a page is empty";
    EXPECT_EQ(targets().size(), 3U);
    serve(rows("", 10));
    expect_error("[resources.x]\npaginator = { type = 'offset', limit = 10, total_path = 'total' }", "no whole number at total_path");
    serve([](const SeenRequest& request) {
        const bool is_last = request.body.find(R"("from":20)") != std::string::npos;
        return Answer{.body = is_last ? R"({"data":[]})" : R"({"data":[{"id":1}]})"};
    });
    EXPECT_EQ(read("[resources.x]\nmethod = 'POST'\njson = { q = 1 }\npaginator = { type = 'offset', limit = 10, offset_body_path = 'range.from', limit_body_path = 'range.size' }").size(), 2U);
    EXPECT_EQ(server_->seen()[1].body, R"({"q":1,"range":{"from":10,"size":10}})");
    EXPECT_EQ(targets()[1], "/x");
    serve(rows(",\"total\":200", 100'000));
    read("[resources.x]\nmax_pages = 2\npaginator = { type = 'offset', offset = 123, limit = 42 }");
    EXPECT_EQ(targets().back(), "/x?offset=165&limit=42") << "P10";
    serve(rows(",\"more\":true", 100'000));
    read("[resources.x]\npaginator = { type = 'offset', limit = 10, maximum_offset = 20, has_more_path = 'more' }");
    EXPECT_EQ(targets(), (Texts{"/x?offset=0&limit=10", "/x?offset=10&limit=10"})) << "P12: a maximum holds whatever has_more says";
}

TEST_F(RestApiTest, Cursors) {
    serve({{"/x", R"({"data":[{"id":1}],"c":"z","m":"yes"})"}, {"/x?after=z", R"({"data":[{"id":2}],"c":"y","m":"false"})"}});
    read("[resources.x]\npaginator = { type = 'cursor', cursor_path = 'c', cursor_param = 'after', has_more_path = 'm' }");
    EXPECT_EQ(targets(), (Texts{"/x", "/x?after=z"})) << "P14";
    for (const char* none : {"0", "\"\"", "null", "false"}) {
        serve({{"/x", std::string(R"({"data":[{"id":1}],"c":)") + none + "}"}});
        EXPECT_EQ(read("[resources.x]\npaginator = { type = 'cursor', cursor_path = 'c' }").size(), 1U) << "P16 " << none;
    }
    serve({{"/x", R"({"data":[{"id":1}],"c":null,"m":true})"}});
    expect_error("[resources.x]\npaginator = { type = 'cursor', cursor_path = 'c', has_more_path = 'm' }", "says that there is more, but has no cursor");
    serve([](const SeenRequest& request) { return Answer{.body = R"({"data":[{"id":1}],"next_page":)" + std::string(request.body == "{}" ? "2" : request.body == R"({"page":2})" ? "3" : "null") + "}"}; });
    read("[resources.x]\nmethod = 'POST'\njson = {}\npaginator = { type = 'cursor', cursor_path = 'next_page', cursor_body_path = 'page' }");
    ASSERT_EQ(server_->seen().size(), 3U) << "P17";
    EXPECT_EQ(server_->seen()[2].body, R"({"page":3})");
    serve({{"/x", R"({"data":[{"id":"a"},{"id":"b"}],"has_more":true})"}, {"/x?starting_after=b", R"({"data":[{"id":"c"}],"has_more":false})"}});
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'cursor', cursor_path = 'data[-1].id', cursor_param = 'starting_after', has_more_path = 'has_more' }").size(), 3U);
}

TEST_F(RestApiTest, LinksInTheBody) {
    for (const auto& [next, target] : std::map<std::string, std::string>{{"?page=2", "/v1/x?page=2"}, {"x2", "/v1/x2"}, {"/api/r?page=2", "/api/r?page=2"}, {"SELF/v1/x?page=2", "/v1/x?page=2"}}) {
        serve([&, next = next](const SeenRequest& request) {
            std::string link = next;
            if (link.starts_with("SELF")) link.replace(0, 4, server_->url());
            return Answer{.body = request.target == "/v1/x?limit=5" ? R"({"data":[{"id":1}],"next":")" + link + "\"}" : page_of(2)};
        });
        EXPECT_EQ(read("paginator = 'json_link'\n[resources.x]\npath = 'v1/x'\nparams = { limit = 5 }").size(), 2U);
        EXPECT_EQ(targets(), (Texts{"/v1/x?limit=5", target})) << "P18, P19";
    }
    serve({{"/x", R"({"data":[{"id":1}],"next":""})"}});
    EXPECT_EQ(read("paginator = 'json_link'\n[resources.x]").size(), 1U) << "P18: an empty link is none";
    serve({{"/x", R"({"value":[{"id":1}],"@odata.nextLink":"/x?s=1"})"}, {"/x?s=1", R"({"value":[{"id":2}]})"}});
    EXPECT_EQ(read("[resources.x]\nselect = 'value'\npaginator = { type = 'json_link', next_url_path = \"['@odata.nextLink']\" }").size(), 2U) << "P21";
    serve([](const SeenRequest& request) { return Answer{.body = request.target == "/x?z=1" ? R"({"data":[{"id":1}],"next":"/x?p=2"})" : page_of(2)}; });
    read("paginator = 'json_link'\n[resources.x]\nmethod = 'POST'\njson = { q = 1 }\nparams = { z = 1 }");
    EXPECT_EQ(targets(), (Texts{"/x?z=1", "/x?p=2"})) << "P22";
    EXPECT_EQ(server_->seen()[1].body, R"({"q":1})");
}

TEST_F(RestApiTest, LinksAndCursorsInHeaders) {
    serve([](const SeenRequest& request) {
        Answer answer{.body = page_of(1)};
        if (request.target == "/x") answer.headers = {{"Link", "</x?page=0>; rel=\"prev, x\"; title=\"a, b\", </x?page=2>; rel=\"next\""}};
        return answer;
    });
    EXPECT_EQ(read("paginator = 'header_link'\n[resources.x]").size(), 2U);
    EXPECT_EQ(targets(), (Texts{"/x", "/x?page=2"}));
    serve([](const SeenRequest& request) {
        Answer answer{.body = page_of(1)};
        if (request.target == "/x") answer.headers = {{"Link", "</x?page=1>; rel=next, </x?page=0>; rel=\"older archives\""}};
        return answer;
    });
    EXPECT_EQ(read("paginator = { type = 'header_link', links_next_key = 'older' }\n[resources.x]").size(), 2U);
    EXPECT_EQ(targets(), (Texts{"/x", "/x?page=0"}));
    serve([](const SeenRequest& request) {
        Answer answer{.body = page_of(1)};
        answer.headers = {{"X-Next", request.target == "/x" ? "n 2" : ""}};
        return answer;
    });
    EXPECT_EQ(read("paginator = { type = 'header_cursor', cursor_key = 'x-next', cursor_param = 'c' }\n[resources.x]").size(), 2U);
    EXPECT_EQ(targets(), (Texts{"/x", "/x?c=n%202"})) << "an empty header ends it";
}

TEST_F(RestApiTest, TheNearestPaginatorCounts) {
    serve({{"/x", R"({"data":[{"id":1}],"next":"/x?p=2"})"}, {"/x?p=2", page_of(2)}});
    EXPECT_EQ(read("paginator = 'single_page'\n[resources.x]\npaginator = 'auto'").size(), 2U) << "P24: auto is a choice like any other";
    serve({{"/users", R"([{"id":1}])"}, {"/user/1", R"({"id":1,"next":"/user/2"})"}});
    EXPECT_EQ(read("paginator = 'json_link'\n[resources.users]\npaginator = 'single_page'\n[resources.x]\nparent = 'users'\npath = 'user/{parent.id}'"), Texts{R"({"id":1,"next":"/user/2"})"}) << "P25";
}

TEST_F(RestApiTest, PaginatorsAreFoundOut) {
    const auto numbered = [](int base) {
        return [base](const SeenRequest& request) {
            const int page = request.param("page").empty() ? base : std::stoi(request.param("page"));
            return Answer{.body = R"({"items":[{"id":)" + std::to_string(page) + R"(}],"total_pages":3})"};
        };
    };
    serve(numbered(1));
    EXPECT_EQ(read("[resources.x]"), (Texts{R"({"id":1})", R"({"id":2})", R"({"id":3})"})) << "A1: page 1 is not loaded twice, page 3 is not missing";
    EXPECT_EQ(targets(), (Texts{"/x", "/x?page=1", "/x?page=2", "/x?page=3"}));
    serve(numbered(0));
    EXPECT_EQ(read("[resources.x]"), (Texts{R"({"id":0})", R"({"id":1})", R"({"id":2})"}));
    serve([](const SeenRequest& request) {
        const std::string page = request.param("page").empty() ? "1" : request.param("page");
        return Answer{.body = R"({"items":[{"id":)" + page + R"(}],"page":)" + page + R"(,"total_pages":2})"};
    });
    read("[resources.x]");
    EXPECT_EQ(targets(), (Texts{"/x", "/x?page=2"})) << "the page says its number";
    serve([](const SeenRequest& request) { return Answer{.body = request.param("page").empty() ? R"({"items":[{"id":0}],"total_pages":3})" : R"({"items":[],"total_pages":3})"}; });
    expect_error("[resources.x]", "how pages are numbered cannot be found out: page 1 is empty, though there should be more; give the paginator: { type = \"page_number\", base_page");
    serve({{"/x", R"({"_embedded":{"items":[{"id":1}]},"_links":{"next":{"href":"/x?p=2"}}})"}, {"/x?p=2", R"({"_embedded":{"items":[{"id":2}]}})"}});
    EXPECT_EQ(read("[resources.x]").size(), 2U) << "A2";
    serve([](const SeenRequest&) { return Answer{.body = R"({"data":[{"id":1}],"next_page_token":"abc"})"}; });
    expect_error("[resources.x]", "the pages have no end; correct the paginator");
    EXPECT_EQ(targets(), (Texts{"/x", "/x?cursor=abc"})) << "A3";
    serve([](const SeenRequest& request) {
        const std::string page = request.param("page").empty() ? "1" : request.param("page");
        return Answer{.body = R"({"data":[{"id":)" + page + R"(}],"nextPage":2,"totalPages":3})"};
    });
    EXPECT_EQ(read("[resources.x]"), (Texts{R"({"id":1})", R"({"id":2})", R"({"id":3})"})) << "A4: the number of pages says more than a next one";
    serve({{"/x", R"({"data":[{"id":1}],"next":"x?p=2"})"}, {"/x?p=2", page_of(2)}});
    EXPECT_EQ(read("[resources.x]").size(), 2U) << "A4: a link without a host is a link";
    serve([](const SeenRequest&) { return Answer{.body = R"({"data":[{"id":1}],"pagination":{"offset":0,"limit":1,"total":9}})"}; });
    EXPECT_EQ(read("[resources.x]").size(), 1U) << "A6";
}

TEST_F(RestApiTest, SelectorsAreFoundOut) {
    const std::string entity = R"({"id":1,"name":"x","tags":["a","b"]})";
    serve({{"/x", entity}});
    EXPECT_EQ(read("[resources.x]"), Texts{entity}) << "A7: a list of scalars is no list of records";
    for (const char* key : {"my items", "my.items"}) {
        serve({{"/x", std::string("{\"") + key + R"(":[{"id":1}]})"}});
        EXPECT_EQ(read("[resources.x]"), Texts{R"({"id":1})"}) << "A8 " << key;
        EXPECT_EQ(read("[resources.x]"), Texts{R"({"id":1})"}) << "as it was remembered";
    }
    serve([](const SeenRequest& request) { return Answer{.body = request.param("page") == "1" ? R"({"data":null})" : R"({"data":[{"id":2}]})"}; });
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'page_number', base_page = 1, maximum_page = 3, stop_after_empty_page = false }"), Texts{R"({"id":2})"}) << "A9";
    serve({{"/x", R"({"a":{"b":[{"id":1}]},"c":[{"id":2}]})"}});
    EXPECT_EQ(read("[resources.x]"), Texts{R"({"id":1})"}) << "A10";
    serve({{"/x", R"({"c":[{"id":2}],"meta":{"data":[{"id":1}]}})"}});
    EXPECT_EQ(read("[resources.x]"), Texts{R"({"id":1})"}) << "A10";
}

TEST_F(RestApiTest, AServerThatDoesNotKnowTheParameterIsNoEndlessSource) {
    serve([](const SeenRequest&) { return Answer{.body = R"([{"id":1},{"id":2}])"}; });
    expect_error("[resources.x]\npaginator = { type = 'offset', limit = 2 }", "the page with \"offset\" 4 has the same records as the two before it");
    expect_error("[resources.x]\npaginator = { type = 'page_number', base_page = 1 }", "the server seems not to know \"page\"");
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'page_number', base_page = 1, maximum_page = 3 }").size(), 4U) << "an end that is given counts";
}

TEST_F(RestApiTest, WhatIsFoundOutOnceIsKept) {
    serve({{"/x", R"({"rows":[{"id":1}]})"}});
    read("[resources.x]");
    forgets_ = false;
    serve({{"/x", R"({"data":[{"z":1}],"rows":[{"id":1}]})"}});
    EXPECT_EQ(read("[resources.x]"), Texts{R"({"id":1})"});
    serve({{"/x", R"({"count":0})"}});
    EXPECT_EQ(read("[resources.x]").size(), 0U);
    serve({{"/x", R"({"data":[{"z":1}]})"}});
    expect_error("[resources.x]", "records were at \"rows\" before, and are not there any more, but at \"data\"");
}

TEST_F(RestApiTest, Selection) {
    serve({{"/x", R"({"groups":[{"rows":[{"id":1},{"id":2}]},{"rows":[{"id":3}]}],"n":5,"users":null,"e":{"id":9}})"}});
    EXPECT_EQ(read("[resources.x]\nselect = 'groups[*].rows'").size(), 3U) << "S1: every list gives its records";
    EXPECT_EQ(read("[resources.x]\nselect = 'nope'").size(), 0U) << "S2";
    EXPECT_EQ(read("[resources.x]\nselect = 'n'"), Texts{"5"}) << "S2";
    EXPECT_EQ(read("[resources.x]\nselect = 'users'").size(), 0U) << "S2";
    EXPECT_EQ(read("[resources.x]\nselect = 'e'"), Texts{R"({"id":9})"});
    serve([](const SeenRequest&) { return Answer{.body = "", .status = 204}; });
    EXPECT_EQ(read("[resources.x]").size(), 0U) << "an empty answer has no records";
    serve([](const SeenRequest&) { return Answer{.body = "<html>"}; });
    expect_error("[resources.x]", "is not JSON");
}

TEST_F(RestApiTest, SelectionByAllOfJsonPath) {
    const std::string body = R"({"groups":[{"kind":"a","rows":[{"id":1,"v":1},{"id":2,"v":9}]},{"kind":"b","rows":[{"id":3,"v":9,"sub":{"rows":[{"id":4,"v":9}]}}]}]})";
    serve({{"/x", body}});
    EXPECT_EQ(read("[resources.x]\nselect = \"groups[?(@.kind == 'b')].rows[*].id\""), Texts{"3"});
    EXPECT_EQ(read("[resources.x]\nselect = 'groups[*].rows[?(@.v > 5)].id'"), (Texts{"2", "3"}));
    EXPECT_EQ(read("[resources.x]\nselect = 'groups[-1].rows'").size(), 1U);
    EXPECT_EQ(read("[resources.x]\nselect = 'groups[0:1].rows'").size(), 2U);
    EXPECT_EQ(read("[resources.x]\nselect = '$..rows'"),
              (Texts{R"({"id":1,"v":1})", R"({"id":2,"v":9})", R"({"id":3,"v":9,"sub":{"rows":[{"id":4,"v":9}]}})", R"({"id":4,"v":9})"}))
        << "one lies in the other, and both are records";
    EXPECT_EQ(read("[resources.x]\nselect = 'groups[0].rows[1]|$.groups[0].rows[0]'"), (Texts{R"({"id":2,"v":9})", R"({"id":1,"v":1})"}));
    expect_error("[resources.x]\nselect = 'a[?(@.b >)]'", "t.toml:4: resource \"x\": bad path \"a[?(@.b >)]\" at character 10");
    serve({{"/x", R"({"data":[{"id":1}],"links":[{"rel":"self","href":"/x"},{"rel":"next","href":"/x?p=2"}]})"}, {"/x?p=2", R"({"data":[{"id":2}],"links":[]})"}});
    EXPECT_EQ(read("[resources.x]\npaginator = { type = 'json_link', next_url_path = \"links[?(@.rel == 'next')].href\" }").size(), 2U);
    serve({{"/posts", R"([{"id":1,"ref":[{"k":"x","n":"no"},{"k":"y","n":"yes"}]}])"}, {"/c/yes", R"({"ok":1})"}});
    EXPECT_EQ(read("[resources.posts]\n[resources.x]\nparent = 'posts'\npath = \"c/{parent.ref[?(@.k == 'y')].n}\"").size(), 1U);
}

TEST_F(RestApiTest, APageOfWhichAFilterTakesNothingIsNotTheLast) {
    serve([](const SeenRequest& request) {
        const int page = std::stoi(request.param("page"));
        return Answer{.body = page > 5 ? R"({"data":[]})" : R"({"data":[{"id":)" + std::to_string(page) + R"(,"wanted":)" + (page == 5 ? "true" : "false") + "}]}"};
    });
    EXPECT_EQ(read("[resources.x]\nselect = 'data[?(@.wanted == true)].id'\npaginator = { type = 'page_number', base_page = 1 }"), Texts{"5"});
    EXPECT_EQ(targets().size(), 6U);
    serve([](const SeenRequest&) { return Answer{.body = R"({"data":[{"id":1}]})"}; });
    expect_error("[resources.x]\nselect = 'data[?(@.wanted)]'\npaginator = { type = 'page_number', base_page = 1 }", "the server seems not to know \"page\"");
}

TEST_F(RestApiTest, AFilterOnWhatRecordsLieInDoesNotCountForRecords) {
    serve([](const SeenRequest& request) {
        const std::string rows = std::stoi(request.param("page")) > 2 ? "" : "{\"id\":" + request.param("page") + "}";
        return Answer{.body = R"({"sections":[{"kind":"items","rows":[)" + rows + "]}]}"};
    });
    EXPECT_EQ(read("[resources.x]\nselect = \"sections[?(@.kind == 'items')].rows\"\npaginator = { type = 'page_number', base_page = 1 }"), (Texts{R"({"id":1})", R"({"id":2})"}));
    EXPECT_EQ(targets().size(), 3U) << "a section without rows has no records";
    serve([](const SeenRequest& request) {
        const bool is_last = std::stoi(request.param("page")) > 4;
        return Answer{.body = is_last ? R"({"a":[],"b":[]})" : R"({"a":[{"y":1}],"b":[{"id":)" + request.param("page") + "}]}"};
    });
    EXPECT_EQ(read("[resources.x]\nselect = 'a[?(@.x)]|$.b'\npaginator = { type = 'page_number', base_page = 1 }").size(), 4U) << "pages that differ in what is no candidate of a filter differ";
}

TEST_F(RestApiTest, ParamsAndBodies) {
    serve([](const SeenRequest&) { return Answer{.body = "[]"}; });
    cursor_.end_value = {};
    read("[resources.x]\npath = '/posts/{not_this}'\nparams = { b = true, l = [1, 2], f = 1.5, until = '{cursor.end}', s = 'a b&c' }");
    EXPECT_EQ(targets().back(), "/posts/%7Bnot_this%7D?b=true&l=1&l=2&f=1.5&s=a%20b%26c") << "H1, H3, H4";
    cursor_.start_value = std::string("2024-01-02 03:04:05");
    read("[resources.x]\nparams = { s = '{cursor.start|iso}', e = '{cursor.start|epoch}', d = '{cursor.start|add:-1d|date:%Y-%m-%d}' }");
    EXPECT_EQ(targets().back(), "/x?s=2024-01-02T03%3A04%3A05Z&e=1704164645&d=2024-01-01") << "H6, I2";
    cursor_.start_value = std::int64_t{42};
    read("[resources.x]\nmethod = 'POST'\njson = { a = '{cursor.start}', b = '{cursor.start}{cursor.start}', c = '{cursor.end}', d = { e = ['{cursor.start}', 'x'] } }");
    EXPECT_EQ(server_->seen().back().body, R"({"a":42,"b":"4242","d":{"e":[42,"x"]}})") << "H2";
    read("[resources.x]\nmethod = 'POST'\nform = { a = 'x y', b = [1, 2] }");
    EXPECT_EQ(server_->seen().back().body, "a=x+y&b=1&b=2");
    read("[resources.x]\nmethod = 'PUT'\nbody = 'raw {cursor.start}'\nheaders = { X-A = '{cursor.start}', X-B = '{cursor.end}' }");
    EXPECT_EQ(server_->seen().back().body, "raw 42");
    EXPECT_EQ(server_->seen().back().header("x-a"), "42");
    EXPECT_EQ(server_->seen().back().header("x-b"), "");
}

TEST_F(RestApiTest, PlaceholdersOfTheRunAndWhatBecomesOfThem) {
    serve([](const SeenRequest&) { return Answer{.body = "[]"}; });
    cursor_.start_value = std::string("2024-01-02T03:04:05.678Z");
    read("[resources.x]\nparams = { ms = '{cursor.start|epoch_ms}', s = '{cursor.start|epoch}', day = '{cursor.start|add:1d|date:%d.%m.%y}', page = '{page.number}', j = '{cursor.start|json}' }");
    EXPECT_EQ(targets().back(), "/x?ms=1704164645678&s=1704164645&day=03.01.24&page=1&j=%222024-01-02T03%3A04%3A05.678Z%22");
    read("[resources.x]\npath = 'a/{cursor.start|raw}/b/{cursor.start|urlencode}/{cursor.start}'");
    EXPECT_EQ(targets().back(), "/a/2024-01-02T03:04:05.678Z/b/2024-01-02T03%3A04%3A05.678Z/2024-01-02T03%3A04%3A05.678Z");
    const std::int64_t before = std::time(nullptr);
    read("[resources.x]\nparams = { now = '{run.start|epoch}' }");
    const std::int64_t sent = std::stoll(targets().back().substr(targets().back().find('=') + 1));
    EXPECT_GE(sent, before);
    EXPECT_LE(sent, std::time(nullptr));
    cursor_.start_value = std::int64_t{41};
    read("[resources.x]\nparams = { next = '{cursor.start|add:1}', half = '{cursor.start|add:0.5}' }");
    EXPECT_EQ(targets().back(), "/x?next=42&half=41.5");
    cursor_.start_value = std::string("no time");
    expect_error("[resources.x]\nparams = { ms = '{cursor.start|epoch_ms}' }", "is no point in time");
}

TEST_F(RestApiTest, Children) {
    const std::map<std::string, std::string> bodies = {{"/posts", R"([{"id":1,"title":"a","u":{"n":"ann"}},{"id":"a/b c?d","title":null,"u":{}}])"},
                                                       {"/posts/1/c", R"([{"c":1},{"c":2,"_posts_id":"own"},{}])"},
                                                       {"/posts/a%2Fb%20c%3Fd/c", R"([{"c":3}])"}};
    const std::string settings = "concurrency = 4\n[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'posts/{parent.id}/c'\ninclude = ['id', 'title', 'u.n']\n";
    serve(bodies);
    EXPECT_EQ(read(settings), (Texts{R"({"c":1,"_posts_id":1,"_posts_title":"a","_posts_u_n":"ann"})", R"({"c":2,"_posts_id":1,"_posts_title":"a","_posts_u_n":"ann"})",
                                     R"({"_posts_id":1,"_posts_title":"a","_posts_u_n":"ann"})", R"({"c":3,"_posts_id":"a/b c?d","_posts_title":null,"_posts_u_n":null})"}))
        << "D1, D2, H5";
    EXPECT_EQ(targets().size(), 3U) << "parents are read once";
    is_selected_ = true;
    EXPECT_EQ(read(settings).size(), 4U) << "a parent that is not loaded is read all the same";
    is_selected_ = false;
    std::string disabled = settings;
    disabled.replace(disabled.find("[resources.posts]\n"), 18, "[resources.posts]\nenabled = false\n");
    EXPECT_EQ(read(disabled).size(), 4U);
    serve({{"/posts", R"([{"t":[{"id":9},{"id":8}]}])"}, {"/c/9", R"({"ok":1})"}});
    EXPECT_EQ(read("[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'c/{parent.t[*].id}'"), Texts{R"({"ok":1})"}) << "D4";
}

TEST_F(RestApiTest, ChildrenOfChildren) {
    serve({{"/a", R"({"data":[{"id":1}],"next":"/a?p=2"})"},
           {"/a?p=2", R"({"data":[{"id":2}]})"},
           {"/a/1/b", R"([{"k":"x"}])"},
           {"/a/2/b", R"([{"k":"y"},{"k":"z"}])"},
           {"/a/1/b/x", R"([{"v":1}])"},
           {"/a/2/b/y", R"([{"v":2}])"},
           {"/a/2/b/z", R"([{"v":3}])"}});
    EXPECT_EQ(read("concurrency = 3\n[resources.x]\nparent = 'b'\npath = 'a/{parent._a_id}/b/{parent.k}'\nselect = '$'\n[resources.b]\nparent = 'a'\npath = 'a/{parent.id}/b'\ninclude = "
                   "['id']\n[resources.a]\npaginator = 'json_link'"),
              (Texts{R"({"v":1})", R"({"v":2})", R"({"v":3})"}));
}

TEST_F(RestApiTest, NullsInPaths) {
    serve({{"/posts", R"([{"id":null},{"id":2}])"}, {"/posts/2/c", R"([{"c":1}])"}});
    const std::string settings = "[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'posts/{parent.id}/c'\n";
    expect_error(settings, "{parent.id} in the path is null");
    EXPECT_EQ(read(settings + "on_null = 'skip'").size(), 1U);
}

TEST_F(RestApiTest, AnswersThatAreExpected) {
    const std::map<std::string, std::string> bodies = {{"/posts", R"([{"id":1},{"id":2},{"id":3}])"}, {"/p/1", "[{\"v\":1}]"}, {"/p/3", "[{\"v\":3}]"}};
    const std::string settings = "concurrency = 2\n[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'p/{parent.id}'\nselect = '$'\n";
    serve(bodies);
    EXPECT_EQ(read(settings + "on_response = [{ status = [404, 410], do = 'skip' }]"), (Texts{R"({"v":1})", R"({"v":3})"})) << "D5";
    EXPECT_EQ(read(settings + "on_response = [{ status = 404, do = 'stop' }]"), Texts{R"({"v":1})"});
    EXPECT_EQ(read(settings + "on_response = [{ status = 404, do = 'empty' }]").size(), 2U);
    expect_error(settings, "status 404");
    EXPECT_EQ(read(settings + "max_failed_parents = 1"), (Texts{R"({"v":1})", R"({"v":3})"}));
    EXPECT_EQ(skipped_.size(), 1U) << "what is left out is reported";
    forgets_ = false;
    std::map<std::string, std::string> mended = bodies;
    mended["/p/2"] = "[{\"v\":2}]";
    mended["/posts"] = R"([{"id":4}])";
    mended["/p/4"] = "[{\"v\":4}]";
    serve(mended);
    EXPECT_EQ(read(settings + "max_failed_parents = 1"), (Texts{R"({"v":4})", R"({"v":2})"})) << "what failed before is asked for again, though its parent did not come";
    EXPECT_EQ(read(settings), (Texts{R"({"v":4})"})) << "and then it is done";
    forgets_ = true;
    serve(bodies);
    read(settings + "max_failed_parents = 1");
    forgets_ = false;
    mended["/posts"] = bodies.at("/posts");
    serve(mended);
    EXPECT_EQ(read(settings), (Texts{R"({"v":1})", R"({"v":2})", R"({"v":3})"})) << "once, when its parent comes anyway";
    forgets_ = true;
    serve([](const SeenRequest& request) { return request.param("page") == "1" ? Answer{.body = page_of(1)} : Answer{.body = "{}", .status = 404}; });
    EXPECT_EQ(read("on_response = [{ status = 404, do = 'skip' }]\n[resources.x]\npaginator = { type = 'page_number', base_page = 1 }").size(), 1U) << "D7";
    serve([](const SeenRequest&) { return Answer{.body = "No data", .status = 200}; });
    EXPECT_EQ(read("[resources.x]\non_response = [{ content = 'No data', do = 'empty' }]").size(), 0U) << "E7";
    for (const int status : {429, 500}) {
        serve([status](const SeenRequest&) { return Answer{.status = status}; });
        EXPECT_EQ(read("[resources.x]\non_response = [{ status = [429, 500], do = 'skip' }]").size(), 0U);
        EXPECT_EQ(targets().size(), 1U) << "E4";
    }
    serve([](const SeenRequest& request) { return Answer{.body = request.number < 3 ? "{}" : page_of(1), .status = request.number < 3 ? 404 : 200}; });
    EXPECT_EQ(read("[resources.x]\non_response = [{ status = 404, do = 'retry' }]").size(), 1U);
}

TEST_F(RestApiTest, ParentsThatFailedAreKeptUntilTheyWereRead) {
    std::map<std::string, std::string> bodies = {{"/posts", R"([{"id":1},{"id":2,"slug":"two"},{"id":3}])"}, {"/p/1", "[{\"v\":1}]"}, {"/p/3", "[{\"v\":3}]"}};
    const std::string settings = "concurrency = 2\n[resources.posts]\n[resources.x]\nparent = 'posts'\nselect = '$'\nmax_failed_parents = 1\n";
    const std::string by_id = settings + "path = 'p/{parent.id}'\n";
    serve(bodies);
    EXPECT_EQ(read(by_id), (Texts{R"({"v":1})", R"({"v":3})"}));
    forgets_ = false;
    bodies["/p/2"] = "[{\"v\":2}]";
    bodies["/posts"] = R"([{"id":1},{"id":2},{"id":3}])";
    serve(bodies);
    records_wanted_ = 1;
    EXPECT_EQ(read(by_id), Texts{R"({"v":1})"}) << "a limit, before its parent had its turn";
    bodies["/posts"] = R"([{"id":1}])";
    serve(bodies);
    EXPECT_EQ(read(by_id), Texts{R"({"v":1})"}) << "a limit, before those that had failed had their turn";
    records_wanted_ = SIZE_MAX;
    bodies["/posts"] = R"([{"id":4},{"id":1}])";
    serve(bodies);
    EXPECT_EQ(read(by_id + "on_response = [{ status = 404, do = 'stop' }]"), Texts{}) << "the resource was stopped";
    EXPECT_EQ(read(settings + "path = 'p/{parent.slug}'\non_null = 'skip'\n"), Texts{}) << "nothing can be asked for";
    bodies["/posts"] = "[]";
    serve(bodies);
    EXPECT_EQ(read(by_id), Texts{R"({"v":2})"});
    EXPECT_EQ(read(by_id), Texts{}) << "and then it is done";
}

TEST_F(RestApiTest, FailuresAreRetriedWithinTheBudget) {
    serve([](const SeenRequest&) { return Answer{.body = "{\"why\":\"no\"}", .status = 500}; });
    expect_error("[resources.x]", "status 500 after 5 attempts: {\"why\":\"no\"}");
    EXPECT_EQ(targets().size(), 5U) << "E1";
    serve([](const SeenRequest&) { return Answer{.status = 502}; });
    error_of("retry = { attempts = 2, base = '0s' }\n[resources.x]");
    EXPECT_EQ(targets().size(), 2U) << "E2";
    serve([](const SeenRequest& request) { return Answer{.body = page_of(1), .breaks = request.number == 1}; });
    EXPECT_EQ(read("[resources.x]").size(), 1U) << "a broken answer";
}

TEST_F(RestApiTest, BoundsAreThoseOfTheSettings) {
    serve([](const SeenRequest& request) { return Answer{.status = 302, .headers = {{"Location", request.target + "a"}}}; });
    expect_error("max_redirects = 2\n[resources.x]", "more than 2 redirects");
    EXPECT_EQ(targets(), (Texts{"/x", "/xa", "/xaa"}));
    serve([](const SeenRequest& request) { return request.number == 1 ? Answer{.status = 503, .headers = {{"Retry-After", "3"}}} : Answer{.body = page_of(1)}; });
    expect_error("retry = { base = '0s', retry_after_max = '2s' }\n[resources.x]", "status 503");
    EXPECT_EQ(targets().size(), 1U);
    serve([](const SeenRequest& request) { return request.number < 3 ? Answer{.status = 418} : Answer{.body = page_of(1)}; });
    EXPECT_EQ(read("retry = { base = '0s', statuses = [418] }\n[resources.x]").size(), 1U);
    serve([](const SeenRequest& request) { return request.number < 3 ? Answer{.status = 500} : Answer{.body = page_of(1)}; });
    expect_error("retry = { base = '0s' }\n[resources.x]\nmethod = 'POST'", "status 500");
    EXPECT_EQ(targets().size(), 1U);
    EXPECT_EQ(read("retry = { base = '0s', methods = ['POST'] }\n[resources.x]\nmethod = 'POST'").size(), 1U);
    serve([](const SeenRequest&) { return Answer{.body = "[{\"id\":1}]"}; });
    expect_error("[resources.x]\non_response = [{ status = 200, do = 'fail' }]", "status 200");
    // At least so long, however slow the machine is.
    const auto begin = std::chrono::steady_clock::now();
    EXPECT_EQ(read("rate_limit = '20/s'\nconcurrency = 4\n[resources.x]\npaginator = { type = 'page_number', maximum_page = 24, stop_after_empty_page = false }").size(), 24U);
    EXPECT_GE(std::chrono::steady_clock::now() - begin, std::chrono::milliseconds(190)) << "20 at once, 4 more at 20 per second";
}

TEST_F(RestApiTest, Auth) {
    serve([](const SeenRequest&) { return Answer{.body = "[]"}; });
    const auto header_of = [&](const std::string& settings) {
        read(settings);
        return server_->seen().back().header("authorization");
    };
    EXPECT_EQ(header_of("auth = { token = 'T1' }\n[resources.x]"), "Bearer T1");
    EXPECT_EQ(header_of("auth = { type = 'basic', username = 'u', password = 'pé' }\n[resources.x]"), "Basic dTpww6k=") << "U3";
    EXPECT_EQ(header_of("auth = { type = 'api_key', api_key = 'K' }\n[resources.x]"), "K");
    EXPECT_EQ(header_of("auth = { token = 'T1' }\n[resources.x]\nauth = 'none'"), "") << "M3";
    read("auth = { type = 'api_key', name = 'key', api_key = 'K', location = 'query' }\n[resources.x]\nparams = { key = 'old' }");
    EXPECT_EQ(targets().back(), "/x?key=K") << "U1: replaced, not doubled";
}

TEST_F(RestApiTest, CredentialsStayAtHome) {
    HttpServer other([](const SeenRequest&) { return Answer{.body = page_of(2)}; });
    serve([&](const SeenRequest&) { return Answer{.body = R"({"data":[{"id":1}],"next":")" + other.url() + "/x?page=2\"}"}; });
    EXPECT_EQ(read("headers = { X-Key = 'secret' }\nauth = { token = 'T' }\n[resources.x]\npaginator = 'json_link'").size(), 2U);
    EXPECT_EQ(other.seen().front().header("authorization"), "") << "U1";
    EXPECT_EQ(other.seen().front().header("x-key"), "");
    read("allow_hosts = ['" + other.url() + "']\nauth = { token = 'T' }\n[resources.x]\npaginator = 'json_link'");
    EXPECT_EQ(other.seen().back().header("authorization"), "Bearer T");
}

TEST_F(RestApiTest, ARefusalOfAHostThatWasNotToldWhoAsksSaysSo) {
    HttpServer other([](const SeenRequest&) { return Answer{.body = "who are you?", .status = 401}; });
    serve([&](const SeenRequest&) { return Answer{.status = 301, .headers = {{"Location", other.url() + "/x"}}}; });
    expect_error("auth = { token = 'T' }\n[resources.x]", "status 401: who are you?; headers and credentials go to hosts of this API alone: name this one in allow_hosts");
    EXPECT_EQ(error_of("allow_hosts = ['" + other.url() + "']\nauth = { token = 'T' }\n[resources.x]").find("alone"), std::string::npos);
}

TEST_F(RestApiTest, KeysInUrlsStayAtHome) {
    HttpServer other([](const SeenRequest&) { return Answer{.body = page_of(2)}; });
    const std::string key = "auth = { type = 'api_key', name = 'key', api_key = 'S3CRET-KEY', location = 'query' }\n";
    const auto refused = [&](const std::string& settings) {
        const std::string error = error_of(settings);
        EXPECT_NE(error.find("Name that host in allow_hosts"), std::string::npos) << error;
        EXPECT_EQ(error.find("S3CRET"), std::string::npos) << error;
        EXPECT_TRUE(other.seen().empty());
    };
    // A server that repeats the parameters in its link, or in a redirect.
    serve([&](const SeenRequest& request) { return Answer{.body = R"({"data":[{"id":1}],"next":")" + other.url() + request.target + "&page=2\"}"}; });
    refused(key + "[resources.x]\npaginator = 'json_link'");
    serve([&](const SeenRequest& request) { return Answer{.status = 307, .headers = {{"Location", other.url() + request.target}}}; });
    refused(key + "[resources.x]");
    // A child whose URL is in its parent's record, with a parameter of its own.
    serve([&](const SeenRequest&) { return Answer{.body = R"([{"url":")" + other.url() + "/a\"}]"}; });
    const std::string child = "[resources.posts]\n[resources.x]\nparent = 'posts'\npath = '{parent.url|raw}'\n";
    refused(key + child + "params = { token = 'S3CRET-KEY' }");
    EXPECT_EQ(read(key + child).size(), 1U) << "it is read without the key";
    EXPECT_EQ(other.targets().back(), "/a");
    EXPECT_EQ(read("allow_hosts = ['" + other.url() + "']\n" + key + child).size(), 1U);
    EXPECT_EQ(other.targets().back(), "/a?key=S3CRET-KEY");
}

TEST_F(RestApiTest, Tokens) {
    int token = 0;
    int refused = 2;
    serve([&](const SeenRequest& request) {
        if (request.path == "/token") {
            const std::string number = std::to_string(++token);
            return Answer{.body = R"({"access_token":"T)" + number + R"(","expires_in":3600,"refresh_token":"R)" + number + "\"}"};
        }
        if (request.header("authorization") == "Bearer T1" && --refused >= 0) return Answer{.body = "{}", .status = 401};
        return Answer{.body = "[{\"id\":1}]"};
    });
    refused = 0;
    EXPECT_EQ(read("auth = { type = 'oauth2_client_credentials', token_url = 'SERVER/token', client_id = 'c', client_secret = 's', request_data = { grant_type = 'custom', scope = 'a b' } }\n"
                   "[resources.x]\n[resources.y]").size(),
              1U);
    EXPECT_EQ(server_->seen()[0].body, "client_id=c&client_secret=s&grant_type=custom&scope=a+b") << "U4";
    EXPECT_EQ(token, 1) << "one token for all";
    token = 0;
    refused = 1;
    EXPECT_EQ(read("auth = { type = 'oauth2_refresh_token', token_url = 'SERVER/token', client_id = 'c', refresh_token = 'R0' }\n[resources.x]").size(), 1U);
    EXPECT_EQ(token, 2) << "a refused token is renewed once";
    EXPECT_EQ(server_->seen().back().header("authorization"), "Bearer T2");
    const std::vector<SeenRequest> seen = server_->seen();
    EXPECT_NE(seen[seen.size() - 2].body.find("refresh_token=R1"), std::string::npos) << "with the refresh token that came with the first";
    serve([](const SeenRequest&) { return Answer{.body = R"({"error":"bad s3cret-value"})", .status = 400}; });
    const std::string error = error_of("auth = { type = 'oauth2_client_credentials', token_url = 'SERVER/token', client_id = 'c', client_secret = 's3cret-value' }\n[resources.x]");
    EXPECT_NE(error.find("gives no token: status 400"), std::string::npos) << error;
    EXPECT_EQ(error.find("s3cret-value"), std::string::npos) << error;
}

/// Of base64 as URLs have it, without `=`.
std::string decoded(std::string text) {
    std::replace(text.begin(), text.end(), '-', '+');
    std::replace(text.begin(), text.end(), '_', '/');
    text.append((4 - text.size() % 4) % 4, '=');
    return schema::coerce(schema::DataType::binary, text)->as<schema::Binary>().bytes;
}

TEST_F(RestApiTest, AnAssertionIsSignedForATokenAndItsAnswerNotRepeated) {
    std::string form;
    bool has_token = true;
    serve([&](const SeenRequest& request) {
        if (request.path != "/token") return Answer{.body = "[{\"auth\":\"" + request.header("authorization") + "\"}]"};
        form = request.body;
        return has_token ? Answer{.body = R"({"access_token":"T1"})"} : Answer{.body = "{\"you sent\":\"" + request.body + "\"}", .status = 400};
    });
    const auto settings = [](const char* key, const std::string& more) {
        return "auth = { type = 'jwt_bearer', token_url = 'SERVER/token', client_id = 'me@example', scope = 'read', private_key = '''\n" + std::string(key) + "'''" + more + " }\n[resources.x]";
    };
    EXPECT_EQ(read(settings(support::rsa_key, "")), Texts{R"({"auth":"Bearer T1"})"});
    const std::string start = "grant_type=urn%3Aietf%3Aparams%3Aoauth%3Agrant-type%3Ajwt-bearer&assertion=";
    ASSERT_TRUE(form.starts_with(start)) << form;
    const std::string assertion = form.substr(start.size());
    const std::size_t first = assertion.find('.');
    const std::size_t second = assertion.rfind('.');
    EXPECT_EQ(decoded(assertion.substr(0, first)), R"({"alg":"RS256","typ":"JWT"})");
    EXPECT_EQ(decoded(assertion.substr(second + 1)), sign_rs256(assertion.substr(0, second), support::rsa_key, ""));
    const json::Value parsed = json::parse(decoded(assertion.substr(first + 1, second - first - 1)));
    const json::Object& claims = parsed.as_object();
    EXPECT_EQ(claims.find("iss")->as_text(), "me@example");
    EXPECT_EQ(claims.find("aud")->as_text(), server_->url() + "/token");
    EXPECT_EQ(claims.find("scope")->as_text(), "read");
    EXPECT_EQ(claims.find("exp")->as_int() - claims.find("iat")->as_int(), 3'600);
    EXPECT_LE(std::abs(claims.find("iat")->as_int() - std::time(nullptr)), 60);
    EXPECT_EQ(read(settings(support::encrypted_rsa_key, ", private_key_password = 'pass-word', audience = 'them'")).size(), 1U);
    const std::string other = form.substr(start.size());
    EXPECT_NE(decoded(other.substr(first + 1, other.rfind('.') - first - 1)).find(R"("aud":"them")"), std::string::npos);
    has_token = false;
    const std::string error = error_of(settings(support::rsa_key, ""));
    EXPECT_NE(error.find("gives no token: status 400"), std::string::npos) << error;
    EXPECT_NE(error.find("assertion=***"), std::string::npos) << error;
}

TEST_F(RestApiTest, TokensAreRenewedBeforeTheyEnd) {
    int tokens = 0;
    std::string lifetime = "0";
    serve([&](const SeenRequest& request) {
        if (request.path == "/token") return Answer{.body = R"({"access_token":"T)" + std::to_string(++tokens) + R"(","expires_in":)" + lifetime + "}"};
        return Answer{.body = R"({"data":[{"id":1}],"next":)" + std::string(request.target == "/x" ? "\"/x?p=2\"" : "null") + "}"};
    });
    const std::string settings = "auth = { type = 'oauth2_client_credentials', token_url = 'SERVER/token', client_id = 'c', client_secret = 's', token_lifetime = '1h' }\npaginator = 'json_link'\n[resources.x]";
    EXPECT_EQ(read(settings).size(), 2U);
    EXPECT_EQ(tokens, 2) << "U4: one that ends at once is good for one request";
    lifetime = "3600";
    EXPECT_EQ(read(settings).size(), 2U);
    EXPECT_EQ(tokens, 3);
    lifetime = "null";
    EXPECT_EQ(read(settings).size(), 2U);
    EXPECT_EQ(tokens, 4) << "token_lifetime counts where the server says nothing";
}

TEST_F(RestApiTest, SecretsAreMasked) {
    serve([](const SeenRequest&) { return Answer{.body = "{\"echo\":\"S3CRET\"}", .status = 404}; });
    const std::string error = error_of("auth = { type = 'api_key', name = 'k', api_key = 'S3CRET', location = 'query' }\n[resources.x]\non_response = [{ status = 403, do = 'skip' }]");
    EXPECT_NE(error.find("status 404"), std::string::npos) << error;
    EXPECT_EQ(error.find("S3CRET"), std::string::npos) << "E6: " << error;
    // What is cut off for its length must not leave the beginning of a secret behind.
    serve([](const SeenRequest&) { return Answer{.body = std::string(290, 'x') + "S3CRET-S3CRET-S3CRET", .status = 404}; });
    const std::string cut = error_of("auth = { token = 'S3CRET-S3CRET-S3CRET' }\n[resources.x]");
    EXPECT_NE(cut.find("x***"), std::string::npos) << cut;
    EXPECT_EQ(cut.find("S3C"), std::string::npos) << cut;
    // Nor may what the server repeats of headers: the password is in there.
    serve([](const SeenRequest& request) { return Answer{.body = "{\"you\":\"" + request.header("authorization") + "\"}", .status = 401}; });
    const std::string basic = error_of("auth = { type = 'basic', username = 'u', password = 'pa55word' }\n[resources.x]");
    EXPECT_NE(basic.find(R"({"you":"Basic ***"})"), std::string::npos) << basic;
}

TEST_F(RestApiTest, ResultsDoNotDependOnConcurrency) {
    // Later answers come first.
    const auto slow_first = [](const SeenRequest& request) {
        if (request.path == "/p") {
            std::string body = "[";
            for (int i = 0; i < 30; ++i) body += (i > 0 ? ",{\"id\":" : "{\"id\":") + std::to_string(i) + "}";
            return Answer{.body = body + "]"};
        }
        const int page = request.param("page").empty() ? 1 : std::stoi(request.param("page"));
        if (request.number % 3 == 0) std::this_thread::sleep_for(std::chrono::milliseconds(5));
        return Answer{.body = "{\"data\":[{\"p\":\"" + request.path + "\",\"n\":" + std::to_string(page) + "}],\"pages\":3}"};
    };
    Texts serial;
    for (const int concurrency : {1, 2, 8}) {
        serve(slow_first);
        const Texts records = read("concurrency = " + std::to_string(concurrency) + "\n[resources.p]\nselect = '$'\n[resources.x]\nparent = 'p'\npath = 'c/{parent.id}/d'\npaginator = { type = 'page_number', base_page = 1, total_path = 'pages' }");
        EXPECT_EQ(records.size(), 90U);
        EXPECT_EQ(targets().size(), 91U);
        if (serial.empty()) serial = records;
        EXPECT_EQ(records, serial);
    }
    for (const int concurrency : {1, 8}) {
        serve([](const SeenRequest& request) { return Answer{.body = "{\"data\":[{\"id\":" + request.param("page") + "}],\"total\":20}"}; });
        const Texts records = read("concurrency = " + std::to_string(concurrency) + "\n[resources.x]\npaginator = { type = 'page_number', base_page = 1 }");
        ASSERT_EQ(records.size(), 20U);
        EXPECT_EQ(records[12], R"({"id":13})");
        EXPECT_EQ(targets().size(), 20U);
        EXPECT_EQ(read("concurrency = " + std::to_string(concurrency) + "\n[resources.x]\nmax_pages = 5\npaginator = { type = 'page_number', base_page = 1 }").size(), 5U);
    }
}

TEST_F(RestApiTest, Steps) {
    serve({{"/x", R"([{"id":1,"m":"a","s":"open"},{"id":2,"m":"b","s":"closed"},{"id":3,"m":null,"s":"open"}])"}});
    EXPECT_EQ(read("[resources.x]\nsteps = [{ filter = 's == \"open\" and id > 1' }]"), Texts{R"({"id":3,"m":null,"s":"open"})"});
    EXPECT_EQ(read("[resources.x]\nsteps = [{ drop = ['s'], rename = { id = 'key' }, mask = ['m'] }, { set = { from = 'api' } }]").front(), R"({"key":1,"m":"***","from":"api"})");
    EXPECT_EQ(read("[resources.x]\nsteps = [{ keep = ['id'] }]").front(), R"({"id":1})");
    expect_error("[resources.x]\nsteps = [{ filter = 's = 1' }]", "expected one of ==");
    serve({{"/x", R"([{"id":1,"l":[{"q":1},{"q":2}]},{"id":2,"l":[]},{"id":3},{"id":4,"l":"no list"}])"}});
    EXPECT_EQ(read("[resources.x]\nsteps = [{ explode = 'l' }]"),
              (Texts{R"({"id":1,"l":{"q":1}})", R"({"id":1,"l":{"q":2}})", R"({"id":2,"l":null})", R"({"id":3})", R"({"id":4,"l":"no list"})"}))
        << "nobody is lost for having no list";
    EXPECT_EQ(read("[resources.x]\nsteps = [{ explode = 'l', rename = { l = 'line' } }, { filter = 'line.q > 1' }]"), Texts{R"({"id":1,"line":{"q":2}})"});
    expect_error("max_response = '1KiB'\n[resources.x]\nsteps = [{ set = { pad = '" + std::string(600, 'x') + "' } }, { explode = 'l' }]", "drop fields before \"explode\"");
    serve({{"/posts", "[{\"id\":7}]"}, {"/posts/7/c", R"({"items":[{"l":[1,2]}]})"}});
    EXPECT_EQ(read("[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'posts/{parent.id}/c'\ninclude = ['id']\nsteps = [{ explode = 'l' }]"),
              (Texts{R"({"l":1,"_posts_id":7})", R"({"l":2,"_posts_id":7})"}));
}

TEST_F(RestApiTest, WhatIsWrongIsSaidWithItsPlaceAndTheNearestName) {
    serve(std::map<std::string, std::string>{});
    expect_error("[resources.x]\npaginator = { typ = 'offset' }", "t.toml:4: \"paginator\": \"type\" is missing");
    expect_error("[resources.x]\npaginator = 'header_lnk'", "did you mean \"header_link\"?");
    expect_error("[resources.x]\npaginator = { type = 'offset', limit = 1, ofset = 2 }", "did you mean \"offset\"?");
    expect_error("[resources.x]\npaginator = 'offset'", "\"limit\" is missing");
    expect_error("auth = { tokn = 'x' }\n[resources.x]", "did you mean \"token\"?");
    expect_error("auth = { type = 'brearer' }\n[resources.x]", "did you mean \"bearer\"?");
    expect_error("[resources.x]\nparams = { a = '{cursor.strat}' }", "a cursor has start and end");
    expect_error("[resources.x]\nparams = { a = '{cursor.start|isso}' }", "did you mean \"iso\"?");
    expect_error("[resources.x]\npath = 'a/{parent.id}'", "there is no \"parent\"");
    expect_error("[resources.posts]\n[resources.x]\nparent = 'post'\npath = 'a/{parent.id}'", "did you mean \"posts\"?");
    expect_error("[resources.y]\nparent = 'x'\npath = 'y/{parent.id}'\n[resources.x]\nparent = 'y'\npath = 'x/{parent.id}'", "lead back to itself");
    expect_error("[resources.posts]\n[resources.x]\nparent = 'posts'", "nothing of the request depends on it");
    expect_error("[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'c'\ninclude = ['id']\ncursor = { field = 'n', scope = 'parent' }",
                 "t.toml:8: resource \"x\": each parent has a cursor of its own (scope = \"parent\"), and nothing tells them apart: give resource \"posts\" a \"primary_key\"");
    expect_error("[resources.x]\ninclude = ['id']", "there is no \"parent\"");
    expect_error("[resources.x]\njson = {}\nform = {}", "a request has one body");
    expect_error("[resources.x]\non_response = [{ status = [404], do = 'ignore' }]", "\"do\" cannot be \"ignore\"");
    expect_error("rate_limit = 'fast'\n[resources.x]", "requests per time");
    expect_error("base_url = 'api.example.com'\n[resources.x]", "must be a URL");
    expect_error("", "has no resources");
}

TEST_F(RestApiTest, AProbeSaysWhatItFound) {
    serve({{"/posts", R"({"results":[{"id":1,"title":"a","updated_at":"2024-01-01T00:00:00Z"},{"id":2,"title":"b","updated_at":"2024-01-02T00:00:00Z"}],"next":"/posts?p=2"})"},
           {"/posts/1", R"({"id":1,"n":1.5})"}});
    std::unique_ptr<extract::SourceDriver> driver = make("[resources.posts]\n[resources.x]\nparent = 'posts'\npath = 'posts/{parent.id}'");
    const std::vector<extract::ResourceSpec> specs = driver->resources({});
    EXPECT_EQ(driver->probe(specs[0], {}), "2 records; paginator json_link, next_url_path = \"next\" (found out); select \"results\" (found out); fields id bigint, title text, updated_at "
                                           "timestamp; primary_key could be \"id\"; cursor could be \"updated_at\"");
    EXPECT_EQ(driver->probe(specs[1], {}), "1 record; select \"$\"; fields id bigint, n double; primary_key could be \"id\"");
    EXPECT_EQ(targets(), (Texts{"/posts", "/posts", "/posts/1"})) << "one page of each";
}

}  // namespace
}  // namespace tipple::sources
