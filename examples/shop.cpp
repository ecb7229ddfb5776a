// Orders of a web shop, read by a cursor from its HTTP API:
//
//   shop load shop orders.duckdb --option url=http://localhost:8000
#include <httplib.h>

#include <optional>
#include <stdexcept>
#include <string>

#include "tipple/tipple.h"

namespace {

/// The shop's API gives orders in the order of their last change, a page at a time.
class ShopClient {
public:
    explicit ShopClient(const tipple::Options& options) : url_(options.require("url")) {}

    /// The next page of orders that were changed at `since` or later, or nothing. Moves `since` behind the page.
    std::optional<std::string> orders_since(std::string& since) const {
        if (since.empty()) return std::nullopt;
        httplib::Client client(url_);
        const auto answer = client.Get(("/orders?since=" + since).c_str());
        if (!answer) throw std::runtime_error(url_ + " does not answer");
        if (answer->status != 200) throw std::runtime_error("orders since " + since + ": status " + std::to_string(answer->status));
        since = answer->get_header_value("Next-Since");
        return answer->body;
    }

private:
    std::string url_;
};

tipple::Source shop(const tipple::Options& options) {
    auto orders = tipple::resource("orders", [client = ShopClient(options)](tipple::Output& out, tipple::ResourceContext& context) {
        for (auto since = context.cursor().start_text(); auto page = client.orders_since(since);) out.write_json(*page);
    });
    orders.write_disposition(tipple::Disposition::merge).primary_key("id").incremental("updated_at", {.initial_value = "2024-01-01"});
    return tipple::source("shop", "Orders and customers of the web shop.").add(std::move(orders));
}

}  // namespace

int main(int argc, char** argv) { return tipple::tipple_main(argc, argv, {{"shop", shop}}); }
