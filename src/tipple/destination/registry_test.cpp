#include <gtest/gtest.h>

#include "tipple/core/error.h"
#include "tipple/destination/destination.h"

namespace tipple::destination {
namespace {

Registry two_kinds() {
    Registry registry;
    registry.add({.name = "duckdb", .schemes = {"duckdb"}, .endings = {".duckdb", ".db"}});
    registry.add({.name = "postgres", .schemes = {"postgres", "postgresql"}});
    return registry;
}

std::string message_for(const std::string& text) {
    try {
        two_kinds().require_for(text);
    } catch (const Error& error) {
        EXPECT_EQ(error.kind(), ErrorKind::usage);
        return error.what();
    }
    return "no error";
}

TEST(Registry, FindsByName) {
    const Registry registry = two_kinds();
    EXPECT_EQ(registry.find("postgres")->name, "postgres");
    EXPECT_EQ(registry.find("mysql"), nullptr);
    EXPECT_EQ(registry.entries().size(), 2U);
}

TEST(Registry, FindsBySchemeBeforeEnding) {
    const Registry registry = two_kinds();
    EXPECT_EQ(registry.require_for("shop.duckdb").name, "duckdb");
    EXPECT_EQ(registry.require_for("SHOP.DB").name, "duckdb");
    EXPECT_EQ(registry.require_for("postgresql://host/shop.db").name, "postgres");
}

TEST(Registry, SaysWhatIsKnown) {
    EXPECT_EQ(message_for("postgre://host"),
              "no kind of destination has URLs that start with postgre:// (did you mean "
              "postgres://?); known are duckdb, postgres, "
              "postgresql");
    EXPECT_EQ(message_for("shop.sqlite"),
              "cannot tell what kind of destination \"shop.sqlite\" is; paths end in .duckdb, .db, "
              "URLs start with duckdb, postgres, "
              "postgresql and ://");
    EXPECT_TRUE(message_for("folder.v2/shop.duckb").starts_with("cannot tell what kind of destination \"folder.v2/shop.duckb\" is (did you mean \"folder.v2/shop.duckdb\"?); "));
    // A file ending does not help where the scheme is unknown.
    EXPECT_NE(message_for("xyz://shop.duckdb"), "no error");
}

TEST(Registry, KnowsPlacesThatAreThere) {
    Registry registry;
    registry.add({.name = "folder", .endings = {"/"}, .is_place = [](const std::string& path) { return path.ends_with("there"); }});
    EXPECT_EQ(registry.require_for("lake/").name, "folder");
    EXPECT_EQ(registry.require_for("./there").name, "folder");
    EXPECT_EQ(registry.require_for("/there").name, "folder");
    // It may be the name of a pipeline.
    EXPECT_THROW(registry.require_for("there"), Error);
    EXPECT_THROW(registry.require_for("./elsewhere"), Error);
}

}  // namespace
}  // namespace tipple::destination
