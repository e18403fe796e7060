// Beside CLinux/crash.c, which tells of workers' crashes: this one knows what memory was lent and so names the mistake,
// speaks the probe's frames, and must work where malloc is the plugin's to have broken. They share no line.
#include "crash.h"

#include "frame.h"
#include "guard.h"

#include <dlfcn.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <ucontext.h>

static int channel = -1;
static _Alignas(16) char stack[64 << 10];

static const void *program_counter(const void *context) {
    const ucontext_t *state = context;
#if defined(__x86_64__)
    return (const void *)state->uc_mcontext.gregs[REG_RIP];
#elif defined(__aarch64__)
    return (const void *)state->uc_mcontext.pc;
#else
    (void)state;
    return NULL;
#endif
}

// Where the code is, e.g. "execute+0x12 in libdemo.so". dladdr may take a lock that the crash happened under: then the
// note is missing, and the limit on time ends the process.
static void locate(const void *address, char *text, size_t size) {
    Dl_info info = { 0 };
    text[0] = '\0';
    if (address == NULL || dladdr(address, &info) == 0 || info.dli_fname == NULL) return;
    const char *slash = strrchr(info.dli_fname, '/');
    const char *file = slash != NULL ? slash + 1 : info.dli_fname;
    if (info.dli_sname != NULL) {
        size_t offset = (size_t)((const char *)address - (const char *)info.dli_saddr);
        snprintf(text, size, " at %s+0x%zx in %s", info.dli_sname, offset, file);
    } else {
        snprintf(text, size, " at 0x%zx in %s", (size_t)((const char *)address - (const char *)info.dli_fbase), file);
    }
}

static void handle(int number, siginfo_t *info, void *context) {
    char text[512], place[256];
    const char *name = NULL, *wrong = NULL;
    locate(program_counter(context), place, sizeof(place));
    bool has_address = number == SIGSEGV || number == SIGBUS;
    if (has_address && guard_owner(info->si_addr, &name, &wrong)) {
        snprintf(text, sizeof(text), "%s was %s%s", name, wrong, place);
    } else if (has_address && (size_t)info->si_addr < 4096) {
        snprintf(text, sizeof(text), "a NULL pointer was used%s", place);
    } else {
        snprintf(text, sizeof(text), "%s", place[0] == ' ' ? place + 1 : place);
    }
    note_send(channel, '!', text);
    raise(number); // SA_RESETHAND: the process dies of it when this returns
}

void crash_watch(int number) {
    channel = number;
    stack_t own = { .ss_sp = stack, .ss_size = sizeof(stack) };
    sigaltstack(&own, NULL);
    struct sigaction action = { .sa_sigaction = handle, .sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESETHAND };
    const int deadly[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT, SIGTRAP };
    for (size_t index = 0; index < sizeof(deadly) / sizeof(deadly[0]); index++) {
        sigaction(deadly[index], &action, NULL);
    }
}
