// The inner server: reads requests, clones jobs, reaps them. Single-threaded, one poll over two descriptors.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <unistd.h>

// One live job. Free: pid 0.
struct slot {
    uint64_t token;
    pid_t pid;
    bool is_killed;
};

static struct server server;
static struct slot slots[JOB_LIMIT];
static size_t slot_end; // no job lies beyond
static struct outcome *outcomes; // shared with the children, one per slot

// A request with an inline spec; aligned, because the spec is read in place.
static union {
    struct request request;
    _Alignas(16) char bytes[sizeof(struct request) + DOME_JAIL_INLINE_SPEC];
} inbox;

static struct slot *find_slot(uint64_t token) {
    for (size_t index = 0; index < slot_end; index++) {
        if (slots[index].pid != 0 && slots[index].token == token) return &slots[index];
    }
    return NULL;
}

static struct slot *free_slot(void) {
    for (size_t index = 0; index < slot_end; index++) {
        if (slots[index].pid == 0) return &slots[index];
    }
    return slot_end < JOB_LIMIT ? &slots[slot_end++] : NULL;
}

// Whether it is the group that did not take the child (clone(2), "CLONE_INTO_CGROUP").
static uint32_t clone_stage(int cgroup, int error) {
    bool is_group = cgroup >= 0 && (error == EACCES || error == EBUSY || error == EOPNOTSUPP || error == EBADF ||
                                    error == ENODEV || error == ENOENT);
    return is_group ? DOME_JAIL_STAGE_CGROUP : DOME_JAIL_STAGE_CLONE;
}

static bool clone_job(struct job *job, struct failure *failure) {
    struct slot *slot = free_slot();
    if (slot == NULL) return fail(failure, DOME_JAIL_STAGE_CLONE, EAGAIN, "4096 jobs at once");
    job->outcome = &outcomes[slot - slots];
    memset(job->outcome, 0, sizeof *job->outcome);
    uint64_t flags = CLONE_NEWNS | (weak_in(WEAK_PIDS) ? 0 : CLONE_NEWPID) | ahead_take_ipc();
    bool shares_abstract = (job->plan.head->flags & DOME_JAIL_UNIX_SOCKETS) && !server.full_network &&
                           !landlock_has_scopes(&server) && !weak_in(WEAK_LANDLOCK);
    if ((job->plan.head->flags & DOME_JAIL_OWN_NETWORK) || shares_abstract) flags |= CLONE_NEWNET;
    int cgroup = job->descriptors[FD_CGROUP];
    int pid = sys_pidns_clone(flags, cgroup, NULL);
    if (pid == 0) child_run(job);
    if (pid < 0) return fail(failure, clone_stage(cgroup, errno), errno, NULL);
    *slot = (struct slot){.token = job->token, .pid = pid};
    return true;
}

// Everything of a START after its spec has been found; `failure` says why it came to nothing.
static bool start_planned(struct job *job, const void *spec, size_t size, struct failure *failure) {
    if (!plan_decode(&job->plan, spec, size, failure)) return false;
    if (job->token == 0 || find_slot(job->token) != NULL) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, EEXIST, "token in use");
    }
    if (server.full_network) root_refresh(&server);
    bool is_good = grants_open(&server, job, failure) && clone_job(job, failure);
    grants_close(job);
    return is_good;
}

static bool start_mapped(struct job *job, size_t size, struct failure *failure) {
    struct stat status;
    int fd = job->descriptors[FD_SPEC], seals = fcntl(fd, F_GET_SEALS);
    if (seals < 0 || !(seals & F_SEAL_SHRINK) || fstat(fd, &status) < 0 || (size_t)status.st_size != size ||
        size < sizeof(struct dome_jail_spec) || size > DOME_JAIL_MAX_SPEC) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "memfd");
    }
    void *spec = mmap(NULL, size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (spec == MAP_FAILED) return fail(failure, DOME_JAIL_STAGE_SPEC, errno, "memfd");
    bool is_good = start_planned(job, spec, size, failure);
    munmap(spec, size);
    return is_good;
}

