// SPDX-License-Identifier: MIT
// What init tells the tracer in start_info:
//   argument[0]  where the file goes: OUTPUT_CONSOLE or OUTPUT_DEBUG_PORT (output.h)
//   argument[1]  frames for records, a power of two from TRACER_FRAMES_MIN to TRACER_FRAMES_MAX
//   argument[2]  1: record from the start
#pragma once

#define TRACER_FRAMES_MIN 16u
#define TRACER_FRAMES_MAX 256u  // 16384 records
