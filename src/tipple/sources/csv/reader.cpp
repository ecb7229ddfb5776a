#include "tipple/sources/csv/reader.h"

#include <utility>

#include "tipple/core/error.h"
#include "tipple/core/limits.h"
#include "tipple/sources/csv/file_pass.h"

namespace tipple::sources::csv {

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
                              .skips_bad_records = context_.skips_bad_records};
    FilePass pass(*input, options, types);
    while (std::optional<FilePage> page = pass.next()) {
        if (context_.stop.stop_requested()) throw Error(ErrorKind::cancelled, "stopped");
        on_read(*input);
        if (pass.has_misfits()) continue;
        for (const extract::SkippedText& text : page->skipped) out_.skip(text);
        if (page->page.batch.rows > 0) out_.write(std::move(page->page));
        if (!out_.wants_more()) return true;
    }
    for (const auto& [column, text] : pass.misfits()) {
        context_.log.info("{}: column \"{}\" is not what its first values look like (\"{}\"); reading the file again, from the start", file.name, column, text);
    }
    types = pass.types();
    return !pass.has_misfits();
}

}  // namespace tipple::sources::csv
