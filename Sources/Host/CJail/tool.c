// The last step: PID 1 lends the tool's process its memory until exec (vfork), so no page table is copied and a
// failed exec is an errno in memory, not a message.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

// 0, 1, 2 and, if there is one, 3; nothing else. Everything the job was sent lies above 3 (see server.c).
static bool place_descriptors(const struct job *job) {
    for (int index = FD_INPUT; index <= FD_ERROR; index++) {
        if (job->descriptors[index] >= 0 && dup2(job->descriptors[index], index) < 0) return false;
    }
    unsigned first = 3;
    if (job->descriptors[FD_PROGRESS] >= 0) {
        if (dup2(job->descriptors[FD_PROGRESS], 3) < 0) return false;
        first = 4;
    }
    if (weak_in(WEAK_DESCRIPTORS)) return weak_keep_descriptors(), true;
    return close_range(first, ~0u, 0) == 0;
}

// Tries every folder of PATH as execvp does: the first error that says more than "not here" is the one to report.
static int exec_in_path(const char *program, char *const *arguments, char *const *environment) {
    char path[PATH_BYTES];
    const char *search = "/usr/local/bin:/usr/bin:/bin";
    int result = ENOENT;
    for (char *const *variable = environment; *variable != NULL; variable++) {
        if (strncmp(*variable, "PATH=", 5) == 0) search = *variable + 5;
    }
    for (;;) {
        size_t folder = strcspn(search, ":"), name = strlen(program);
        if (folder > 0 && search[0] == '/' && folder + 1 + name < sizeof path) {
            memcpy(path, search, folder);
            path[folder] = '/';
            memcpy(path + folder + 1, program, name + 1);
            execve(path, arguments, environment);
            if (errno != ENOENT && errno != ENOTDIR) result = errno;
        }
        if (search[folder] == 0) return result;
        search += folder + 1;
    }
}

// In the child of vfork: shares PID 1's memory, has its own descriptors.
__attribute__((noreturn)) static void become_tool(struct job *job, const char *program, char *const *arguments,
                                                  char *const *environment) {
    struct failure *failure = &job->outcome->failure;
    setsid();
    if (job->descriptors[FD_TERMINAL] >= 0 && ioctl(job->descriptors[FD_TERMINAL], TIOCSCTTY, 0) < 0) {
        fail(failure, DOME_JAIL_STAGE_TERMINAL, errno, "controlling terminal");
        _exit(127);
    }
    if (!place_descriptors(job)) {
        fail(failure, DOME_JAIL_STAGE_DESCRIPTORS, errno, NULL);
        _exit(127);
    }
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    int error;
    // Before exec, taken back if it fails: a kill may end PID 1 while it still waits for us.
    job->outcome->executed = 1;
    if (strchr(program, '/') != NULL) {
        execve(program, arguments, environment);
        error = errno;
    } else {
        error = exec_in_path(program, arguments, environment);
    }
    job->outcome->executed = 0;
    fail(failure, DOME_JAIL_STAGE_EXEC, error, program);
    _exit(127);
}

pid_t child_start_tool(struct job *job, char *const *arguments, char *const *environment) {
    const char *program = job->plan.bytes + job->plan.head->program;
    job->outcome->failure.stage = DOME_JAIL_STAGE_NONE;
    pid_t pid = vfork();
    if (pid == 0) become_tool(job, program, arguments, environment);
    if (pid < 0) {
        fail(&job->outcome->failure, DOME_JAIL_STAGE_FORK, errno, NULL);
        return -1;
    }
    return job->outcome->failure.stage == DOME_JAIL_STAGE_NONE ? pid : -1;
}
