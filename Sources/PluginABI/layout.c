/*
 * layout.c: the sizes and offsets that compiled plugins rely on, frozen for 64-bit targets.
 *
 * A failure here means that a plugin built yesterday would read the wrong member. New members go at the end of their
 * table, with a line here and a new ABI minor; nothing that stands here is ever changed within a major.
 */
#include <dome/dome.h>

#if UINTPTR_MAX == UINT64_MAX

#define DOME_FREEZE_SIZE(type, bytes) \
    _Static_assert(sizeof(type) == (bytes), "the size of " #type " changed: move the ABI version")
#define DOME_FREEZE(type, member, offset) \
    _Static_assert(offsetof(type, member) == (offset), #type "." #member " moved: this breaks every plugin")

_Static_assert(DOME_ABI_MAJOR == 1 && DOME_ABI_MINOR == 1, "a new ABI version: review every line below");

DOME_FREEZE_SIZE(dome_status_t, 4);
DOME_FREEZE_SIZE(dome_log_level_t, 4);

DOME_FREEZE_SIZE(dome_text_t, 16);
DOME_FREEZE(dome_text_t, data, 0);
DOME_FREEZE(dome_text_t, size, 8);

DOME_FREEZE_SIZE(dome_entry_t, 48);
DOME_FREEZE(dome_entry_t, magic, 0);
DOME_FREEZE(dome_entry_t, abi_major, 8);
DOME_FREEZE(dome_entry_t, abi_minor, 12);
DOME_FREEZE(dome_entry_t, struct_size, 16);
DOME_FREEZE(dome_entry_t, init, 24);
DOME_FREEZE(dome_entry_t, deinit, 32);
DOME_FREEZE(dome_entry_t, get_factory, 40);

DOME_FREEZE_SIZE(dome_descriptor_t, 56);
DOME_FREEZE(dome_descriptor_t, struct_size, 0);
DOME_FREEZE(dome_descriptor_t, id, 8);
DOME_FREEZE(dome_descriptor_t, version, 24);
DOME_FREEZE(dome_descriptor_t, declaration, 40);

DOME_FREEZE_SIZE(dome_host_api_t, 72);
DOME_FREEZE(dome_host_api_t, struct_size, 0);
DOME_FREEZE(dome_host_api_t, abi_major, 8);
DOME_FREEZE(dome_host_api_t, abi_minor, 12);
DOME_FREEZE(dome_host_api_t, name, 16);
DOME_FREEZE(dome_host_api_t, version, 32);
DOME_FREEZE(dome_host_api_t, get_extension, 48);
DOME_FREEZE(dome_host_api_t, reply, 56);
DOME_FREEZE(dome_host_api_t, explain, 64);

DOME_FREEZE_SIZE(dome_executor_api_t, 48);
DOME_FREEZE(dome_executor_api_t, struct_size, 0);
DOME_FREEZE(dome_executor_api_t, get_descriptor, 8);
DOME_FREEZE(dome_executor_api_t, create, 16);
DOME_FREEZE(dome_executor_api_t, destroy, 24);
DOME_FREEZE(dome_executor_api_t, get_extension, 32);
DOME_FREEZE(dome_executor_api_t, prepare, 40);

DOME_FREEZE_SIZE(dome_executor_drive_api_t, 56);
DOME_FREEZE(dome_executor_drive_api_t, struct_size, 0);
DOME_FREEZE(dome_executor_drive_api_t, start, 8);
DOME_FREEZE(dome_executor_drive_api_t, poll, 16);
DOME_FREEZE(dome_executor_drive_api_t, cancel, 24);
DOME_FREEZE(dome_executor_drive_api_t, recover, 32);
DOME_FREEZE(dome_executor_drive_api_t, list_artifacts, 40);
DOME_FREEZE(dome_executor_drive_api_t, read_artifact, 48);

DOME_FREEZE_SIZE(dome_log_api_t, 16);
DOME_FREEZE(dome_log_api_t, struct_size, 0);
DOME_FREEZE(dome_log_api_t, write, 8);

DOME_FREEZE_SIZE(dome_cancel_api_t, 16);
DOME_FREEZE(dome_cancel_api_t, struct_size, 0);
DOME_FREEZE(dome_cancel_api_t, is_canceled, 8);

DOME_FREEZE_SIZE(dome_adapter_api_t, 64);
DOME_FREEZE(dome_adapter_api_t, struct_size, 0);
DOME_FREEZE(dome_adapter_api_t, get_descriptor, 8);
DOME_FREEZE(dome_adapter_api_t, connect, 16);
DOME_FREEZE(dome_adapter_api_t, execute, 24);
DOME_FREEZE(dome_adapter_api_t, health, 32);
DOME_FREEZE(dome_adapter_api_t, audit, 40);
DOME_FREEZE(dome_adapter_api_t, disconnect, 48);
DOME_FREEZE(dome_adapter_api_t, get_extension, 56);

DOME_FREEZE_SIZE(dome_progress_api_t, 16);
DOME_FREEZE(dome_progress_api_t, struct_size, 0);
DOME_FREEZE(dome_progress_api_t, report, 8);

DOME_FREEZE_SIZE(dome_artifact_api_t, 40);
DOME_FREEZE(dome_artifact_api_t, struct_size, 0);
DOME_FREEZE(dome_artifact_api_t, create, 8);
DOME_FREEZE(dome_artifact_api_t, write, 16);
DOME_FREEZE(dome_artifact_api_t, finish, 24);
DOME_FREEZE(dome_artifact_api_t, discard, 32);

DOME_FREEZE_SIZE(dome_secrets_api_t, 16);
DOME_FREEZE(dome_secrets_api_t, struct_size, 0);
DOME_FREEZE(dome_secrets_api_t, get, 8);

DOME_FREEZE_SIZE(dome_config_api_t, 16);
DOME_FREEZE(dome_config_api_t, struct_size, 0);
DOME_FREEZE(dome_config_api_t, get, 8);

DOME_FREEZE_SIZE(dome_clock_api_t, 32);
DOME_FREEZE(dome_clock_api_t, struct_size, 0);
DOME_FREEZE(dome_clock_api_t, monotonic_nanoseconds, 8);
DOME_FREEZE(dome_clock_api_t, wall_nanoseconds, 16);
DOME_FREEZE(dome_clock_api_t, remaining_nanoseconds, 24);

#endif

/* The ABI version this was frozen at, so that the object file is not empty. */
const uint32_t dome_abi_frozen_version[2] = { DOME_ABI_MAJOR, DOME_ABI_MINOR };
