// Memory that a plugin is lent, under guard: read-only, ending at a page that nobody may touch, and taken away when
// the loan is over. Whoever reads past its end, writes to it or keeps a pointer to it dies of SIGSEGV, and
// `guard_owner` says on what.
#ifndef DOME_PROBE_GUARD_H
#define DOME_PROBE_GUARD_H

#include <stdbool.h>
#include <stddef.h>

// A copy of `bytes` whose last byte is the last before the guard. `name` must be static. NULL when memory is short.
void *guard_lend(const void *bytes, size_t size, const char *name);

// The loan is over: its pages cannot be touched any more, and for some time stay known by name.
void guard_end(void *lent);

// Addresses that stand for a handle: nothing may ever be read there.
void *guard_handle(const char *name);

// What `address` belongs to, and what is wrong with touching it; false if it is none of ours. Safe in a handler.
bool guard_owner(const void *address, const char **name, const char **wrong);

#endif
