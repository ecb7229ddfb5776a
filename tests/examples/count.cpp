#include <fmt/format.h>

#include "tipple/source/source.h"

namespace tipple::sources {

namespace {

/// The whole numbers from 1 on, each with its square.
class CountSource final : public extract::SourceDriver {
public:
    explicit CountSource(const extract::SourceContext& context)
        : last_(std::stoll(context.options.require("last"))) {}

    std::string name() const override { return "count"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        return {{.name = "numbers", .primary_key = {"n"}}};
    }

    /// Pushes pages of records. `write` blocks while the run is behind and throws when it is stopped, so there is nothing to look at
    /// but whether more is wanted.
    void read(const extract::ResourceSpec&, const extract::ResourceContext&, extract::Output& out) override {
        constexpr std::int64_t page_records = 1'000;
        for (std::int64_t n = 1; n <= last_ && out.wants_more();) {
            extract::ValuePage page{.records = {}, .origin = {.name = fmt::format("numbers from {}", n)}};
            for (; n <= last_ && std::ssize(page.records) < page_records; ++n) {
                page.records.push_back(schema::Object{{"n", n}, {"square", n * n}});
            }
            out.write(std::move(page));
        }
    }

private:
    std::int64_t last_;
};

}  // namespace

extract::SourceEntry count_source() {
    return {.name = "count",
            .summary = "Whole numbers and their squares.",
            .options = {{.name = "last", .summary = "The last number.", .kind = config::OptionKind::integer, .is_required = true}},
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<CountSource>(context);
            }};
}

}  // namespace tipple::sources
