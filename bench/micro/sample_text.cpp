#include "micro/sample_text.h"

#include <array>
#include <cstdint>
#include <iterator>
#include <random>
#include <string_view>

#include <fmt/format.h>

namespace tipple::bench {
namespace {

/// Words as they stand in JSON text.
constexpr std::array<std::string_view, 24> words = {"fix",
                                                    "add",
                                                    "remove",
                                                    "refactor",
                                                    "loader",
                                                    "schema",
                                                    "état",
                                                    "naïve",
                                                    "日本語",
                                                    R"(\"quoted\")",
                                                    R"(back\\slash)",
                                                    R"(tab\there)",
                                                    R"(line\nbreak)",
                                                    "emoji🚀",
                                                    "parser",
                                                    "merge",
                                                    "cursor",
                                                    "façade",
                                                    "release",
                                                    "build",
                                                    "docs",
                                                    "test",
                                                    "deploy",
                                                    "table"};

class Writer {
public:
    explicit Writer(std::size_t bytes) { out_.reserve(bytes + 8192); }

    void nested_record();
    void flat_record();
    std::size_t size() const { return out_.size(); }
    std::string take() { return std::move(out_); }

private:
    std::uint64_t below(std::uint64_t end) { return random_() % end; }
    double fraction() { return static_cast<double>(random_() >> 11) * 0x1p-53; }

    template <typename... Arguments>
    void put(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
        fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
    }
    void text(std::string_view key, int count) {
        put(R"("{}":")", key);
        for (int i = 0; i < count; ++i) put("{}{}", i > 0 ? " " : "", words[below(words.size())]);
        put(R"(")");
    }
    void time(std::string_view key) {
        put(R"("{}":"2024-{:02}-{:02}T{:02}:{:02}:{:02}.{:03}Z")", key, 1 + below(12),
            1 + below(28), below(24), below(60), below(60), below(1000));
    }
    void commits();
    void payload();
    void lists();

    // The generator's numbers are fixed by the standard; its distributions are not.
    std::mt19937_64 random_{7};  // NOLINT(cert-msc51-cpp): the same data every time
    std::uint64_t number_ = 0;
    std::string out_;
};

void Writer::commits() {
    put(R"("commits":[)");
    const std::uint64_t count = below(6);
    for (std::uint64_t i = 0; i < count; ++i) {
        put(R"({}{{"sha":"{:016x}{:016x}",)", i > 0 ? "," : "", random_(), random_());
        text("message", 8);
        put(R"(,"distinct":{},"author":{{"name":"user-{}","email":"user-{}@example.com"}},"files_changed":{}}})",
            below(2) == 0, below(200000), below(200000), below(40));
    }
    put("]");
}

void Writer::payload() {
    put(R"("payload":{{"push_id":{},"size":{},"ref":"refs/heads/main-{}","head":"{:016x}{:016x}","before":"{:016x}{:016x}",)",
        random_() >> 2, below(6), below(100), random_(), random_(), random_(), random_());
    put(R"("stats":{{"additions":{},"deletions":{},"ratio":{},"ci":{{"ok":{},"seconds":{}}}}},)",
        below(5000), below(3000), fraction(), below(2) == 0, fraction() * 900);
    commits();
    if (below(4) == 0) {
        put(R"(,"pull_request":{{"number":{},"state":"open",)", below(90000));
        text("title", 10);
        if (below(2) == 0) {
            put(R"(,"merged_at":null)");
        } else {
            put(",");
            time("merged_at");
        }
        put(R"(,"base":{{"ref":"main","sha":"{:016x}"}}}})", random_());
    }
    put("}},");
}

void Writer::lists() {
    put(R"("labels":[)");
    for (std::uint64_t i = 0, count = below(4); i < count; ++i)
        put(R"({}"{}")", i > 0 ? "," : "", words[below(words.size())]);
    put(R"(],"reviewer_ids":[)");
    for (std::uint64_t i = 0, count = below(4); i < count; ++i)
        put("{}{}", i > 0 ? "," : "", below(100000));
    put("],");
}

void Writer::nested_record() {
    const std::uint64_t user = below(200000);
    const std::uint64_t org = below(5000);
    const std::uint64_t repo = below(50000);
    put(R"({{"id":{},"event_id":"{:016x}","type":"PushEvent","public":{},)", number_++, random_(),
        below(2) == 0);
    time("created_at");
    put(R"(,"score":{:.6f},"actor":{{"id":{},"login":"user-{}","display_login":"user-{}","gravatar_id":"",)",
        fraction() * 100, user, user, user);
    put(R"("url":"https://api.example.com/users/user-{}","avatar_url":"https://avatars.example.com/u/{}?v=4"}},)",
        user, user);
    put(R"("repo":{{"id":{},"name":"org-{}/repo-{}","url":"https://api.example.com/repos/org-{}/repo-{}",)",
        repo, org, repo, org, repo);
    put(R"("owner":{{"id":{},"type":"Organization","plan":{{"name":"team","seats":{}}}}}}},)", org,
        below(500));
    payload();
    lists();
    text("title", 10);
    if (below(5) < 2) {
        put(R"(,"org":{{"id":{},"login":"org-{}","url":"https://api.example.com/orgs/org-{}"}})",
            org, org, org);
    }
    if (below(10) == 0)
        put(R"(,"geo":{{"lat":{:.7f},"lon":{:.7f}}})", fraction() * 180 - 90,
            fraction() * 360 - 180);
    if (below(10) < 3) {
        put(",");
        text("note", 5);
    }
    put("}}\n");
}

void Writer::flat_record() {
    put(R"({{"id":{},"account":{},"qty":{},)", number_++, random_() >> 24, below(1000));
    time("updated_at");
    put(R"(,"price":{:.4f},"ratio":{},"active":{},"name":"customer-{}","code":"SKU-{}-x",)",
        fraction() * 1000, fraction(), below(10) < 7, below(100003), below(5000));
    text("note", 4);
    put("}}\n");
}

}  // namespace

std::string nested_lines(std::size_t bytes) {
    Writer writer(bytes);
    while (writer.size() < bytes) writer.nested_record();
    return writer.take();
}

std::string flat_lines(std::size_t bytes) {
    Writer writer(bytes);
    while (writer.size() < bytes) writer.flat_record();
    return writer.take();
}

std::string as_array(std::string lines) {
    for (char& c : lines) {
        if (c == '\n') c = ',';
    }
    lines.back() = ']';
    return "[" + lines;
}

}  // namespace tipple::bench
