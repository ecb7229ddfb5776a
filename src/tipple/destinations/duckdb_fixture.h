#pragma once

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <gtest/gtest.h>

#include "support/package_maker.h"
#include "support/temporary_folder.h"
#include "tipple/core/text.h"
#include "tipple/destinations/builtin.h"
#include "tipple/engine/engine.h"

/// What the tests of the DuckDB destination share.
namespace tipple::destinations {

using destination::StoredDataset;
using schema::Disposition;

inline destination::Registry registry() {
    destination::Registry registry;
    add_builtin(registry);
    return registry;
}

class DuckdbTest : public testing::Test {
protected:
    DuckdbTest() : maker_(*files_, clock_, folder_.path("packages")) {}

    std::unique_ptr<destination::Destination> make(const std::string& name = "") {
        destination::DestinationContext context;
        context.options.set("path", file());
        context.dataset = name.empty() ? dataset : name;
        context.pipeline = maker_.pipeline;
        context.schema_name = "shop";
        context.tool_version = "0.1.0";
        context.memory_bytes = memory_bytes;
        context.threads = 2;
        context.temp_folder = folder_.path("temp");
        context.lock_timeout = std::chrono::milliseconds(100);
        context.adopt_tables = adopts;
        context.files = files_.get();
        context.clock = &clock_;
        return registry().find("duckdb")->make(context);
    }
    std::string file() const { return folder_.path("shop.duckdb"); }

    /// The whole way of one package, as the pipeline goes it.
    std::vector<destination::LoadedTable> load(const package::Package& package) {
        const auto destination = make();
        const auto transaction = destination->begin(package);
        apply_and_load(package, *destination, *transaction);
        std::vector<destination::LoadedTable> loaded = transaction->finish();
        transaction->commit();
        clock_.now += 1'000'000;
        return loaded;
    }
    void apply_and_load(const package::Package& package,
                        const destination::Destination& destination,
                        destination::LoadTransaction& transaction) {
        std::vector<std::string> tables;
        for (const package::TableLoad& load : package.manifest().loads) {
            tables.insert(tables.end(), load.tables.begin(), load.tables.end());
        }
        transaction.apply(
            plan_ddl(package.schema(), tables, transaction.catalog(), destination.capabilities()));
        for (const package::TableLoad& load : package.manifest().loads) {
            for (const std::string& table : load.tables) {
                if (package.manifest().rows_of(table) == 0) continue;
                transaction.load({.table = table, .disposition = load.disposition}, {});
            }
        }
    }
    std::optional<StoredDataset> stored() { return make()->read_dataset(); }
    package::Package close() { return maker_.close(stored()); }

    /// Rows as text: `1|a 2|NULL`.
    std::string rows(const std::string& sql) {
        std::vector<std::string> lines;
        for (const auto& row : make()->query(sql, {}).rows) {
            std::vector<std::string> values;
            for (const auto& value : row) values.push_back(value.value_or("NULL"));
            lines.push_back(join(values, "|"));
        }
        return join(lines, " ");
    }
    /// Everything in the file, to be compared.
    std::string contents() {
        if (files_->find(file()) == nullptr) return "no file";
        std::string all;
        for (const auto& row :
             make()
                 ->query("SELECT schema_name, table_name FROM duckdb_tables() ORDER BY ALL", {})
                 .rows) {
            const std::string table =
                engine::quote_identifier(*row[0]) + "." + engine::quote_identifier(*row[1]);
            all += table + ": " + rows("SELECT * FROM " + table + " ORDER BY ALL") + "\n";
            all += rows("DESCRIBE " + table) + "\n";
        }
        return all;
    }
    void execute(const std::string& sql) {
        engine::Engine engine({});
        engine.attach(file(), "shop", engine::AttachMode::read_write);
        engine.execute("USE shop");
        engine.execute(sql);
    }
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

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    support::StoppedClock clock_;
    support::PackageMaker maker_;
    std::size_t memory_bytes = std::size_t{400} << 20;
    bool adopts = false;
    std::string dataset;
};

inline testing::AssertionResult contains(const std::string& text, std::string_view part) {
    if (text.find(part) != std::string::npos) return testing::AssertionSuccess();
    return testing::AssertionFailure() << "\"" << part << "\" is not in \"" << text << "\"";
}

}  // namespace tipple::destinations
