#include "conformance/places.h"

#include <cstdlib>

#include "tipple/destinations/builtin.h"

namespace tipple::conformance {

namespace {

/// Files of a bucket in the place of a folder: no kind of its own.
const std::string bucket_kind = "bucket";

}  // namespace

const destination::Registry& registry() {
    static const destination::Registry known = [] {
        destination::Registry registry;
        destinations::add_builtin(registry);
        return registry;
    }();
    return known;
}

std::vector<std::string> kinds() {
    std::vector<std::string> names;
    for (const destination::DestinationEntry& entry : registry().entries()) names.push_back(entry.name);
    if (std::getenv("TIPPLE_TEST_S3") != nullptr) names.push_back(bucket_kind);
    return names;
}

std::optional<config::Options> place_of(const std::string& kind, const support::TemporaryFolder& folder) {
    config::Options options;
    if (kind == "duckdb") {
        options.set("path", folder.path("conformance.duckdb"));
    } else if (kind == "filesystem") {
        options.set("path", folder.path("conformance"));
    } else if (const char* bucket = std::getenv("TIPPLE_TEST_S3"); kind == bucket_kind && bucket != nullptr) {
        options.set("bucket_url", std::string(bucket) + "/conformance");
    } else if (const char* url = std::getenv("TIPPLE_TEST_POSTGRES"); kind == "postgres" && url != nullptr) {
        options.set("url", url);
    } else {
        return std::nullopt;
    }
    return options;
}

Conformance::Conformance() : maker_(*files_, clock_, folder_.path("packages")) {
    // Tests share a server, so each has a dataset of its own.
    static int tests = 0;
    dataset_ = fmt::format("test_{}", ++tests);
    if (const std::optional<config::Options> options = place_of(GetParam(), folder_)) {
        options_ = *options;
    } else {
        throw Error(ErrorKind::usage, "there is no place to test \"{}\" in: place_of in places.cpp says where", GetParam());
    }
}

std::unique_ptr<destination::Destination> Conformance::make() {
    destination::DestinationContext context;
    context.options = options_;
    context.dataset = dataset_;
    context.pipeline = maker_.pipeline;
    context.schema_name = "shop";
    context.tool_version = "0.1.0";
    context.memory_bytes = std::size_t{400} << 20;
    context.temp_folder = folder_.path("temp");
    context.lock_timeout = std::chrono::milliseconds(200);
    context.files = files_.get();
    context.clock = &clock_;
    return registry().find(GetParam() == bucket_kind ? "filesystem" : GetParam())->make(context);
}

std::vector<destination::LoadedTable> Conformance::apply(const package::Package& package, destination::Destination& destination,
                                                         destination::LoadTransaction& transaction) {
    std::vector<std::string> tables;
    for (const package::TableLoad& load : package.manifest().loads) tables.insert(tables.end(), load.tables.begin(), load.tables.end());
    transaction.apply(destination::plan_ddl(package.schema(), tables, transaction.catalog(), destination.capabilities(), package.manifest().widened));
    for (const package::TableLoad& load : package.manifest().loads) {
        for (const std::string& table : load.tables) transaction.load({.table = table, .disposition = load.disposition}, {});
    }
    return transaction.finish();
}

std::vector<destination::LoadedTable> Conformance::load(const package::Package& package) {
    const auto destination = make();
    const auto transaction = destination->begin(package);
    std::vector<destination::LoadedTable> loaded = apply(package, *destination, *transaction);
    transaction->commit();
    clock_.now += 1'000'000;
    return loaded;
}

std::string Conformance::rows(const std::string& sql, const std::string& table) {
    const auto destination = make();
    std::vector<std::string> lines;
    for (const destination::QueryRow& row : destination->query(fmt::format(fmt::runtime(sql), destination->quote_table(table)), {}).rows) {
        std::vector<std::string> values;
        for (const auto& value : row) values.push_back(value.value_or("NULL"));
        lines.push_back(join(values, "|"));
    }
    return join(lines, " ");
}

bool Conformance::has_table(const std::string& table) {
    const auto read = stored();
    return read && read->catalog.find(table) != nullptr;
}

}  // namespace tipple::conformance
