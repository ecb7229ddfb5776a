#include "tipple/engine/errors.h"

#include <cerrno>

#include <gtest/gtest.h>

namespace tipple::engine {
namespace {

Error of(const std::string& text) {
    return to_error(text, "v1.5.5");
}

TEST(Errors, OfVersionsNameBothAndTheWayOut) {
    const Error error =
        of("IO Error: Trying to read a database file with version number 999, but we can only read "
           "versions between 64 and 68.\n"
           "The database file was created with an newer version of DuckDB.");
    EXPECT_EQ(error.kind(), ErrorKind::usage);
    EXPECT_TRUE(std::string(error.what())
                    .starts_with("the database file has storage version 999 (DuckDB 2.0 or later), but the "
                                 "DuckDB v1.5.5 in use reads "
                                 "versions up to 68. Use a tipple"))
        << error.what();
    // As DuckDB 2.0 says it.
    const Error later = of("IO Error: Trying to read a database file with storage version number 70, but we can only read storage versions between 64 and 69.\n"
                           "The database file was created with a newer version of DuckDB.");
    EXPECT_EQ(later.kind(), ErrorKind::usage);
    EXPECT_TRUE(std::string(later.what()).starts_with("the database file has storage version 70 (a DuckDB newer than 2.0), but the")) << later.what();
    EXPECT_NE(std::string(later.what()).find("reads versions up to 69. Use a tipple"), std::string::npos) << later.what();
    EXPECT_EQ(of("IO Error: Could not set lock on file \"/x\": Conflicting lock is held in PID 42. "
                 "See also")
                  .kind(),
              ErrorKind::locked);
    EXPECT_EQ(of("IO Error: Could not set lock on file \"/x\": File locks are not supported for "
                 "this file system, cannot")
                  .kind(),
              ErrorKind::local);
}

TEST(Errors, OfFullDisksAreFoundWhereverTheyAreReported) {
    for (const std::string start :
         {"IO Error: Could not write file \"/x\": ",
          "FATAL Error: Failed to create checkpoint because of error: "}) {
        const Error error = of(start + errno_text(ENOSPC));
        EXPECT_EQ(error.kind(), ErrorKind::local);
        EXPECT_TRUE(std::string(error.what()).starts_with("the disk is full"));
    }
}

TEST(Errors, OfMemorySayHowToGetMore) {
    for (const char* text : {"Out of Memory Error: could not allocate block of size 256.0 KiB (1/1 "
                             "used)\n\nPossible solutions:\n* x",
                             "Out of Memory Error: failed to offload data block of size 256.0 KiB "
                             "(max_temp_directory_size)",
                             "TransactionContext Error: Failed to commit: failed to pin block of size 1.0 MiB (119.0 MiB/120.0 MiB "
                             "used)"}) {
        EXPECT_EQ(of(text).kind(), ErrorKind::local);
        EXPECT_NE(std::string(of(text).what()).find("--memory"), std::string::npos);
        EXPECT_EQ(std::string(of(text).what()).find("Possible"), std::string::npos);
    }
}

TEST(Errors, HaveTheKindOfTheirFirstWords) {
    EXPECT_EQ(of("INTERRUPT Error: Interrupted!").kind(), ErrorKind::cancelled);
    EXPECT_EQ(of("Conversion Error: Could not convert string 'x' to INT32").kind(),
              ErrorKind::data);
    EXPECT_EQ(of("Constraint Error: NOT NULL constraint failed: t.a").kind(), ErrorKind::data);
    EXPECT_EQ(
        of("TransactionContext Error: Failed to commit: PRIMARY KEY or UNIQUE constraint violated")
            .kind(),
        ErrorKind::data);
    EXPECT_EQ(of("Catalog Error: Table with name t does not exist!").kind(), ErrorKind::usage);
    EXPECT_EQ(
        of("IO Error: The file \"/x\" exists, but it is not a valid DuckDB database file!").kind(),
        ErrorKind::usage);
    EXPECT_EQ(of("IO Error: Corrupt database file: computed checksum 1 does not match stored "
                 "checksum 2 in block")
                  .kind(),
              ErrorKind::corrupt);
    EXPECT_EQ(of("IO Error: Cannot open file \"/x\": Permission denied").kind(), ErrorKind::local);
    EXPECT_EQ(of("INTERNAL Error: Attempted to dereference").kind(), ErrorKind::local);
    EXPECT_EQ(of("").kind(), ErrorKind::local);
    // The place in a person's SQL is kept.
    EXPECT_NE(std::string(of("Parser Error: syntax error\n\nLINE 1: SELEC\n        ^").what())
                  .find("LINE 1"),
              std::string::npos);
}

}  // namespace
}  // namespace tipple::engine
