#pragma once

#include <algorithm>
#include <cstring>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "tipple/core/limits.h"
#include "tipple/core/text.h"
#include "tipple/source/source.h"

namespace tipple::support {

/// `text`, which is whole records, as a page.
inline extract::JsonPage json_page(std::string_view text, extract::Origin origin) {
    extract::JsonPage page{
        .text = {}, .size = text.size(), .record_starts = {}, .origin = std::move(origin)};
    page.text.append(text.data(), text.size());
    std::memset(page.text.extend(limits::json_padding), ' ', limits::json_padding);
    return page;
}

/// A source that does what a test says.
class ScriptedSource final : public extract::SourceDriver {
public:
    using Read = std::function<void(const extract::ResourceContext&, extract::Output&)>;

    ScriptedSource& add(extract::ResourceSpec spec, Read read) {
        specs_.push_back(std::move(spec));
        reads_.push_back(std::move(read));
        return *this;
    }

    /// A resource of JSON lines, in pages of the size that the run asks for.
    ScriptedSource& lines(const std::string& name, std::string text,
                          schema::Disposition disposition = schema::Disposition::append) {
        return add({.name = name, .disposition = disposition},
                   [name, text = std::move(text)](const auto& context, extract::Output& out) {
                       write_lines(name, text, context, out);
                   });
    }

    static void write_lines(const std::string& name, std::string_view text,
                            const extract::ResourceContext& context, extract::Output& out) {
        extract::Origin origin{.name = name, .byte_offset = 0, .line = 1, .record = 0};
        while (!text.empty() && out.wants_more()) {
            std::size_t end = text.find('\n', std::min(context.page_bytes, text.size()) - 1);
            end = end == std::string_view::npos ? text.size() : end + 1;
            const std::string_view page = text.substr(0, end);
            out.write(json_page(page, origin));
            const std::size_t lines = count_lines(page);
            origin.byte_offset += page.size();
            origin.line += lines;
            origin.record += lines;
            text.remove_prefix(end);
            out.report({.bytes_read = origin.byte_offset, .bytes_total = {}});
        }
    }

    std::string name() const override { return "scripted"; }
    std::vector<extract::ResourceSpec> resources(std::stop_token) override { return specs_; }
    void read(const extract::ResourceSpec& resource, const extract::ResourceContext& context,
              extract::Output& out) override {
        for (std::size_t i = 0; i < specs_.size(); ++i) {
            if (specs_[i].name == resource.name) reads_[i](context, out);
        }
    }

private:
    std::vector<extract::ResourceSpec> specs_;
    std::vector<Read> reads_;
};

}  // namespace tipple::support
