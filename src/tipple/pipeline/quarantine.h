#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "tipple/pipeline/own_rows.h"
#include "tipple/pipeline/report.h"
#include "tipple/schema/schema.h"
#include "tipple/source/source.h"

namespace tipple::pipeline {

/// The table of records that were put aside: each as it came, with the reason and its place, written in the same commit as the rows that were
/// loaded. A row leaves it in the commit that loads its record after all.
inline constexpr std::string_view quarantine_table = "_tipple_quarantine";

/// Definition for the schema document: merged by `id`, so that a row with `is_resolved` takes away the one that is there.
schema::Table quarantine_definition();

/// One record that was put aside, as it is read back.
struct QuarantinedRecord {
    std::string id;
    std::string resource;
    std::string root_table;
    std::string text;
    extract::Origin origin;  ///< its place, as it was
};

/// Reads records of the quarantine once more, each into the table it was to go to. Tables keep their disposition, but for replace: rows that were
/// put aside join those that are there.
std::unique_ptr<extract::SourceDriver> make_quarantine_source(std::vector<QuarantinedRecord> records, const schema::Schema& schema);

/// The quarantine's rows of one load. One thread at a time.
class Quarantine {
public:
    /// `load_id`: of the load they belong to; ids are made of it.
    explicit Quarantine(std::string load_id);

    /// Puts a record aside. `root_table`: the table it was to go to (normalized); `record.table` may be one nested in it.
    void add(std::string_view resource, std::string_view root_table, const SkippedRecord& record, std::string_view text);
    /// Takes the row of that id away.
    void resolve(std::string_view id);

    /// What was not taken yet.
    OwnRows& rows() { return rows_; }

private:
    void end_row(std::string_view id);

    OwnRows rows_;
};

}  // namespace tipple::pipeline
