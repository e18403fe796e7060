// Decoding of a job's spec. The keeper is trusted, but a bug there must end in FAILED and not in a wild read by
// a process that may be root: every count and every offset is checked here, once, and never again.
#include "internal.h"

#include <errno.h>
#include <string.h>

const char *plan_string(const struct plan *plan, uint32_t offset, const char *otherwise) {
    return offset == 0 ? otherwise : plan->bytes + offset;
}

static bool is_absolute(const struct plan *plan, uint32_t offset) {
    return plan->bytes[offset] == '/';
}

static bool check_mounts(const struct plan *plan) {
    for (uint32_t index = 0; index < plan->head->mount_count; index++) {
        const struct dome_jail_mount *mount = &plan->mounts[index];
        if (mount->source >= plan->head->bytes_size || mount->target >= plan->head->bytes_size) return false;
        if (!is_absolute(plan, mount->source) || !is_absolute(plan, mount->target)) return false;
        if (plan->bytes[mount->target + 1] == 0) return false;
    }
    return true;
}

static bool check_files(const struct plan *plan) {
    for (uint32_t index = 0; index < plan->head->file_count; index++) {
        const struct dome_jail_file *file = &plan->files[index];
        if (file->path == 0 || file->path >= plan->head->bytes_size) return false;
        if (plan->bytes[file->path] == 0 || is_absolute(plan, file->path)) return false;
        if (file->data > plan->head->bytes_size || file->size > plan->head->bytes_size - file->data) return false;
    }
    return true;
}

static bool check_strings(const struct plan *plan) {
    const struct dome_jail_spec *head = plan->head;
    if (head->bytes_size < 2 || plan->bytes[0] != 0 || plan->bytes[head->bytes_size - 1] != 0) return false;
    if (head->program == 0 || head->program >= head->bytes_size || plan->bytes[head->program] == 0) return false;
    if (head->working_directory >= head->bytes_size || head->work_source >= head->bytes_size) return false;
    if (head->working_directory != 0 && !is_absolute(plan, head->working_directory)) return false;
    if (head->work_source != 0 && !is_absolute(plan, head->work_source)) return false;
    if (head->argument_count == 0) return false;
    for (uint32_t index = 0; index < head->argument_count + head->environment_count; index++) {
        if (plan->arguments[index] >= head->bytes_size) return false;
    }
    return true;
}

bool plan_decode(struct plan *plan, const void *spec, size_t size, struct failure *failure) {
    const struct dome_jail_spec *head = spec;
    if (size < sizeof *head || head->version != DOME_JAIL_VERSION) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "version");
    }
    if (head->mount_count > MOUNT_LIMIT || head->limit_count > LIMIT_LIMIT || head->file_count > FILE_LIMIT) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, E2BIG, "more than 64 mounts, 16 limits or 1024 files");
    }
    // Counts are at most 2^32 each, so 64 bits cannot overflow.
    uint64_t offset = sizeof *head;
    const char *base = spec;
    plan->head = head;
    plan->mounts = (const void *)(base + offset);
    offset += (uint64_t)head->mount_count * sizeof *plan->mounts;
    plan->limits = (const void *)(base + offset);
    offset += (uint64_t)head->limit_count * sizeof *plan->limits;
    plan->files = (const void *)(base + offset);
    offset += (uint64_t)head->file_count * sizeof *plan->files;
    uint64_t strings = (uint64_t)head->argument_count + head->environment_count;
    if (offset > size || strings > (size - offset) / sizeof(uint32_t)) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "counts");
    }
    plan->arguments = (const void *)(base + offset);
    plan->environment = plan->arguments + head->argument_count;
    offset += strings * sizeof(uint32_t);
    plan->bytes = base + offset;
    if (head->bytes_size != size - offset) return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "size");
    // To tmpfs a size of 0 means no limit at all.
    if (head->work_bytes == 0 && head->work_source == 0) {
        return fail(failure, DOME_JAIL_STAGE_SPEC, EINVAL, "/job without a size");
    }
    if (!check_strings(plan)) return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "strings");
    if (!check_mounts(plan)) return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "mounts");
    if (!check_files(plan)) return fail(failure, DOME_JAIL_STAGE_SPEC, EPROTO, "files");
    return true;
}
