#include <filesystem>

#include <gtest/gtest.h>

#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/io/object_store.h"

namespace tipple::io {
namespace {

class FolderStoreTest : public testing::Test {
protected:
    void write(const std::string& name, std::string_view text) {
        const std::string path = folder_.path(name);
        files_->create_folders(parent_folder(path));
        files_->write_text_durably(path, text);
    }
    std::vector<std::string> keys(const std::string& prefix, std::size_t at_most = 100) {
        std::vector<std::string> found;
        store_->list(prefix, {}, [&](const ObjectInfo& object) {
            found.push_back(object.key);
            return found.size() < at_most;
        });
        return found;
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<FileSystem> files_ = local_file_system();
    std::unique_ptr<ObjectStore> store_ = folder_store(*files_, folder_.path(""));
};

TEST_F(FolderStoreTest, ListsInTheOrderOfKeys) {
    for (const char* name : {"a/z", "a.b", "a0", "a/b/c", "b", "a-c/d"}) write(name, "x");
    using Keys = std::vector<std::string>;
    EXPECT_EQ(keys(""), (Keys{"a-c/d", "a.b", "a/b/c", "a/z", "a0", "b"}));
    EXPECT_EQ(keys("a/"), (Keys{"a/b/c", "a/z"}));
    EXPECT_EQ(keys("a/b"), (Keys{"a/b/c"}));
    EXPECT_EQ(keys("a"), (Keys{"a-c/d", "a.b", "a/b/c", "a/z", "a0"}));
    EXPECT_EQ(keys("a", 2), (Keys{"a-c/d", "a.b"}));
    EXPECT_EQ(keys("nothing/here"), Keys{});
    std::stop_source source;
    source.request_stop();
    EXPECT_THROW(store_->list("", source.get_token(), [](const ObjectInfo&) { return true; }), Error);
}

TEST_F(FolderStoreTest, LinksInCirclesAreNotFollowed) {
    write("a/b", "x");
    std::filesystem::create_directory_symlink(folder_.path("a"), folder_.path("a/circle"));
    std::filesystem::create_symlink(folder_.path("a/b"), folder_.path("link"));
    EXPECT_EQ(keys(""), (std::vector<std::string>{"a/b", "link"}));
}

TEST_F(FolderStoreTest, FindsAndReadsOneVersion) {
    write("a/b", "hello");
    EXPECT_EQ(store_->find("a", {}), std::nullopt);
    EXPECT_EQ(store_->find("a/c", {}), std::nullopt);
    const std::optional<ObjectInfo> object = store_->find("a/b", {});
    ASSERT_TRUE(object);
    EXPECT_EQ(object->size, 5U);
    EXPECT_EQ(store_->url("a/b"), folder_.path("a/b"));
    std::string text(5, '\0');
    EXPECT_EQ(store_->open_read(*object, {})->read(text.data(), 5), 5U);
    EXPECT_EQ(text, "hello");
    write("a/b", "changed");
    try {
        store_->open_read(*object, {});
        ADD_FAILURE() << "no error";
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::transient) << error.what();
    }
}

}  // namespace
}  // namespace tipple::io
