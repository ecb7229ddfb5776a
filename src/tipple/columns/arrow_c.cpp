#include "tipple/columns/arrow_c.h"

#include <cerrno>
#include <exception>

namespace tipple::columns {

std::string arrow_format(const ColumnType& type) {
    switch (type.type) {
        case DataType::text:
        case DataType::json:
            return "u";
        case DataType::bigint:
            return "l";
        case DataType::double_:
            return "g";
        case DataType::bool_:
            return "b";
        case DataType::timestamp:
            return type.timezone ? "tsu:UTC" : "tsu:";
        case DataType::date:
            return "tdD";
        case DataType::time:
            return "ttu";
        case DataType::decimal:
        case DataType::wei:
            return fmt::format("d:{},{}", type.precision, type.scale);
        case DataType::binary:
            return "z";
    }
    return "u";
}

namespace {

/// A schema node owns its texts and children.
struct SchemaNode {
    std::string format;
    std::string name;
    std::string metadata;
    std::vector<std::unique_ptr<ArrowSchema>> children;
    std::vector<ArrowSchema*> child_pointers;
};

void release_schema(ArrowSchema* schema) {
    auto* node = static_cast<SchemaNode*>(schema->private_data);
    for (const auto& child : node->children) {
        if (child->release != nullptr) child->release(child.get());
    }
    delete node;
    schema->release = nullptr;
}

void fill_schema(ArrowSchema* out, std::unique_ptr<SchemaNode> node, std::int64_t flags) {
    node->child_pointers.reserve(node->children.size());
    for (const auto& child : node->children) node->child_pointers.push_back(child.get());
    out->format = node->format.c_str();
    out->name = node->name.c_str();
    out->metadata = node->metadata.empty() ? nullptr : node->metadata.data();
    out->flags = flags;
    out->n_children = static_cast<std::int64_t>(node->children.size());
    out->children = node->child_pointers.empty() ? nullptr : node->child_pointers.data();
    out->dictionary = nullptr;
    out->release = release_schema;
    out->private_data = node.release();
}

void append_int32(std::string& out, std::size_t value) {
    const auto number = static_cast<std::int32_t>(value);
    out.append(reinterpret_cast<const char*>(&number), 4);
}

/// Metadata in the interface's binary form. JSON columns say so by the canonical extension type, which spares the engine a check of each
/// value.
std::string extension_metadata(std::string_view extension) {
    std::string out;
    append_int32(out, 2);
    for (const auto& [key, value] : {std::pair<std::string_view, std::string_view>{"ARROW:extension:name", extension},
                                     {"ARROW:extension:metadata", ""}}) {
        append_int32(out, key.size());
        out += key;
        append_int32(out, value.size());
        out += value;
    }
    return out;
}

void export_leaf(const ColumnType& type, std::string name, bool is_nullable, ArrowSchema* out) {
    auto node = std::make_unique<SchemaNode>();
    node->format = arrow_format(type);
    node->name = std::move(name);
    if (type.type == DataType::json) node->metadata = extension_metadata("arrow.json");
    fill_schema(out, std::move(node), is_nullable ? ARROW_FLAG_NULLABLE : 0);
}

void export_field(const ArrowField& field, ArrowSchema* out) {
    if (!field.is_constant) {
        export_leaf(field.type, field.name, field.is_nullable, out);
        return;
    }
    auto node = std::make_unique<SchemaNode>();
    node->format = "+r";
    node->name = field.name;
    node->children.push_back(std::make_unique<ArrowSchema>());
    auto run_ends = std::make_unique<SchemaNode>();
    run_ends->format = "i";
    run_ends->name = "run_ends";
    fill_schema(node->children.back().get(), std::move(run_ends), 0);
    node->children.push_back(std::make_unique<ArrowSchema>());
    export_leaf(field.type, "values", field.is_nullable, node->children.back().get());
    fill_schema(out, std::move(node), field.is_nullable ? ARROW_FLAG_NULLABLE : 0);
}

}  // namespace

void export_schema(const std::vector<ArrowField>& fields, ArrowSchema* out) {
    auto node = std::make_unique<SchemaNode>();
    node->format = "+s";
    for (const ArrowField& field : fields) {
        node->children.push_back(std::make_unique<ArrowSchema>());
        export_field(field, node->children.back().get());
    }
    fill_schema(out, std::move(node), 0);
}

namespace {

/// An array node; the batch it points into is shared by all nodes of one export.
struct ArrayNode {
    std::shared_ptr<const void> owner;
    std::vector<const void*> buffers;
    std::vector<std::unique_ptr<ArrowArray>> children;
    std::vector<ArrowArray*> child_pointers;
    std::int32_t run_end = 0;
};

void release_array(ArrowArray* array) {
    auto* node = static_cast<ArrayNode*>(array->private_data);
    for (const auto& child : node->children) {
        if (child->release != nullptr) child->release(child.get());
    }
    delete node;
    array->release = nullptr;
}

void fill_array(ArrowArray* out, std::unique_ptr<ArrayNode> node, std::size_t length, std::size_t null_count) {
    node->child_pointers.reserve(node->children.size());
    for (const auto& child : node->children) node->child_pointers.push_back(child.get());
    out->length = static_cast<std::int64_t>(length);
    out->null_count = static_cast<std::int64_t>(null_count);
    out->offset = 0;
    out->n_buffers = static_cast<std::int64_t>(node->buffers.size());
    out->buffers = node->buffers.empty() ? nullptr : node->buffers.data();
    out->n_children = static_cast<std::int64_t>(node->children.size());
    out->children = node->child_pointers.empty() ? nullptr : node->child_pointers.data();
    out->dictionary = nullptr;
    out->release = release_array;
    out->private_data = node.release();
}

void export_column(const ColumnView& view, const std::shared_ptr<const void>& owner, std::size_t length,
                   ArrowArray* out) {
    auto node = std::make_unique<ArrayNode>();
    node->owner = owner;
    node->buffers.push_back(view.validity);
    if (view.offsets != nullptr) node->buffers.push_back(view.offsets);
    // Consumers may not expect a null pointer even where there are no bytes.
    static constexpr std::uint64_t nothing = 0;
    node->buffers.push_back(view.values != nullptr ? static_cast<const void*>(view.values) : &nothing);
    fill_array(out, std::move(node), length, view.null_count);
}

void export_constant(const ConstantText& constant, const std::shared_ptr<const void>& owner, std::size_t rows,
                     ArrowArray* out) {
    auto node = std::make_unique<ArrayNode>();
    node->owner = owner;
    auto ends = std::make_unique<ArrayNode>();
    ends->run_end = static_cast<std::int32_t>(rows);
    ends->buffers = {nullptr, &ends->run_end};
    node->children.push_back(std::make_unique<ArrowArray>());
    fill_array(node->children.back().get(), std::move(ends), 1, 0);
    node->children.push_back(std::make_unique<ArrowArray>());
    export_column(constant.view(1), owner, 1, node->children.back().get());
    fill_array(out, std::move(node), rows, 0);
}

class StreamState {
public:
    StreamState(ArrowSource source, std::shared_ptr<std::exception_ptr> last_exception)
        : source_(std::move(source)), last_exception_(std::move(last_exception)) {
        for (std::size_t i = 0; i < source_.fields.size(); ++i) {
            if (!source_.fields[i].is_constant) continue;
            constants_.push_back(std::make_shared<ConstantText>(source_.fields[i].type.type, source_.constants[i]));
        }
    }

