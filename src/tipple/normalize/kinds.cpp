#include "tipple/normalize/kinds.h"

#include <algorithm>
#include <array>
#include <optional>

#include "tipple/normalize/table_names.h"
#include "tipple/schema/widening.h"

namespace tipple::normalize {

using columns::ColumnMove;
using schema::Column;
using schema::DataType;

namespace {

/// Of several kinds that cannot be one column, the first one gets the name, the others get variants.
constexpr std::array main_order = {DataType::decimal, DataType::bigint, DataType::double_, DataType::wei,    DataType::bool_, DataType::timestamp,
                                   DataType::date,    DataType::time,   DataType::binary,  DataType::json, DataType::text};

/// One column of the rows.
struct Member {
    Column column;
    /// What it would be as the main column: text that is all timestamps is one.
    DataType type = DataType::text;
    bool has_large_integers = false;
    bool is_in_main = false;
};

class Settler {
public:
    Settler(const Rules& rules, const KindLog& kinds, const HasLargeIntegers& has_large_integers, schema::Table& table)
        : rules_(rules), kinds_(kinds), has_large_integers_(has_large_integers), table_(table) {}

    /// The column `name`, with its variants that the run's data has made.
    std::vector<ColumnMove> settle(const std::string& name);

private:
    Member member(const Column& column) const;
    Member* find(DataType type);
    void widen_integers(Column& main);
    void widen_dates(Column& main);
    void join(Member& member) { member.is_in_main = true; }
    bool may_become_double(const Column& main, const Member& integers) const;
    std::vector<ColumnMove> write(const std::string& name, Column main);