static void start(const struct request *request, size_t size, const int *descriptors) {
    struct failure failure = {0, 0, ""};
    // Static: a job is large, and the child keeps its own copy.
    static struct job job;
    job.server = &server;
    job.token = request->token;
    job.layers = 0;
    memcpy(job.descriptors, descriptors, sizeof job.descriptors);
    bool is_good;
    if (descriptors[FD_SPEC] >= 0) {
        is_good = start_mapped(&job, request->spec_size, &failure);
    } else if (request->spec_size != size - sizeof *request) {
        is_good = fail(&failure, DOME_JAIL_STAGE_SPEC, EPROTO, "size");
    } else {
        is_good = start_planned(&job, request + 1, request->spec_size, &failure);
    }
    if (!is_good) reply_failure(request->token, &failure, 0);
}

static void handle(const struct request *request, size_t size, const int *descriptors) {
    struct slot *slot = request->kind == REQUEST_START ? NULL : find_slot(request->token);
    switch (request->kind) {
    case REQUEST_START:
        start(request, size, descriptors);
        break;
    case REQUEST_SIGNAL:
        // dome_jail_signal has checked the number; SIGKILL would be a KILL without its cause.
        if (slot != NULL && request->signal > 0 && request->signal < SIGRTMIN && request->signal != SIGKILL &&
            request->signal != SIGSTOP && request->signal != SIGCHLD) {
            kill(slot->pid, request->signal);
        }
        break;
    case REQUEST_KILL:
        if (slot != NULL && kill(slot->pid, SIGKILL) == 0) slot->is_killed = true;
        break;
    default:
        break;
    }
}

// Sorts the passed descriptors to their places; false if they are not what the mask says.
static bool take_descriptors(struct msghdr *message, uint32_t mask, int *descriptors) {
    int passed[FD_COUNT];
    size_t count = 0, next = 0;
    struct cmsghdr *header = CMSG_FIRSTHDR(message);
    if (header != NULL && header->cmsg_level == SOL_SOCKET && header->cmsg_type == SCM_RIGHTS) {
        count = (header->cmsg_len - CMSG_LEN(0)) / sizeof(int);
        memcpy(passed, CMSG_DATA(header), count * sizeof(int));
    }
    for (int index = 0; index < FD_COUNT; index++) {
        descriptors[index] = (mask & (1u << index)) && next < count ? passed[next++] : -1;
    }
    bool is_good = next == count && (int)count == __builtin_popcount(mask & ((1u << FD_COUNT) - 1));
    while (next < count) close(passed[next++]);
    return is_good;
}

// One request; false when the socket has none.
static bool receive(void) {
    union {
        struct cmsghdr header;
        char bytes[CMSG_SPACE(FD_COUNT * sizeof(int))];
    } control;
    struct iovec part = {inbox.bytes, sizeof inbox.bytes};
    struct msghdr message = {
        .msg_iov = &part, .msg_iovlen = 1, .msg_control = &control, .msg_controllen = sizeof control};
    ssize_t size = recvmsg(SERVER_SOCKET, &message, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);
    if (size < 0 && (errno == EAGAIN || errno == EINTR)) return errno == EINTR;
    // The keeper is gone. We are the init of our PID namespace: the kernel kills every job before it lets us go.
    if (size <= 0) weak_outlive_keeper(), _exit(0);
    int descriptors[FD_COUNT];
    bool is_whole = (size_t)size >= sizeof(struct request);
    bool is_good = take_descriptors(&message, is_whole ? inbox.request.descriptor_mask : 0, descriptors);
    if (is_whole && is_good && inbox.request.version == DOME_JAIL_VERSION) {
        handle(&inbox.request, (size_t)size, descriptors);
    } else if (is_whole) {
        struct failure failure;
        fail(&failure, DOME_JAIL_STAGE_SPEC, EPROTO, "request");
        reply_failure(inbox.request.token, &failure, 0);
    }
    for (int index = 0; index < FD_COUNT; index++) {
        if (descriptors[index] >= 0) close(descriptors[index]);
    }
    return true;
}

