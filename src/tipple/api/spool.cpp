#include "tipple/api/spool.h"

#include <cstring>

#include "tipple/incremental/value.h"
#include "tipple/json/value.h"

namespace tipple::api {

namespace {

/// Before texts that begin with a private character, which could be taken for the mark of a type.
constexpr std::string_view text_mark = "\uf02f";
constexpr std::string_view private_lead = "\xEF\x80";
constexpr std::string_view json_mark = "\uf030";

json::Value encode(const Value& value) {
    if (const auto* text = value.get_if<std::string>()) return text->starts_with(private_lead) ? std::string(text_mark) + *text : *text;
    if (const auto* whole = value.get_if<schema::Json>()) return std::string(json_mark) + whole->text;
    if (const auto* list = value.get_if<List>()) {
        json::Array elements;
        for (const Value& element : *list) elements.push_back(encode(element));
        return elements;
    }
    if (const auto* object = value.get_if<Object>()) {
        json::Object members;
        for (const schema::Field& field : *object) members.append(field.name, encode(field.value));
        return members;
    }
    return incremental::to_state(value);
}

Value decode(const json::Value& value) {
    if (value.is_array()) {
        List list;
        for (const json::Value& element : value.as_array()) list.push_back(decode(element));
        return list;
    }
    if (value.is_object()) {
        Object object;
        for (const json::Member& member : value.as_object()) object.push_back({member.name, decode(member.value)});
        return object;
    }
    if (value.is_text() && value.as_text().starts_with(text_mark)) return value.as_text().substr(text_mark.size());
    if (value.is_text() && value.as_text().starts_with(json_mark)) return schema::Json{value.as_text().substr(json_mark.size())};
    return incremental::from_state(value);
}

}  // namespace

Spool::Spool(io::FileSystem& files, std::string path) : path_(std::move(path)) {
    files.create_folders(io::parent_folder(path_));
    file_ = files.create(path_);
}

/// A page is its length and its JSON.
void Spool::write(const Records& page) {
    json::Array records;
    for (const Record& record : page) {
        json::Object members;
        for (const schema::Field& field : record) members.append(field.name, encode(field.value));
        records.emplace_back(std::move(members));
    }
    const std::string text = json::to_text(records);
    const std::uint64_t size = text.size();
    file_->write({reinterpret_cast<const char*>(&size), sizeof(size)});
    file_->write(text);
}

void Spool::close() { file_->close(); }

Spool::Reader::Reader(io::FileSystem& files, const Spool& spool) : file_(files.open_read(spool.path_)) {}

std::optional<Records> Spool::Reader::next() {
    const auto read = [&](char* out, std::size_t wanted) {
        std::size_t got = 0;
        while (got < wanted) {
            const std::size_t some = file_->read(out + got, wanted - got);
            if (some == 0) return false;
            got += some;
        }
        return true;
    };
    std::uint64_t size = 0;
    if (!read(reinterpret_cast<char*>(&size), sizeof(size))) return std::nullopt;
    text_.resize(size);
    if (!read(text_.data(), size)) throw Error(ErrorKind::corrupt, "{} ends inside a page", file_->path());
    Records page;
    const json::Value records = json::parse(text_, "a page");
    for (const json::Value& record : records.as_array()) page.emplace_back(std::get<schema::Object>(decode(record)));
    return page;
}

}  // namespace tipple::api
