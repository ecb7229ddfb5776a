#include "tipple/sources/csv/reader.h"

#include <algorithm>
#include <cstdint>
#include <utility>
#include <vector>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/sources/csv/file_pass.h"

namespace tipple::sources::csv {

namespace {

/// So many pages are read before others are asked to help.
constexpr std::size_t pages_alone = 4;
/// What one thread cuts, two more can understand, whatever it is.
constexpr std::size_t helpers_max = 2;
/// Of the memory that is there for libraries, this part may be text that is cut before its turn; with its fields and values it takes some four times as much.
constexpr std::size_t ahead_share = 32;

/// What follows the pages that were read.
enum class After { more, end, enough };

/// Helpers end with the reading, however that ends.
struct Finishing {
    FilePass& pass;
    ~Finishing() { pass.finish(); }
};

}  // namespace

void Reader::look_at(const std::vector<Beginning>& files, const std::optional<std::string>& format_delimiter) {
    surveys_.insert_or_assign(format_delimiter.value_or(""), survey(files, options_, format_delimiter));
}

void Reader::read(const Input& file, const std::function<void(const io::InputStream&)>& on_read) {
    const auto found = surveys_.find(file.format_delimiter.value_or(""));
    TIPPLE_ASSERT(found != surveys_.end());
    Types types = found->second.types;
    while (!try_read(file, found->second, types, on_read)) out_.restart_input();
}

bool Reader::try_read(const Input& file, const Survey& survey, Types& types, const std::function<void(const io::InputStream&)>& on_read) {
    const std::unique_ptr<io::InputStream> input = file.open();
    const FileOptions options{.options = options_,
                              .survey = survey,
                              .origin_columns = file.origin_columns.get(),
                              .page_bytes = context_.page_bytes > 0 ? context_.page_bytes : limits::page_bytes,
                              .record_bytes_max = context_.record_bytes_max > 0 ? context_.record_bytes_max : limits::page_bytes * 64,
                              .skips_bad_records = context_.skips_bad_records,
                              .ahead_bytes_max = context_.memory_bytes / ahead_share};
    FilePass pass(*input, options, types);
    const auto read_pages = [&](std::size_t pages_max) {
        for (std::size_t pages = 0; pages < pages_max; ++pages) {
            std::optional<FilePage> page = pass.next();
            if (!page) return After::end;
            if (context_.stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
            on_read(*input);
            if (pass.has_misfits()) continue;
            for (const extract::SkippedText& text : page->skipped) out_.skip(text);
            if (page->page.batch.rows > 0) out_.write(std::move(page->page));
            if (!out_.wants_more()) return After::enough;
        }
        return After::more;
    };
    // Threads are for files that are worth them.
    const std::size_t helpers = context_.run_together && !context_.records_max ? std::min(std::max<std::size_t>(context_.threads, 1) - 1, helpers_max) : 0;
    After after = read_pages(helpers > 0 ? pages_alone : SIZE_MAX);
    if (after == After::more) read_together(pass, helpers, [&] { after = read_pages(SIZE_MAX); });
    if (after == After::enough) return true;
    for (const auto& [column, text] : pass.misfits()) {
        context_.log.info("{}: column \"{}\" is not what its first values look like (\"{}\"); reading the file again, from the start", file.name, column, text);
    }
    types = pass.types();
    return !pass.has_misfits();
}

void Reader::read_together(FilePass& pass, std::size_t helpers, const std::function<void()>& read_pages) const {
    pass.expect_helpers(helpers);
    std::vector<extract::Task> tasks;
    tasks.emplace_back([&](const std::stop_token&) {
        const Finishing finishing{pass};
        read_pages();
    });
    for (std::size_t i = 0; i < helpers; ++i) tasks.emplace_back([&](const std::stop_token& stop) { pass.help(stop); });
    context_.run_together(std::move(tasks));
}

}  // namespace tipple::sources::csv
