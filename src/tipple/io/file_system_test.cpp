#include "tipple/io/file_system.h"

#include <csignal>
#include <filesystem>

#include <fcntl.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/io/process.h"

namespace tipple::io {
namespace {

class FileSystemTest : public testing::Test {
protected:
    template <typename Action>
    void expect_error(ErrorKind kind, std::string_view part, Action action) {
        try {
            action();
            ADD_FAILURE() << "no error";
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            EXPECT_NE(std::string_view(error.what()).find(part), std::string_view::npos)
                << error.what();
        }
    }

    void write(const std::string& path, std::string_view text) {
        const auto file = files_->create(path);
        file->write(text);
        file->close();
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = local_file_system();
};

TEST_F(FileSystemTest, WritesAndReadsBack) {
    const std::string path = folder_.path("a");
    std::string expected;
    {
        const auto file = files_->create(path);
        // Sizes around the buffer's, so that each way through it is taken.
        for (const std::size_t length :
             {1U, 1000U, 262'143U, 262'144U, 262'145U, 7U, 600'000U, 0U, 3U}) {
            const std::string part(length, static_cast<char>('a' + length % 26));
            file->write(part);
            expected += part;
            EXPECT_EQ(file->size(), expected.size());
            file->start_writeback();
        }
        file->sync();
        file->close();
        file->close();
    }
    EXPECT_EQ(files_->read_text(path), expected);
    EXPECT_EQ(files_->find(path)->size, expected.size());

    const auto file = files_->open_read(path);
    EXPECT_EQ(file->size(), expected.size());
    std::string part(100, '\0');
    file->read_at(262'100, part.data(), part.size());
    EXPECT_EQ(part, expected.substr(262'100, 100));
    expect_error(ErrorKind::corrupt, "ends after",
                 [&] { file->read_at(expected.size() - 50, part.data(), part.size()); });
}

TEST_F(FileSystemTest, AppendsAndReplaces) {
    const std::string path = folder_.path("a");
    for (const char* part : {"one", "two"}) {
        const auto file = files_->open_append(path);
        file->write(part);
        file->close();
    }
    EXPECT_EQ(files_->read_text(path), "onetwo");
    const auto file = files_->open_append(path);
    EXPECT_EQ(file->size(), 6U);
    write(path, "x");
    EXPECT_EQ(files_->read_text(path), "x");
}

TEST_F(FileSystemTest, WritesTextDurably) {
    const std::string path = folder_.path("a.json");
    files_->write_text_durably(path, "one");
    files_->write_text_durably(path, "two");
    EXPECT_EQ(files_->read_text(path), "two");
    EXPECT_EQ(files_->list(folder_.path()).size(), 1U) << "no temporary file is left";
    EXPECT_THROW(files_->write_text_durably(folder_.path("none/a.json"), "x"), Error);
}

TEST_F(FileSystemTest, ReadsWhatHasNoSize) {
    // Files of /proc say that they are empty.
    EXPECT_NE(files_->read_text("/proc/self/status").find("VmHWM"), std::string::npos);
}

TEST_F(FileSystemTest, AMissingInputIsTheUsersError) {
    expect_error(ErrorKind::usage, "does not exist",
                 [&] { files_->open_read(folder_.path("missing")); });
    expect_error(ErrorKind::usage, "is a folder", [&] { files_->open_read(folder_.path()); });
    expect_error(ErrorKind::usage, "zero byte", [&] { files_->open_read(std::string("a\0b", 3)); });
    expect_error(ErrorKind::usage, "empty path", [&] { files_->open_read(""); });
    expect_error(ErrorKind::local, "cannot create",
                 [&] { files_->create(folder_.path("missing/a")); });
}

TEST_F(FileSystemTest, AFullDiskSaysSo) {
    if (::access("/dev/full", W_OK) != 0) GTEST_SKIP() << "this system has no /dev/full";
    const auto file = files_->create("/dev/full");
    file->write("x");
    expect_error(ErrorKind::local, "disk full: cannot write \"/dev/full\"", [&] { file->sync(); });
    expect_error(ErrorKind::local, "failed before", [&] { file->write("y"); });
    expect_error(ErrorKind::local, "failed before", [&] { file->sync(); });
    expect_error(ErrorKind::local, "failed before", [&] { file->close(); });
}

TEST_F(FileSystemTest, AFileTooLargeIsAnError) {
    // A size limit makes write() fall short first and fail then.
    rlimit old = {};
    ASSERT_EQ(::getrlimit(RLIMIT_FSIZE, &old), 0);
    const auto old_handler = std::signal(SIGXFSZ, SIG_IGN);
    rlimit small = old;
    small.rlim_cur = 100'000;
    ASSERT_EQ(::setrlimit(RLIMIT_FSIZE, &small), 0);
    const auto file = files_->create(folder_.path("a"));
    expect_error(ErrorKind::local, "cannot write", [&] { file->write(std::string(400'000, 'x')); });
    ::setrlimit(RLIMIT_FSIZE, &old);
    std::signal(SIGXFSZ, old_handler);
    EXPECT_EQ(files_->find(folder_.path("a"))->size, 100'000U);
}

TEST_F(FileSystemTest, ListsSorted) {
    EXPECT_TRUE(files_->list(folder_.path("missing")).empty());
    write(folder_.path("b"), "12");
    write(folder_.path(".hidden"), "");
    files_->create_folders(folder_.path("a/deep"));
    std::filesystem::create_symlink(folder_.path("missing"), folder_.path("broken"));
    std::filesystem::create_directory_symlink(folder_.path("a"), folder_.path("c"));
    EXPECT_TRUE(files_->list(folder_.path("b")).empty());

    const std::vector<FileInfo> entries = files_->list(folder_.path());
    ASSERT_EQ(entries.size(), 5U);
    EXPECT_EQ(entries[0].path, folder_.path(".hidden"));
    EXPECT_EQ(entries[1].path, folder_.path("a"));
    EXPECT_TRUE(entries[1].is_directory && !entries[1].is_link);
    EXPECT_EQ(entries[2].path, folder_.path("b"));
    EXPECT_EQ(entries[2].size, 2U);
    EXPECT_GT(entries[2].modified_ns, std::int64_t{1'600'000'000} * 1'000'000'000);
    EXPECT_TRUE(!entries[3].is_directory && entries[3].is_link);
    EXPECT_TRUE(entries[4].is_directory && entries[4].is_link);
}

TEST_F(FileSystemTest, FindsOrNot) {
    EXPECT_EQ(files_->find(folder_.path("missing")), nullptr);
    write(folder_.path("a"), "1");
    EXPECT_EQ(files_->find(folder_.path("a/below-a-file")), nullptr);
    EXPECT_TRUE(files_->find(folder_.path())->is_directory);
}

TEST_F(FileSystemTest, CreatesRenamesAndRemoves) {
    const std::string deep = folder_.path("x/y/z");
    files_->create_folders(deep);
    files_->create_folders(deep);
    write(folder_.path("x/file"), "1");
    expect_error(ErrorKind::local, "cannot create the folder",
                 [&] { files_->create_folders(folder_.path("x/file")); });
    expect_error(ErrorKind::local, "cannot create the folder",
                 [&] { files_->create_folders(folder_.path("x/file/below")); });
    files_->rename(folder_.path("x"), folder_.path("w"));
    EXPECT_EQ(files_->read_text(folder_.path("w/file")), "1");
    expect_error(ErrorKind::local, "cannot rename",
                 [&] { files_->rename(folder_.path("x"), folder_.path("w2")); });
    files_->sync_folder(folder_.path());
    expect_error(ErrorKind::local, "cannot open the folder",
                 [&] { files_->sync_folder(folder_.path("missing")); });

    // What a link points to is not ours to remove.
    files_->create_folders(folder_.path("other"));
    write(folder_.path("other/kept"), "1");
    std::filesystem::create_directory_symlink(folder_.path("other"), folder_.path("w/link"));
    files_->remove(folder_.path("w"));
    files_->remove(folder_.path("w"));
    EXPECT_EQ(files_->find(folder_.path("w")), nullptr);
    EXPECT_NE(files_->find(folder_.path("other/kept")), nullptr);
}

TEST_F(FileSystemTest, KnowsTheFreeSpace) {
    EXPECT_GT(files_->free_bytes(folder_.path()), 0U);
    EXPECT_GT(files_->free_bytes(folder_.path("not/made/yet")), 0U);
}

TEST_F(FileSystemTest, ALockExcludesOthersUntilItIsGone) {
    const std::string path = folder_.path("lock");
    auto lock = files_->try_lock(path, "pid 17, a long note");
    ASSERT_NE(lock, nullptr);
    EXPECT_EQ(files_->read_text(path), "pid 17, a long note");
    EXPECT_EQ(files_->try_lock(path, "another"), nullptr);
    EXPECT_EQ(files_->read_text(path), "pid 17, a long note");
    lock.reset();
    EXPECT_NE(files_->try_lock(path, "short"), nullptr);
    EXPECT_EQ(files_->read_text(path), "short");
}

TEST(FilePaths, AreJoinedAndTakenApart) {
    EXPECT_EQ(join_path("a", "b"), "a/b");
    EXPECT_EQ(join_path("a/", "b"), "a/b");
    EXPECT_EQ(join_path("a/", "/b"), "a/b");
    EXPECT_EQ(join_path("", "b"), "b");
    EXPECT_EQ(join_path("/", "b"), "/b");
    EXPECT_EQ(join_path("a", ""), "a");
    struct Case {
        const char* path;
        const char* parent;
        const char* name;
    };
    for (const Case& one : {Case{"a", ".", "a"}, Case{"/a", "/", "a"}, Case{"a/b", "a", "b"},
                            Case{"/a/b/", "/a", "b"}, Case{"/", "/", ""}, Case{"a//b", "a", "b"},
                            Case{"./x", ".", "x"}}) {
        EXPECT_EQ(parent_folder(one.path), one.parent) << one.path;
        EXPECT_EQ(file_name(one.path), one.name) << one.path;
    }
}

TEST(ProcessUsage, Grows) {
    const ProcessUsage before = process_usage();
    EXPECT_GT(before.peak_resident_bytes, 1'000'000U);
    std::vector<char> memory(std::size_t{64} << 20, 'x');
    double sum = 0;
    for (int i = 0; i < 20'000'000; ++i)
        sum += static_cast<double>(memory[static_cast<std::size_t>(i)]);
    EXPECT_GT(sum, 0);
    const ProcessUsage after = process_usage();
    EXPECT_GE(after.peak_resident_bytes, before.peak_resident_bytes + (std::size_t{32} << 20));
    EXPECT_GT(after.cpu_seconds, before.cpu_seconds);
}

}  // namespace
}  // namespace tipple::io
