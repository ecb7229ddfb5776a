#include <string>
#include <string_view>

#include <benchmark/benchmark.h>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/json/pull.h"

namespace tipple::bench {
namespace {

/// `piece` again and again, as what lies behind an opening quote.
void unescape(benchmark::State& state, std::string_view piece, std::size_t bytes) {
    std::string raw;
    while (raw.size() < bytes) raw += piece;
    const std::size_t length = raw.size();
    raw += '"';
    raw.append(limits::json_padding, ' ');
    std::string out(raw.size() + 16, '\0');
    for (auto _ : state) {
        const char* at = raw.data();
        char* end = out.data();
        const json::pull::Unescape result = json::pull::unescape(at, end, out.data() + out.size());
        TIPPLE_ASSERT(result == json::pull::Unescape::done);
        benchmark::DoNotOptimize(out.data());
    }
    state.SetBytesProcessed(static_cast<std::int64_t>(length) * state.iterations());
}

/// Argument: bytes of the string.
void unescape_plain(benchmark::State& state) {
    unescape(state, "https://api.example.com/repos/", static_cast<std::size_t>(state.range(0)));
}
void unescape_some(benchmark::State& state) {
    unescape(state, R"(a sentence in \"quotes\", a line\nbreak and more )",
             static_cast<std::size_t>(state.range(0)));
}
void unescape_unicode(benchmark::State& state) {
    unescape(state, R"(\u65e5\u672c\u8a9e \ud83d\ude80)", static_cast<std::size_t>(state.range(0)));
}

BENCHMARK(unescape_plain)->Arg(16)->Arg(64)->Arg(4096);
BENCHMARK(unescape_some)->Arg(64)->Arg(4096);
BENCHMARK(unescape_unicode)->Arg(64)->Arg(4096);

}  // namespace
}  // namespace tipple::bench
