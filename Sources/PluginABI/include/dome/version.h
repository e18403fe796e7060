/*
 * version.h: the version of this ABI, not of dome.
 *
 * The major gates loading: a host loads plugins of its own major only. Minors add and never break: a host loads older
 * and newer minors alike, and each side looks at the other's struct_size before it uses a later member. A major of 0
 * says "not frozen yet": below 1.0 a minor may break too, and a host loads a plugin of exactly its own minor.
 * A version is a number that people decide on, never a hash of the headers.
 */
#ifndef DOME_VERSION_H
#define DOME_VERSION_H

#include "platform.h"

#define DOME_ABI_MAJOR 1
#define DOME_ABI_MINOR 1

#ifdef __cplusplus
extern "C" {
#endif

/* Whether a host of ABI `host_major.host_minor` loads a plugin built for `major.minor`. [any-thread] */
static inline bool dome_abi_is_loadable(uint32_t host_major, uint32_t host_minor, uint32_t major, uint32_t minor) {
    return major == host_major && (major != 0 || minor == host_minor);
}

#ifdef __cplusplus
}
#endif

#endif
