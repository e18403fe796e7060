// domed-jail: the room CJail as a program of its own, static and small. Every job is a fork of it, and what the
// kernel copies for a job and takes apart after it are the mappings of this program: those of the keeper, with the
// Swift runtime and its libraries, took three times as long.
//
// Never linked by SwiftPM, whose C programs need libswiftCore at run time: see ops/jail.mk.
#include <stdio.h>

// The room's constructor has not taken the process over: it was not called by the keeper.
int main(void) {
    fputs("domed-jail: builds the sandbox of dome's jobs; started by domed-keeper, never by hand\n", stderr);
    return 2;
}
