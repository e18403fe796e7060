// One plugin, taken through its life step by step as the other end of the channel says. A step that cannot be taken (no
// library, no instance) is answered with 'N' and the reason; what it would need is the other end's to know.
#ifndef DOME_PROBE_SESSION_H
#define DOME_PROBE_SESSION_H

// Serves `channel` until it closes, and returns the exit status.
int session_run(const char *library, const char *directory, int channel);

#endif
