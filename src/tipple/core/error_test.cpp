#include "tipple/core/error.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace tipple {
namespace {

TEST(Error, CarriesKindAndFormattedMessage) {
    const Error error(ErrorKind::data, "table {}, record {}", "orders", 17);
    EXPECT_EQ(error.kind(), ErrorKind::data);
    EXPECT_STREQ(error.what(), "table orders, record 17");
    EXPECT_FALSE(error.retry_after().has_value());
}

TEST(Error, ContextGoesInFrontAndKeepsTheRest) {
    Error error(ErrorKind::transient, "braces {} stay text", "{x}");
    error.set_retry_after(std::chrono::milliseconds(250));
    const Error wider = error.with_context("package 17, table {a}");
    EXPECT_STREQ(wider.what(), "package 17, table {a}: braces {x} stay text");
    EXPECT_EQ(wider.kind(), ErrorKind::transient);
    EXPECT_EQ(wider.retry_after(), std::chrono::milliseconds(250));
}

TEST(Error, EveryKindHasItsName) {
    EXPECT_STREQ(to_text(ErrorKind::usage), "usage");
    EXPECT_STREQ(to_text(ErrorKind::data), "data");
    EXPECT_STREQ(to_text(ErrorKind::transient), "transient");
    EXPECT_STREQ(to_text(ErrorKind::remote), "remote");
    EXPECT_STREQ(to_text(ErrorKind::local), "local");
    EXPECT_STREQ(to_text(ErrorKind::corrupt), "corrupt");
    EXPECT_STREQ(to_text(ErrorKind::locked), "locked");
    EXPECT_STREQ(to_text(ErrorKind::conflict), "conflict");
    EXPECT_STREQ(to_text(ErrorKind::cancelled), "cancelled");
}

TEST(Error, AnAssertionThrowsABug) {
    EXPECT_NO_THROW(TIPPLE_ASSERT(1 + 1 == 2));
    try {
        TIPPLE_ASSERT(1 + 1 == 3);
        FAIL();
    } catch (const Bug& bug) {
        EXPECT_NE(std::string(bug.what()).find("1 + 1 == 3"), std::string::npos);
        EXPECT_NE(std::string(bug.what()).find("error_test.cpp"), std::string::npos);
    }
}

TEST(Error, SystemErrorsHaveTheirText) {
    EXPECT_EQ(errno_text(ENOSPC), "No space left on device");
}

}  // namespace
}  // namespace tipple
