// JSON records: the streaming shredder must give exactly what the record normalizer gives, whatever
// its worker has seen before.
#include <algorithm>
#include <map>
#include <optional>
#include <vector>

#include <fmt/format.h>

#include "fuzz.h"
#include "tipple/columns/value_at.h"
#include "tipple/core/error.h"
#include "tipple/json/value.h"
#include "tipple/normalize/columnar.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/normalize/shredder.h"
#include "tipple/schema/coerce.h"

namespace tipple::fuzz {

namespace {

schema::Value to_value(const json::Value& value) {
    if (value.is_bool()) return value.as_bool();
    if (value.is_int()) return value.as_int();
    if (value.is_uint()) return value.as_uint();
    if (value.is_double()) return value.as_double();
    if (value.is_text()) return value.as_text();
    if (value.is_array()) {
        schema::List list;
        for (const json::Value& element : value.as_array()) list.push_back(to_value(element));
        return list;
    }
    if (value.is_object()) {
        schema::Object object;
        for (const json::Member& member : value.as_object())
            object.push_back({member.name, to_value(member.value)});
        return object;
    }
    return {};
}

std::string cell(const columns::ColumnView& column, std::size_t row) {
    const schema::Value value = columns::value_at(column, row);
    return value.is_null() ? "NULL"
                           : schema::coerce(schema::DataType::text, value)->as<std::string>();
}

/// Everything that counts of a page: rows with their ids, and proposals in their order.
std::string describe(const normalize::PageResult& result) {
    std::map<std::string, std::string> tables;
    for (const normalize::TableRows& rows : result.tables) {
        std::map<std::string, std::string> columns;
        for (std::size_t i = 0; i < rows.columns.size(); ++i) {
            require(rows.columns[i].length == rows.rows, "columns of different length");
            std::string& values = columns[std::string(rows.names[i])];
            require(values.empty(), "a column twice");
            for (std::size_t row = 0; row < rows.rows; ++row)
                values += cell(rows.columns[i], row) + "|";
        }
        std::string& text = tables[std::string(rows.table)];
        for (const auto& [name, values] : columns) text += fmt::format("  {}: {}\n", name, values);
    }
    std::string out;
    for (const auto& [name, text] : tables) out += name + "\n" + text;
    for (const normalize::TableProposal& proposal : result.proposals) {
        out += fmt::format("{} < {} +", proposal.table, proposal.parent);
        for (const schema::Column& column : proposal.columns)
            out += " " + column.name() + json::to_text(json::Value(column.hints()));
        out += "\n";
    }
    for (const normalize::BadRecord& bad : result.bad_records)
        out += fmt::format("bad {} {} {}\n", bad.table, bad.column, bad.reason);
    std::vector<std::string> nulls;
    for (const auto& column : result.null_only) nulls.push_back(column.table + "." + column.column);
    std::sort(nulls.begin(), nulls.end());
    for (const std::string& null : nulls) out += "null " + null + "\n";
    return out + fmt::format("{} records\n", result.records);
}

struct Page {
    std::string text;
    std::vector<schema::Value> records;
};

/// Pages of those lines that are one document each: only of these is it known what they mean.
std::vector<Page> cut_pages(std::string_view text, std::size_t count) {
    std::vector<Page> pages(count);
    std::size_t lines = 0;
    while (!text.empty()) {
        const std::size_t end = std::min(text.find('\n'), text.size());
        const std::string_view line = text.substr(0, end);
        text.remove_prefix(std::min(end + 1, text.size()));
        json::Value document;
        if (!json::try_parse(line, document)) continue;
        Page& page = pages[lines++ * count / 8 % count];
        page.text += std::string(line) + "\n";
        page.records.push_back(to_value(document));
    }
    return pages;
}

/// One way to normalize pages, with the schema that grows by it.
class Way {
public:
    Way(const schema::Schema& start, const normalize::Rules& rules)
        : writer_(start), shredder_(rules) {}

    std::optional<std::string> shred(const Page& page, std::uint64_t number) {
        std::string padded = page.text + std::string(limits::json_padding, ' ');
        return run([&](normalize::PageResult& result) {
            shredder_.shred(
                {.text = {padded.data(), page.text.size()}, .record_starts = {}, .number = number},
                "t", writer_.snapshot(), result);
        });
    }
    std::optional<std::string> shred_values(const Page& page, std::uint64_t number) {
        return run([&](normalize::PageResult& result) {
            shredder_.shred_values(page.records, number, "t", writer_.snapshot(), result);
        });
    }
    const schema::Schema& schema() const { return *writer_.snapshot(); }

private:
    /// Nothing when the page as a whole was refused.
    template <typename Shred>
    std::optional<std::string> run(const Shred& shred) {
        normalize::PageResult result;
        try {
            shred(result);
        } catch (const Error&) {
            return std::nullopt;
        }
        require(writer_.admit(result.proposals) == normalize::SchemaWriter::Admission::admitted,
                "proposals of the own snapshot conflict");
        return describe(result);
    }

    normalize::SchemaWriter writer_;
    normalize::Shredder shredder_;
};

schema::Schema start_schema(std::size_t nesting, bool is_merged) {
    schema::Schema schema = schema::Schema::make("fuzz");
    schema::Table table("t");
    table.set_property("write_disposition", is_merged ? "merge" : "append");
    if (nesting < 5) table.set_normalizer_hint("max_nesting", static_cast<std::int64_t>(nesting));
    schema.set_table(table);
    if (is_merged) {
        schema.normalizers().set(
            "json",
            json::parse(
                R"({"config": {"propagation": {"tables": {"t": {"_dlt_id": "_dlt_root_id"}}}}})"));
    }
    return schema;
}

void compare(const std::vector<Page>& pages, const schema::Schema& start,
             const normalize::Rules& rules) {
    Way streamed(start, rules);
    Way by_value(start, rules);
    for (std::size_t i = 0; i < pages.size(); ++i) {
        Way fresh(streamed.schema(), rules);
        const std::optional<std::string> got = streamed.shred(pages[i], i);
        const std::optional<std::string> expected = by_value.shred_values(pages[i], i);
        const std::optional<std::string> got_fresh = fresh.shred(pages[i], i);
        require(got == expected, fmt::format("streamed:\n{}\nby value:\n{}", got.value_or("error"),
                                             expected.value_or("error")));
        require(got == got_fresh, fmt::format("used:\n{}\nfresh:\n{}", got.value_or("error"),
                                              got_fresh.value_or("error")));
        if (!got) return;
    }
}

}  // namespace

}  // namespace tipple::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tipple;
    fuzz::Choices choices(data, size);
    const std::size_t nesting = choices.pick(8);
    const bool is_merged = choices.pick(2) != 0;
    const std::size_t page_count = choices.pick(3) + 1;
    const schema::Schema start = fuzz::start_schema(nesting, is_merged);
    const normalize::Rules rules{.naming = schema::NamingConvention::make("snake_case"),
                                 .inference = std::make_shared<schema::Inference>(start, 0),
                                 .breaks_paths = true,
                                 .load_id = "1.0",
                                 .row_id_prefix = "prefix.."};
    // Whatever it is, it must be taken or refused.
    fuzz::Way(start, rules).shred({.text = std::string(choices.rest()), .records = {}}, 0);
    fuzz::compare(fuzz::cut_pages(choices.rest(), page_count), start, rules);
    return 0;
}
