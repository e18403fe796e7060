// The system calls a job may not make. Compiled by libseccomp once per server (two programs: with and without
// Unix sockets) and loaded by each job as its last layer. What is refused, is refused with an errno that programs
// know how to live with; entering by another system call table (i386, x32) is fatal.
#include "internal.h"
#include "weak.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

enum { PROGRAM_LIMIT = 2048 };

struct program {
    struct sock_filter instructions[PROGRAM_LIMIT];
    struct sock_fprog head;
};

static struct program programs[2]; // [1]: Unix sockets allowed

// Refused whatever the arguments.
static const char *const refused[] = {
    // The mount family and everything that makes or enters namespaces.
    "mount", "umount", "umount2", "pivot_root", "chroot", "open_tree", "open_tree_attr", "move_mount", "fsopen",
    "fsconfig", "fsmount", "fspick", "mount_setattr", "setns",
    // Other processes' memory, and what reaches deep into the kernel.
    "ptrace", "process_vm_readv", "process_vm_writev", "process_madvise", "kcmp", "bpf", "perf_event_open",
    "userfaultfd", "io_uring_setup", "io_uring_enter", "io_uring_register", "keyctl", "add_key", "request_key",
    "open_by_handle_at", "fanotify_init", "lookup_dcookie",
    // The machine's.
    "swapon", "swapoff", "reboot", "kexec_load", "kexec_file_load", "init_module", "finit_module", "delete_module",
    "acct", "quotactl", "quotactl_fd", "syslog", "settimeofday", "clock_settime", "clock_adjtime", "adjtimex", "stime",
    "iopl", "ioperm", "sethostname", "setdomainname", "vhangup", "nfsservctl",
};
// As if the kernel were too old: their arguments lie in memory, where no filter sees them, and programs fall back.
static const char *const unknown[] = {"clone3", "openat2"};

static int number_of(const char *name) { return seccomp_syscall_resolve_name(name); }

// `conditions` are all to be met. A system call that this architecture has not is no error.
static bool add(scmp_filter_ctx filter, const char *name, int error, unsigned count,
                const struct scmp_arg_cmp *conditions) {
    int number = number_of(name);
    if (number < 0) return true;
    int result = seccomp_rule_add_array(filter, SCMP_ACT_ERRNO((uint32_t)error), number, count, conditions);
    if (result < 0) errno = -result;
    return result >= 0;
}

static struct scmp_arg_cmp has_bits(unsigned argument, uint64_t bits) {
    return (struct scmp_arg_cmp){argument, SCMP_CMP_MASKED_EQ, bits, bits};
}

static bool add_lists(scmp_filter_ctx filter) {
    for (size_t index = 0; index < sizeof refused / sizeof *refused; index++) {
        if (!add(filter, refused[index], EPERM, 0, NULL)) return false;
    }
    for (size_t index = 0; index < sizeof unknown / sizeof *unknown; index++) {
        if (!add(filter, unknown[index], ENOSYS, 0, NULL)) return false;
    }
    return true;
}

static bool add_namespaces(scmp_filter_ctx filter) {
    static const uint64_t flags[] = {CLONE_NEWNS, CLONE_NEWCGROUP, CLONE_NEWUTS, CLONE_NEWIPC, CLONE_NEWUSER,
                                     CLONE_NEWPID, CLONE_NEWNET};
    for (size_t index = 0; index < sizeof flags / sizeof *flags; index++) {
        struct scmp_arg_cmp flag = has_bits(0, flags[index]);
        if (!add(filter, "clone", EPERM, 1, &flag) || !add(filter, "unshare", EPERM, 1, &flag)) return false;
    }
    struct scmp_arg_cmp time = has_bits(0, 0x80); // CLONE_NEWTIME; in clone these bits are the exit signal
    return add(filter, "unshare", EPERM, 1, &time);
}

// chmod and creation with a setuid or setgid bit: a granted folder outlives the job.
static bool add_set_ids(scmp_filter_ctx filter) {
    static const struct { const char *name; unsigned mode; int flags; } calls[] = {
        {"chmod", 1, -1}, {"fchmod", 1, -1}, {"fchmodat", 2, -1}, {"fchmodat2", 2, -1}, {"mknod", 1, -1},
        {"mknodat", 2, -1}, {"creat", 1, -1}, {"open", 2, 1}, {"openat", 3, 2},
    };
    static const uint64_t bits[] = {S_ISUID, S_ISGID}, creating[] = {O_CREAT, O_TMPFILE & ~O_DIRECTORY};
    for (size_t index = 0; index < sizeof calls / sizeof *calls; index++) {
        for (size_t bit = 0; bit < 2; bit++) {
            struct scmp_arg_cmp conditions[2] = {has_bits(calls[index].mode, bits[bit])};
            if (calls[index].flags < 0) {
                if (!add(filter, calls[index].name, EPERM, 1, conditions)) return false;
                continue;
            }
            // Without these flags the mode is whatever lay in the register.
            for (size_t flag = 0; flag < 2; flag++) {
                conditions[1] = has_bits((unsigned)calls[index].flags, creating[flag]);
                if (!add(filter, calls[index].name, EPERM, 2, conditions)) return false;
            }
        }
    }
    return true;
}

