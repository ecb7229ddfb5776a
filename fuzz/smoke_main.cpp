// A fuzz target without a fuzzer: `<target>_smoke CORPUS MUTATIONS` replays a folder of inputs,
// then that many inputs made of them by seeded mutation, always the same. An input that fails is
// kept in the current folder.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <exception>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <random>
#include <vector>

#include "fuzz.h"

namespace {

constexpr std::size_t input_bytes_max = 4'096;

class Mutator {
public:
    explicit Mutator(const std::vector<std::string>& corpus) : corpus_(corpus) {}

    std::string make() {
        std::string input = corpus_[below(corpus_.size())];
        for (std::size_t i = below(6) + 1; i-- > 0;) change(input);
        if (input.size() > input_bytes_max) input.resize(input_bytes_max);
        return input;
    }

private:
    std::size_t below(std::size_t count) { return random_() % count; }

    void change(std::string& input) {
        static constexpr const char* tokens[] = {"{",
                                                 "}",
                                                 "[",
                                                 "]",
                                                 "\"",
                                                 "\\",
                                                 ":",
                                                 ",",
                                                 "null",
                                                 "true",
                                                 "-",
                                                 "0",
                                                 "1e400",
                                                 "\n",
                                                 "\r",
                                                 "\t",
                                                 " ",
                                                 "\\u0000",
                                                 "\\ud800",
                                                 "\xff",
                                                 "\xef\xbb\xbf",
                                                 "9223372036854775808",
                                                 "{}",
                                                 "[]",
                                                 "\"\"",
                                                 "\"_dlt_id\"",
                                                 "2024-02-30"};
        const std::size_t at = below(input.size() + 1);
        const std::size_t length = std::min(below(16) + 1, input.size() - at);
        switch (below(6)) {
            case 0:
                input.erase(at, length);
                break;
            case 1:
                input.insert(at, input.substr(at, length));
                break;
            case 2:
                if (at < input.size()) input[at] = static_cast<char>(random_());
                break;
            case 3:
                if (at < input.size()) input[at] = static_cast<char>(input[at] ^ (1 << below(8)));
                break;
            case 4: {
                const std::string& other = corpus_[below(corpus_.size())];
                const std::size_t from = below(other.size() + 1);
                input.insert(at, other.substr(from, below(64)));
                break;
            }
            default:
                input.insert(at, tokens[below(std::size(tokens))]);
        }
    }

    const std::vector<std::string>& corpus_;
    std::mt19937_64 random_{1};
};

std::vector<std::string> read_corpus(const char* folder) {
    std::vector<std::filesystem::path> paths;
    for (const auto& entry : std::filesystem::directory_iterator(folder))
        paths.push_back(entry.path());
    std::sort(paths.begin(), paths.end());
    std::vector<std::string> corpus;
    for (const auto& path : paths) {
        std::ifstream file(path, std::ios::binary);
        corpus.emplace_back(std::istreambuf_iterator<char>(file), std::istreambuf_iterator<char>());
    }
    return corpus;
}

bool passes(const std::string& input) {
    try {
        LLVMFuzzerTestOneInput(reinterpret_cast<const std::uint8_t*>(input.data()), input.size());
        return true;
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
    }
    std::ofstream("failed-input", std::ios::binary) << input;
    std::fprintf(stderr, "the input is in %s\n",
                 (std::filesystem::current_path() / "failed-input").c_str());
    return false;
}

}  // namespace

int main(int argc, char** argv) {
    if (argc != 3) {
        std::fprintf(stderr, "usage: %s CORPUS MUTATIONS\n", argv[0]);
        return 2;
    }
    const std::vector<std::string> corpus = read_corpus(argv[1]);
    if (corpus.empty()) {
        std::fprintf(stderr, "%s holds no inputs\n", argv[1]);
        return 2;
    }
    const int mutations = std::atoi(argv[2]);
    for (const std::string& input : corpus) {
        if (!passes(input)) return 1;
    }
    Mutator mutator(corpus);
    for (int i = 0; i < mutations; ++i) {
        if (!passes(mutator.make())) return 1;
    }
    std::printf("%zu inputs and %d mutations passed\n", corpus.size(), mutations);
    return 0;
}
