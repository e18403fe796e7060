// A job's PID 1, from clone to the end of its namespace. When it exits the kernel kills and reaps whatever the
// tool left behind; only then does the server see it dead.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <linux/mman.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

// argv and envp from the spec's offsets; the small case lies in memory we already have.
static char **make_vectors(const struct plan *plan) {
    static char *few[1024];
    uint64_t count = (uint64_t)plan->head->argument_count + plan->head->environment_count + 2;
    char **vectors = few;
    if (count > sizeof few / sizeof *few) {
        vectors = mmap(NULL, count * sizeof *vectors, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
        if (vectors == MAP_FAILED) return NULL;
    }
    uint64_t next = 0;
    for (uint32_t index = 0; index < plan->head->argument_count; index++) {
        vectors[next++] = (char *)(uintptr_t)(plan->bytes + plan->arguments[index]);
    }
    vectors[next++] = NULL;
    for (uint32_t index = 0; index < plan->head->environment_count; index++) {
        vectors[next++] = (char *)(uintptr_t)(plan->bytes + plan->environment[index]);
    }
    vectors[next] = NULL;
    return vectors;
}

// `missing` as a number: the room Jail has the names.
static bool fail_layers(uint64_t missing, struct failure *failure) {
    char digits[24];
    char *next = digits + sizeof digits - 1;
    *next = 0;
    for (; missing > 0; missing /= 10) *--next = (char)('0' + missing % 10);
    return fail(failure, DOME_JAIL_STAGE_LAYERS, EPERM, next);
}

// Everything up to the gate, layer by layer, each noted as it comes into force.
static bool build(struct job *job, struct failure *failure) {
    bool owns_network = job->plan.head->flags & DOME_JAIL_OWN_NETWORK;
    if (!child_mounts(job, failure)) return false;
    job->layers |= DOME_JAIL_LAYER_MOUNTS | DOME_JAIL_LAYER_PIDS | DOME_JAIL_LAYER_IPC;
    if (owns_network && !child_network(failure)) return false;
    if (owns_network || !job->server->full_network) job->layers |= DOME_JAIL_LAYER_NETWORK;
    if (!child_identity(job, failure)) return false;
    if (job->server->is_root) job->layers |= DOME_JAIL_LAYER_IDENTITY;
    if (!child_nested_user(job, failure)) return false;
    job->layers |= DOME_JAIL_LAYER_USER;
    if (!child_files(job, failure)) return false;
    if (!child_capabilities(job, failure)) return false;
    job->layers |= DOME_JAIL_LAYER_CAPABILITIES;
    if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_NO_NEW_PRIVS, errno, NULL);
    }
    job->layers |= DOME_JAIL_LAYER_NO_NEW_PRIVS;
    if (!child_limits(job, failure)) return false;
    job->layers |= DOME_JAIL_LAYER_LIMITS | DOME_JAIL_LAYER_DESCRIPTORS;
    umask(job->plan.head->umask & 0777);
    const char *folder = plan_string(&job->plan, job->plan.head->working_directory, "/job");
    if (chdir(folder) < 0) return fail(failure, DOME_JAIL_STAGE_WORKING_DIRECTORY, errno, folder);
    if (!child_landlock(job, failure)) return false;
    // Last: it binds us as well.
    if (!child_filter(job, failure)) return false;
    job->layers |= DOME_JAIL_LAYER_SECCOMP;
    if (weak_in(WEAK_DUMPABLE)) prctl(PR_SET_DUMPABLE, 1, 0, 0, 0);
    // Judged here, at the gate, so that the keeper may open it ahead: nothing runs in half a jail.
    uint64_t missing = job->plan.head->required_layers & ~job->layers;
    return missing == 0 || fail_layers(missing, failure);
}

