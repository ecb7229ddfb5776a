// JSON documents as values, paths, the cutting of records out of a stream, and finding them in a
// page.
#include "fuzz.h"
#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/json/page_scan.h"
#include "tipple/json/path.h"
#include "tipple/json/record_cutter.h"
#include "tipple/json/value.h"

namespace tipple::fuzz {

namespace {

void check_document(std::string_view text) {
    json::Value document;
    if (!json::try_parse(text, document)) return;
    for (const json::Spacing spacing : {json::Spacing::compact, json::Spacing::pretty}) {
        const std::string written = json::to_text(document, {.spacing = spacing});
        require(json::parse(written) == document, "not what was written: " + written);
    }
    const std::string sorted = json::to_text(document, {.key_order = json::KeyOrder::sorted});
    require(json::to_text(json::parse(sorted), {.key_order = json::KeyOrder::sorted}) == sorted,
            "sorted twice differs");
}

/// The records of a text that arrives in pieces of this many bytes, or why there are none.
std::string cut(std::string text, const json::Path& select, std::size_t piece) {
    std::string out;
    try {
        json::RecordCutter cutter(select);
        for (std::size_t size = 0; size < text.size();) {
            size = std::min(size + piece, text.size());
            cutter.scan(text.data(), size);
        }
        cutter.finish();
        for (const std::size_t start : cutter.starts()) out += std::to_string(start) + " ";
        return out + text;
    } catch (const Error& error) {
        require(error.kind() == ErrorKind::data, error.what());
        return error.what();
    }
}

json::PageScan scan(std::string text, const json::Path& path) {
    const std::size_t size = text.size();
    text.append(limits::json_padding, ' ');
    json::PageScanner scanner;
    json::PageScan page = scanner.scan(text.data(), size, path, {path});
    for (const std::vector<json::Span>* spans : {&page.records, &page.candidates}) {
        for (const json::Span& span : *spans) {
            require(span.begin < span.end && span.end <= size,
                    "a record that is not in the text: " + text);
        }
    }
    require(page.candidates.empty() || page.candidates.size() >= page.records.size(),
            "a record that is no candidate: " + text);
    return page;
}

/// What one walk over a page finds, and that looking through the document finds the same.
void check_scan(std::string_view text, const json::Path& path) {
    try {
        scan(std::string(text), path);
    } catch (const Error& error) {
        require(error.kind() == ErrorKind::data, error.what());
    }
    json::Value document;
    if (!json::try_parse(text, document)) return;
    // As it is written, no name comes twice.
    const json::PageScan page = scan(json::to_text(document), path);
    const std::vector<const json::Value*> found = path.find_all(document);
    const std::optional<json::Value> first =
        found.empty() ? std::optional<json::Value>() : std::optional<json::Value>(*found.front());
    require(page.values.front() == first && page.has_selection == !found.empty(),
            path.text() + " finds something else in " + json::to_text(document));
}

void check_full_path(std::string_view path_text, std::string_view text) {
    json::Path path;
    try {
        path = json::Path::parse(path_text, json::Path::Dialect::full);
        require(json::Path::parse(path.text(), json::Path::Dialect::full).text() == path.text(),
                "not the path that was written: " + path.text());
    } catch (const Error& error) {
        require(error.kind() == ErrorKind::usage, error.what());
        return;
    }
    check_scan(text, path);
}

}  // namespace

}  // namespace tipple::fuzz

int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    using namespace tipple;
    fuzz::Choices choices(data, size);
    const std::size_t piece = choices.pick(70) + 1;
    const std::string_view text = choices.rest();
    fuzz::check_document(text);
    json::Path select;
    try {
        // The first line is the path when it is one.
        select = json::Path::parse(text.substr(0, text.find('\n')));
    } catch (const Error& error) {
        fuzz::require(error.kind() == ErrorKind::usage, error.what());
    }
    const std::size_t line_end = std::min(text.find('\n'), text.size());
    for (const std::string_view part : {text, text.substr(line_end)}) {
        const std::string whole = fuzz::cut(std::string(part), select, part.size() + 1);
        const std::string pieces = fuzz::cut(std::string(part), select, piece);
        fuzz::require(whole == pieces, "in one:\n" + whole + "\nin pieces:\n" + pieces);
    }
    fuzz::check_full_path(text.substr(0, line_end), text.substr(line_end));
    return 0;
}
