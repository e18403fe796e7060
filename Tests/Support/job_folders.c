// Loaded before the libraries of domed (LD_PRELOAD): what happens to it while it makes the folder of a job. The files
// "die" and "slow" in the folder DOME_TEST_MOMENTS say what: it is killed instead of moving a spare folder there, or
// the making of a new one takes a second.
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

static int is_time_to(const char *what, const char *path) {
    char file[4096];
    const char *folder = getenv("DOME_TEST_MOMENTS");
    if (!folder || !strstr(path, "/jobs/") || !strstr(path, "/job-")) return 0;
    snprintf(file, sizeof file, "%s/%s", folder, what);
    return access(file, F_OK) == 0;
}

int rename(const char *from, const char *to) {
    if (is_time_to("die", to)) kill(getpid(), SIGKILL);
    return renameat(AT_FDCWD, from, AT_FDCWD, to);
}

int mkdir(const char *path, mode_t mode) {
    if (is_time_to("slow", path)) sleep(1);
    return mkdirat(AT_FDCWD, path, mode);
}