    int get_schema(ArrowSchema* out) {
        return guarded([&] { export_schema(source_.fields, out); });
    }

    int get_next(ArrowArray* out) {
        return guarded([&] {
            out->release = nullptr;
            std::shared_ptr<Batch> batch = shared(source_.next());
            if (batch == nullptr) return;
            auto node = std::make_unique<ArrayNode>();
            node->owner = batch;
            node->buffers.push_back(nullptr);
            std::size_t column = 0;
            std::size_t constant = 0;
            for (const ArrowField& field : source_.fields) {
                node->children.push_back(std::make_unique<ArrowArray>());
                ArrowArray* child = node->children.back().get();
                if (field.is_constant) {
                    const auto& text = constants_[constant++];
                    export_constant(*text, text, batch->rows, child);
                } else {
                    export_column(batch->columns[column++].view(), batch, batch->rows, child);
                }
            }
            fill_array(out, std::move(node), batch->rows, 0);
        });
    }

    const char* last_error() const { return error_.empty() ? nullptr : error_.c_str(); }

private:
    std::shared_ptr<Batch> shared(std::unique_ptr<Batch> batch) const {
        if (batch == nullptr || source_.take_back == nullptr) return batch;
        return {batch.release(), [take_back = source_.take_back](Batch* released) { take_back(std::unique_ptr<Batch>(released)); }};
    }

    template <typename Action>
    int guarded(Action action) {
        try {
            action();
            return 0;
        } catch (const std::exception& error) {
            error_ = error.what();
            if (last_exception_ != nullptr) *last_exception_ = std::current_exception();
            return EIO;
        }
    }

    ArrowSource source_;
    std::vector<std::shared_ptr<ConstantText>> constants_;
    std::shared_ptr<std::exception_ptr> last_exception_;
    std::string error_;
};

StreamState& state_of(ArrowArrayStream* stream) { return *static_cast<StreamState*>(stream->private_data); }

}  // namespace

void export_stream(ArrowSource source, ArrowArrayStream* out, std::shared_ptr<std::exception_ptr> last_exception) {
    out->private_data = new StreamState(std::move(source), std::move(last_exception));
    out->get_schema = [](ArrowArrayStream* stream, ArrowSchema* schema) { return state_of(stream).get_schema(schema); };
    out->get_next = [](ArrowArrayStream* stream, ArrowArray* array) { return state_of(stream).get_next(array); };
    out->get_last_error = [](ArrowArrayStream* stream) { return state_of(stream).last_error(); };
    out->release = [](ArrowArrayStream* stream) {
        delete &state_of(stream);
        stream->release = nullptr;
    };
}

}  // namespace tipple::columns
