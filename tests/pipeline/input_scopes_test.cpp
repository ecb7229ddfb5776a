// Inputs that are read again, or left out: nothing of what is taken back remains, and nothing of the others goes.
#include "pipeline/pipeline_fixture.h"

namespace tipple::pipeline {
namespace {

using extract::Output;
using extract::ResourceContext;

class InputScopesTest : public PipelineTest {
protected:
    static void write(Output& out, const std::string& name, const std::string& records) { out.write(support::json_page(records, {.name = name, .line = 1})); }
    static std::string record(int id, const std::string& more = {}) { return fmt::format("{{\"id\":{}{}}}\n", id, more); }

    /// The same run with one worker and with several must come to this.
    template <typename Look>
    void with_workers(const extract::ResourceSpec& spec, const ScriptedSource::Read& read, const Look& look) {
        for (const std::size_t workers : {1U, 4U}) {
            destination_.clear();
            config_.workers = workers;
            config_.data_folder = temporary_.path(fmt::format("data-{}", workers));
            ScriptedSource source;
            source.add(spec, read);
            look(run(source));
        }
    }
};

TEST_F(InputScopesTest, ReadingAgainForgetsThatInputOnly) {
    const auto read = [](const ResourceContext&, Output& out) {
        out.begin_input({.path = "/a"});
        for (int i = 0; i < 50; ++i) write(out, "a", record(i));
        out.begin_input({.path = "/b"});
        for (int i = 50; i < 90; ++i) write(out, "b", record(i, ",\"wrong\":[{\"x\":1}],\"id2\":\"text\""));
        out.restart_input();
        for (int i = 50; i < 90; ++i) write(out, "b", record(i, ",\"id2\":7"));
        out.begin_input({.path = "/c"});
        write(out, "c", record(90));
    };
    with_workers({.name = "t"}, read, [&](const RunReport& report) {
        EXPECT_EQ(report.records, 91U);
        EXPECT_EQ(destination_.rows("t").size(), 91U);
        EXPECT_EQ(report.schema.find("t__wrong"), nullptr);
        EXPECT_EQ(report.schema.require("t").find("id2")->data_type(), schema::DataType::bigint);
        EXPECT_EQ(report.schema.require("t").find("wrong"), nullptr);
    });
}

TEST_F(InputScopesTest, AllIsReadAgain) {
    const auto read = [](const ResourceContext&, Output& out) {
        write(out, "x", record(1, ",\"wrong\":1"));
        for (int i = 0; i < 10; ++i) {
            out.begin_input({.path = fmt::format("/{}", i)});
            write(out, "x", record(i, ",\"wrong\":[{\"x\":1}]"));
            out.end_input();
        }
        out.restart();
        write(out, "x", record(1));
    };
    with_workers({.name = "t"}, read, [&](const RunReport& report) {
        EXPECT_EQ(report.records, 1U);
        EXPECT_EQ(report.schema.require("t").find("wrong"), nullptr);
    });
}

TEST_F(InputScopesTest, AnInputThatBreaksOffIsLeftOut) {
    const auto read = [](const ResourceContext&, Output& out) {
        out.begin_input({.path = "/a"});
        write(out, "a", record(1));
        out.end_input();
        out.begin_input({.path = "/b"});
        write(out, "b", record(2, ",\"only_b\":{\"x\":[1,2]}"));
        out.discard_input(Error(ErrorKind::data, "b breaks off"));
        out.begin_input({.path = "/c"});
        write(out, "c", record(3));
        out.end_input();
    };
    with_workers({.name = "t", .skips_bad_inputs = true}, read, [&](const RunReport& report) {
        EXPECT_EQ(values("t", "id"), "1 3");
        EXPECT_EQ(report.schema.find("t__only_b__x"), nullptr);
        ASSERT_EQ(report.bad_input_count, 1U);
        EXPECT_EQ(report.bad_inputs[0].path, "/b");
        EXPECT_EQ(report.bad_inputs[0].error, "b breaks off");
    });
}

/// What is wrong with a record is seen by workers, while later inputs are on their way, normalized against columns that go again.
TEST_F(InputScopesTest, AnInputWithABadRecordIsLeftOutAsAWhole) {
    const auto read = [](const ResourceContext&, Output& out) {
        for (int file = 0; file < 40; ++file) {
            out.begin_input({.path = fmt::format("/{}", file)});
            for (int page = 0; page < 5; ++page) {
                const int id = file * 5 + page;
                const bool is_bad = file % 4 == 1;
                write(out, "f", is_bad ? record(id, page == 3 ? ",\"only_bad\":" : ",\"only_bad\":1,\"late\":\"text\"") : record(id, file > 1 ? ",\"late\":5" : ""));
            }
            out.end_input();
        }
    };
    std::string ids;
    for (int file = 0; file < 40; ++file) {
        for (int page = 0; page < 5 && file % 4 != 1; ++page) ids += fmt::format("{}{}", ids.empty() ? "" : " ", file * 5 + page);
    }
    with_workers({.name = "t", .skips_bad_inputs = true}, read, [&](const RunReport& report) {
        EXPECT_EQ(values("t", "id"), ids);
        EXPECT_EQ(report.bad_input_count, 10U);
        EXPECT_EQ(report.records, 150U);
        const schema::Table& table = report.schema.require("t");
        EXPECT_EQ(table.find("only_bad"), nullptr);
        EXPECT_EQ(table.find("late")->data_type(), schema::DataType::bigint);
        EXPECT_EQ(table.find("late__v_text"), nullptr);
    });
}

TEST_F(InputScopesTest, ABadRecordEndsARunThatLeavesNothingOut) {
    ScriptedSource source;
    source.add({.name = "t"}, [](const ResourceContext&, Output& out) {
        out.begin_input({.path = "/a"});
        write(out, "a", record(1) + "{\"id\":\n");
        out.end_input();
    });
    EXPECT_TRUE(contains(error_of(ErrorKind::data, source), "a:2"));
    EXPECT_TRUE(destination_.rows("t").empty());
}

TEST_F(InputScopesTest, ALedgerNeedsAPlaceThatCanBeReadBack) {
    ScriptedSource source;
    source.add({.name = "t", .keeps_ledger = true}, [](const ResourceContext&, Output&) {});
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "state = \"watermark\""));
}

}  // namespace
}  // namespace tipple::pipeline
