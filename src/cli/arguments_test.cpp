#include "cli/arguments.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

struct Parsed {
    Arguments arguments;
    std::string out;
    std::string err;

    template <typename Command>
    const Command& as() const {
        return std::get<Command>(arguments.command);
    }
    /// The exit code of what ended while it was parsed.
    int code() const { return as<DoneArguments>().exit_code; }
};

Parsed parse(std::vector<const char*> words) {
    words.insert(words.begin(), "tipple");
    testing::internal::CaptureStdout();
    testing::internal::CaptureStderr();
    Parsed parsed{.arguments = parse_arguments(static_cast<int>(words.size()), words.data()), .out = {}, .err = {}};
    parsed.out = testing::internal::GetCapturedStdout();
    parsed.err = testing::internal::GetCapturedStderr();
    return parsed;
}

TEST(LoadArguments, HaveTheDestinationLast) {
    const LoadArguments load = parse({"load", "a.csv", "b/*.json", "shop.duckdb"}).as<LoadArguments>();
    EXPECT_EQ(load.sources, (std::vector<std::string>{"a.csv", "b/*.json"}));
    EXPECT_EQ(load.destination, "shop.duckdb");
    EXPECT_EQ(load.memory_bytes, limits::memory_default);
    EXPECT_FALSE(load.disposition || load.limit || load.max_nesting);
    EXPECT_EQ(load.on_bad_record, "fail");
    EXPECT_EQ(load.lock_timeout_seconds, 10);
}

TEST(LoadArguments, ComeInAnyOrder) {
    for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{
             {"load", "--key", "id", "a.csv", "--as", "t", "s.duckdb", "-q"},
             {"-q", "load", "a.csv", "s.duckdb", "--as=t", "--key=id"},
             {"load", "-q", "--as", "t", "--key", "id", "--", "a.csv", "s.duckdb"},
         }) {
        const Parsed parsed = parse(words);
        const LoadArguments load = parsed.as<LoadArguments>();
        EXPECT_EQ(load.sources, std::vector<std::string>{"a.csv"});
        EXPECT_EQ(load.destination, "s.duckdb");
        EXPECT_EQ(load.table, "t");
        EXPECT_EQ(load.keys, std::vector<std::string>{"id"});
        EXPECT_TRUE(parsed.arguments.global.is_quiet);
    }
}

TEST(LoadArguments, TakeSeveralKeysOneByOne) {
    const LoadArguments load = parse({"load", "a.csv", "--key", "shop", "--key", "id", "s.duckdb"}).as<LoadArguments>();
    EXPECT_EQ(load.keys, (std::vector<std::string>{"shop", "id"}));
    EXPECT_EQ(load.destination, "s.duckdb");
}

TEST(LoadArguments, TakeStandardInputAndFilesThatLookLikeFlags) {
    EXPECT_EQ(parse({"load", "-", "s.duckdb"}).as<LoadArguments>().sources, std::vector<std::string>{"-"});
    EXPECT_EQ(parse({"load", "--", "-x.csv", "s.duckdb"}).as<LoadArguments>().sources, std::vector<std::string>{"-x.csv"});
}

TEST(LoadArguments, HaveSizesInAnyUnit) {
    EXPECT_EQ(parse({"load", "a", "s.duckdb", "--memory", "1GiB"}).as<LoadArguments>().memory_bytes, std::size_t{1} << 30);
    EXPECT_EQ(parse({"load", "a", "s.duckdb", "--memory", "300MB"}).as<LoadArguments>().memory_bytes, 300'000'000U);
    for (const char* size : {"much", "10", "-1MB", ""}) {
        const Parsed parsed = parse({"load", "a", "s.duckdb", "--memory", size});
        if (*size == '\0') continue;
        EXPECT_EQ(parsed.code(), 2) << size;
        EXPECT_NE(parsed.err.find("--memory"), std::string::npos) << parsed.err;
    }
}

TEST(LoadArguments, AreRefusedWhenTheyCannotBe) {
    for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{
             {"load"},
             {"load", "a.csv"},
             {"load", "a", "s.duckdb", "--disposition", "upsert"},
             {"load", "a", "s.duckdb", "--strategy", "merge"},
             {"load", "a", "s.duckdb", "--limit", "-1"},
             {"load", "a", "s.duckdb", "--limit", "many"},
             {"load", "a", "s.duckdb", "--workers", "0"},
             {"load", "a", "s.duckdb", "--max-table-nesting", "-1"},
             {"load", "a", "s.duckdb", "--lock-timeout", "-1"},
             {"load", "a", "s.duckdb", "--on-bad-record", "ignore"},
             {"load", "a", "s.duckdb", "--contract", "frozen"},
             {"load", "a", "s.duckdb", "--contract", "column=freeze"},
             {"load", "a", "s.duckdb", "--contract", "columns="},
             {"load", "a", "s.duckdb", "--contract", "columns=freeze,"},
             {"load", "a", "s.duckdb", "--contract", "columns=freeze,columns=evolve"},
             {"load", "a", "s.duckdb", "--progress", "loud"},
             {"load", "a", "s.duckdb", "--as"},
         }) {
        const Parsed parsed = parse(words);
        EXPECT_EQ(parsed.code(), 2);
        EXPECT_TRUE(parsed.err.starts_with("error: ")) << parsed.err;
        EXPECT_NE(parsed.err.find("see: tipple load --help"), std::string::npos) << parsed.err;
        EXPECT_EQ(parsed.out, "");
    }
}