    const Rules& rules_;
    const KindLog& kinds_;
    const HasLargeIntegers& has_large_integers_;
    schema::Table& table_;
    std::vector<Member> members_;
};

Member Settler::member(const Column& column) const {
    const ColumnKinds kinds = kinds_.find(table_.name(), column.name());
    Member member{.column = column, .type = *column.data_type(), .has_large_integers = kinds.has_large_integers};
    if (!is_unsettled(column) || member.type != DataType::text || kinds.has_other_text) return member;
    if (kinds.has_timestamps) {
        member.type = DataType::timestamp;
    } else if (kinds.has_dates) {
        member.type = DataType::date;
    }
    return member;
}

Member* Settler::find(DataType type) {
    const auto at = std::find_if(members_.begin(), members_.end(), [&](const Member& member) { return member.type == type; });
    return at == members_.end() ? nullptr : &*at;
}

bool Settler::may_become_double(const Column& main, const Member& integers) const {
    if (integers.has_large_integers) return false;
    return is_unsettled(main) || !has_large_integers_(table_.name(), main.name());
}

/// Bigint to decimal or double.
void Settler::widen_integers(Column& main) {
    Member* integers = find(DataType::bigint);
    Member* decimals = find(DataType::decimal);
    Member* doubles = find(DataType::double_);
    // A column that was double or decimal before has taken what it can.
    if (integers == nullptr || (!is_unsettled(main) && main.data_type() != DataType::bigint)) return;
    if (decimals != nullptr) {
        const std::optional<schema::DecimalDigits> digits = schema::widest(schema::bigint_digits, schema::decimal_digits(decimals->column));
        if (!digits) return;
        main.set_data_type(DataType::decimal);
        main.set_hint("precision", digits->precision);
        main.set_hint("scale", digits->scale);
        join(*decimals);
        join(*integers);
    } else if (doubles != nullptr && may_become_double(main, *integers)) {
        main.set_data_type(DataType::double_);
        main.erase_hint("precision");
        join(*doubles);
        join(*integers);
    }
}

/// Date to timestamp.
void Settler::widen_dates(Column& main) {
    const bool is_time = main.data_type() == DataType::date || main.data_type() == DataType::timestamp;
    if (!is_time || (!is_unsettled(main) && main.data_type() == DataType::timestamp)) return;
    const bool has_timestamps = find(DataType::timestamp) != nullptr;
    if (has_timestamps) main.set_data_type(DataType::timestamp);
    for (Member& member : members_) {
        if (member.type == DataType::date || member.type == DataType::timestamp) join(member);
    }
}

std::vector<ColumnMove> Settler::settle(const std::string& name) {
    const Column* there = table_.find(name);
    Column main = *there;
    members_.push_back(member(main));
    for (const DataType type : main_order) {
        const Column* variant = table_.find(variant_name(rules_, name, type));
        if (variant != nullptr && variant->is_complete() && variant->flag("variant") && is_unsettled(*variant)) members_.push_back(member(*variant));
    }
    Member* chosen = &members_.front();
    if (is_unsettled(main)) {
        const auto type = std::find_if(main_order.begin(), main_order.end(), [&](DataType each) { return find(each) != nullptr; });
        chosen = find(*type);
        main.set_data_type(chosen->type);
        for (const char* hint : {"precision", "scale", "timezone"}) {
            const json::Value* value = chosen->column.hints().find(hint);
            if (value != nullptr) main.set_hint(hint, *value);
        }
    }
    join(*chosen);
    widen_integers(main);
    widen_dates(main);
    // The data has a column of the name that the first kind's variant would get: then everything stays where it is.
    const Member& first = members_.front();
    if (!first.is_in_main && table_.find(variant_name(rules_, name, *first.column.data_type())) != nullptr) return {};
    return write(name, std::move(main));
}

std::vector<ColumnMove> Settler::write(const std::string& name, Column main) {
    std::vector<ColumnMove> moves;
    const auto move = [&](const std::string& from, const std::string& to) {
        if (from != to) moves.push_back({table_.name(), from, to});
    };
    std::vector<Column> variants;
    for (const Member& member : members_) {
        if (member.is_in_main) {
            move(member.column.name(), name);
            if (member.column.name() != name) table_.erase_column(member.column.name());
            continue;
        }
        Column variant(variant_name(rules_, name, *member.column.data_type()), member.column.hints());
        variant.set_nullable(true);
        variant.set_hint("variant", true);
        variant.erase_hint(unsettled_hint);
        move(member.column.name(), variant.name());
        variants.push_back(std::move(variant));
    }
    main.erase_hint(unsettled_hint);
    table_.set_column(std::move(main));
    for (Column& variant : variants) table_.set_column(std::move(variant));
    return moves;
}

}  // namespace

void mark_unsettled(const Rules& rules, Column& column) {
    if (!rules.widens || column.name().starts_with(schema::internal_prefix)) return;
    if (!column.flag("variant") && rules.inference->preferred_type(column.name())) return;
    column.set_hint(unsettled_hint, true);
}

bool is_unsettled(const Column& column) { return column.flag(unsettled_hint); }

std::vector<std::string> columns_of_kinds(const Rules& rules, std::string_view column) {
    std::vector<std::string> names;
    if (!rules.widens) return names;
    for (const DataType type : main_order) names.push_back(variant_name(rules, column, type));
    return names;
}

void note_kinds(const Rules& rules, std::string_view table, std::string_view column, const columns::ColumnView& values,
                std::vector<ColumnKinds>& noted) {
    if (!rules.widens || column.starts_with(schema::internal_prefix)) return;
    ColumnKinds kinds{.table = std::string(table), .column = std::string(column)};
    for (std::size_t row = 0; row < values.length; ++row) {
        if (values.is_null(row)) continue;
        if (values.type.type == DataType::bigint) {
            kinds.has_large_integers = !schema::is_double_integer(values.value<std::int64_t>(row));
            if (kinds.has_large_integers) break;
        } else if (values.type.type == DataType::text) {
            const std::optional<DataType> detected = rules.inference->detect_text(values.text(row));
            kinds.has_dates = kinds.has_dates || detected == DataType::date;
            kinds.has_timestamps = kinds.has_timestamps || detected == DataType::timestamp;
            kinds.has_other_text = !detected;
            if (kinds.has_other_text) break;
        } else {
            return;
        }
    }
    noted.push_back(std::move(kinds));
}

void KindLog::add(const std::vector<ColumnKinds>& noted) {
    for (const ColumnKinds& page : noted) {
        ColumnKinds& all = kinds_[{page.table, page.column}];
        all.has_large_integers = all.has_large_integers || page.has_large_integers;
        all.has_dates = all.has_dates || page.has_dates;
        all.has_timestamps = all.has_timestamps || page.has_timestamps;
        all.has_other_text = all.has_other_text || page.has_other_text;
    }
}

ColumnKinds KindLog::find(const std::string& table, const std::string& column) const {
    const auto found = kinds_.find({table, column});
    return found == kinds_.end() ? ColumnKinds() : found->second;
}

std::vector<ColumnMove> settle_kinds(const Rules& rules, const KindLog& kinds, const HasLargeIntegers& has_large_integers,
                                     schema::Schema& schema) {
    std::vector<ColumnMove> moves;
    const std::vector<std::shared_ptr<const schema::Table>> tables = schema.tables();
    for (const auto& before : tables) {
        schema::Table table = *before;
        for (const Column& column : before->columns()) {
            const bool is_new_variant = column.flag("variant") && is_unsettled(column);
            if (!column.is_complete() || is_new_variant || column.name().starts_with(schema::internal_prefix)) continue;
            for (ColumnMove& move : Settler(rules, kinds, has_large_integers, table).settle(column.name())) moves.push_back(std::move(move));
        }
        // Variants whose main column was never made, because no value fitted it.
        for (const Column& column : std::vector<Column>(table.columns())) {
            if (is_unsettled(column)) table.find(column.name())->erase_hint(unsettled_hint);
        }
        if (table.columns() != before->columns()) schema.set_table(std::move(table));
    }
    return moves;
}

}  // namespace tipple::normalize
