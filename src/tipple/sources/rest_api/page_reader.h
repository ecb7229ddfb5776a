#pragma once

#include <optional>
#include <string>
#include <vector>

#include "tipple/json/page_scan.h"
#include "tipple/source/page.h"
#include "tipple/sources/rest_api/paginator.h"
#include "tipple/sources/rest_api/settings.h"

namespace tipple::sources::rest {

/// One answer, read: what it holds, ready to be written.
struct ReadPage {
    /// At most so many bytes each, in order, unless a record is larger.
    std::vector<extract::JsonPage> pages;
    /// For each record, what children need of it. Empty when there are no children.
    std::vector<std::vector<std::optional<json::Value>>> parent_values;
    std::uint64_t records = 0;
    std::size_t bytes = 0;
    /// Whether there is another page, the request of which is then made.
    bool has_next = false;
};

/// Where records of a resource are in its answers. Found out on the first page that has some, and then kept.
struct Selector {
    std::optional<json::Path> path;
    bool is_guessed = false;
};

/// Reads the answers of one resource, in one pass each. One thread.
class PageReader {
public:
    struct Limits {
        /// Of a page that is written, unless a record is larger.
        std::size_t page_bytes = 0;
        /// Of an answer's records after steps and with what is included.
        std::size_t rewritten_bytes_max = 0;
    };
    /// `parent_paths`: what children need of each record. What is borrowed outlives the reader.
    PageReader(const ResourceSettings& resource, Selector& selector, std::vector<std::string> parent_paths, Limits limits);

    /// `included`: values of the resource's included fields. `name`: of the answer, for messages. Throws Error(data).
    ReadPage read(std::string body, const io::HttpExchange& exchange, const std::string& name, const std::vector<json::Value>& included, Paginator& paginator,
                  PageRequest& request);
    /// The same for an answer whose records do not count.
    ReadPage read_nothing(const io::HttpExchange& exchange, Paginator& paginator, PageRequest& request);

private:
    std::optional<json::Path> choose_path(const json::Value& outline);
    void check_moved(const json::Value& outline) const;
    std::string rewrite(const std::string& body, const std::vector<json::Span>& records, const std::vector<json::Value>& included) const;
    void add_included(std::string& out, std::string_view record, const std::vector<json::Value>& included) const;
    void collect_parent_values(const std::vector<json::Span>& records, const std::vector<json::Value>& included, ReadPage& page);

    const ResourceSettings& resource_;
    Selector& selector_;
    /// What of a child's wishes is in the record itself, and what comes of the included fields.
    struct Wish {
        json::Path path;
        std::optional<std::size_t> included;
    };
    std::vector<Wish> wishes_;
    Limits limits_;
    json::PageScanner scanner_;
};

}  // namespace tipple::sources::rest
