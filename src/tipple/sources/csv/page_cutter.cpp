#include "tipple/sources/csv/page_cutter.h"

#include <algorithm>
#include <utility>

#include "tipple/core/text.h"
#include "tipple/sources/csv/header.h"

namespace tipple::sources::csv {

namespace {

/// Rows handed over at once: about a page.
constexpr std::size_t records_max = 16'384;
constexpr std::string_view byte_order_mark = "\xEF\xBB\xBF";

}  // namespace

PageCutter::PageCutter(io::InputStream& input, const FileOptions& file)
    : input_(input), file_(file), layout_{.file = input.name(), .dialect = file.survey.dialect, .names = {}}, scanner_(layout_.dialect), text_(std::make_shared<std::string>()),
      lines_to_skip_(file.options.skip_lines) {
    fill(file_.page_bytes);
    if (text_->starts_with(byte_order_mark)) at_ = byte_order_mark.size();
}

/// Reads until the text has `size` bytes or the file ends.
void PageCutter::fill(std::size_t size) {
    // One more for the scanner, which must not move what pages show.
    text_->reserve(size + 1);
    while (text_->size() < size && !is_at_end_) {
        const std::size_t old = text_->size();
        text_->resize(size);
        const std::size_t got = input_.read(text_->data() + old, size - old);
        text_->resize(old + got);
        is_at_end_ = got == 0;
    }
}

/// More text behind a record that is not whole. False when there is none; throws when the record is larger than a record may be.
bool PageCutter::refill() {
    if (is_at_end_) return false;
    before_ += at_;
    if (text_.use_count() > 1) {
        // What is shown stays where it is.
        const std::shared_ptr<std::string> shown = std::exchange(text_, spare_ != nullptr ? std::move(spare_) : std::make_shared<std::string>());
        text_->reserve(file_.page_bytes + 1);
        text_->assign(*shown, at_);
    } else {
        text_->erase(0, at_);
    }
    at_ = 0;
    if (text_->size() >= file_.record_bytes_max) {
        throw Error(ErrorKind::data, "{}: the record that starts at byte {} is larger than {}, which the memory budget allows for one record; give more with --memory", layout_.file, before_,
                    format_bytes(file_.record_bytes_max));
    }
    fill(std::min(std::max(file_.page_bytes, text_->size() * 2), std::max(file_.record_bytes_max, file_.page_bytes)));
    return true;
}

/// False when the file has no more lines than that.
bool PageCutter::skip_first_lines() {
    while (lines_to_skip_ > 0) {
        std::size_t end = 0;
        lines_to_skip_ -= scanner_.skip_lines(std::string_view(*text_).substr(at_), lines_to_skip_, rest(), end);
        at_ += end;
        if (lines_to_skip_ > 0 && !refill()) return false;
    }
    return true;
}

bool PageCutter::read_header() {
    if (!skip_first_lines()) return false;
    while (true) {
        scanner_.scan(*text_, at_, rest(), 1, records_);
        if (!records_.records.empty()) {
            if (take_header(records_.records.front())) return true;
            continue;
        }
        at_ = records_.end;
        if (!refill()) return false;
    }
}

/// False when it has to be scanned again, by a dialect of the file's own.
bool PageCutter::take_header(const Record& record) {
    if (record.problem != nullptr) {
        throw Error(ErrorKind::data, "{}:{}: {}, in the first line, which says what columns there are", layout_.file, record.line, record.problem);
    }
    const bool is_undivided = record.field_count == 1 && file_.survey.width > 1 && !file_.options.delimiter;
    if (is_undivided && layout_.dialect == file_.survey.dialect) {
        layout_.dialect = own_dialect({.text = text_->substr(at_), .is_all = is_at_end_}, file_.options);
        if (!(layout_.dialect == file_.survey.dialect)) {
            scanner_ = Scanner(layout_.dialect, record.line);
            return false;
        }
    }
    std::vector<std::string> names = plain_names(record.field_count);
    if (!file_.options.has_header) {
        // It is a record, too, and scanned as such.
        scanner_ = Scanner(layout_.dialect, record.line);
        at_ = record.start;
        layout_.names = std::move(names);
        return true;
    }
    std::string scratch;
    for (std::size_t i = 0; i < names.size(); ++i) {
        names[i] = field_text(layout_.dialect, *text_, records_.fields[record.first_field + i], scratch);
        if (!is_valid_utf8(names[i])) {
            throw Error(ErrorKind::data, "{}:{}: the name of column {} is not valid UTF-8; if the file has another encoding, say so: --encoding windows-1252", layout_.file, record.line, i + 1);
        }
    }
    layout_.names = column_names(std::move(names));
    at_ = records_.end;
    return true;
}

bool PageCutter::cut(TextPage& page) {
    // A text that nobody shows any more is the next one's memory.
    if (page.holder.use_count() == 1) spare_ = std::move(page.holder);
    page.holder.reset();
    while (true) {
        scanner_.scan(*text_, at_, rest(), records_max, page.records);
        if (!page.records.records.empty()) break;
        at_ = page.records.end;
        if (page.records.is_in_quotes && text_->size() - at_ >= file_.record_bytes_max) {
            scanner_.give_up_quotes(*text_, at_, page.records);
            break;
        }
        if (!refill()) return false;
    }
    hand_over(page);
    return true;
}

void PageCutter::hand_over(TextPage& page) {
    page.holder = text_;
    page.text = *text_;
    page.start = at_;
    page.bytes_before = before_;
    page.records_before = records_before_;
    records_before_ += page.records.records.size();
    at_ = page.records.end;
}

}  // namespace tipple::sources::csv
