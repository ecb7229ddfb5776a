#include "tipple/package/package.h"

#include <set>

#include "tipple/core/error.h"
#include "tipple/package/package_fixture.h"

namespace tipple::package {
namespace {

using Names = std::vector<std::string>;

TEST_F(PackageTest, KeepsWhatItWasGiven) {
    const Package written = make_package(*files_, load_id);
    const Package read(*files_, written.folder());
    for (const Package* package : {&written, &read}) {
        EXPECT_EQ(package->folder(), folder_.path("packages/1795404633.634409"));
        EXPECT_EQ(package->load_id(), load_id);
        const Manifest& manifest = package->manifest();
        const PackageContent expected = content_for({"orders", "lines"});
        EXPECT_EQ(manifest.pipeline, "shop");
        EXPECT_EQ(manifest.dataset, "shop_data");
        EXPECT_EQ(manifest.schema_name, "shop");
        EXPECT_EQ(manifest.destination, "duckdb:/data/shop.duckdb");
        EXPECT_EQ(manifest.created_at, "2026-11-23T03:30:33.634409Z");
        EXPECT_EQ(manifest.tool_version, "0.1.0");
        EXPECT_TRUE(manifest.has_new_state);
        EXPECT_EQ(manifest.removal, expected.manifest.removal);
        EXPECT_EQ(manifest.notes, expected.manifest.notes);
        ASSERT_EQ(manifest.loads.size(), 2U);
        EXPECT_EQ(manifest.loads[1].root, "lines");
        EXPECT_EQ(manifest.loads[1].disposition, schema::Disposition::append);
        EXPECT_EQ(manifest.loads[1].tables, Names{"lines"});
        EXPECT_EQ(package->schema().to_document(), expected.schema.to_document());
        EXPECT_EQ(package->schema_change(), expected.schema_change);
        EXPECT_EQ(package->state(), expected.state);
        EXPECT_EQ(package->fence(), expected.fence);
        EXPECT_EQ(package->package_state(), PackageState::normalized);
        ASSERT_EQ(manifest.jobs.size(), 2U);
        const JobFile& job = *package->jobs_of("lines").at(0);
        EXPECT_EQ(job.name, "lines.000002.arrow");
        EXPECT_EQ(job.rows, 100U);
        EXPECT_EQ(job.bytes, files_->find(package->path_of(job))->size);
        EXPECT_EQ(job.checksum, xxh3_64(files_->read_text(package->path_of(job))));
        EXPECT_EQ(manifest.rows(), 200U);
        EXPECT_EQ(manifest.rows_of("orders"), 100U);
        EXPECT_EQ(manifest.rows_of("none"), 0U);
        EXPECT_GE(manifest.raw_bytes_of("orders"), 800U);
        package->verify();
    }
    EXPECT_EQ(names_in(written.folder()),
              (Names{"jobs", "journal.jsonl", "manifest.json", "schema.json", "schema_change.json",
                     "state.json"}));
    EXPECT_EQ(names_in(folder_.path("packages")), Names{load_id});
}

TEST_F(PackageTest, AFullSnapshotStaysOne) {
    const auto writer = PackageStore(*files_, folder_.path()).create(load_id, 1'000);
    PackageContent content = content_for({"orders"});
    const schema::DeleteMissing soft{.mode = schema::DeleteMissing::Mode::soft, .limit = schema::DeleteLimit::parse("2.5%"), .allows_empty = true};
    content.manifest.loads[0].delete_missing = soft;
    const Package written = writer->close(content, clock_);
    EXPECT_EQ(Package(*files_, written.folder()).manifest().loads[0].delete_missing, soft);
}

TEST_F(PackageTest, AFenceMayKnowNothing) {
    const auto writer = PackageStore(*files_, folder_.path()).create(load_id, 1'000);
    PackageContent content = content_for({});
    content.fence = {};
    const Package package = writer->close(std::move(content), clock_);
    EXPECT_EQ(Package(*files_, package.folder()).fence(), Fence());
    EXPECT_EQ(package.manifest().rows(), 0U);
}

TEST_F(PackageTest, TheJournalOutlivesTornLines) {
    Package package = make_package(*files_, load_id);
    package.journal(clock_, "loading", {{"attempt", 1}});
    const std::string path = package.folder() + "/journal.jsonl";
    {
        const auto file = files_->open_append(path);
        file->write(R"({"at":"2026-11-24T)");
        file->close();
    }
    EXPECT_EQ(package.read_journal().size(), 2U) << "the torn line is left out";
    package.journal(clock_, "loading", {{"attempt", 2}});
    const std::vector<json::Value> lines = package.read_journal();
    ASSERT_EQ(lines.size(), 3U);
    EXPECT_EQ(json::to_text(lines[0]),
              R"({"at":"2026-11-23T03:30:33.634409Z","step":"closed","rows":200,"jobs":2})");
    EXPECT_EQ(json::to_text(lines[2]),
              R"({"at":"2026-11-23T03:30:33.634409Z","step":"loading","attempt":2})");
    files_->remove(path);
    EXPECT_TRUE(package.read_journal().empty());
}

TEST_F(PackageTest, MissingOrChangedFilesAreFound) {
    const Package package = make_package(*files_, load_id);
    const std::string folder = package.folder();
    for (const char* name : {"manifest.json", "schema.json", "schema_change.json", "state.json",
                             "jobs/orders.000001.arrow"}) {
        const std::string path = folder + "/" + name;
        const std::string text = files_->read_text(path);
        const auto reading_fails = [&] {
            const std::string message =
                message_of(ErrorKind::corrupt, [&] { Package(*files_, folder); });
            EXPECT_TRUE(contains(message, name)) << message;
        };
        files_->remove(path);
        reading_fails();
        write_file(path, text.substr(0, text.size() - 1) + "xx");
        reading_fails();
        write_file(path, "");
        reading_fails();
        write_file(path, text);
        Package(*files_, folder).verify();
    }
    files_->rename(folder, folder_.path("packages/1795404633.634410"));
    message_of(ErrorKind::corrupt,
               [&] { Package(*files_, folder_.path("packages/1795404633.634410")); });
}

TEST_F(PackageTest, VerifyFindsAFlippedBit) {
    const Package package = make_package(*files_, load_id);
    const std::string path = package.path_of(package.manifest().jobs[0]);
    std::string bytes = files_->read_text(path);
    bytes[bytes.size() / 2] = static_cast<char>(bytes[bytes.size() / 2] ^ 1);
    write_file(path, bytes);
    const Package read(*files_, package.folder());
    const std::string message = message_of(ErrorKind::corrupt, [&] { read.verify(); });
    EXPECT_TRUE(contains(message, path)) << message;
}

TEST_F(PackageTest, EveryFlippedByteOfTheManifestIsFound) {
    const Package package = make_package(*files_, load_id);
    const std::string path = package.folder() + "/manifest.json";
    const std::string text = files_->read_text(path);
    for (std::size_t at = 0; at < text.size(); ++at) {
        // White space between members does not count.
        if (text[at] == ' ' || text[at] == '\n') continue;
        std::string damaged = text;
        damaged[at] = static_cast<char>(damaged[at] ^ 1);
        write_file(path, damaged);
        EXPECT_THROW(Package(*files_, package.folder()), Error) << "byte " << at;
    }
}

/// The manifest with one change, and with the checksum that then belongs to it.
class ManifestTest : public PackageTest {
protected:
    void SetUp() override {
        package_ = std::make_unique<Package>(make_package(*files_, load_id));
        path_ = package_->folder() + "/manifest.json";
        json::Value document = json::parse(files_->read_text(path_));
        original_ = document.as_object();
    }

    void write(json::Object document) {
        document.erase("checksum");
        document.append("checksum", to_hex(xxh3_64(json::to_text(document))));
        write_file(path_, json::to_text(document));
    }
    std::string failure() {
        return message_of(ErrorKind::corrupt, [&] { Package(*files_, package_->folder()); });
    }

    std::unique_ptr<Package> package_;
    std::string path_;
    json::Object original_;
};

TEST_F(ManifestTest, EachMemberIsNeededAndNoOther) {
    write(original_);
    Package(*files_, package_->folder());
    for (const json::Member& member : original_) {
        // What is dropped, emptied and undone is said only when there is something.
        if (member.name == "checksum" || member.name == "dropped_tables" || member.name == "truncated_tables" || member.name == "undone_loads") continue;
        json::Object changed = original_;
        changed.erase(member.name);
        write(changed);
        EXPECT_TRUE(contains(failure(), "has no \"" + member.name + "\""));
        // null is allowed nowhere at the top.
        changed = original_;
        changed.set(member.name, nullptr);
        write(changed);
        failure();
    }
    json::Object changed = original_;
    changed.set("more", 1);
    write(changed);
    EXPECT_TRUE(contains(failure(), "members that do not belong"));
}

TEST_F(ManifestTest, MembersInsideAreCheckedToo) {
    for (const char* list : {"jobs", "loads", "documents"}) {
        const json::Object first = original_.find(list)->as_array()[0].as_object();
        const auto with_first = [&](json::Value value) {
            json::Object changed = original_;
            changed.find(list)->as_array()[0] = std::move(value);
            write(changed);
            return failure();
        };
        for (const json::Member& member : first) {
            json::Object item = first;
            item.erase(member.name);
            // A file without rows has no batch.
            if (member.name != "batch_bytes") {
                EXPECT_TRUE(contains(with_first(item), std::string(list) + "[0]"));
            }
            item.append(member.name, json::Array{nullptr});
            with_first(item);
        }
        json::Object item = first;
        item.append("more", 1);
        EXPECT_TRUE(contains(with_first(item), "members that do not belong"));
        with_first(17);
    }
}

TEST_F(ManifestTest, ValuesMustMakeSense) {
    const auto job_with = [&](const char* name, json::Value value) {
        json::Object changed = original_;
        changed.find("jobs")->as_array()[0].as_object().set(name, std::move(value));
        write(changed);
        return failure();
    };
    job_with("rows", -1);
    job_with("rows", 1.5);
    job_with("rows", std::uint64_t{1} << 63);
    job_with("rows", (std::uint64_t{1} << 63) - 1);
    job_with("bytes", 17);
    job_with("name", "../../etc/passwd");
    job_with("name", "lines.000002.arrow");
    job_with("table", "unknown");
    job_with("checksum", "123");
    job_with("checksum", "000000000000000g");
    job_with("reference", json::Object());

    json::Object changed = original_;
    changed.find("loads")->as_array()[1].as_object().set("tables", json::Array{"lines", "orders"});
    write(changed);
    EXPECT_TRUE(contains(failure(), "twice"));
    changed = original_;
    changed.find("loads")->as_array()[1].as_object().set("tables",
                                                         json::Array{"lines", "elsewhere"});
    write(changed);
    EXPECT_TRUE(contains(failure(), "not in its schema"));
    changed = original_;
    changed.find("loads")->as_array()[1].as_object().set("disposition", "upsert");
    write(changed);
    failure();
    changed = original_;
    changed.set("format", 0);
    write(changed);
    failure();
    changed.set("format", 2);
    write(changed);
    message_of(ErrorKind::usage, [&] { Package(*files_, package_->folder()); });
}

TEST_F(ManifestTest, RandomChangesAreHarmless) {
    Random random(7);
    const std::string text = json::to_text(original_);
    for (int i = 0; i < 2'000; ++i) {
        std::string damaged = text;
        for (std::size_t hits = 1 + support::pick(random, 3); hits > 0; --hits) {
            static constexpr std::string_view noise = "{}[]\",:0123456789-eE.\\ntfu\xFF";
            damaged[support::pick(random, damaged.size() - 1)] =
                noise[support::pick(random, noise.size() - 1)];
        }
        json::Value document;
        if (!json::try_parse(damaged, document) || !document.is_object()) continue;
        write(document.as_object());
        try {
            Package(*files_, package_->folder()).verify();
        } catch (const Error& error) {
            EXPECT_TRUE(error.kind() == ErrorKind::corrupt || error.kind() == ErrorKind::usage)
                << error.what();
        }
    }
}

/// Whatever was written between a mark and a roll back, the package is as if it had never come.
TEST_F(PackageTest, WhatIsTakenBackLeavesNoTrace) {
    const auto columns = std::vector<SegmentColumn>{{"id", {.type = DataType::bigint}}};
    const auto wide = std::vector<SegmentColumn>{{"id", {.type = DataType::bigint}}, {"note", {.type = DataType::text}}};
    for (const std::uint64_t job_bytes_max : {std::uint64_t{1}, std::uint64_t{3'000}, std::uint64_t{1'000'000}}) {
        std::map<std::string, std::uint64_t> checksums[2];
        for (const bool takes_back : {false, true}) {
            Random random(7);
            Random other(8);
            PackageWriter writer(*files_, folder_.path(fmt::format("packages-{}-{}", job_bytes_max, takes_back)), load_id, job_bytes_max);
            const auto write_and_take_back = [&] {
                if (!takes_back) return;
                writer.mark();
                for (int i = 0; i < 20; ++i) {
                    writer.write(random_batch("orders", i % 2 == 0 ? columns : wide, 50, other).encode());
                    writer.write(random_batch("late", columns, 50, other).encode());
                    if (i % 5 == 4) writer.roll_back();
                }
                writer.add_reference("orders", {.path = folder_.path("no.parquet"), .size = 7}, 9);
                writer.roll_back();
            };
            write_and_take_back();
            writer.write(random_batch("orders", columns, 100, random).encode());
            write_and_take_back();
            write_and_take_back();
            writer.write(random_batch("orders", columns, 100, random).encode());
            writer.write(random_batch("lines", columns, 10, random).encode());
            write_and_take_back();
            writer.mark();
            writer.write(random_batch("lines", wide, 10, random).encode());
            const Package package = writer.close(content_for({"orders", "lines"}), clock_);
            package.verify();
            EXPECT_EQ(package.manifest().rows_of("orders"), 200U);
            EXPECT_EQ(package.manifest().rows_of("late"), 0U);
            std::size_t number = 0;
            for (const JobFile& job : package.manifest().jobs) checksums[takes_back ? 1 : 0][fmt::format("{} {}", job.table, ++number)] = job.checksum;
            EXPECT_EQ(names_in(io::join_path(package.folder(), "jobs")).size(), package.manifest().jobs.size());
        }
        EXPECT_EQ(checksums[0], checksums[1]);
    }
}

TEST_F(PackageTest, ReferencesAreKeptAndChecked) {
    const std::string path = folder_.path("data \xFF.parquet");
    write_file(path, "PAR1");
    const auto info = files_->find(path);
    const FileReference reference{
        .path = path,
        .size = info->size,
        .modified_ns = info->modified_ns,
        .columns = {{"ID", {"id", {.type = DataType::bigint}}},
                    {"Price", {"price", {.type = DataType::decimal, .precision = 20, .scale = 2}}},
                    {"At", {"at", {.type = DataType::timestamp, .timezone = false}}}},
        .row_id_prefix = "AbC"};
    Random random(1);
    const auto writer = PackageStore(*files_, folder_.path()).create(load_id, 1'000'000);
    const std::vector<SegmentColumn> columns = {{"id", {.type = DataType::bigint}}};
    writer->write(random_batch("orders", columns, 5, random).encode());
    writer->add_reference("orders", reference, 1'000);
    FileReference other = reference;
    other.path = folder_.path("plain.parquet");
    writer->add_reference("orders", other, 7);
    writer->write(random_batch("orders", columns, 6, random).encode());
    EXPECT_EQ(writer->rows(), 1'018U);
    const std::string folder = writer->close(content_for({"orders"}), clock_).folder();

    const Package package(*files_, folder);
    const std::vector<const JobFile*> jobs = package.jobs_of("orders");
    ASSERT_EQ(jobs.size(), 4U) << "rows keep their order";
    EXPECT_EQ(jobs[0]->rows, 5U);
    EXPECT_EQ(jobs[1]->name, "orders.000002.ref");
    EXPECT_EQ(jobs[1]->reference, reference);
    EXPECT_EQ(jobs[1]->rows, 1'000U);
    EXPECT_EQ(jobs[1]->bytes, 4U);
    EXPECT_EQ(package.path_of(*jobs[1]), path);
    EXPECT_EQ(jobs[2]->reference, other);
    EXPECT_EQ(jobs[3]->rows, 6U);

    EXPECT_TRUE(contains(message_of(ErrorKind::data, [&] { package.verify(); }),
                         "plain.parquet\" was removed"));
    write_file(other.path, "PAR1");
    EXPECT_TRUE(contains(message_of(ErrorKind::data, [&] { package.verify(); }), "was changed"));
    TableReader reader(*files_, package, "orders", columns, 100);
    EXPECT_EQ(reader.next()->rows, 11U) << "only rows that are in the package";
}

}  // namespace
}  // namespace tipple::package
