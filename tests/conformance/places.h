#pragma once

#include <gtest/gtest.h>

#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "support/package_maker.h"
#include "support/temporary_folder.h"
#include "tipple/core/text.h"
#include "tipple/destination/destination.h"

/// What every destination must do, whichever it is. A new one is one line in `place_of`, and passes this.
namespace tipple::conformance {

/// The kinds of destination that this build has.
const destination::Registry& registry();
std::vector<std::string> kinds();

/// Options of a place of this kind, empty and of the test's own; `folder` is the test's. Nothing when nobody said how to get one.
std::optional<config::Options> place_of(const std::string& kind, const support::TemporaryFolder& folder);

class Conformance : public testing::TestWithParam<std::string> {
protected:
    Conformance();

    /// As pipeline `pipeline` of the maker.
    std::unique_ptr<destination::Destination> make();
    destination::Capabilities capabilities() { return make()->capabilities(); }
    std::optional<destination::StoredDataset> stored() { return make()->read_dataset(); }
    /// A closed package that was built on what is stored.
    package::Package close() { return maker_.close(stored()); }
    /// The whole way of one package but for its commit.
    static std::vector<destination::LoadedTable> apply(const package::Package& package, destination::Destination& destination,
                                                       destination::LoadTransaction& transaction);
    std::vector<destination::LoadedTable> load(const package::Package& package);
    /// `1|a 2|NULL`; `{}` in the text stands for the table.
    std::string rows(const std::string& sql, const std::string& table);
    bool has_table(const std::string& table);
    template <typename Action>
    static void expect_error(ErrorKind kind, Action action, const std::string& says = {}) {
        try {
            action();
        } catch (const Error& error) {
            EXPECT_EQ(error.kind(), kind) << error.what();
            EXPECT_NE(std::string(error.what()).find(says), std::string::npos) << error.what();
            return;
        }
        ADD_FAILURE() << "no error";
    }

    support::TemporaryFolder folder_;
    std::unique_ptr<io::FileSystem> files_ = io::local_file_system();
    support::StoppedClock clock_;
    support::PackageMaker maker_;
    config::Options options_;
    std::string dataset_;
};

}  // namespace tipple::conformance
