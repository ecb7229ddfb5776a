#include "tipple/api/page_writer.h"

#include <algorithm>
#include <cstring>

#include "tipple/api/batch_records.h"
#include "tipple/core/limits.h"
#include "tipple/json/record_cutter.h"
#include "tipple/schema/json_value.h"

namespace tipple::api {

namespace {

/// Of records that are written one by one.
constexpr std::size_t gathered_max = 1'000;

/// JSON of whole records, with blanks where the brackets and commas between them were.
struct CutText {
    columns::Buffer text;  ///< followed by the padding
    std::size_t size = 0;
    std::vector<std::size_t> starts;
};

CutText cut(std::string_view text) {
    CutText result;
    result.text.resize(text.size() + limits::json_padding);
    char* bytes = reinterpret_cast<char*>(result.text.data());
    if (!text.empty()) std::memcpy(bytes, text.data(), text.size());
    std::memset(bytes + text.size(), ' ', limits::json_padding);
    json::RecordCutter cutter{json::Path()};
    cutter.scan(bytes, text.size());
    cutter.finish();
    result.starts = cutter.starts();
    result.size = text.size();
    return result;
}

std::string_view part(const CutText& text, std::size_t from, std::size_t to) {
    return {reinterpret_cast<const char*>(text.text.data()) + from, to - from};
}

Record to_record(Value value) {
    if (auto* object = std::get_if<schema::Object>(static_cast<schema::Value::variant*>(&value))) return Record(std::move(*object));
    // As a record that is no object is loaded.
    return Record{{"value", std::move(value)}};
}

Records parse_records(const CutText& text) {
    Records records;
    records.reserve(text.starts.size());
    for (std::size_t i = 0; i < text.starts.size(); ++i) {
        const std::size_t end = i + 1 < text.starts.size() ? text.starts[i + 1] : text.size;
        records.push_back(to_record(schema::to_value(json::parse(part(text, text.starts[i], end), "the record"))));
    }
    return records;
}

}  // namespace

bool PageWriter::needs_records() const { return !target_.resource.steps.empty() || target_.resource.table_of || target_.listener != nullptr; }

extract::Origin PageWriter::origin() const {
    return {.name = fmt::format("{}.{} page {}", target_.source, target_.spec.name, pages_ + 1), .record = records_};
}

void PageWriter::end_page() {
    ++pages_;
    records_ = 0;
}

void PageWriter::flush() {
    write_gathered();
    for (const std::unique_ptr<Rows>& rows : rows_) rows->flush();
}

void PageWriter::write_gathered() {
    if (gathered_.empty()) return;
    push(std::exchange(gathered_, {}), gathered_options_);
    end_page();
}

void PageWriter::gather(Record record, const WriteOptions& options) {
    if (options.table != gathered_options_.table) write_gathered();
    if (gathered_.empty()) {
        flush();
        gathered_options_ = options;
    }
    gathered_.push_back(std::move(record));
    if (gathered_.size() == gathered_max) write_gathered();
}

void PageWriter::write_json(std::string_view text, const WriteOptions& options) {
    flush();
    needs_records() ? push(parse_records(cut(text)), options) : write_text(text, options);
    end_page();
}

/// A large text becomes several pages, so that all workers have something to do; but not where pages are counted.
void PageWriter::write_text(std::string_view text, const WriteOptions& options) {
    CutText all = cut(text);
    if (all.starts.empty()) return;
    const std::size_t part_bytes = target_.spec.limit ? SIZE_MAX : std::max(target_.page_bytes, std::size_t{1});
    if (all.size / 2 < part_bytes) {
        return target_.out.write(extract::JsonPage{
            .text = std::move(all.text), .size = all.size, .record_starts = std::move(all.starts), .origin = origin(), .table = options.table});
    }
    for (std::size_t first = 0; first < all.starts.size();) {
        const std::size_t begin = all.starts[first];
        std::size_t next = first + 1;
        while (next < all.starts.size() && all.starts[next] - begin < part_bytes) ++next;
        const std::string_view bytes = part(all, begin, next < all.starts.size() ? all.starts[next] : all.size);
        extract::JsonPage page{.text = {}, .size = bytes.size(), .record_starts = {}, .origin = origin(), .table = options.table};
        page.origin.byte_offset = begin;
        page.text.append(bytes.data(), bytes.size());
        std::memset(page.text.extend(limits::json_padding), ' ', limits::json_padding);
        for (std::size_t i = first; i < next; ++i) page.record_starts.push_back(all.starts[i] - begin);
        target_.out.write(std::move(page));
        records_ += next - first;
        first = next;
    }
}

void PageWriter::write_records(Records records, const WriteOptions& options) {
    flush();
    push(std::move(records), options);
    end_page();
}

void PageWriter::write_batch(columns::Batch batch, const WriteOptions& options) {
    if (needs_records()) {
        push(to_records(batch), options);
    } else if (batch.rows > 0) {
        target_.out.write(extract::ColumnPage{.batch = std::move(batch), .origin = origin(), .table = options.table});
    }
    end_page();
}

Rows& PageWriter::rows(const std::vector<RowColumn>& columns, const WriteOptions& options) {
    rows_.push_back(std::make_unique<Rows>(columns, [this, options](columns::Batch batch) {
        write_gathered();
        write_batch(std::move(batch), options);
    }));
    return *rows_.back();
}

void PageWriter::materialize() {
    flush();
    target_.out.materialize();
}

void PageWriter::checkpoint() {
    flush();
    target_.out.checkpoint();
}

void PageWriter::push(Records records, const WriteOptions& options) {
    for (const auto& step : target_.resource.steps) step(records);
    if (target_.listener != nullptr) target_.listener->hear(records);
    if (records.empty()) return;
    if (target_.resource.table_of && options.table.empty()) return push_by_table(std::move(records));
    push_values(std::move(records), options.table);
}

void PageWriter::push_values(Records records, const std::string& table) {
    extract::ValuePage page{.records = {}, .origin = origin(), .table = table};
    page.records.reserve(records.size());
    for (Record& record : records) page.records.emplace_back(std::move(record).take());
    records_ += records.size();
    target_.out.write(std::move(page));
}

/// Tables come in the order in which the page's records name them.
void PageWriter::push_by_table(Records records) {
    std::vector<std::pair<std::string, Records>> tables;
    for (Record& record : records) {
        std::string name = target_.resource.table_of(record);
        auto known = std::find_if(tables.begin(), tables.end(), [&](const auto& table) { return table.first == name; });
        if (known == tables.end()) known = tables.emplace(tables.end(), std::move(name), Records());
        known->second.push_back(std::move(record));
    }
    for (auto& [name, part] : tables) push_values(std::move(part), name);
}

}  // namespace tipple::api
