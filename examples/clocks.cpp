// Events of several kinds, each with a clock of its own: a last value that a function makes.
//
//   clocks DATABASE
#include <algorithm>
#include <cstdio>
#include <exception>
#include <string>
#include <utility>

#include "tipple/tipple.h"

namespace {

/// Of each kind, the latest time so far: {"fork": 3, "push": 9}.
tipple::Value latest(const tipple::Value& event, const tipple::Value* last) {
    tipple::Record times(last != nullptr ? last->as<tipple::Object>() : tipple::Object());
    const tipple::Record record(event.as<tipple::Object>());
    const auto kind = *record.get<std::string>("kind");
    const auto time = *record.get<std::int64_t>("time");
    times.set(kind, std::max(time, times.get<std::int64_t>(kind).value_or(time)));
    return std::move(times).take();
}

tipple::Source feed(const std::string& page) {
    auto events = tipple::resource("events", [page](tipple::Output& out, tipple::ResourceContext&) { out.write_json(page); });
    events.primary_key("id").incremental("$", {.last_value_func = latest});
    return tipple::source("feed", "Events of several kinds.").add(std::move(events));
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 2) {
        std::fputs("usage: clocks DATABASE\n", stderr);
        return 2;
    }
    try {
        tipple::Pipeline pipeline({.name = "feed", .destination = argv[1], .dataset = "main"});
        const auto first = pipeline.run(feed(R"([{"id":1,"kind":"push","time":5},{"id":2,"kind":"fork","time":3},{"id":3,"kind":"push","time":9}])"));
        std::printf("first: %llu events\n", static_cast<unsigned long long>(first.records));
        // A push of the time before the last one is old; a fork of that time is not.
        const auto second = pipeline.run(feed(R"([{"id":4,"kind":"push","time":8},{"id":5,"kind":"fork","time":4},{"id":6,"kind":"star","time":1}])"));
        std::printf("second: %llu events\n", static_cast<unsigned long long>(second.records));
        return 0;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "error: %s\n", error.what());
        return 1;
    }
}
