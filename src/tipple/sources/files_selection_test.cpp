#include <functional>
#include <set>

#include <gtest/gtest.h>

#include "support/sanitized.h"
#include "support/temporary_folder.h"
#include "tipple/core/clock.h"
#include "tipple/core/error.h"
#include "tipple/io/process.h"
#include "tipple/sources/files/file_list.h"
#include "tipple/sources/files/ledger_index.h"
#include "tipple/sources/files/listing.h"
#include "tipple/sources/files/watermark.h"

namespace tipple::sources::files {
namespace {

class FakeLedger final : public extract::FileLedger {
public:
    explicit FakeLedger(std::function<void(const std::function<void(const extract::LedgerEntry&)>&)> entries) : entries_(std::move(entries)) {}
    void read(std::stop_token, const std::function<void(const extract::LedgerEntry&)>& take) override { entries_(take); }
    std::optional<std::int64_t> newest_modified_us(std::stop_token) override { return std::nullopt; }

private:
    std::function<void(const std::function<void(const extract::LedgerEntry&)>&)> entries_;
};

io::ObjectInfo file(std::string key, std::int64_t seconds, std::uint64_t size = 10) { return {.key = std::move(key), .size = size, .modified_ns = seconds * 1'000'000'000}; }

std::vector<std::string> keys(const FileList& list) {
    std::vector<std::string> result;
    for (std::size_t i = 0; i < list.size(); ++i) result.push_back(list.file(i).key);
    return result;
}
using Keys = std::vector<std::string>;

TEST(FileListTest, KeepsWhatItWasGiven) {
    FileList list;
    io::ObjectInfo tagged = file("b/2.csv", 7, 3);
    tagged.etag = "0123abcd";
    tagged.has_size = false;
    list.add(tagged);
    list.add(file(std::string(300'000, 'x'), 8), 42);
    list.add(file("", 9));
    EXPECT_EQ(list.file(0), tagged);
    EXPECT_EQ(list.file(1).key.size(), 300'000U);
    EXPECT_EQ(list.replaces_us(1), 42);
    EXPECT_EQ(list.file(2), file("", 9));
    EXPECT_EQ(list.bytes(), 23U);
}

TEST(FileListTest, OrderAndParts) {
    FileList list;
    for (const auto& [key, seconds] : std::vector<std::pair<std::string, int>>{{"c", 1}, {"a", 3}, {"b", 2}, {"d", 2}}) list.add(file(key, seconds));
    list.sort(Order::name);
    EXPECT_EQ(keys(list), (Keys{"a", "b", "c", "d"}));
    list.sort(Order::modified);
    EXPECT_EQ(keys(list), (Keys{"c", "b", "d", "a"}));
    EXPECT_EQ(list.count_within(9), 1U);
    EXPECT_EQ(list.count_within(25), 2U);
    EXPECT_EQ(list.count_within(1'000), 4U);
    list.truncate(3);
    EXPECT_EQ(keys(list), (Keys{"c", "b", "d"}));
    EXPECT_EQ(list.bytes(), 30U);
    EXPECT_EQ(FileList().count_within(5), 0U);
}

TEST(LedgerIndexTest, TellsNewAndChangedFilesFromThoseThatAreKnown) {
    FakeLedger ledger([](const auto& take) {
        take({.file = "/a", .version = "1-x", .load_id = "1795404633.634409"});
        take({.file = "/b", .version = "2-x", .load_id = "1795404634.000001"});
        take({.file = "/b", .version = "3-x", .load_id = "1795404635.000001"});
    });
    const LedgerIndex index(ledger, {});
    EXPECT_EQ(index.size(), 3U);
    EXPECT_EQ(index.find("/c", "1-x").state, LedgerIndex::State::is_new);
    EXPECT_EQ(index.find("/a", "1-x").state, LedgerIndex::State::known);
    EXPECT_EQ(index.find("/a", "2-x").state, LedgerIndex::State::changed);
    EXPECT_EQ(load_id_at(index.find("/a", "2-x").load_us), "1795404633.634409");
    EXPECT_EQ(index.find("/b", "3-x").state, LedgerIndex::State::known);
    EXPECT_EQ(index.find("/b", "2-x").state, LedgerIndex::State::changed) << "what it was before it became something else";
    EXPECT_EQ(load_id_at(index.find("/b", "4-x").load_us), "1795404635.000001");
}

/// A million files in one place, half of them loaded, within a part of the memory of a run.
TEST(LedgerIndexTest, AMillionFiles) {
    constexpr int count = 1'000'000;
    const auto object = [](int number) {
        io::ObjectInfo info = file(fmt::format("sales/2026/{:02}/{:02}/part-{:07}-of-many.csv.gz", number % 12 + 1, number % 28 + 1, number), number);
        info.etag = fmt::format("{:032x}", number);
        return info;
    };
    const std::uint64_t before = io::process_usage().peak_resident_bytes;
    FakeLedger ledger([&](const auto& take) {
        for (int i = 0; i < count; i += 2) {
            const std::string url = "s3://bucket/" + object(i).key;
            const std::string version = version_of(object(i));
            take({.file = url, .version = version, .load_id = "1795404633.634409"});
        }
    });
    const LedgerIndex index(ledger, {});
    FileList chosen;
    for (int i = 0; i < count; ++i) {
        const io::ObjectInfo info = object(i);
        if (index.find("s3://bucket/" + info.key, version_of(info)).state == LedgerIndex::State::is_new) chosen.add(info);
    }
    chosen.sort(Order::modified);
    EXPECT_EQ(chosen.size(), static_cast<std::size_t>(count / 2));
    EXPECT_EQ(chosen.file(0).key, object(1).key);
    if (!support::is_sanitized) {
        EXPECT_LT(io::process_usage().peak_resident_bytes - before, std::uint64_t{128} << 20);
    }
}

class ListingTest : public testing::Test {
protected:
    Keys found(const std::vector<std::string>& patterns, const std::string& root) {
        ResourceSettings settings{.name = "t", .no_match = NoMatch::is_fine};
        for (const std::string& pattern : patterns) settings.patterns.push_back(root + folder_.path(pattern));
        const std::unique_ptr<Place> place = root.empty() ? this_machine(*files_, Log()) : store_place(*files_, settings.patterns.front(), {}, Log());
        Keys keys;
        place->list({&settings}, {}, [&](std::size_t, const io::ObjectInfo& info) { keys.push_back(place->url(info.key).substr(folder_.path("").size())); });
        std::sort(keys.begin(), keys.end());
        return keys;
    }
    void make(const std::string& name) {
        const std::string path = folder_.path(name);
        files_->create_folders(io::parent_folder(path));
        files_->create(path)->close();
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
};

/// Vector F1, on this machine and as objects of a store.
TEST_F(ListingTest, PatternsFitTheSameFilesEverywhere) {
    const Keys all = {"csv/a.csv", "csv/b.csv.gz", "sub/deep/noext", "sub/x.jsonl", "sub/y.jsonl", "top.txt"};
    for (const std::string& name : all) make(name);
    for (const std::string& root : {std::string(), std::string("file://")}) {
        SCOPED_TRACE(root);
        EXPECT_EQ(found({"*"}, root), Keys{"top.txt"});
        EXPECT_EQ(found({"**"}, root), all);
        EXPECT_EQ(found({"**/*"}, root), all);
        EXPECT_EQ(found({"*/*"}, root), (Keys{"csv/a.csv", "csv/b.csv.gz", "sub/x.jsonl", "sub/y.jsonl"}));
        EXPECT_EQ(found({"**/*.csv*"}, root), (Keys{"csv/a.csv", "csv/b.csv.gz"}));
        EXPECT_EQ(found({"sub/**/*"}, root), (Keys{"sub/deep/noext", "sub/x.jsonl", "sub/y.jsonl"}));
        EXPECT_EQ(found({"sub/**/deep/*"}, root), Keys{"sub/deep/noext"});
        EXPECT_EQ(found({"csv/[ab].csv"}, root), Keys{"csv/a.csv"});
        EXPECT_EQ(found({"no/*"}, root), Keys{});
        EXPECT_EQ(found({"top.txt"}, root), Keys{"top.txt"});
    }
}

TEST_F(ListingTest, AFileThatSeveralPatternsFitIsTakenOnce) {
    const Keys all = {"csv/a.csv", "csv/b.csv.gz"};
    for (const std::string& name : all) make(name);
    for (const std::string& root : {std::string(), std::string("file://")}) {
        SCOPED_TRACE(root);
        EXPECT_EQ(found({"**/*.csv", "csv/*"}, root), all);
        EXPECT_EQ(found({"csv/*", "csv/a.csv"}, root), all);
        EXPECT_EQ(found({"csv/a.csv", "csv/*", "csv/a.csv"}, root), all);
    }
    EXPECT_EQ(found({"csv/a.csv", "csv/../csv/a.csv"}, ""), Keys{"csv/a.csv"});
}

TEST_F(ListingTest, WhatIsMissingIsAnErrorOfItsResourceOnly) {
    make("a.csv");
    const auto resource = [&](const std::string& pattern, NoMatch no_match) { return ResourceSettings{.name = pattern, .patterns = {"file://" + folder_.path(pattern)}, .no_match = no_match}; };
    const ResourceSettings own = resource("a.csv", NoMatch::is_fine);
    const ResourceSettings file = resource("b.csv", NoMatch::is_fine);
    const ResourceSettings typed = resource("c*.csv", NoMatch::fails);
    const ResourceSettings pattern = resource("d*.csv", NoMatch::is_fine);
    const std::unique_ptr<Place> place = store_place(*files_, own.patterns.front(), {}, Log());
    const auto list = [&](const std::vector<const ResourceSettings*>& resources) {
        Keys names;
        for (const std::size_t index : place->list(resources, {}, [](std::size_t, const io::ObjectInfo&) {})) names.push_back(resources[index]->name);
        return names;
    };
    EXPECT_EQ(list({&own, &file, &pattern, &typed}), (Keys{"b.csv", "c*.csv"}));
    EXPECT_EQ(list({&pattern, &own}), Keys{});
    EXPECT_THROW(list({&file, &own}), Error);
    EXPECT_THROW(list({&typed, &own}), Error);
}

class WatermarkTest : public testing::Test {
protected:
    /// Which of the files a run takes, in the order of their times.
    std::string run(std::vector<io::ObjectInfo> files, std::size_t count_max = SIZE_MAX, incremental::Spec spec = Watermark::by_time()) {
        Watermark watermark(std::move(spec), "t", state_);
        std::erase_if(files, [&](const io::ObjectInfo& info) { return !watermark.is_new("s3://b/" + info.key, info); });
        std::sort(files.begin(), files.end(), [](const auto& a, const auto& b) { return a.modified_ns < b.modified_ns; });
        std::string taken;
        for (std::size_t i = 0; i < std::min(files.size(), count_max); ++i) {
            watermark.take("s3://b/" + files[i].key, files[i]);
            watermark.remember(state_);
            taken += (taken.empty() ? "" : " ") + files[i].key;
        }
        return taken;
    }

    json::Object state_;
};

/// Vectors F7, F8 and F11.
TEST_F(WatermarkTest, RemembersTheLatestTime) {
    std::vector<io::ObjectInfo> there = {file("a", 1000), file("b", 2000)};
    EXPECT_EQ(run(there), "a b");
    EXPECT_EQ(run(there), "");
    there.push_back(file("late", 1500));
    EXPECT_EQ(run(there), "");
    there.push_back(file("tie", 2000));
    EXPECT_EQ(run(there), "tie");
    there[0].modified_ns = std::int64_t{3000} * 1'000'000'000;
    EXPECT_EQ(run(there), "a");
}

TEST_F(WatermarkTest, AFewFilesAtATime) {
    const std::vector<io::ObjectInfo> there = {file("d", 4), file("b", 2), file("c", 3), file("a", 1)};
    std::string order;
    for (int i = 0; i < 5; ++i) order += run(there, 1) + ",";
    EXPECT_EQ(order, "a,b,c,d,,");
}

/// Vector F13.
TEST_F(WatermarkTest, ARangeOfNamesRemembersNothing) {
    const incremental::Spec spec{.cursor_path = "file_url",
                                 .initial_value = std::string("s3://b/b"),
                                 .end_value = std::string("s3://b/d"),
                                 .range_end = incremental::Range::closed,
                                 .primary_key = std::vector<std::string>{"file_url"}};
    const std::vector<io::ObjectInfo> there = {file("a", 1), file("b", 2), file("c", 3), file("d", 4), file("e", 5)};
    EXPECT_EQ(run(there, SIZE_MAX, spec), "b c d");
    EXPECT_EQ(run(there, SIZE_MAX, spec), "b c d");
    EXPECT_TRUE(state_.empty());
}

}  // namespace
}  // namespace tipple::sources::files
