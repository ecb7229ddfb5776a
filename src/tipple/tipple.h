#pragma once

// What a program needs to write sources, to run pipelines in process, and to have tipple's command line as its own.
#include "tipple/api/custom_destination.h"
#include "tipple/api/main.h"
#include "tipple/api/pipeline.h"
#include "tipple/api/source.h"
