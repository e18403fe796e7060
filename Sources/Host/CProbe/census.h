// What a process has that a plugin may leave changed: descriptors, threads, children, signals, its folder, and so on.
#ifndef DOME_PROBE_CENSUS_H
#define DOME_PROBE_CENSUS_H

// One item a line, "kind name value"; of static storage, until the next call.
const char *census_take(void);

#endif
