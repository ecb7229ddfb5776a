#include "tipple/engine/streams.h"

#include <cerrno>

#include "tipple/core/error.h"

namespace tipple::engine {

namespace {

void release_nothing(ArrowSchema* schema) {
    schema->release = nullptr;
}

}  // namespace

LentStream::LentStream(columns::ArrowSource source) {
    columns::export_stream(std::move(source), &inner_, exception_);
    if (inner_.get_schema(&inner_, &schema_) != 0) {
        inner_.release(&inner_);
        std::rethrow_exception(*exception_);
    }
    outer_.private_data = this;
    outer_.get_schema = [](ArrowArrayStream* stream, ArrowSchema* out) {
        return of(stream).lend_schema(out);
    };
    outer_.get_next = [](ArrowArrayStream* stream, ArrowArray* out) {
        return of(stream).next(out);
    };
    outer_.get_last_error = [](ArrowArrayStream* stream) {
        LentStream& self = of(stream);
        if (self.was_read_twice_) return "a stream was read twice";
        return self.inner_.get_last_error(&self.inner_);
    };
    outer_.release = [](ArrowArrayStream* stream) { stream->release = nullptr; };
}

LentStream::~LentStream() {
    if (schema_.release != nullptr) schema_.release(&schema_);
    if (inner_.release != nullptr) inner_.release(&inner_);
}

int LentStream::lend_schema(ArrowSchema* out) {
    *out = schema_;
    out->release = release_nothing;
    return 0;
}

int LentStream::next(ArrowArray* out) {
    // The library stops asking after the end, so a further call is a second scan, which would see
    // no rows.
    if (is_at_end_) {
        was_read_twice_ = true;
        out->release = nullptr;
        return EIO;
    }
    try {
        if (const std::function<void()> before_first = std::exchange(before_first_, nullptr)) before_first();
    } catch (...) {
        *exception_ = std::current_exception();
        out->release = nullptr;
        return EIO;
    }
    const int code = inner_.get_next(&inner_, out);
    if (code != 0 || out->release == nullptr) is_at_end_ = true;
    return code;
}

}  // namespace tipple::engine
