#include <algorithm>
#include <atomic>
#include <cstring>
#include <new>
#include <set>
#include <thread>

#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/sources/files/read_ahead.h"

namespace tipple::sources::files {
namespace {

/// A store of files whose bytes are all the first letter of their names; counts what is asked for.
class FakePlace final : public Place {
public:
    std::string url(std::string_view key) const override { return std::string(key); }
    std::string name(std::string_view key) const override { return std::string(key); }
    bool is_repeatable(std::string_view) const override { return true; }
    std::string local_path(std::string_view) const override { return {}; }
    std::optional<io::ObjectInfo> find(const std::string& key, std::stop_token) const override {
        if (key.starts_with("gone")) return std::nullopt;
        return io::ObjectInfo{.key = key, .size = size};
    }
    std::unique_ptr<io::InputStream> open(const io::ObjectInfo& file, std::stop_token stop) const override { return io::open_input(open_file(file, stop), stop); }
    std::unique_ptr<io::ReadFile> open_file(const io::ObjectInfo& file, std::stop_token) const override {
        if (file.key.starts_with("bad")) throw Error(ErrorKind::remote, "no");
        if (file.key.starts_with("large")) throw std::bad_alloc();
        ++opened;
        return std::make_unique<File>(*this, file);
    }
    bool is_remote() const override { return true; }
    bool can_share_listing(const ResourceSettings&) const override { return false; }
    std::set<std::size_t> list(const std::vector<const ResourceSettings*>&, std::stop_token, const std::function<void(std::size_t, const io::ObjectInfo&)>&) const override { return {}; }

    std::uint64_t size = 1'000'000;
    mutable std::atomic<std::uint64_t> bytes_read{0};
    mutable std::atomic<int> opened{0};

private:
    class File final : public io::ReadFile {
    public:
        File(const FakePlace& place, const io::ObjectInfo& info) : place_(place), path_(info.key), left_(info.size) {}
        std::size_t read(char* out, std::size_t length) override {
            const std::size_t count = std::min<std::size_t>(length, left_);
            std::memset(out, path_.front(), count);
            left_ -= count;
            place_.bytes_read += count;
            return count;
        }
        void read_at(std::uint64_t, char*, std::size_t) override { FAIL(); }
        std::uint64_t size() const override { return place_.size; }
        const std::string& path() const override { return path_; }

    private:
        const FakePlace& place_;
        std::string path_;
        std::uint64_t left_;
    };
};

FileList list_of(const std::vector<std::string>& names, std::uint64_t size) {
    FileList list;
    for (const std::string& name : names) list.add({.key = name, .size = size});
    return list;
}

std::string read_all(io::ReadFile& file) {
    std::string all;
    std::string piece(100'000, '\0');
    while (const std::size_t got = file.read(piece.data(), piece.size())) all.append(piece, 0, got);
    return all;
}

TEST(ReadAheadTest, HandsOverEveryFileFromItsStart) {
    const FakePlace place;
    const FileList files = list_of({"a", "b", "gone", "bad", "large", "c", "d", "e", "f"}, place.size);
    ReadAhead ahead(place, files, {.files = 3, .bytes = 1'500'000});
    std::jthread fetching([&](const std::stop_token& stop) { ahead.fetch(stop); });
    EXPECT_FALSE(ahead.take(0).has_value()) << "whoever reads it is quicker";
    for (std::size_t i = 1; i < files.size(); ++i) {
        const std::string name = files.file(i).key;
        const std::optional<ReadAhead::Fetched> fetched = ahead.take(i);
        if (!fetched) continue;
        ASSERT_EQ(name.size(), 1U) << name;
        EXPECT_EQ(fetched->info, *place.find(name, {}));
        EXPECT_EQ(read_all(*fetched->file), std::string(place.size, name[0]));
    }
    ahead.finish();
}

TEST(ReadAheadTest, KeepsNoMoreThanItMay) {
    FakePlace place;
    const FileList files = list_of({"a", "b", "c", "d", "e", "f"}, place.size);
    ReadAhead ahead(place, files, {.files = 10, .bytes = 2'500'000});
    std::jthread fetching([&](const std::stop_token& stop) { ahead.fetch(stop); });
    // Nobody takes any: the third file ends where the room does.
    while (place.bytes_read < 2'500'000) std::this_thread::yield();
    EXPECT_LE(place.bytes_read, 2'500'000U + (std::uint64_t{256} << 10)) << "a piece more";
    const std::optional<ReadAhead::Fetched> last = ahead.take(3);
    ASSERT_TRUE(last.has_value());
    EXPECT_EQ(read_all(*last->file), std::string(place.size, 'd'));
    ahead.finish();
    fetching.join();
}

TEST(ReadAheadTest, GoesNoFurtherThanSoManyFiles) {
    FakePlace place;
    place.size = 10;
    const FileList files = list_of({"a", "b", "c", "d", "e", "f"}, place.size);
    ReadAhead ahead(place, files, {.files = 2, .bytes = 1'000});
    std::jthread fetching([&](const std::stop_token& stop) { ahead.fetch(stop); });
    while (place.opened < 2) std::this_thread::yield();
    ahead.finish();
    fetching.join();
    EXPECT_EQ(place.opened, 2);
}

TEST(ReadAheadTest, AStopEndsIt) {
    const FakePlace place;
    const FileList files = list_of({"a", "b", "c"}, place.size);
    ReadAhead ahead(place, files, {.files = 1, .bytes = 10});
    std::jthread fetching([&](const std::stop_token& stop) { ahead.fetch(stop); });
    while (place.opened < 1) std::this_thread::yield();
    fetching.request_stop();
    fetching.join();
    EXPECT_FALSE(ahead.take(2).has_value());
}

}  // namespace
}  // namespace tipple::sources::files
