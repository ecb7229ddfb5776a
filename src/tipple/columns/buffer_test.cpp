#include "tipple/columns/buffer.h"

#include <cstdint>
#include <random>
#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace tipple::columns {
namespace {

TEST(Buffer, KeepsItsBytesAndItsAlignment) {
    Buffer buffer;
    std::string expected;
    for (int i = 0; i < 2'000; ++i) {
        buffer.push(static_cast<char>(i));
        expected += static_cast<char>(i);
        ASSERT_EQ(reinterpret_cast<std::uintptr_t>(buffer.data()) % Buffer::alignment, 0U);
    }
    EXPECT_EQ(std::string(reinterpret_cast<const char*>(buffer.data()), buffer.size()), expected);
    Buffer moved(std::move(buffer));
    EXPECT_EQ(moved.size(), 2'000U);
    moved.resize(10);
    moved.resize_zeroed(20);
    EXPECT_EQ(moved.data()[9], 9);
    EXPECT_EQ(moved.data()[10], 0);
    const std::size_t capacity = moved.capacity();
    moved.clear();
    EXPECT_EQ(moved.capacity(), capacity);
    moved.reset();
    EXPECT_EQ(moved.capacity(), 0U);
}

TEST(Bits, CopiesAndCountsFromAnyPlaceToAnyPlace) {
    std::mt19937_64 random(5);
    for (int round = 0; round < 3'000; ++round) {
        const std::size_t from = random() % 70;
        const std::size_t to = random() % 70;
        const std::size_t count = random() % 200;
        // Exactly the bytes that are promised, so that a sanitizer sees one too many.
        std::vector<std::uint8_t> source(bitmap_bytes(from + count));
        std::vector<std::uint8_t> target(bitmap_bytes(to + count));
        for (std::uint8_t& byte : source) byte = static_cast<std::uint8_t>(random());
        for (std::uint8_t& byte : target) byte = static_cast<std::uint8_t>(random());
        const std::vector<std::uint8_t> before = target;
        copy_bits(source.data(), from, target.data(), to, count);
        std::size_t set = 0;
        for (std::size_t i = 0; i < count; ++i) {
            ASSERT_EQ(get_bit(target.data(), to + i), get_bit(source.data(), from + i))
                << from << " " << to << " " << count;
            set += get_bit(source.data(), from + i) ? 1 : 0;
        }
        for (std::size_t i = 0; i < to; ++i)
            ASSERT_EQ(get_bit(target.data(), i), get_bit(before.data(), i));
        ASSERT_EQ(count_set_bits(source.data(), from, count), set);
    }
}

}  // namespace
}  // namespace tipple::columns
