#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "tipple/api/output.h"
#include "tipple/api/source.h"
#include "tipple/columns/column.h"
#include "tipple/source/source.h"

namespace tipple::api {

/// Hears of the records of each page, after the steps.
class RecordListener {
public:
    virtual ~RecordListener() = default;
    virtual void hear(const Records& records) = 0;
};

/// What one read of a resource writes: makes pages, runs the steps, chooses tables.
class PageWriter {
public:
    struct Target {
        const ResourceDefinition& resource;
        const extract::ResourceSpec& spec;
        const std::string& source;
        extract::Output& out;
        /// nullptr: nobody transforms the records.
        RecordListener* listener = nullptr;
        std::size_t page_bytes = 0;
    };
    explicit PageWriter(const Target& target) : target_(target) {}

    void write_json(std::string_view text, const WriteOptions& options);
    void write_records(Records records, const WriteOptions& options);
    /// Adds to a page that is written when it is full, or before anything else is.
    void gather(Record record, const WriteOptions& options);
    void write_batch(columns::Batch batch, const WriteOptions& options);
    Rows& rows(const std::vector<RowColumn>& columns, const WriteOptions& options);
    void materialize();
    /// What was gathered goes with it.
    void checkpoint();
    bool wants_more() const { return target_.out.wants_more(); }
    /// Writes what was gathered.
    void flush();
    /// Pages that are written, for messages.
    std::uint64_t pages() const { return pages_; }

private:
    bool needs_records() const;
    void end_page();
    extract::Origin origin() const;
    void write_gathered();
    void write_text(std::string_view text, const WriteOptions& options);
    void push(Records records, const WriteOptions& options);
    void push_values(Records records, const std::string& table);
    void push_by_table(Records records);

    Target target_;
    std::uint64_t pages_ = 0;
    std::uint64_t records_ = 0;  ///< of the page before the part that is written
    Records gathered_;
    WriteOptions gathered_options_;
    std::vector<std::unique_ptr<Rows>> rows_;
};

}  // namespace tipple::api