// Families other than Unix, IPv4 and IPv6 do not exist (AF_UNIX 1, AF_INET 2, AF_INET6 10). Comparing all 64 bits
// errs on the side of refusal: the kernel looks at 32.
static bool add_sockets(scmp_filter_ctx filter, bool allows_unix) {
    struct scmp_arg_cmp family = {0, SCMP_CMP_GT, AF_INET6, 0};
    if (!add(filter, "socket", EAFNOSUPPORT, 1, &family)) return false;
    for (uint64_t other = AF_INET + 1; other < AF_INET6; other++) {
        family = (struct scmp_arg_cmp){0, SCMP_CMP_EQ, other, 0};
        if (!add(filter, "socket", EAFNOSUPPORT, 1, &family)) return false;
    }
    if (allows_unix) return true;
    // A read-only mount does not stop connect(). A stream socketpair stays: it has its peer. A datagram one could
    // be connected elsewhere.
    family = (struct scmp_arg_cmp){0, SCMP_CMP_EQ, AF_UNIX, 0};
    struct scmp_arg_cmp datagram = {1, SCMP_CMP_MASKED_EQ, 0xf, SOCK_DGRAM};
    return add(filter, "socket", EPERM, 1, &family) && add(filter, "socketpair", EPERM, 1, &datagram);
}

static bool add_terminal_input(scmp_filter_ctx filter) {
    // The kernel looks at 32 bits of the request.
    struct scmp_arg_cmp inject = {1, SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCSTI};
    struct scmp_arg_cmp console = {1, SCMP_CMP_MASKED_EQ, 0xffffffffu, TIOCLINUX};
    return add(filter, "ioctl", EPERM, 1, &inject) && add(filter, "ioctl", EPERM, 1, &console);
}

// The job's limit of 1 is what keeps the host's core handler from being run for it (core(5)): 0 would let it run, so it
// cannot be lowered either. Programs that want no cores (and gpg ends if it cannot say so) are told that they got it.
static bool add_core_limit(scmp_filter_ctx filter) {
    struct scmp_arg_cmp own = {0, SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE};
    struct scmp_arg_cmp other[2] = {{1, SCMP_CMP_MASKED_EQ, 0xffffffffu, RLIMIT_CORE}, {2, SCMP_CMP_NE, 0, 0}};
    return add(filter, "setrlimit", 0, 1, &own) && add(filter, "prlimit64", 0, 2, other);
}

static bool export_program(scmp_filter_ctx filter, struct program *program) {
    int fd = memfd_create("dome-filter", MFD_CLOEXEC);
    if (fd < 0) return false;
    int result = seccomp_export_bpf(filter, fd);
    ssize_t size = result < 0 ? -1 : pread(fd, program->instructions, sizeof program->instructions, 0);
    int error = result < 0 ? -result : errno;
    close(fd);
    // A full buffer may be a cut program.
    if (size <= 0 || size == (ssize_t)sizeof program->instructions) return errno = size < 0 ? error : E2BIG, false;
    program->head.filter = program->instructions;
    program->head.len = (unsigned short)((size_t)size / sizeof *program->instructions);
    return true;
}

bool filters_compile(struct failure *failure) {
    for (int allows_unix = 0; allows_unix < 2; allows_unix++) {
        scmp_filter_ctx filter = seccomp_init(SCMP_ACT_ALLOW);
        bool is_good = filter != NULL &&
                       seccomp_attr_set(filter, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_KILL_PROCESS) == 0 &&
                       add_lists(filter) && add_namespaces(filter) && add_set_ids(filter) &&
                       add_sockets(filter, allows_unix) && add_terminal_input(filter) && add_core_limit(filter);
        // A binary search instead of a list; older libraries have only the list.
        if (is_good) seccomp_attr_set(filter, SCMP_FLTATR_CTL_OPTIMIZE, 2);
        is_good = is_good && export_program(filter, &programs[allows_unix]);
        int error = errno;
        if (filter != NULL) seccomp_release(filter);
        if (!is_good) return fail(failure, DOME_JAIL_STAGE_SECCOMP, error, "compile");
    }
    return true;
}

bool child_filter(const struct job *job, struct failure *failure) {
    if (weak_in(WEAK_SECCOMP)) return true;
    bool allows_unix = job->plan.head->flags & DOME_JAIL_UNIX_SOCKETS;
    if (prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, &programs[allows_unix].head, 0, 0) == 0) return true;
    return fail(failure, DOME_JAIL_STAGE_SECCOMP, errno, NULL);
}

int dome_jail_export_filter(int fd, int allows_unix) {
    struct failure failure = {0, 0, ""};
    if (!filters_compile(&failure)) return -failure.error;
    const struct program *program = &programs[allows_unix != 0];
    size_t size = program->head.len * sizeof *program->instructions;
    ssize_t wrote = write(fd, program->instructions, size);
    return wrote < 0 ? -errno : (size_t)wrote == size ? 0 : -ENOSPC;
}
