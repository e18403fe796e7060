// What a job's PID 1 does not get of the server's memory. Every job is a fork, and the kernel copies (and at its end
// takes apart) each mapping; the binary is the keeper's, so half of them belong to libraries that the room needs only
// while it starts (libseccomp), or never (libstdc++, libm).
#include "internal.h"

#include <link.h>
#include <signal.h>
#include <sys/auxv.h>
#include <sys/mman.h>

enum { NEEDED_COUNT = 4 };

static bool contains(const struct dl_phdr_info *info, uintptr_t address) {
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        uintptr_t start = info->dlpi_addr + segment->p_vaddr;
        if (segment->p_type == PT_LOAD && address - start < segment->p_memsz) return true;
    }
    return false;
}

static int keep_from_children(struct dl_phdr_info *info, size_t size, void *context) {
    const uintptr_t *needed = context;
    (void)size;
    for (int index = 0; index < NEEDED_COUNT; index++) {
        if (contains(info, needed[index])) return 0;
    }
    const uintptr_t page = (uintptr_t)getauxval(AT_PAGESZ) - 1;
    for (int index = 0; index < info->dlpi_phnum; index++) {
        const ElfW(Phdr) *segment = &info->dlpi_phdr[index];
        if (segment->p_type != PT_LOAD) continue;
        uintptr_t start = (info->dlpi_addr + segment->p_vaddr) & ~page;
        uintptr_t end = (info->dlpi_addr + segment->p_vaddr + segment->p_memsz + page) & ~page;
        // Without it a job only starts a little later.
        madvise((void *)start, end - start, MADV_DONTFORK);
    }
    return 0;
}

void memory_thin(void) {
    uintptr_t needed[NEEDED_COUNT] = {(uintptr_t)&memory_thin, (uintptr_t)&sigwaitinfo, getauxval(AT_BASE),
                                      getauxval(AT_SYSINFO_EHDR)};
    dl_iterate_phdr(keep_from_children, needed);
}
