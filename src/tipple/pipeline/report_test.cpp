#include "tipple/pipeline/report.h"

#include <gtest/gtest.h>

namespace tipple::pipeline {
namespace {

TEST(SkippedRecord, SaysWhereItWas) {
    SkippedRecord record{
        .origin = "orders.jsonl", .byte_offset = 1'234'567, .line = 17, .record = 20};
    EXPECT_EQ(record.place(), "orders.jsonl:17 (byte 1,234,567)");
    // Without lines to count, the number of the record has to do.
    record.line = 0;
    EXPECT_EQ(record.place(), "orders.jsonl, record 20 (byte 1,234,567)");
}

}  // namespace
}  // namespace tipple::pipeline
