#include "tipple/postgres/quoting.h"

#include <gtest/gtest.h>

namespace tipple::postgres {
namespace {

TEST(PostgresQuoting, QuotesWhateverIsInAName) {
    EXPECT_EQ(quote_identifier("a\"b"), R"("a""b")");
    EXPECT_EQ(quote_literal("it's"), "'it''s'");
    EXPECT_EQ(quote_literal(R"(a\')"), R"(E'a\\''')");
}

}  // namespace
}  // namespace tipple::postgres
