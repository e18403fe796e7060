// The checking allocator: malloc and its kin for the whole process. Blocks have a header and a tail that are looked at
// when they are freed; freed ones are filled and kept for some time, so that a write to them shows.
#ifndef DOME_PROBE_HEAP_H
#define DOME_PROBE_HEAP_H

#include <stddef.h>
#include <stdint.h>

// Blocks that are allocated now.
uint64_t heap_live_blocks(void);
uint64_t heap_live_bytes(void);

// Looks at every block. What is wrong with the heap since the process began, one finding a line; "" if nothing is.
const char *heap_findings(void);

#endif
