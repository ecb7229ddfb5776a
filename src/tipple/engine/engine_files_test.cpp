#include <chrono>
#include <cstring>
#include <filesystem>
#include <fstream>
#include <set>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/child_process.h"
#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/engine/engine.h"

namespace tipple::engine {
namespace {

const EngineOptions small = {.memory_bytes = std::size_t{256} << 20, .threads = 2};

TEST(Files, AreCreatedInTheStorageFormatOfVersionOneFour) {
    const support::TemporaryFolder folder;
    Engine engine(small);
    engine.attach(folder.path("new.duckdb"), "d", AttachMode::read_write, {.block_bytes = 16'384});
    engine.execute("CREATE TABLE d.t(a INTEGER); INSERT INTO d.t VALUES (1)");
    EXPECT_EQ(engine.query_value(
                  "SELECT block_size FROM pragma_database_size() WHERE database_name = 'd'"),
              "16384");
    EXPECT_EQ(
        engine.query_value(
            "SELECT tags['storage_version'] FROM duckdb_databases() WHERE database_name = 'd'"),
        "v1.4.0+");
    engine.detach("d");
    EXPECT_TRUE(std::filesystem::exists(folder.path("new.duckdb")));
    EXPECT_FALSE(std::filesystem::exists(folder.path("new.duckdb.wal")));
    engine.attach(folder.path("new.duckdb"), "d", AttachMode::read_only);
    EXPECT_EQ(engine.query_value("SELECT a FROM d.t"), "1");
    EXPECT_THROW(engine.execute("INSERT INTO d.t VALUES (2)"), Error);
}

TEST(Files, AreMadeUnderAnotherNameOfWhichNothingStays) {
    namespace fs = std::filesystem;
    const support::TemporaryFolder folder;
    // What processes left that were killed, today and before.
    std::ofstream(folder.path(".tipple-old.new")) << "half";
    fs::last_write_time(folder.path(".tipple-old.new"), fs::file_time_type::clock::now() - std::chrono::hours(2));
    std::ofstream(folder.path(".tipple-other.new")) << "half";
    std::ofstream(folder.path("mine.new")) << "half";
    fs::last_write_time(folder.path("mine.new"), fs::file_time_type::clock::now() - std::chrono::hours(2));
    Engine engine(small);
    engine.attach(folder.path("new.duckdb"), "d", AttachMode::read_write);
    std::set<std::string> names;
    for (const fs::directory_entry& entry : fs::directory_iterator(folder.path(""))) names.insert(entry.path().filename().string());
    EXPECT_EQ(names, (std::set<std::string>{".tipple-other.new", "mine.new", "new.duckdb"}));
}

TEST(Files, ThatCannotBeMadeAreNamed) {
    const support::TemporaryFolder folder;
    Engine engine(small);
    try {
        engine.attach(folder.path("missing/new.duckdb"), "d", AttachMode::read_write);
        FAIL();
    } catch (const Error& error) {
        const std::string message = error.what();
        EXPECT_NE(message.find("missing/new.duckdb\""), std::string::npos) << message;
        EXPECT_EQ(message.find(".tipple-"), std::string::npos) << message;
    }
}

TEST(Files, ThatAreNoDatabaseAreNamed) {
    const support::TemporaryFolder folder;
    std::ofstream(folder.path("text.duckdb")) << std::string(20'000, 'x');
    Engine engine(small);
    try {
        engine.attach(folder.path("text.duckdb"), "d", AttachMode::read_only);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        EXPECT_NE(std::string(error.what()).find("text.duckdb is not a DuckDB database"),
                  std::string::npos)
            << error.what();
    }
    EXPECT_THROW(engine.attach(folder.path("missing.duckdb"), "d", AttachMode::read_only), Error);
}

/// A database file whose header says that it is of another storage version. The checksum is the
/// engine's own over the header block.
void set_storage_version(const std::string& path, std::uint64_t version) {
    constexpr std::size_t header_bytes = 4'096;
    std::fstream file(path, std::ios::in | std::ios::out | std::ios::binary);
    std::vector<char> header(header_bytes);
    file.read(header.data(), header_bytes);
    std::memcpy(header.data() + 12, &version, sizeof(version));
    std::uint64_t checksum = 5'381;
    for (std::size_t at = 8; at < header_bytes; at += 8) {
        std::uint64_t word = 0;
        std::memcpy(&word, header.data() + at, 8);
        checksum ^= word * 0xbf58476d1ce4e5b9ULL;
    }
    std::memcpy(header.data(), &checksum, 8);
    file.seekp(0);
    file.write(header.data(), header_bytes);
}

TEST(Files, OfANewerVersionSayWhatToDo) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("newer.duckdb");
    {
        Engine engine(small);
        engine.attach(path, "d", AttachMode::read_write);
        engine.execute("CREATE TABLE d.t(a INTEGER)");
    }
    // To the release 2.0, 999 is none that is newer.
    set_storage_version(path, 5'000);
    Engine engine(small);
    try {
        engine.attach(path, "d", AttachMode::read_only);
        FAIL();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        const std::string text = error.what();
        EXPECT_TRUE(text.starts_with(path + " (made by DuckDB " + library_version() + "): "))
            << text;
        EXPECT_NE(text.find("storage version 5000 (a DuckDB newer than 2.0)"), std::string::npos) << text;
        EXPECT_NE(text.find(library_version()), std::string::npos) << text;
        EXPECT_NE(text.find("STORAGE_VERSION 'v1.4.0'"), std::string::npos) << text;
    }
}

TEST(Files, AreExclusiveInsideOneProcessToo) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("shared.duckdb");
    Engine first(small);
    Engine second(small);
    first.attach(path, "d", AttachMode::read_write);
    first.execute("CREATE TABLE d.t(a INTEGER)");
    for (const AttachMode mode : {AttachMode::read_only, AttachMode::read_write}) {
        try {
            second.attach(path, "d", mode);
            FAIL();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::locked);
        }
    }
    first.detach("d");
    first.attach(path, "d", AttachMode::read_only);
    // The same file by another name.
    std::filesystem::create_symlink(path, folder.path("link.duckdb"));
    second.attach(folder.path("link.duckdb"), "d", AttachMode::read_only);
    EXPECT_EQ(second.query_value("SELECT count(*) FROM d.t"), "0");
    second.detach("d");
    EXPECT_THROW(second.attach(path, "d", AttachMode::read_write), Error);
    first.detach("d");
    second.attach(path, "d", AttachMode::read_write);
}

TEST(Files, HeldByAnotherProcessNameTheHolder) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("held.duckdb");
    const support::ChildProcess writer(
        [&](support::ChildProcess::Signal ready, support::ChildProcess::Signal done) {
            Engine engine(small);
            engine.attach(path, "d", AttachMode::read_write);
            ready.raise();
            done.wait();
        });
    Engine engine(small);
    for (const AttachMode mode : {AttachMode::read_only, AttachMode::read_write}) {
        try {
            engine.attach(path, "d", mode);
            FAIL();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), ErrorKind::locked);
            const std::string text = error.what();
            EXPECT_NE(text.find("held.duckdb is held by another process"), std::string::npos)
                << text;
            EXPECT_NE(text.find(fmt::format("PID {}", writer.id())), std::string::npos) << text;
        }
    }
}

