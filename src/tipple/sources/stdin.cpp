#include "tipple/sources/builtin.h"
#include "tipple/sources/content_reader.h"

namespace tipple::sources {

namespace {

/// Whatever is piped in.
class StdinSource final : public extract::SourceDriver {
public:
    explicit StdinSource(const extract::SourceContext& context)
        : files_(io::local_file_system()), options_(parse_content_options(context.options)), table_(context.options.require("table")) {}

    std::string name() const override { return "stdin"; }

    std::vector<extract::ResourceSpec> resources(std::stop_token) override {
        extract::ResourceSpec spec;
        spec.name = table_;
        spec.comes_as_columns = are_columns(options_, "stdin");
        return {spec};
    }

    void read(const extract::ResourceSpec&, const extract::ResourceContext& context, extract::Output& out) override {
        const Content content{.name = "standard input", .origin = {.url = "stdin"}, .path = {}, .open = [&] { return io::open_input(*files_, "-", context.stop); }, .is_repeatable = false};
        ContentReader reader(*files_, options_, context, out);
        const auto report = [&](const io::InputStream& input) { out.report({.bytes_read = input.bytes_read(), .bytes_total = {}}); };
        reader.read(content, report);
    }

private:
    std::unique_ptr<io::FileSystem> files_;
    ContentOptions options_;
    std::string table_;
};

}  // namespace

extract::SourceEntry stdin_source() {
    std::vector<config::OptionSpec> options = content_option_specs();
    options.push_back({.name = "table", .summary = "Table for the records.", .default_value = "stdin"});
    return {.name = "stdin",
            .summary = "Standard input, in any format that files can have.",
            .options = std::move(options),
            .make = [](const extract::SourceContext& context) -> std::unique_ptr<extract::SourceDriver> {
                return std::make_unique<StdinSource>(context);
            }};
}

}  // namespace tipple::sources
