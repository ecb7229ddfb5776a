// A list of repositories, and for each of them the releases: records of one resource are what another one reads by.
//
//   details DATABASE
#include <cstdio>
#include <exception>
#include <string>

#include "tipple/tipple.h"

namespace {

/// Stands for a call to an API: the releases of one repository.
std::string releases_of(const std::string& repository, std::int64_t count) {
    std::string page = "[";
    for (std::int64_t i = 1; i <= count; ++i) {
        page += (i > 1 ? "," : "") + std::string("{\"repository\":\"") + repository + "\",\"tag\":\"v" + std::to_string(i) + "\"}";
    }
    return page + "]";
}

tipple::Source forge() {
    auto repositories = tipple::resource("repositories", [](tipple::Output& out, tipple::ResourceContext&) {
        out.write_json(R"([{"name":"goose","releases":2},{"name":"heron","releases":3}])");
        out.write({{"name", "ibis"}, {"releases", 0}});
    });
    repositories.write_disposition(tipple::Disposition::replace).primary_key("name");

    auto releases = tipple::transformer("releases", repositories, [](const tipple::Records& records, tipple::Output& out, tipple::ResourceContext& context) {
        for (const tipple::Record& repository : records) {
            if (context.stop_requested()) return;
            context.count("calls");
            out.write_json(releases_of(*repository.get<std::string>("name"), *repository.get<std::int64_t>("releases")));
        }
    });
    releases.write_disposition(tipple::Disposition::merge).primary_key({"repository", "tag"});
    return tipple::source("forge", "Repositories and their releases.").add(repositories).add(releases);
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: details DATABASE\n", stderr);
        return 2;
    }
    try {
        tipple::Pipeline pipeline({.name = "forge", .destination = argv[1], .dataset = "main"});
        const tipple::LoadInfo info = pipeline.run(forge());
        for (const auto& table : info.tables) std::printf("%s: %llu rows\n", table.table.c_str(), static_cast<unsigned long long>(table.rows));
        std::printf("%lld calls\n", static_cast<long long>(info.metrics.at("releases").at("calls")));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