// A dead PID 1 is an empty namespace: the kernel reaps the rest of it first.
static void reap(void) {
    struct rusage usage;
    int status;
    pid_t pid;
    while ((pid = wait4(-1, &status, WNOHANG, &usage)) > 0) {
        for (size_t index = 0; index < slot_end; index++) {
            if (slots[index].pid != pid) continue;
            if (!outcomes[index].reported) {
                reply_death(slots[index].token, &outcomes[index], slots[index].is_killed, status, &usage);
            }
            slots[index].pid = 0;
            break;
        }
        while (slot_end > 0 && slots[slot_end - 1].pid == 0) slot_end--;
    }
}

static bool set_up(int argc, char *const *argv, struct failure *failure) {
    static const char *system_paths[128];
    if (!weak_read(failure)) return false;
    if (argc < 5 || argc > 100) return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, EINVAL, "arguments");
    // Bound to the keeper's only thread; a keeper that died before this is seen as EOF.
    bool is_bound = strcmp(argv[2], "thread") == 0 && !weak_in(WEAK_PARENT);
    if (is_bound && prctl(PR_SET_PDEATHSIG, SIGKILL, 0, 0, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, "PDEATHSIG");
    }
    prctl(PR_SET_NAME, DOME_JAIL_ARGV0, 0, 0, 0);
    server.full_network = strcmp(argv[1], "full") == 0;
    for (int index = 5; index < argc; index++) system_paths[index - 5] = argv[index];
    server.system_paths = system_paths;
    server.is_root = strcmp(argv[3], "root") == 0;
    int null = open("/dev/null", O_RDWR | O_CLOEXEC);
    if (null < 0 || dup2(null, 0) < 0 || dup2(null, 1) < 0 || dup2(null, 2) < 0 ||
        close_range(REPLY_SOCKET + 1, ~0u, 0) < 0) {
        return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, "descriptors");
    }
    setsid();
    umask(0);
    server.landlock_abi = landlock_abi(weak_abi_limit(argv[4][0] - '0'));
    while (prctl(PR_CAPBSET_READ, server.last_capability + 1, 0, 0, 0) >= 0) server.last_capability++;
    outcomes = mmap(NULL, JOB_LIMIT * sizeof *outcomes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (outcomes == MAP_FAILED) return fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, "memory");
    return true;
}

// Every signal at its default and blocked: children inherit that, and read theirs with sigwaitinfo.
static int open_signals(struct failure *failure) {
    for (int number = 1; number < NSIG; number++) signal(number, SIG_DFL);
    sigset_t set;
    sigfillset(&set);
    sigprocmask(SIG_SETMASK, &set, NULL);
    sigemptyset(&set);
    sigaddset(&set, SIGCHLD);
    int signals = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
    if (signals < 0) fail(failure, DOME_JAIL_STAGE_SERVER_SETUP, errno, "signalfd");
    return signals;
}

void dome_jail_serve(int argc, char *const *argv) {
    struct failure failure = {0, 0, ""};
    bool is_good = set_up(argc, argv, &failure);
    int signals = is_good ? open_signals(&failure) : -1;
    if (signals < 0 || !filters_compile(&failure) || !root_build(&server, &failure) ||
        !landlock_open(&server, &failure)) {
        reply_failure(0, &failure, 0);
        _exit(1);
    }
    reply_ready(&server);
    struct pollfd polled[2] = {{.fd = SERVER_SOCKET, .events = POLLIN}, {.fd = signals, .events = POLLIN}};
    // What is made ahead is made when a job has ended, beside the keeper's and the daemon's work; or a while after a
    // request. In between everybody waits for the processor that it takes.
    const struct timespec at_once = {0}, pause = {.tv_nsec = 5 * 1000 * 1000};
    const struct timespec *until_refill = NULL;
    for (;;) {
        int ready = ppoll(polled, 2, until_refill, NULL);
        if (ready == 0) {
            ahead_refill();
            until_refill = NULL;
        }
        if (ready <= 0) continue;
        if (polled[1].revents != 0) {
            struct signalfd_siginfo ignored[16];
            while (read(signals, ignored, sizeof ignored) > 0) {}
            reap();
            until_refill = &at_once;
        }
        if (polled[0].revents != 0) {
            receive();
            if (until_refill == NULL) until_refill = &pause;
        }
    }
}
