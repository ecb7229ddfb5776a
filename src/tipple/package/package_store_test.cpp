#include <set>

#include "support/crashing_file_system.h"
#include "tipple/core/error.h"
#include "tipple/package/package_fixture.h"

namespace tipple::package {
namespace {

using Names = std::vector<std::string>;
const std::vector<SegmentColumn> id_column_only = {{"id", {.type = DataType::bigint}}};

class PackageStoreTest : public PackageTest {
protected:
    PackageStore store() { return {*files_, folder_.path()}; }
    static Names ids(const std::vector<Package>& packages) {
        Names names;
        for (const Package& package : packages) names.push_back(package.load_id());
        return names;
    }
};

TEST_F(PackageStoreTest, ListsOldestFirst) {
    EXPECT_TRUE(store().pending().empty());
    EXPECT_TRUE(store().finished().empty());
    EXPECT_EQ(store().remove_leftovers(), 0U);
    for (const char* id : {"1000.5", "999.000001", "1795404633.634409", "1000.25"})
        make_package(*files_, id);
    const Names expected = {"999.000001", "1000.25", "1000.5", "1795404633.634409"};
    EXPECT_EQ(ids(store().pending()), expected);
    EXPECT_EQ(store().pending_ids(), expected);
    EXPECT_TRUE(contains(message_of(ErrorKind::local, [&] { store().create("1000.5", 1'000); }),
                         "exists already"));
    EXPECT_THROW(store().create("../up", 1'000), Bug);
    EXPECT_EQ(names_in(folder_.path("packages")).size(), 4U) << "nothing is left of what failed";
}

TEST_F(PackageStoreTest, FinishedOnesKeepTheirStoryAndLoseTheirRows) {
    const Package first = make_package(*files_, "1000.1");
    const Package second = make_package(*files_, "1000.2");
    store().finish(first, PackageState::loaded);
    store().finish(second, PackageState::failed);
    store().finish(first, PackageState::loaded);
    EXPECT_TRUE(store().pending().empty());
    const std::vector<Package> finished = store().finished();
    ASSERT_EQ(ids(finished), (Names{"1000.1", "1000.2"}));
    EXPECT_EQ(finished[0].package_state(), PackageState::loaded);
    EXPECT_EQ(finished[1].package_state(), PackageState::failed);
    EXPECT_EQ(finished[0].manifest().rows(), 200U);
    EXPECT_EQ(finished[0].read_journal().size(), 2U);
    finished[0].verify();
    EXPECT_EQ(files_->find(finished[0].folder() + "/jobs"), nullptr);
    EXPECT_EQ(store().remove_leftovers(), 0U);

    // The same load id once more.
    store().finish(make_package(*files_, "1000.1"), PackageState::failed);
    EXPECT_EQ(store().finished()[0].package_state(), PackageState::failed);
}

TEST_F(PackageStoreTest, KeepsTheLatest) {
    for (int i = 0; i < 5; ++i)
        store().finish(make_package(*files_, "1000." + std::to_string(i)), PackageState::loaded);
    store().retain(7);
    EXPECT_EQ(store().finished().size(), 5U);
    store().retain(2);
    EXPECT_EQ(ids(store().finished()), (Names{"1000.3", "1000.4"}));
    store().retain(0);
    EXPECT_TRUE(store().finished().empty());
    EXPECT_TRUE(names_in(folder_.path("finished")).empty());
}

TEST_F(PackageStoreTest, DiscardsAlsoWhatIsDamaged) {
    const Package package = make_package(*files_, "1000.1");
    make_package(*files_, "1000.2");
    write_file(package.folder() + "/manifest.json", "{");
    message_of(ErrorKind::corrupt, [&] { store().pending(); });
    store().discard(std::string("1000.1"));
    store().discard(package);
    EXPECT_EQ(ids(store().pending()), Names{"1000.2"});
    EXPECT_EQ(names_in(folder_.path("packages")), Names{"1000.2"});
}

TEST_F(PackageStoreTest, AWriterThatIsGivenUpLeavesNothing) {
    Random random(1);
    {
        const auto writer = store().create(load_id, 1'000);
        writer->write(random_batch("orders", id_column_only, 1'000, random).encode());
        EXPECT_FALSE(names_in(folder_.path("packages")).empty());
    }
    EXPECT_TRUE(names_in(folder_.path("packages")).empty());
}

TEST_F(PackageStoreTest, RowsWithoutALoadAreNotLost) {
    Random random(1);
    const auto writer = store().create(load_id, 1'000'000);
    writer->write(random_batch("orders", id_column_only, 10, random).encode());
    EXPECT_TRUE(contains(
        message_of(ErrorKind::corrupt, [&] { writer->close(content_for({"lines"}), clock_); }),
        "loads no table \"orders\""));
}

TEST_F(PackageStoreTest, FilesRotate) {
    Random random(1);
    const auto writer = store().create(load_id, 10'000);
    for (int i = 0; i < 20; ++i)
        writer->write(random_batch("orders", id_column_only, 1'000, random).encode());
    EXPECT_EQ(writer->rows(), 20'000U);
    EXPECT_GT(writer->bytes(), 50'000U);
    const Package package = writer->close(content_for({"orders"}), clock_);
    EXPECT_GE(package.manifest().jobs.size(), 5U);
    for (const JobFile& job : package.manifest().jobs) EXPECT_LT(job.bytes, 20'000U);
    package.verify();
}

TEST_F(PackageStoreTest, TableNamesMayBeAnything) {
    const Names tables = {"orders",
                          "Orders",
                          "ORDERS",
                          "a/b",
                          "../../x",
                          ".",
                          "",
                          "é🚀",
                          std::string("a\0b", 3),
                          "a\nb",
                          "con: <x>|?*",
                          std::string(65'536, 'x'),
                          std::string(65'536, 'x') + "y",
                          "-rf",
                          "orders.000001.arrow"};
    Random random(1);
    std::set<std::string> lower_names;
    PackageContent content = content_for(tables);
    const auto writer = store().create(load_id, 1'000'000);
    std::size_t rows = 1;
    for (const std::string& table : tables)
        writer->write(random_batch(table, id_column_only, rows++, random).encode());
    const Package package = writer->close(std::move(content), clock_);
    for (std::size_t i = 0; i < tables.size(); ++i) {
        const auto jobs = package.jobs_of(tables[i]);
        ASSERT_EQ(jobs.size(), 1U);
        EXPECT_EQ(jobs[0]->rows, i + 1);
        EXPECT_LT(jobs[0]->name.size(), 80U);
        std::string lower = jobs[0]->name;
        std::transform(lower.begin(), lower.end(), lower.begin(),
                       [](unsigned char c) { return static_cast<char>(std::tolower(c)); });
        EXPECT_TRUE(lower_names.insert(lower).second)
            << "file systems may not know upper from lower case";
        EXPECT_EQ(TableReader(*files_, package, tables[i], id_column_only, 100).next()->rows,
                  i + 1);
    }
}

TEST_F(PackageStoreTest, MoreTablesThanOpenFiles) {
    Random random(1);
    Names tables;
    for (int i = 0; i < 150; ++i) tables.push_back("t" + std::to_string(i));
    const auto writer = store().create(load_id, 1'000'000);
    for (int round = 0; round < 3; ++round) {
        for (const std::string& table : tables)
            writer->write(random_batch(table, id_column_only, 10, random).encode());
    }
    const Package package = writer->close(content_for(tables), clock_);
    package.verify();
    for (const std::string& table : tables) {
        EXPECT_EQ(package.jobs_of(table).size(), 1U);
        EXPECT_EQ(TableReader(*files_, package, table, id_column_only, 100).next()->rows, 30U);
    }
}

/// Runs `scenario` with a crash at each of its steps in turn, the last time without one. `recover`
/// comes after each.
template <typename Scenario, typename Recover>
void crash_everywhere(io::FileSystem& files, Scenario scenario, Recover recover) {
    for (int at = 1;; ++at) {
        ASSERT_LT(at, 10'000);
        support::CrashingFileSystem crashing(files, at);
        try {
            scenario(crashing);
        } catch (const Error& error) {
            EXPECT_TRUE(crashing.has_crashed()) << error.what();
        }
        SCOPED_TRACE("crash at step " + std::to_string(at));
        recover(crashing.has_crashed());
        if (!crashing.has_crashed()) break;
    }
}

TEST_F(PackageStoreTest, APackageIsThereWholeOrNotAtAll) {
    crash_everywhere(
        *files_, [&](io::FileSystem& files) { make_package(files, load_id); },
        [&](bool has_crashed) {
            store().remove_leftovers();
            const std::vector<Package> pending = store().pending();
            for (const Package& package : pending) {
                package.verify();
                EXPECT_EQ(package.manifest().rows(), 200U);
            }
            if (!has_crashed) {
                EXPECT_EQ(pending.size(), 1U);
            }
            EXPECT_EQ(names_in(folder_.path("packages")).size(), pending.size());
            store().discard(std::string(load_id));
        });
}

TEST_F(PackageStoreTest, FinishingIsRepeatable) {
    // The second round finds a finished package of the same name.
    for (int round = 0; round < 2; ++round) {
        crash_everywhere(
            *files_,
            [&](io::FileSystem& files) {
                if (store().pending_ids().empty()) make_package(*files_, load_id);
                PackageStore(files, folder_.path())
                    .finish(store().pending()[0], PackageState::loaded);
            },
            [&](bool) {
                store().remove_leftovers();
                // A run that comes later finds it pending, and then loaded at the destination; or
                // finished.
                for (const Package& package : store().pending()) {
                    package.verify();
                    store().finish(package, PackageState::loaded);
                }
                EXPECT_TRUE(names_in(folder_.path("packages")).empty());
                EXPECT_EQ(names_in(folder_.path("finished")), Names{load_id});
                const std::vector<Package> finished = store().finished();
                ASSERT_EQ(finished.size(), 1U);
                EXPECT_EQ(finished[0].package_state(), PackageState::loaded);
                EXPECT_EQ(files_->find(finished[0].folder() + "/jobs"), nullptr);
            });
    }
}

TEST_F(PackageStoreTest, DiscardingIsRepeatable) {
    crash_everywhere(
        *files_,
        [&](io::FileSystem& files) {
            const Package package = make_package(*files_, load_id);
            PackageStore(files, folder_.path()).discard(package);
        },
        [&](bool has_crashed) {
            store().remove_leftovers();
            for (const Package& package : store().pending()) package.verify();
            if (!has_crashed) {
                EXPECT_TRUE(store().pending_ids().empty());
            }
            store().discard(std::string(load_id));
            EXPECT_TRUE(names_in(folder_.path("packages")).empty());
        });
}

TEST_F(PackageStoreTest, RetainingIsRepeatable) {
    crash_everywhere(
        *files_,
        [&](io::FileSystem& files) {
            for (const char* id : {"1000.1", "1000.2", "1000.3"}) {
                if (files_->find(folder_.path(std::string("finished/") + id)) == nullptr) {
                    store().finish(make_package(*files_, id), PackageState::loaded);
                }
            }
            PackageStore(files, folder_.path()).retain(1);
        },
        [&](bool has_crashed) {
            store().remove_leftovers();
            EXPECT_GE(store().finished().size(), 1U) << "and each of them can be read";
            if (!has_crashed) {
                EXPECT_EQ(ids(store().finished()), Names{"1000.3"});
            }
        });
}

}  // namespace
}  // namespace tipple::package