TEST(LoadArguments, HaveContractsOfPartsOrOfAll) {
    EXPECT_EQ(json::to_text(parse_contract_argument("freeze")), R"("freeze")");
    EXPECT_EQ(json::to_text(parse_contract_argument("columns=discard_row,data_type=quarantine")), R"({"columns":"discard_row","data_type":"quarantine"})");
    EXPECT_EQ(parse({"load", "a", "s.duckdb", "--contract", "tables=freeze"}).as<LoadArguments>().contract, "tables=freeze");
}

TEST(LoadArguments, ThatAreMissingAreExplained) {
    for (const std::vector<const char*>& words : std::vector<std::vector<const char*>>{{"load"}, {"load", "a.csv"}, {"load", "--key", "id", "a.csv"}}) {
        EXPECT_NE(parse(words).err.find("tipple load orders.jsonl shop.duckdb"), std::string::npos) << parse(words).err;
    }
}

TEST(Arguments, ThatAreNotKnownAreComparedWithThoseThatAre) {
    EXPECT_NE(parse({"load", "a", "s.duckdb", "--dispostion", "merge"}).err.find("--dispostion; did you mean --disposition?"), std::string::npos);
    EXPECT_NE(parse({"load", "a", "s.duckdb", "--quite"}).err.find("did you mean --quiet?"), std::string::npos);
    EXPECT_NE(parse({"lod", "a", "s.duckdb"}).err.find("lod; did you mean load?"), std::string::npos);
    EXPECT_EQ(parse({"load", "a", "s.duckdb", "--zzzzzz"}).err.find("did you mean"), std::string::npos);
    // A flag of another command is none of this one.
    EXPECT_EQ(parse({"query", "s.duckdb", "SELECT 1", "--key", "id"}).code(), 2);
}

TEST(Arguments, OfTheOtherCommands) {
    const QueryArguments query = parse({"query", "s.duckdb", "SELECT -1", "-o", "csv", "--limit", "0"}).as<QueryArguments>();
    EXPECT_EQ(query.sql, "SELECT -1");
    EXPECT_EQ(query.output, "csv");
    EXPECT_EQ(query.limit, 0U);
    EXPECT_EQ(parse({"query", "s.duckdb", "-"}).as<QueryArguments>().sql, "-");
    EXPECT_EQ(parse({"preview", "s.duckdb"}).as<PreviewArguments>().limit, 10U);
    EXPECT_EQ(parse({"preview", "s.duckdb", "t", "--limit", "3"}).as<PreviewArguments>().table, "t");
    EXPECT_EQ(parse({"schema", "s.duckdb", "t", "-o", "yaml"}).as<SchemaArguments>().output, "yaml");
    EXPECT_EQ(parse({"preview", "s.duckdb", "-o", "yaml"}).code(), 2);
    EXPECT_TRUE(std::holds_alternative<VersionArguments>(parse({"version"}).arguments.command));
    EXPECT_EQ(parse({"help", "duckdb"}).as<HelpArguments>().topic, "duckdb");
}

TEST(Arguments, CountHowVerbose) {
    EXPECT_EQ(parse({"version"}).arguments.global.verbosity, 0);
    EXPECT_EQ(parse({"version", "-v"}).arguments.global.verbosity, 1);
    EXPECT_EQ(parse({"version", "-vv"}).arguments.global.verbosity, 2);
}

TEST(Help, IsPrintedAndIsNoError) {
    for (const std::vector<const char*>& words :
         std::vector<std::vector<const char*>>{{}, {"--help"}, {"help"}, {"load", "--help"}, {"help", "load"}, {"--version"}}) {
        const Parsed parsed = parse(words);
        EXPECT_EQ(parsed.code(), 0);
        EXPECT_NE(parsed.out.find("tipple"), std::string::npos);
        EXPECT_EQ(parsed.err, "");
    }
    EXPECT_EQ(parse({"load", "--help"}).out, parse({"help", "load"}).out);
    for (const char* command : {"load", "query", "preview", "schema", "version", "help"}) {
        EXPECT_NE(parse({}).out.find(std::string("\n  ") + command + " "), std::string::npos) << command;
    }
}

TEST(Help, NamesEveryFlagWithAnExplanation) {
    const std::string help = parse({"help", "load"}).out;
    for (const char* flag : {"--as", "--dataset", "--format", "--select", "--csv-delimiter", "--csv-header", "--disposition", "--strategy", "--key", "--limit",
                             "--max-table-nesting", "--contract", "--on-bad-record", "--dry-run", "--adopt", "--workers", "--memory", "--lock-timeout"}) {
        EXPECT_NE(help.find(std::string("  ") + flag), std::string::npos) << flag;
    }
}

}  // namespace
}  // namespace tipple::cli
