#pragma once

#include <memory>
#include <string>
#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/normalize/schema_writer.h"
#include "tipple/normalize/shredder.h"

namespace tipple::bench {

/// A shredder that has seen its page before, as it is for nearly all pages of a load: the schema
/// knows every column.
class ShreddedPage {
public:
    explicit ShreddedPage(std::string lines)
        : text_(std::move(lines)), size_(text_.size()), writer_(start_schema()) {
        text_.append(limits::json_padding, ' ');
        rules_.naming = schema::NamingConvention::make("snake_case");
        rules_.inference = std::make_shared<schema::Inference>(*writer_.snapshot(), 0);
        rules_.load_id = "1700000000.0";
        rules_.row_id_prefix = "prefix..";
        shredder_ = std::make_unique<normalize::Shredder>(rules_);
        shred();
        TIPPLE_ASSERT(writer_.admit(result_.proposals) ==
                      normalize::SchemaWriter::Admission::admitted);
        snapshot_ = writer_.snapshot();
        shred();
        TIPPLE_ASSERT(result_.proposals.empty() && result_.bad_records.empty());
    }

    const normalize::PageResult& shred() {
        const auto& snapshot = snapshot_ ? snapshot_ : writer_.snapshot();
        shredder_->shred({.text = {text_.data(), size_}}, "t", snapshot, result_);
        return result_;
    }
    const normalize::PageResult& result() const { return result_; }
    std::size_t text_bytes() const { return size_; }

private:
    static schema::Schema start_schema() {
        schema::Schema schema = schema::Schema::make("bench");
        schema::Table table("t");
        table.set_property("write_disposition", "append");
        schema.set_table(table);
        return schema;
    }

    std::string text_;
    std::size_t size_;
    normalize::SchemaWriter writer_;
    normalize::Rules rules_;
    std::unique_ptr<normalize::Shredder> shredder_;
    std::shared_ptr<const schema::Schema> snapshot_;
    normalize::PageResult result_;
};

}  // namespace tipple::bench
