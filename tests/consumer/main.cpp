// The snippets of docs/guide/embedding.md and docs/guide/source-in-cpp.md in a program of somebody else. With arguments it is a command line.
#include <tipple/tipple.h>

#include <cstdio>
#include <exception>

namespace {

tipple::Source shop(const tipple::Options& options) {
    auto orders = tipple::resource("orders", [name = options.require("name")](tipple::Output& out, tipple::ResourceContext&) {
        out.write_json(R"([{"id":1,"lines":[{"sku":"tea"}]},{"id":2}])");
        out.write({{"id", 3}, {"name", name}});
    });
    return tipple::source("shop", "Orders.").add(orders);
}

void read_orders(tipple::Output& out, tipple::ResourceContext& context) {
    if (context.cursor().start_text().empty()) out.write_json(R"({"id":1,"updated_at":"2024-01-02"})");
}

void read_customers(tipple::Output& out, tipple::ResourceContext&) { out.write_json(R"({"id":7})"); }

tipple::Source services() {
    auto orders = tipple::resource("orders", read_orders);
    auto customers = tipple::resource("customers", read_customers);
    orders.incremental("updated_at").parallel();
    customers.parallel();
    return tipple::source("shop").add(orders).add(customers);
}

void run() {
    tipple::Options options;
    options.set("name", "Ann");
    tipple::Pipeline pipeline({.name = "test", .destination = "duckdb", .dataset = "test"});
    tipple::LoadInfo info = pipeline.run(shop(options));
    std::printf("%d rows\n", static_cast<int>(info.rows));

    const tipple::Source source = shop(options);
    tipple::Observer observer;
    std::stop_source stop;
    pipeline.run(source, {.limit = 100, .select = {"orders"}}, observer, stop.get_token());
    tipple::Pipeline together({.name = "together", .destination = "duckdb"});
    std::printf("%d rows side by side\n", static_cast<int>(together.run(services()).rows));
    std::printf("%s orders\n", pipeline.query("SELECT count(*) FROM " + pipeline.table_name("orders")).rows.at(0).at(0)->c_str());
}

}  // namespace

int main(int argc, char** argv) {
    if (argc > 1) return tipple::tipple_main(argc, argv, {{"shop", shop}});
    try {
        run();
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
