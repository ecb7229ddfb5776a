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
            look(run(source, options_));
        }
    }

    /// `file:records` of each entry.
    std::string entries(const std::string& resource = "t") {
        std::string text;
        for (const json::Value& row : destination_.rows("_tipple_files_" + resource)) {
            text += fmt::format("{}{}:{}", text.empty() ? "" : " ", row.as_object().find("file")->as_text(), row.as_object().find("row_count")->as_int());
        }
        return text;
    }

    /// What the state says of the resource's ledger.
    json::Value ledger_state(const std::string& resource = "t") {
        const std::optional<destination::StoredDataset> dataset = destination_.read_dataset();
        const json::Value* at = &dataset->state->document;
        for (const std::string& name : {std::string("sources"), std::string("shop"), std::string("resources"), resource, std::string("ledger"), std::string("files")}) {
            at = at->as_object().find(name);
            if (at == nullptr) return {};
        }
        return *at;
    }

    /// One input with that many records of that id.
    static void write_input(Output& out, const std::string& path, int id, int records = 1) {
        out.begin_input({.path = path, .version = "1"});
        for (int i = 0; i < records; ++i) write(out, path, record(id));
        out.end_input();
    }

    RunOptions options_;
};

class LedgerTest : public InputScopesTest {
protected:
    void SetUp() override { destination_.edit_capabilities().reads_rows = true; }
    static extract::ResourceSpec ledger(const std::string& name = "t") { return {.name = name, .keeps_ledger = true}; }
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

/// What an input was must not be taken for the one that has its place in memory.
TEST_F(InputScopesTest, AnEmptyInputInBetween) {
    const auto read = [](const ResourceContext&, Output& out) {
        for (int i = 0; i < 40; ++i) {
            write_input(out, "/good", i, 2);
            write_input(out, "/empty", 0, 0);
            out.begin_input({.path = "/again"});
            if (i % 2 == 0) write(out, "again", record(1'000));
            out.restart_input();
        }
    };
    std::string ids;
    for (int i = 0; i < 40; ++i) ids += fmt::format("{}{} {}", ids.empty() ? "" : " ", i, i);
    with_workers({.name = "t"}, read, [&](const RunReport&) { EXPECT_EQ(values("t", "id"), ids); });
}

/// How far a source gets before it hears that no more is wanted must not be seen.
TEST_F(InputScopesTest, NothingIsTakenBackBehindALimit) {
    const auto limited = [&](int choice) {
        return [choice](const ResourceContext&, Output& out) {
            out.begin_input({.path = "/a"});
            for (int i = 0; i < 3; ++i) write(out, "a", record(i));
            if (choice == 0) out.restart_input();
            if (choice == 1) out.discard_input(Error(ErrorKind::data, "breaks off"));
            if (choice == 2) out.skip({.origin = {.name = "a"}, .column = {}, .reason = "no record", .text = "x"});
            if (choice == 3) throw Error(ErrorKind::remote, "gone");
            for (int i = 10; i < 15; ++i) write(out, "a", record(i));
        };
    };
    options_.on_bad_record = OnBadRecord::skip;
    for (int choice = 0; choice < 4; ++choice) {
        const auto look = [&](const RunReport& report) {
            EXPECT_EQ(values("t", "id"), "0 1 2") << choice;
            EXPECT_EQ(report.bad_input_count, 0U);
            EXPECT_EQ(report.skipped_count, 0U);
        };
        options_.limit = 3;
        with_workers({.name = "t", .skips_bad_inputs = true}, limited(choice), look);
        options_.limit.reset();
        with_workers({.name = "t", .limit = 3, .skips_bad_inputs = true}, limited(choice), look);
    }
}

TEST_F(InputScopesTest, WhatACheckpointHasCommittedIsNotTakenBack) {
    ScriptedSource source;
    source.add({.name = "t", .checkpoint = extract::Checkpoint{.records = 1}, .marks_checkpoints = true}, [&](const ResourceContext&, Output& out) {
        out.begin_input({.path = "/a"});
        write(out, "a", record(1));
        while (destination_.loads().empty()) out.checkpoint();
        write(out, "a", record(2));
        out.restart_input();
    });
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "a part of it is committed already"));
}

TEST_F(InputScopesTest, AnInputThatMayBeLeftOutIsNotParted) {
    ScriptedSource source;
    source.add({.name = "t", .checkpoint = extract::Checkpoint{.records = 1}, .marks_checkpoints = true, .skips_bad_inputs = true}, [](const ResourceContext&, Output& out) {
        write_input(out, "/a", 1);
        out.begin_input({.path = "/b"});
        for (int i = 0; i < 50; ++i) {
            write(out, "b", record(2));
            out.checkpoint();
        }
        out.discard_input(Error(ErrorKind::data, "b breaks off"));
        write_input(out, "/c", 3);
    });
    EXPECT_EQ(run(source).bad_input_count, 1U);
    EXPECT_EQ(values("t", "id"), "1 3");
}

/// A file that was left out was not loaded before.
TEST_F(InputScopesTest, AnInputThatWasLeftOutIsNotNoted) {
    const auto load = [&](bool is_broken) {
        ScriptedSource source;
        source.add({.name = "t", .skips_bad_inputs = true}, [=](const ResourceContext&, Output& out) {
            write_input(out, "/good", 1);
            out.begin_input({.path = "/broken"});
            write(out, "b", is_broken ? "{\"id\":\n" : record(2));
        });
        return run(source);
    };
    const RunReport first = load(true);
    ASSERT_EQ(first.bad_input_count, 1U);
    EXPECT_FALSE(contains(first.bad_inputs[0].error, "nothing was loaded")) << first.bad_inputs[0].error;
    const RunReport second = load(false);
    ASSERT_EQ(second.warnings.size(), 1U);
    EXPECT_TRUE(contains(second.warnings[0], "/good was loaded before"));
}

/// Names of more would only fill memory; that a load is the same as one that was interrupted is seen all the same.
TEST_F(InputScopesTest, OfManyInputsTheFirstAreNoted) {
    const auto load = [&](int last) {
        ScriptedSource source;
        source.add({.name = "t"}, [=](const ResourceContext&, Output& out) {
            for (int i = 0; i <= 10'000; ++i) out.begin_input({.path = fmt::format("/{}", i < 10'000 ? i : last)});
            write(out, "last", record(last));
        });
        return run(source);
    };
    destination_.fail(FailPoint::commit, ErrorKind::local);
    EXPECT_THROW(load(10'000), Error);
    EXPECT_TRUE(load(10'000).warnings.size() == 1U) << "the same files";
    EXPECT_EQ(values("t", "id"), "10000");
    EXPECT_EQ(load(10'001).warnings.size(), 10'000U);
    EXPECT_EQ(values("t", "id"), "10000 10001");
}

/// Rows of a file that was left out would be taken for gone.
TEST_F(InputScopesTest, AFullSnapshotLeavesNoInputOut) {
    destination::Capabilities& capabilities = destination_.edit_capabilities();
    capabilities.dispositions.push_back(schema::Disposition::merge);
    capabilities.merge_strategies = {schema::MergeStrategy::delete_insert};
    capabilities.deletes_missing = true;
    ScriptedSource source;
    source.add({.name = "t", .disposition = schema::Disposition::merge, .primary_key = {"id"}, .delete_missing = schema::DeleteMissing{}, .skips_bad_inputs = true},
               [](const ResourceContext&, Output& out) {
                   write_input(out, "/good", 1);
                   out.begin_input({.path = "/broken"});
                   out.discard_input(Error(ErrorKind::data, "breaks off"));
               });
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "1 file could not be read to the end (/broken): nothing was loaded"));
    EXPECT_TRUE(destination_.loads().empty());
}

/// A worker has left it out, and its source sees that it was written to while it was read.
TEST_F(InputScopesTest, AnInputThatWasBadIsReadAgain) {
    const auto read = [](const ResourceContext&, Output& out) {
        write_input(out, "/a", 1);
        out.begin_input({.path = "/b"});
        write(out, "b", record(2, ",\"wrong\":1") + "{\"id\":\n");
        out.restart_input();
        write(out, "b", record(3));
        out.end_input();
        write_input(out, "/c", 4);
    };
    with_workers({.name = "t", .skips_bad_inputs = true}, read, [&](const RunReport& report) {
        EXPECT_EQ(values("t", "id"), "1 3 4");
        EXPECT_EQ(report.bad_input_count, 0U);
        EXPECT_TRUE(report.bad_inputs.empty());
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

TEST_F(LedgerTest, EntriesAreOfWhatWasLoaded) {
    const auto read = [](const ResourceContext&, Output& out) {
        out.begin_input({.path = "/gone"});
        write(out, "gone", record(100));
        out.restart_input();
        write_input(out, "/a", 1, 2);
        write_input(out, "/empty", 0, 0);
        out.begin_input({.path = "/b"});
        write(out, "b", record(100));
        out.restart_input();
        write_input(out, "/b", 2);
        out.begin_input({.path = "/broken"});
        write(out, "broken", record(100));
        out.discard_input(Error(ErrorKind::data, "breaks off"));
        out.begin_input({.path = "/bad"});
        write(out, "bad", record(100));
        write(out, "bad", "{\"id\":\n");
        out.end_input();
        write_input(out, "/c", 3, 3);
    };
    extract::ResourceSpec spec = ledger();
    spec.skips_bad_inputs = true;
    with_workers(spec, read, [&](const RunReport& report) {
        EXPECT_EQ(entries(), "/a:2 /empty:0 /b:1 /c:3");
        EXPECT_EQ(values("t", "id"), "1 1 2 3 3 3");
        EXPECT_EQ(report.bad_input_count, 2U);
        EXPECT_EQ(json::to_text(ledger_state()), "4");
    });
}

TEST_F(LedgerTest, InputsWithoutRecordsDoNotWaitForOneWithSome) {
    const auto read = [](const ResourceContext&, Output& out) {
        write_input(out, "/first", 1);
        for (int i = 0; i < 9'000; ++i) write_input(out, "/empty", 0, 0);
        write_input(out, "/last", 2);
    };
    with_workers(ledger(), read, [&](const RunReport&) {
        EXPECT_EQ(destination_.rows("_tipple_files_t").size(), 9'002U);
        EXPECT_EQ(values("t", "id"), "1 2");
    });
}

TEST_F(LedgerTest, ACheckpointLiesBetweenInputs) {
    extract::ResourceSpec spec = ledger();
    spec.checkpoint = extract::Checkpoint{.records = 1};
    spec.marks_checkpoints = true;
    ScriptedSource source;
    source.add(spec, [this](const ResourceContext&, Output& out) {
        for (int file = 0; file < 3; ++file) {
            out.begin_input({.path = fmt::format("/{}", file), .version = "1"});
            for (int i = 0; i < 50; ++i) {
                write(out, "f", record(file));
                out.checkpoint();
            }
            out.end_input();
            while (destination_.loads().size() <= static_cast<std::size_t>(file)) out.checkpoint();
            if (file == 1) throw Error(ErrorKind::remote, "gone");
        }
    });
    error_of(ErrorKind::remote, source);
    EXPECT_EQ(entries(), "/0:50 /1:50");
    EXPECT_EQ(destination_.rows("t").size(), 100U);
    EXPECT_EQ(json::to_text(ledger_state()), "2");
    ScriptedSource rest;
    rest.add(spec, [](const ResourceContext& context, Output& out) {
        std::set<std::string> known;
        context.ledger->read({}, [&](const extract::LedgerEntry& entry) { known.emplace(entry.file); });
        for (int file = 0; file < 3; ++file) {
            if (!known.contains(fmt::format("/{}", file))) write_input(out, fmt::format("/{}", file), file, 50);
        }
    });
    run(rest);
    EXPECT_EQ(entries(), "/0:50 /1:50 /2:50");
    EXPECT_EQ(destination_.rows("t").size(), 150U);
    EXPECT_EQ(json::to_text(ledger_state()), "3");
}

/// Rows and entries wait in one package, and are there before the next run looks what is new.
TEST_F(LedgerTest, ALoadThatFailedIsFinishedBeforeItsInputsAreReadAgain) {
    ScriptedSource source;
    source.add(ledger(), [](const ResourceContext& context, Output& out) {
        std::size_t known = 0;
        context.ledger->read({}, [&](const extract::LedgerEntry&) { ++known; });
        if (known == 0) write_input(out, "/a", 1, 2);
    });
    destination_.fail(FailPoint::commit, ErrorKind::local);
    error_of(ErrorKind::local, source);
    EXPECT_EQ(entries(), "");
    EXPECT_EQ(run(source).pending_finished, 1U);
    run(source);
    EXPECT_EQ(entries(), "/a:2");
    EXPECT_EQ(values("t", "id"), "1 1");
}

TEST_F(LedgerTest, AnIdleResourceKeepsItsLedgerAndLosesItWithItsState) {
    const auto load = [&](const std::string& busy, const RunOptions& options = {}) {
        ScriptedSource source;
        for (const std::string name : {"a", "b"}) {
            source.add(ledger(name), [=](const ResourceContext&, Output& out) {
                if (name == busy) write_input(out, "/" + name, 1);
            });
        }
        return run(source, options);
    };
    load("a");
    load("b");
    load("b");
    EXPECT_EQ(destination_.read_dataset()->schemas.at("shop").require("_tipple_files_a").normalizer_hint("seen-data"), json::Value(true));
    destination_.take_calls();
    Pipeline(config_, destination_, *files_, clock_, Log()).drop({.resources = {"a"}, .state_only = true}, observer_, {});
    EXPECT_EQ(count(destination_.take_calls(), "truncate _tipple_files_a"), 1U);
    EXPECT_EQ(entries("a"), "");
    EXPECT_EQ(entries("b"), "/b:1 /b:1");
    EXPECT_EQ(values("a", "id"), "1");
    load("a", {.refresh = Refresh::drop_data});
    EXPECT_EQ(entries("a"), "/a:1");
    EXPECT_EQ(entries("b"), "");
}

TEST_F(LedgerTest, ALedgerIsOfOneResource) {
    ScriptedSource one;
    extract::ResourceSpec spec = ledger("Sales");
    spec.table = "one";
    one.add(spec, [](const ResourceContext&, Output& out) { write_input(out, "/a", 1); });
    ScriptedSource other;
    spec = ledger("sales");
    spec.table = "other";
    other.add(spec, [](const ResourceContext&, Output& out) { write_input(out, "/a", 1); });
    const auto together = [&](const std::string& first, const std::string& second) {
        return error_from(ErrorKind::usage, [&] {
            Pipeline(config_, destination_, *files_, clock_, Log()).run({{.driver = &one, .schema_name = first}, {.driver = &other, .schema_name = second}}, {}, observer_, {});
        });
    };
    config_.naming = "direct";
    EXPECT_TRUE(contains(together("shop", "shop"), "would be one table, \"_tipple_files_"));
    EXPECT_TRUE(contains(together("shop", "crm"), "resource \"Sales\" of schema \"shop\""));
    EXPECT_TRUE(destination_.loads().empty());
    run(one);
    config_.schema_name = "crm";
    config_.name = "crm";
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, other), "resource \"Sales\" of schema \"shop\""));
}

TEST_F(InputScopesTest, ALedgerNeedsAPlaceThatCanBeReadBack) {
    ScriptedSource source;
    source.add({.name = "t", .keeps_ledger = true}, [](const ResourceContext&, Output&) {});
    EXPECT_TRUE(contains(error_of(ErrorKind::usage, source), "state = \"watermark\""));
}

}  // namespace
}  // namespace tipple::pipeline
