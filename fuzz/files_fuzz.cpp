// Files of any format and their options: CSV above all, also JSON and what is found out from the
// content, up to normalized rows.
#include <fstream>
#include <memory>

#include "fuzz.h"
#include "support/temporary_folder.h"
#include "tipple/core/error.h"
#include "tipple/core/text.h"
#include "tipple/normalize/columnar.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/normalize/shredder.h"
#include "tipple/sources/builtin.h"

namespace tipple::fuzz {

namespace {

/// Normalizes what a source writes.
class Pages final : public extract::Output {
public:
    explicit Pages(const normalize::Rules& rules, const schema::Schema& start)
        : writer_(start), shredder_(rules), columnar_(rules) {}

    void write(extract::Page page) override {
        normalize::PageResult result;
        if (auto* json = std::get_if<extract::JsonPage>(&page)) {
            check(*json);
            const std::string_view text(reinterpret_cast<const char*>(json->text.data()),
                                        json->size);
            shredder_.shred(
                {.text = text, .record_starts = json->record_starts, .number = number_++}, "t",
                writer_.snapshot(), result);
            rows_ += result.records;
        } else {
            const columns::Batch& batch = std::get<extract::ColumnPage>(page).batch;
            check(batch);
            columnar_.normalize(batch, number_++, "t", writer_.snapshot(), result);
            rows_ += batch.rows;
        }
        require(writer_.admit(result.proposals) == normalize::SchemaWriter::Admission::admitted,
                "proposals of the own snapshot conflict");
    }
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override { rows_ = 0; }
    void skip(const extract::SkippedText& skipped) override {
        require(!skipped.reason.empty(), "left out without a reason");
    }
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return rows_ < 5'000; }

private:
    static void check(const extract::JsonPage& page) {
        require(page.text.size() >= page.size + limits::json_padding, "no room behind the page");
        for (std::size_t i = 0; i < page.record_starts.size(); ++i) {
            require(page.record_starts[i] < page.size, "a record starts behind the page");
            require(i == 0 || page.record_starts[i] > page.record_starts[i - 1],
                    "records are out of order");
        }
    }
    static void check(const columns::Batch& batch) {
        require(batch.names.size() == batch.columns.size(), "names and columns differ");
        const columns::BatchView view = batch.view();
        for (const columns::ColumnView& column : view.columns) {
            require(column.length == batch.rows, "columns of different length");
            if (columns::layout_of(column.type.type) != columns::Layout::bytes ||
                column.type.type == schema::DataType::binary)
                continue;
            for (std::size_t row = 0; row < column.length; ++row) {
                require(column.is_null(row) || is_valid_utf8(column.text(row)),
                        "text that is no UTF-8");
            }
        }
    }

    normalize::SchemaWriter writer_;
    normalize::Shredder shredder_;
    normalize::ColumnarNormalizer columnar_;
    std::uint64_t number_ = 0;
    std::uint64_t rows_ = 0;
};

extract::SourceContext options(Choices& choices, const std::string& path) {
    static constexpr const char* formats[] = {"", "", "csv", "csv", "csv", "tsv", "json", "jsonl"};
    static constexpr const char* delimiters[] = {"",   "",   ",",        ";",   "|", "\t",
                                                 "||", "\"", "'",        "\\",  "a", "é",
                                                 "\n", " ",  "--------", "\xff"};
    static constexpr const char* headers[] = {"true", "false", "", "perhaps"};
    static constexpr const char* selects[] = {"", "", "", "data", "a[*].b", "[0]"};
    extract::SourceContext context;
    context.options.set("paths", path);
    const auto set = [&](const char* name, const char* value) {
        if (*value != '\0') context.options.set(name, value);
    };
    set("format", formats[choices.pick(std::size(formats))]);
    set("csv_delimiter", delimiters[choices.pick(std::size(delimiters))]);
    set("csv_header", headers[choices.pick(std::size(headers))]);
    set("select", selects[choices.pick(std::size(selects))]);
    static constexpr const char* quotes[] = {"", "", "", "'", "none", "\\", ";", "xx"};
    static constexpr const char* escapes[] = {"", "", "", "\\", "\"", "none"};
    static constexpr const char* encodings[] = {"", "", "", "", "utf-16le", "latin-1", "windows-1252", "utf-8", "shift_jis", "klingon"};
    static constexpr const char* types[] = {"", "", "", "a:decimal(5,2)", "{\"b\":\"bigint\"}", "a"};
    set("csv_quote", quotes[choices.pick(std::size(quotes))]);
    set("csv_escape", escapes[choices.pick(std::size(escapes))]);
    set("encoding", encodings[choices.pick(std::size(encodings))]);
    set("csv_types", types[choices.pick(std::size(types))]);
    set("csv_comment", choices.pick(4) == 3 ? "#" : "");
    set("csv_skip_lines", choices.pick(4) == 3 ? "2" : "");
    set("csv_null", choices.pick(4) == 3 ? "\nNULL" : "");
    set("metadata", choices.pick(3) == 2 ? "all" : "");
    return context;
}

}  // namespace

}  // namespace tipple::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tipple;
    static const support::TemporaryFolder folder;
    static const char* const names[] = {"content", "content.csv", "content.json",
                                        "content.jsonl.gz"};
    fuzz::Choices choices(data, size);
    const std::string path = folder.path(names[choices.pick(std::size(names))]);
    const bool skips_bad_records = choices.pick(2) != 0;
    const extract::SourceContext source_context = fuzz::options(choices, path);
    std::ofstream(path, std::ios::binary) << choices.rest();

    schema::Schema start = schema::Schema::make("fuzz");
    start.set_table(schema::Table("t"));
    const normalize::Rules rules{.naming = schema::NamingConvention::make("snake_case"),
                                 .inference = std::make_shared<schema::Inference>(start, 0),
                                 .breaks_paths = true,
                                 .load_id = "1.0",
                                 .row_id_prefix = "prefix.."};
    extract::Registry registry;
    sources::add_builtin(registry);
    try {
        const auto driver = registry.make("files", source_context);
        const extract::ResourceContext context{.stop = {},
                                              .page_bytes = 64,
                                              .record_bytes_max = 1'000'000,
                                              .threads = 1,
                                              .memory_bytes = std::size_t{128} << 20,
                                              .skips_bad_records = skips_bad_records,
                                              .temp_folder = folder.path("temp"),
                                              .log = {}};
        fuzz::Pages pages(rules, start);
        driver->read(driver->resources({}).at(0), context, pages);
    } catch (const Error& error) {
        fuzz::require(error.kind() == ErrorKind::usage || error.kind() == ErrorKind::data,
                      std::string(to_text(error.kind())) + ": " + error.what());
    }
    return 0;
}
