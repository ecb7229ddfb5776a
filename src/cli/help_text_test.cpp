#include "cli/help_text.h"

#include <gtest/gtest.h>

namespace tipple::cli {
namespace {

using config::OptionKind;

TEST(Wrapped, KeepsWhatFits) { EXPECT_EQ(wrapped("  --as TABLE  Table", 19), "  --as TABLE  Table\n"); }

TEST(Wrapped, BreaksBetweenWords) {
    EXPECT_EQ(wrapped("one two three", 7), "one two\nthree\n");
    EXPECT_EQ(wrapped("  one two three", 9), "  one two\n  three\n");
    EXPECT_EQ(wrapped("größe größe", 6), "größe\ngröße\n") << "columns count, not bytes";
    EXPECT_EQ(wrapped("goes with --key", 10), "goes\nwith --key\n") << "no line begins with a flag that it does not explain";
    EXPECT_EQ(wrapped("unbreakable word", 5), "unbreakable\nword\n");
}

TEST(Wrapped, KeepsTheSecondColumn) {
    EXPECT_EQ(wrapped("  --as  Table for the records of it", 32), "  --as  Table for the records of\n        it\n");
    EXPECT_EQ(wrapped("  tipple schema TARGET   what is there now", 40), "  tipple schema TARGET\n      what is there now\n") << "there is too little room beside it";
}

extract::SourceEntry shop() {
    return {.name = "shop",
            .summary = "A shop.",
            .options = {{.name = "folder", .summary = "Where a|b are.", .kind = OptionKind::path, .is_required = true},
                        {.name = "page", .summary = "Rows of a page.", .kind = OptionKind::integer, .default_value = "100"}},
            .resource_options = {{.name = "page", .summary = "Rows of a page.", .kind = OptionKind::integer}, {.name = "glob", .summary = "Names."}},
            .schemes = {"shop"},
            .endings = {".shop"}};
}

TEST(HelpOfSource, NamesPlacesFormsAndDefaults) {
    const std::string text = help_of(shop(), 100);
    for (const char* part : {"source shop: A shop.\nKnown by: URLs shop://; files .shop\n", "type = \"shop\"", "  folder            Where a|b are. (a path) Required.\n",
                             "  page              Rows of a page. (a whole number) [100]\n", "\nOf each resource:\n  glob ", "the source's: page\n"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

TEST(HelpOfSource, SaysHowItIsNamedOnACommandLine) {
    extract::SourceEntry entry = shop();
    EXPECT_NE(help_of(entry, 100).find("tipple load URL DEST --option"), std::string::npos);
    entry.schemes.clear();
    EXPECT_EQ(help_of(entry, 100).find("tipple load"), std::string::npos) << "its resources need a project";
    entry.resource_options.clear();
    EXPECT_NE(help_of(entry, 100).find("tipple load shop DEST --option"), std::string::npos);
    entry.folder_schemes = {"s3"};
    EXPECT_NE(help_of(entry, 100).find("tipple load PATH... DEST --option"), std::string::npos);
}

TEST(ReferencePage, HasARowOfEveryOption) {
    extract::Registry sources;
    sources.add(shop());
    destination::Registry destinations;
    destinations.add({.name = "lake", .summary = "A lake.", .options = {{.name = "path", .summary = "Where."}}, .schemes = {}, .endings = {"/"}, .parse = {}, .make = {}});
    const std::string text = reference_page(sources, destinations);
    for (const char* part : {"### shop\n", "Known by: URLs shop://; files .shop.\n", "| `folder` | Where a\\|b are. Required. | a path |  |\n",
                             "| `page` | Rows of a page. | a whole number | `100` |\n", "Of each resource of `shop`:\n", "| `glob` | Names. | text |  |\n",
                             "in the place of the source's: `page`.\n", "### lake\n", "| `path` | Where. | text |  |\n"}) {
        EXPECT_NE(text.find(part), std::string::npos) << part << "\n" << text;
    }
}

}  // namespace
}  // namespace tipple::cli
