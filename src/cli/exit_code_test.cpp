#include "cli/exit_code.h"

#include <gtest/gtest.h>

#include <map>
#include <set>

namespace tipple::cli {
namespace {

TEST(ExitCodes, AreOnePerKindOfErrorAndStay) {
    // Scripts depend on them.
    const std::map<ErrorKind, int> codes = {{ErrorKind::usage, 2},   {ErrorKind::data, 3},   {ErrorKind::transient, 4}, {ErrorKind::remote, 5}, {ErrorKind::corrupt, 6},
                                            {ErrorKind::locked, 9},  {ErrorKind::conflict, 9}, {ErrorKind::local, 10},    {ErrorKind::cancelled, 130}};
    for (const auto& [kind, code] : codes) EXPECT_EQ(to_exit_code(kind), code) << to_text(kind);
}

TEST(ExitCodes, OfErrorsAreNotThoseOfOtherEnds) {
    const std::set<int> others = {exit_done, exit_bug, exit_partial, exit_terminated};
    for (const ErrorKind kind : {ErrorKind::usage, ErrorKind::data, ErrorKind::transient, ErrorKind::remote, ErrorKind::local, ErrorKind::corrupt,
                                 ErrorKind::locked, ErrorKind::conflict, ErrorKind::cancelled}) {
        EXPECT_FALSE(others.contains(to_exit_code(kind))) << to_text(kind);
    }
}

}  // namespace
}  // namespace tipple::cli