TEST(Files, ReadersShareAndKeepAWriterOut) {
    const support::TemporaryFolder folder;
    const std::string path = folder.path("read.duckdb");
    {
        Engine engine(small);
        engine.attach(path, "d", AttachMode::read_write);
        engine.execute("CREATE TABLE d.t AS SELECT 1 AS a");
    }
    const support::ChildProcess reader(
        [&](support::ChildProcess::Signal ready, support::ChildProcess::Signal done) {
            Engine engine(small);
            engine.attach(path, "d", AttachMode::read_only);
            ready.raise();
            done.wait();
        });
    Engine engine(small);
    engine.attach(path, "d", AttachMode::read_only);
    EXPECT_EQ(engine.query_value("SELECT a FROM d.t"), "1");
    engine.detach("d");
    EXPECT_THROW(engine.attach(path, "d", AttachMode::read_write), Error);
}

TEST(Files, SpillsGoToTheTempFolder) {
    const support::TemporaryFolder folder;
    Engine engine(
        {.memory_bytes = std::size_t{60} << 20, .threads = 1, .temp_folder = folder.path("spill")});
    engine.execute(
        "CREATE TABLE t AS SELECT i, repeat(i::VARCHAR, 20) AS a FROM range(1000000) t(i)");
    EXPECT_TRUE(std::filesystem::exists(folder.path("spill")));
    EXPECT_EQ(engine.query_value("SELECT count(*) FROM t"), "1000000");
}

}  // namespace
}  // namespace tipple::engine
