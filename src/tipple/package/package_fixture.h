#pragma once

#include <algorithm>
#include <map>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "support/random_columns.h"
#include "support/temporary_folder.h"
#include "tipple/core/hash.h"
#include "tipple/format/arrow_ipc.h"
#include "tipple/package/package.h"

/// What the tests of this module share.
namespace tipple::package {

using columns::ColumnBuilder;
using schema::DataType;
using support::Nulls;
using support::Random;

class FakeClock final : public Clock {
public:
    std::int64_t now_us() const override { return now; }
    std::int64_t steady_ns() const override { return now * 1000; }
    std::int64_t now = 1'795'404'633'634'409;
};

/// Rows of a table before they are encoded.
struct PlainBatch {
    std::string table;
    std::vector<SegmentColumn> columns;
    std::vector<ColumnBuilder> builders;
    std::size_t rows = 0;

    EncodedBatch encode() const {
        EncodedBatch batch{
            .table = table, .columns = columns, .rows = rows, .raw_bytes = 0, .message = {}};
        std::vector<columns::ColumnView> views;
        for (const ColumnBuilder& builder : builders) {
            views.push_back(builder.view());
            batch.raw_bytes += views.back().byte_size();
        }
        format::BatchEncoder(format::Compression::lz4).append_batch(batch.message, views, rows);
        return batch;
    }
};

inline PlainBatch random_batch(std::string table, std::vector<SegmentColumn> columns,
                               std::size_t rows, Random& random) {
    PlainBatch batch{
        .table = std::move(table), .columns = std::move(columns), .builders = {}, .rows = rows};
    for (const SegmentColumn& column : batch.columns) {
        batch.builders.push_back(support::random_column(
            column.type, rows, static_cast<Nulls>(support::pick(random, 1)), random));
    }
    return batch;
}

/// Appends the batch to the columns of the whole table, nulls where it has no such column.
inline void append_to_table(std::vector<ColumnBuilder>& table,
                            const std::vector<SegmentColumn>& columns, const PlainBatch& batch) {
    for (std::size_t i = 0; i < columns.size(); ++i) {
        const auto found = std::find(batch.columns.begin(), batch.columns.end(), columns[i]);
        if (found == batch.columns.end()) {
            table[i].append_nulls(batch.rows);
        } else {
            table[i].append_rows(
                batch.builders[static_cast<std::size_t>(found - batch.columns.begin())].view(), 0,
                batch.rows);
        }
    }
}

inline std::vector<SegmentColumn> all_columns() {
    std::vector<SegmentColumn> columns;
    for (const columns::ColumnType& type : support::every_column_type()) {
        columns.push_back({"c" + std::to_string(columns.size()), type});
    }
    return columns;
}

class PackageTest : public testing::Test {
protected:
    static constexpr const char* load_id = "1795404633.634409";

    /// What `close` needs for a package with these tables, each loaded by itself.
    static PackageContent content_for(const std::vector<std::string>& tables) {
        PackageContent content{.manifest = {},
                               .schema = schema::Schema::make("shop"),
                               .schema_change = {},
                               .state = {},
                               .fence = {}};
        for (const std::string& name : tables) {
            schema::Table table(name);
            table.set_column(schema::Column("id", DataType::bigint, true));
            table.set_property("write_disposition", "append");
            table.set_property("resource", name);
            content.schema.set_table(std::move(table));
            content.manifest.loads.push_back(
                {.root = name, .disposition = schema::Disposition::append, .tables = {name}});
        }
        content.schema.bump();
        content.manifest.pipeline = "shop";
        content.manifest.dataset = "shop_data";
        content.manifest.schema_name = "shop";
        content.manifest.destination = "duckdb:/data/shop.duckdb";
        content.manifest.tool_version = "0.1.0";
        content.manifest.has_new_state = true;
        content.manifest.removal = {.dropped = {"old__items", "old"}, .truncated = {"stale"}, .undone_loads = {"1795404000.000001"}, .undone_rows = {{.table = "lines", .rows = 3}}};
        content.manifest.notes = {
            {"skipped", 3}, {"sources", json::Array{"a.json", "é\n\""}}, {"ratio", 1.0}};
        content.schema_change = {{"orders", json::Array{"id"}}};
        content.state = json::Object{{"cursor", "2026-11-24"}};
        content.fence = {.state_version = 4, .state_hash = "abc", .schema_hash = "def"};
        return content;
    }

    /// A closed package with `rows` rows in each table.
    Package make_package(io::FileSystem& files, const std::string& id,
                         const std::vector<std::string>& tables = {"orders", "lines"},
                         std::size_t rows = 100) {
        Random random(3);
        const auto writer = PackageStore(files, folder_.path()).create(id, 1'000'000);
        for (const std::string& table : tables) {
            writer->write(
                random_batch(table, {{"id", {.type = DataType::bigint}}}, rows, random).encode());
        }
        return writer->close(content_for(tables), clock_);
    }

    /// Runs `action` and returns the message of the Error of this kind that it has to end with.
    template <typename Action>
    static std::string message_of(ErrorKind kind, Action action) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            return error.what();
        }
        ADD_FAILURE() << "no error";
        return "";
    }
    static bool contains(const std::string& text, std::string_view part) {
        return text.find(part) != std::string::npos;
    }

    /// Overwrites a file without further ado.
    void write_file(const std::string& path, std::string_view text) {
        const auto file = files_->create(path);
        file->write(text);
        file->close();
    }
    std::vector<std::string> names_in(const std::string& folder) {
        std::vector<std::string> names;
        for (const io::FileInfo& entry : files_->list(folder))
            names.push_back(io::file_name(entry.path));
        return names;
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    FakeClock clock_;
};

}  // namespace tipple::package
