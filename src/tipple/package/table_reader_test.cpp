#include <rapidcheck.h>

#include "tipple/columns/spare_batches.h"
#include "tipple/core/error.h"
#include "tipple/package/package_fixture.h"

namespace tipple::package {
namespace {

class TableReaderTest : public PackageTest {
protected:
    /// All rows of a table, read in batches whose sizes are checked.
    std::vector<ColumnBuilder> read_all(const Package& package, const std::string& table,
                                        const std::vector<SegmentColumn>& columns,
                                        std::size_t batch_rows, std::size_t rows_expected) {
        std::vector<ColumnBuilder> all;
        for (const SegmentColumn& column : columns) all.emplace_back(column.type);
        TableReader reader(*files_, package, table, columns, batch_rows);
        const auto spares = std::make_shared<columns::SpareBatches>();
        reader.use(spares);
        std::size_t rows = 0;
        for (int number = 0; std::unique_ptr<columns::Batch> batch = reader.next(); ++number) {
            EXPECT_EQ(batch->rows, std::min(batch_rows, rows_expected - rows));
            EXPECT_EQ(batch->columns.size(), columns.size());
            for (std::size_t i = 0; i < columns.size(); ++i) {
                EXPECT_EQ(batch->names[i], columns[i].name);
                EXPECT_EQ(batch->columns[i].length(), batch->rows);
                all[i].append_rows(batch->columns[i].view(), 0, batch->rows);
            }
            rows += batch->rows;
            if (number % 3 != 0) spares->give(std::move(batch));
        }
        EXPECT_EQ(rows, rows_expected);
        EXPECT_EQ(reader.next(), nullptr) << "the end stays the end";
        return all;
    }

