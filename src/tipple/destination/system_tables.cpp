#include "tipple/destination/system_tables.h"

#include <algorithm>
#include <limits>

#include <zlib.h>

#include "tipple/core/error.h"
#include "tipple/core/hash.h"

namespace tipple::destination {

using schema::Column;
using schema::DataType;

namespace {

/// A document that inflates to more than this is not one that anybody wrote.
constexpr std::size_t document_bytes_max = std::size_t{1} << 30;
/// Beyond this, a document is compressed fast instead of well.
constexpr std::size_t large_document_bytes = std::size_t{1} << 20;

Column load_id_column(std::string name) {
    Column column(std::move(name), DataType::text, false);
    column.set_hint("precision", 64);
    return column;
}

std::string deflate_text(std::string_view text) {
    if (text.size() > document_bytes_max)
        throw Error(ErrorKind::usage, "a document of {} bytes is too large to be stored",
                    text.size());
    // A large document is large by what a cursor remembers, in which there is nothing to be found twice: only its alphabet can be made shorter.
    const bool is_large = text.size() > large_document_bytes;
    z_stream stream{};
    TIPPLE_ASSERT(deflateInit2(&stream, Z_BEST_COMPRESSION, Z_DEFLATED, 15, 8,
                               is_large ? Z_HUFFMAN_ONLY : Z_DEFAULT_STRATEGY) == Z_OK);
    std::string bytes(deflateBound(&stream, static_cast<uLong>(text.size())), '\0');
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(text.data()));
    stream.avail_in = static_cast<uInt>(text.size());
    stream.next_out = reinterpret_cast<Bytef*>(bytes.data());
    stream.avail_out = static_cast<uInt>(bytes.size());
    const int code = deflate(&stream, Z_FINISH);
    bytes.resize(stream.total_out);
    deflateEnd(&stream);
    TIPPLE_ASSERT(code == Z_STREAM_END);
    return bytes;
}

/// False when `bytes` is not exactly one zlib stream of bounded size.
bool try_inflate(std::string_view bytes, std::string& text) {
    if (bytes.size() > std::numeric_limits<uInt>::max()) return false;
    z_stream stream{};
    if (inflateInit(&stream) != Z_OK)
        throw Error(ErrorKind::local, "not enough memory to decompress a document");
    stream.next_in = reinterpret_cast<Bytef*>(const_cast<char*>(bytes.data()));
    stream.avail_in = static_cast<uInt>(bytes.size());
    text.clear();
    // Of those that are large little is gained by compression.
    if (bytes.size() > large_document_bytes) text.reserve(std::min(bytes.size() * 2, document_bytes_max));
    int code = Z_OK;
    while (code == Z_OK && text.size() <= document_bytes_max) {
        char part[1 << 14];
        stream.next_out = reinterpret_cast<Bytef*>(part);
        stream.avail_out = sizeof(part);
        code = inflate(&stream, Z_NO_FLUSH);
        text.append(part, sizeof(part) - stream.avail_out);
    }
    const bool is_whole = code == Z_STREAM_END && stream.avail_in == 0;
    inflateEnd(&stream);
    return is_whole;
}

/// The text of an object with these members, in this order. A state may have megabytes, which are not copied to leave a member out.
std::string members_text(const std::vector<const json::Member*>& members, json::KeyOrder order) {
    std::string text = "{";
    for (const json::Member* member : members) {
        if (text.size() > 1) text += ',';
        json::append_quoted(text, member->name);
        text += ':';
        json::append_text(text, member->value, {.key_order = order});
    }
    text += '}';
    return text;
}

json::Value decode(std::string_view text, const char* what) {
    std::string bytes;
    std::string inflated;
    json::Value document;
    if (try_parse_base64(text, bytes) && try_inflate(bytes, inflated)) text = inflated;
    if (!json::try_parse(text, document) || !document.is_object()) {
        throw Error(ErrorKind::corrupt,
                    "a stored {} cannot be read: it is neither JSON nor compressed JSON", what);
    }
    return document;
}

}  // namespace

schema::Table version_table_definition() {
    schema::Table table{std::string(version_table)};
    table.set_column(Column("version", DataType::bigint, false));
    table.set_column(Column("engine_version", DataType::bigint, false));
    table.set_column(Column("inserted_at", DataType::timestamp, false));
    table.set_column(Column("schema_name", DataType::text, false));
    table.set_column(Column("version_hash", DataType::text, false));
    table.set_column(Column("schema", DataType::text, false));
    table.set_property("write_disposition", "skip");
    return table;
}

schema::Table loads_table_definition() {
    schema::Table table{std::string(loads_table)};
    table.set_column(load_id_column("load_id"));
    table.set_column(Column("schema_name", DataType::text, true));
    table.set_column(Column("status", DataType::bigint, false));
    table.set_column(Column("inserted_at", DataType::timestamp, false));
    table.set_column(Column("schema_version_hash", DataType::text, true));
    table.set_property("write_disposition", "skip");
    return table;
}

schema::Table state_table_definition() {
    schema::Table table{std::string(state_table)};
    table.set_column(Column("version", DataType::bigint, false));
    table.set_column(Column("engine_version", DataType::bigint, false));
    table.set_column(Column("pipeline_name", DataType::text, false));
    table.set_column(Column("state", DataType::text, false));
    table.set_column(Column("created_at", DataType::timestamp, false));
    table.set_column(Column("version_hash", DataType::text, true));
    table.set_column(load_id_column(std::string(schema::load_id_column)));
    Column id(std::string(schema::id_column), DataType::text, false);
    id.set_hint("unique", true);
    id.set_hint("row_key", true);
    table.set_column(std::move(id));
    table.set_property("write_disposition", "append");
    table.set_property("file_format", "preferred");
    table.set_property("resource", std::string(state_table));
    table.set_normalizer_hint("seen-data", true);
    return table;
}

std::string state_hash(const json::Object& document) {
    std::vector<const json::Member*> hashed;
    for (const json::Member& member : document) {
        if (member.name != "_state_version" && member.name != "_state_engine_version" &&
            member.name != "_version_hash" && member.name != "_local") {
            hashed.push_back(&member);
        }
    }
    std::sort(hashed.begin(), hashed.end(), [](const json::Member* a, const json::Member* b) { return a->name < b->name; });
    Sha3_256 hash;
    hash.update(members_text(hashed, json::KeyOrder::sorted));
    return to_base64(as_text(hash.digest()));
}

std::string stored_state_hash(const json::Object& document) {
    const json::Value* hash = document.find("_version_hash");
    return hash != nullptr && hash->is_text() && !hash->as_text().empty() ? hash->as_text() : state_hash(document);
}

std::string encode_state(const json::Object& document) {
    std::vector<const json::Member*> sent;
    for (const json::Member& member : document) {
        if (member.name != "_local") sent.push_back(&member);
    }
    return to_base64(deflate_text(members_text(sent, json::KeyOrder::as_written)));
}

json::Value decode_state(std::string_view text) {
    return decode(text, "state");
}

json::Value decode_schema(std::string_view text) {
    return decode(text, "schema");
}

}  // namespace tipple::destination
