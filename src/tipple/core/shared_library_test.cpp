#include "tipple/core/shared_library.h"

#include <gmock/gmock.h>

#include "tipple/core/error.h"

namespace tipple {
namespace {

using testing::AllOf;
using testing::HasSubstr;

std::string refusal(const auto& what) {
    try {
        what();
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::local);
        return error.what();
    }
    return "nothing was refused";
}

TEST(SharedLibrary, ItsFunctionsCanBeCalled) {
    const SharedLibrary library("libm.so.6", "Arithmetic", "libc6");
    double (*round_down)(double) = nullptr;
    library.find("floor", round_down);
    EXPECT_EQ(round_down(2.5), 2);
}

TEST(SharedLibrary, OneThatIsMissingIsNamedWithWhatNeedsIt) {
    EXPECT_THAT(refusal([] { SharedLibrary("libnowhere.so.1", "Postgres", "libpq5"); }),
                AllOf(HasSubstr("Postgres needs a library"), HasSubstr("libnowhere.so.1"), HasSubstr("install the package that has it, which is libpq5 in Debian")));
}

TEST(SharedLibrary, AFunctionThatItDoesNotHaveIsNamed) {
    const SharedLibrary library("libm.so.6", "Arithmetic", "libc6");
    void (*function)() = nullptr;
    EXPECT_EQ(refusal([&] { library.find("no_such_function", function); }), "Arithmetic needs a newer libm.so.6: this one has no no_such_function");
}

}  // namespace
}  // namespace tipple
