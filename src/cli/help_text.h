#pragma once

#include <string>
#include <string_view>

#include "cli/terminal.h"
#include "tipple/destination/destination.h"
#include "tipple/source/source.h"

namespace tipple::cli {

/// Columns that lines of a help page may take: as wide as the terminal, but not wider than reads well.
/// @param terminal where the page is shown
std::size_t help_width(const Terminal& terminal);

/// A line of a help page, broken between words so that no line is wider than `width`, and ended. What follows a gap of two blanks or more is a second
/// column, and stays one. A word that is wider alone stays whole.
/// @param line without line breaks
/// @param width columns
std::string wrapped(std::string_view line, std::size_t width);

/// A source with its options, as `tipple help SOURCE` prints it.
/// @param entry the source
/// @param width columns
std::string help_of(const extract::SourceEntry& entry, std::size_t width);
/// The same of a destination.
/// @param entry the destination
/// @param width columns
std::string help_of(const destination::DestinationEntry& entry, std::size_t width);

/// All sources and destinations with their options, as one page of Markdown.
/// @param sources in the order of the page
/// @param destinations behind them
std::string reference_page(const extract::Registry& sources, const destination::Registry& destinations);

}  // namespace tipple::cli
