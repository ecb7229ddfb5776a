#pragma once

#include <string>
#include <vector>

#include "tipple/json/value.h"
#include "tipple/source/source.h"

namespace tipple::sources::rest {

/// Keeps the records that are written, as values: of a look at a resource, which is small.
class CollectingOutput final : public extract::Output {
public:
    void write(extract::Page page) override;
    bool offer_file(const extract::FileOffer&) override { return false; }
    void restart_input() override {}
    void skip(const extract::SkippedText&) override {}
    void materialize() override {}
    void begin_input(const extract::InputFile&) override {}
    void report(const extract::ReadProgress&) override {}
    bool wants_more() const override { return true; }

    const std::vector<json::Value>& records() const { return records_; }

private:
    std::vector<json::Value> records_;
};

/// The fields of the records, with the types they have there: `id bigint, name text, tags list`.
std::string describe_fields(const std::vector<json::Value>& records);
/// A field by which the records can be told apart, and that is named like one; empty = there is none.
std::string suggest_key(const std::vector<json::Value>& records);
/// A field that is named like a time of change and has one in every record; empty = there is none.
std::string suggest_cursor(const std::vector<json::Value>& records);

}  // namespace tipple::sources::rest