static void announce(const struct job *job, uint32_t kind, int descriptor) {
    struct dome_jail_reply reply;
    memset(&reply, 0, offsetof(struct dome_jail_reply, detail));
    reply.kind = kind;
    reply.token = job->token;
    reply.layers = job->layers;
    if (kind == DOME_JAIL_EXECED) {
        // Here and not where it is read: a short tool may have ended by then.
        struct timespec now;
        clock_gettime(CLOCK_REALTIME, &now);
        reply.wall_nanoseconds = (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
    }
    reply_send(&reply, descriptor);
}

// Open already, if it was opened while the jail was built. Signals are blocked: but for SIGKILL nothing ends the wait.
static bool await_gate(const struct job *job) {
    uint64_t count;
    int gate = job->descriptors[FD_GATE];
    return gate < 0 || read(gate, &count, sizeof count) == (ssize_t)sizeof count;
}

// Passes signals on and reaps until the tool itself has ended; its raw wait status.
static int attend(pid_t tool) {
    sigset_t all;
    sigfillset(&all);
    for (;;) {
        siginfo_t info;
        int number = sigwaitinfo(&all, &info);
        // Only the server, outside our PID namespace, has pid 0 here: what the job sends us is not forwarded.
        bool is_ours = info.si_pid == 0 || weak_in(WEAK_SENDER);
        if (number > 0 && number != SIGCHLD && is_ours) kill(-tool, number);
        int status;
        pid_t pid;
        while ((pid = waitpid(-1, &status, WNOHANG)) > 0) {
            if (pid == tool) return status;
        }
    }
}

// Ends what the tool left behind and reaps all of it, then tells the keeper. The kernel does the same when we exit,
// but then takes its time with the namespaces (an expedited RCU grace period, 0.2-0.3 ms) before anybody hears of
// it; nobody needs to wait for that, because nothing of the job runs any more. kill(-1) misses no process that is
// being forked: the kernel restarts a fork that finds a signal pending.
static void empty_namespace(const struct job *job) {
    pid_t left;
    while ((left = waitpid(-1, NULL, WNOHANG)) > 0) {}
    // Whoever lives has an ancestor among our children: with none there is nobody, and no need for the kernel to go
    // through all processes of the machine. Without a namespace of its own it would be every job.
    if (left == 0 && !weak_in(WEAK_PIDS) && !weak_in(WEAK_REST)) kill(-1, SIGKILL);
    while (waitpid(-1, NULL, 0) > 0 || errno == EINTR) {}
    struct rusage own, others;
    getrusage(RUSAGE_SELF, &own);
    getrusage(RUSAGE_CHILDREN, &others);
    if (reply_exit(job->token, job->outcome, &own, &others)) job->outcome->reported = 1; // else our death says it
}

void child_run(struct job *job) {
    struct outcome *outcome = job->outcome;
    if (job->descriptors[FD_CGROUP] >= 0) {
        // Whoever holds the folder can open its limits for writing.
        close(job->descriptors[FD_CGROUP]);
        job->layers |= DOME_JAIL_LAYER_CGROUP;
    }
    if (!build(job, &outcome->failure)) _exit(1);
    outcome->layers = job->layers;
    char **vectors = make_vectors(&job->plan);
    if (vectors == NULL) {
        fail(&outcome->failure, DOME_JAIL_STAGE_SPEC, ENOMEM, "arguments");
        _exit(1);
    }
    announce(job, DOME_JAIL_PREPARED, job->work);
    if (!await_gate(job)) _exit(1);
    pid_t tool = child_start_tool(job, vectors, vectors + job->plan.head->argument_count + 1);
    if (tool < 0) _exit(1);
    announce(job, DOME_JAIL_EXECED, -1);
    // The pipes are the tool's now: we must not keep them open.
    close_range(0, REPLY_SOCKET - 1, 0);
    close_range(REPLY_SOCKET + 1, ~0u, 0);
    outcome->status = attend(tool);
    outcome->finished = 1;
    empty_namespace(job);
    _exit(0);
}