    /// Writes one damaged job file whose manifest entry says what is given, and reads it.
    std::string failure_of(const std::string& bytes, std::uint64_t rows,
                           const std::vector<SegmentColumn>& columns,
                           bool has_right_checksum = true) {
        const Package package = make_package(*files_, load_id, {"orders"}, 10);
        write_file(package.path_of(package.manifest().jobs[0]), bytes);
        const std::string path = package.folder() + "/manifest.json";
        json::Value document = json::parse(files_->read_text(path));
        json::Object& job = document.as_object().find("jobs")->as_array()[0].as_object();
        job.set("rows", rows);
        job.set("bytes", static_cast<std::uint64_t>(bytes.size()));
        if (has_right_checksum) job.set("checksum", to_hex(xxh3_64(bytes)));
        document.as_object().erase("checksum");
        const std::string checksum = to_hex(xxh3_64(json::to_text(document)));
        document.as_object().append("checksum", checksum);
        write_file(path, json::to_text(document));
        std::string message = message_of(ErrorKind::corrupt, [&] {
            TableReader reader(*files_, Package(*files_, package.folder()), "orders", columns,
                               1'000);
            while (reader.next() != nullptr) {
            }
        });
        EXPECT_TRUE(contains(message, "orders.000001.arrow")) << message;
        files_->remove(folder_.path("packages"));
        return message;
    }
};

TEST_F(TableReaderTest, RandomSegmentsAreRecut) {
    const bool passed = rc::check("write segments and read batches", [this] {
        Random random(*rc::gen::arbitrary<std::uint64_t>());
        const std::vector<SegmentColumn> columns = all_columns();
        const auto batch_count = *rc::gen::inRange(0, 12);
        const auto job_bytes_max = *rc::gen::element<std::uint64_t>(1, 20'000, 1'000'000);
        std::vector<ColumnBuilder> expected;
        for (const SegmentColumn& column : columns) expected.emplace_back(column.type);
        std::size_t rows_total = 0;
        files_->remove(folder_.path("packages"));
        const auto writer = PackageStore(*files_, folder_.path()).create(load_id, job_bytes_max);
        std::vector<SegmentColumn> segment;
        for (int i = 0; i < batch_count; ++i) {
            if (i == 0 || support::pick(random, 2) == 0) {
                segment.clear();
                for (const SegmentColumn& column : columns) {
                    if (support::pick(random, 3) > 0) segment.push_back(column);
                }
                std::shuffle(segment.begin(), segment.end(), random);
            }
            const std::size_t sizes[] = {0, 1, 7, 100, 1'000};
            const PlainBatch batch =
                random_batch("orders", segment, sizes[support::pick(random, 4)], random);
            writer->write(batch.encode());
            // Another table's rows in between do not matter.
            writer->write(
                random_batch("lines", {{"id", {.type = DataType::bigint}}}, 3, random).encode());
            append_to_table(expected, columns, batch);
            rows_total += batch.rows;
        }
        const Package package = writer->close(content_for({"orders", "lines"}), clock_);
        package.verify();
        RC_ASSERT(package.manifest().rows_of("orders") == rows_total);
        for (const std::size_t batch_rows : {std::size_t{1 + support::pick(random, 300)},
                                             std::size_t{1'000}, std::size_t{1'000'000}}) {
            const std::vector<ColumnBuilder> all =
                read_all(package, "orders", columns, batch_rows, rows_total);
            for (std::size_t i = 0; i < columns.size(); ++i) {
                RC_ASSERT(support::difference(all[i].view(), expected[i].view()) == "");
            }
        }
        const std::size_t first = support::pick(random, rows_total);
        const std::size_t count = std::min<std::size_t>(support::pick(random, 1'500), rows_total - first);
        TableReader part(*files_, package, "orders", columns, 1 + support::pick(random, 300));
        part.select(first, count);
        std::size_t rows = 0;
        while (const std::unique_ptr<columns::Batch> batch = part.next()) {
            for (std::size_t i = 0; i < columns.size(); ++i) {
                ColumnBuilder same(columns[i].type);
                same.append_rows(expected[i].view(), first + rows, batch->rows);
                RC_ASSERT(support::difference(batch->columns[i].view(), same.view()) == "");
            }
            rows += batch->rows;
        }
        RC_ASSERT(rows == count);
    });
    EXPECT_TRUE(passed);
}

TEST_F(TableReaderTest, BatchesTakeTheMemoryOfThoseThatWereGivenBack) {
    const std::vector<SegmentColumn> columns = {{.name = "id", .type = {.type = schema::DataType::bigint}}};
    const Package package = make_package(*files_, load_id, {"orders"}, 10);
    TableReader reader(*files_, package, "orders", columns, 2, limits::text_buffer_bytes_max, OtherColumns::skip);
    const auto spares = std::make_shared<columns::SpareBatches>();
    reader.use(spares);
    std::unique_ptr<columns::Batch> first = reader.next();
    ASSERT_NE(first, nullptr);
    const std::uint8_t* memory = first->columns[0].view().values;
    spares->give(std::move(first));
    const std::unique_ptr<columns::Batch> second = reader.next();
    ASSERT_NE(second, nullptr);
    EXPECT_EQ(second->columns[0].view().values, memory);
    const std::unique_ptr<columns::Batch> third = reader.next();
    EXPECT_NE(third->columns[0].view().values, memory);
    spares->close();
    spares->give(std::make_unique<columns::Batch>());
    EXPECT_EQ(spares->take(), nullptr);
}

TEST_F(TableReaderTest, BatchesEndEarlyRatherThanHoldTooMuch) {
    Random random(1);
    const std::vector<SegmentColumn> columns = {{"id", {.type = DataType::bigint}}};
    const auto writer = PackageStore(*files_, folder_.path()).create(load_id, 1'000'000);
    for (int i = 0; i < 10; ++i)
        writer->write(random_batch("orders", columns, 100, random).encode());
    const Package package = writer->close(content_for({"orders"}), clock_);
    TableReader reader(*files_, package, "orders", columns, 1'000, 2'000);
    std::size_t rows = 0;
    while (const auto batch = reader.next()) {
        EXPECT_LE(batch->rows, 200U);
        EXPECT_GE(batch->rows, 100U);
        rows += batch->rows;
    }
    EXPECT_EQ(rows, 1'000U);
    TableReader tight(*files_, package, "orders", columns, 30, 1);
    rows = 0;
    while (const auto batch = tight.next()) rows += batch->rows;
    EXPECT_EQ(rows, 1'000U) << "a message is never too large";
}

TEST_F(TableReaderTest, TablesWithoutRowsHaveNoBatches) {
    const Package package = make_package(*files_, load_id);
    EXPECT_EQ(TableReader(*files_, package, "nothing", all_columns(), 10).next(), nullptr);
}

TEST_F(TableReaderTest, ColumnsMustBeThoseOfTheTable) {
    const Package package = make_package(*files_, load_id);
    const auto read = [&](std::vector<SegmentColumn> columns) {
        return message_of(ErrorKind::corrupt, [&] {
            TableReader(*files_, package, "orders", std::move(columns), 10).next();
        });
    };
    EXPECT_TRUE(contains(read({{"other", {.type = DataType::bigint}}}), "column \"id\""));
    EXPECT_TRUE(
        contains(read({{"id", {.type = DataType::text}}}), "is bigint where the table's is text"));
    EXPECT_THROW(TableReader(*files_, package, "orders", {{"id", {}}, {"id", {}}}, 10), Bug);
}

TEST_F(TableReaderTest, DamagedFilesAreFoundOut) {
    Random random(2);
    const std::vector<SegmentColumn> columns = {{"id", {.type = DataType::bigint}},
                                                {"name", {.type = DataType::text}}};
    std::string schema_message;
    format::append_schema(schema_message, {{"id", columns[0].type}, {"name", columns[1].type}});
    std::string end;
    format::append_end_of_stream(end);
    const std::string rows = random_batch("orders", columns, 10, random).encode().message;

    EXPECT_TRUE(contains(failure_of(schema_message + rows + end, 10, columns, false), "checksum"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows + end, 11, columns),
                         "10 rows where the manifest says 11"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows + end, 9, columns), "more rows"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows, 10, columns), "does not end"));
    EXPECT_TRUE(contains(failure_of(rows + end, 10, columns), "not in order"));
    EXPECT_TRUE(contains(failure_of(schema_message + schema_message + rows + end, 10, columns),
                         "not in order"));
    EXPECT_TRUE(
        contains(failure_of(schema_message + rows + end + end, 10, columns), "did not begin"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows + end + "x", 10, columns),
                         "middle of a message"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows.substr(0, 30), 10, columns),
                         "middle of a message"));
    EXPECT_TRUE(contains(failure_of(schema_message + rows.substr(0, rows.size() - 8), 10, columns),
                         "middle of a message"));
    EXPECT_TRUE(
        contains(failure_of("nothing that is ours", 10, columns), "no message begins here"));
    // Random damage, with a checksum that fits: whatever comes out, it is an error or ten rows.
    for (int i = 0; i < 40; ++i) {
        std::string bytes = schema_message + rows + end;
        const std::size_t at = support::pick(random, bytes.size() - 1);
        bytes[at] =
            static_cast<char>(bytes[at] ^ static_cast<char>(1 + support::pick(random, 200)));
        failure_of(bytes, 11, columns);
    }
}

TEST_F(TableReaderTest, AFileThatShrinksIsAnError) {
    const Package package = make_package(*files_, load_id);
    const std::string path = package.path_of(package.manifest().jobs[0]);
    TableReader reader(*files_, package, "orders", {{"id", {.type = DataType::bigint}}}, 10);
    const std::string bytes = files_->read_text(path);
    write_file(path, bytes.substr(0, bytes.size() - 20));
    EXPECT_TRUE(contains(message_of(ErrorKind::corrupt, [&] { reader.next(); }),
                         "shorter than the manifest says"));
    files_->remove(path);
    TableReader again(*files_, package, "orders", {{"id", {.type = DataType::bigint}}}, 10);
    EXPECT_TRUE(contains(message_of(ErrorKind::corrupt, [&] { again.next(); }), "missing"));
}

}  // namespace
}  // namespace tipple::package
