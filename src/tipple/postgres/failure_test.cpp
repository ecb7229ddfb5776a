#include "tipple/postgres/failure.h"

#include <gtest/gtest.h>

namespace tipple::postgres {
namespace {

bool says(const Error& error, std::string_view part) { return std::string_view(error.what()).find(part) != std::string_view::npos; }

TEST(PostgresFailure, SaysWhatMayBeDoneAboutAStandbyThatEndsReads) {
    const Error error = statement_error({.state = "40001", .message = "canceling statement due to conflict with recovery", .detail = "User query might have needed to see row versions"});
    EXPECT_EQ(error.kind(), ErrorKind::transient);
    EXPECT_TRUE(says(error, "hot_standby_feedback = on")) << error.what();
    EXPECT_FALSE(says(statement_error({.state = "40001", .message = "could not serialize access"}), "standby"));
}

TEST(PostgresFailure, TellsTimeoutsFromPeople) {
    const Error timeout = statement_error({.state = "57014", .message = "canceling statement due to statement timeout"});
    EXPECT_EQ(timeout.kind(), ErrorKind::remote);
    EXPECT_TRUE(says(timeout, "raise it there")) << timeout.what();
    EXPECT_FALSE(says(statement_error({.state = "57014", .message = "canceling statement due to user request"}), "raise it"));
}

TEST(PostgresFailure, TellsNulFromOtherBytesThatAreNoText) {
    EXPECT_TRUE(says(statement_error({.state = "22021", .message = "invalid byte sequence for encoding \"UTF8\": 0x00"}), "no NUL character"));
    EXPECT_TRUE(says(statement_error({.state = "22021", .message = "invalid byte sequence for encoding \"UTF8\": 0xfc"}), "leave the column out"));
}

TEST(PostgresFailure, FindsTheRowOfACopy) {
    const auto row = [](std::string_view context) { return Failure{.context = std::string(context)}.copied_row(); };
    EXPECT_EQ(row("COPY orders, line 3"), 3U);
    EXPECT_EQ(row("COPY \"odd, line 7\", line 12, column id"), 12U);
    EXPECT_EQ(row("PL/pgSQL function refuse() line 4 at RAISE\nCOPY orders, line 5"), 5U);
    EXPECT_EQ(row("SQL function \"f\" statement 1, line 2"), std::nullopt);
    EXPECT_EQ(row("COPY orders, line "), std::nullopt);
    EXPECT_EQ(row(""), std::nullopt);
}

TEST(PostgresFailure, ALostConnectionMayPass) { EXPECT_EQ(statement_error({.state = "", .message = "the connection broke"}).kind(), ErrorKind::transient); }

}  // namespace
}  // namespace tipple::postgres
