// Tells what a deadly signal was about before the process dies of it.
#ifndef DOME_PROBE_CRASH_H
#define DOME_PROBE_CRASH_H

// From now on a crash sends a note '!' on `channel` first.
void crash_watch(int channel);

#endif
