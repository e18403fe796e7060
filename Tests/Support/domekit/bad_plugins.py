"""Plugins that break one rule each (Tests/Support/bad-plugins), and the test of `dome plugin check` that says so."""

from __future__ import annotations

import json
import subprocess
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from domekit.paths import ROOT

SOURCES = ROOT / "Tests" / "Support" / "bad-plugins"
MANIFEST: dict[str, Any] = {"id": "org.example.bad", "version": "1.0.0", "kind": "adapter", "library": "libbad.so"}


@dataclass
class Bad:
    """One bad plugin: `test` must fail with `reason` in its words."""

    test: str
    which: str = "good"
    reason: str = ""
    flags: list[str] = field(default_factory=list)
    manifest: dict[str, Any] = field(default_factory=dict)

    def __str__(self) -> str:
        return self.test if self.which == "good" else f"{self.test}-{self.which}"


def executor(test: str, which: str, reason: str) -> Bad:
    jobs = {"jobs": [{"task": {}, "entrypoint": {}}]}
    return Bad(test, which, reason, manifest={"kind": "executor", "x-check": jobs})


def driver(test: str, which: str, reason: str, *defines: str) -> Bad:
    """An executor that drives jobs (driving_executor.c), bent by macros."""
    flags = ["-DENDS_ITSELF", *(f"-D{define}" for define in defines)]
    return Bad(test, which, reason, flags, {"id": "org.example.cluster", "kind": "executor"})


def listed(*entries: tuple[str, int]) -> str:
    """The macro for what a job is said to have left."""
    answer = json.dumps({"artifacts": [{"name": name, "bytes": size} for name, size in entries]})
    return f"LISTED={json.dumps(answer)}"


CASES = [
    # Jobs elsewhere.
    driver("drive-table", "too_short", "struct_size is 8", "DRIVE_SIZE=8"),
    driver("drive-table", "lacks_recover", "recover is NULL", "RECOVER=NULL"),
    driver("drive-table", "half", "only one of list_artifacts and read_artifact", "READ_ARTIFACT=NULL"),
    driver("drive-unknown-handles", "knows_all", "came to DOME_OK", "KNOWS_ALL"),
    driver("drive-same-job-same-handle", "forgetful", "for one job_id", "FORGETFUL"),
    driver("drive-polls-are-reports", "odd_state", "unknown state 'dreaming'", 'FIRST_STATE="dreaming"'),
    driver("drive-recovers", "refuses", "recover came to DOME_NOT_FOUND", "RECOVER=refuse"),
    driver("drive-cancel-ends", "goes_on", "after it was canceled by force", "GOES_ON"),
    driver("drive-artifacts", "no_list", "has no array", 'LISTED="{}"'),
    driver("drive-artifacts", "climbs", "plain parts", listed(("../out", 0))),
    driver("drive-artifacts", "longer", "ends after 5 bytes, 6 are listed", listed(("log/last.txt", 6))),
    driver("drive-artifacts", "shorter", "more bytes than the 4", listed(("log/last.txt", 4))),
    driver("drive-artifacts", "missing", "DOME_NOT_FOUND", listed(("gone", 1))),
    driver("drive-artifacts", "gives_more", "where 1 were asked for", listed(("log/last.txt", 5)), "MORE_READ=1"),
    driver("drive-artifacts", "anew", "it lists something else", "LISTS_ANEW"),
    driver("drive-artifacts", "reads_anything", "which was not listed", listed(("empty", 0)), "READS_ANYTHING"),
    # The folder; what is wrong with it beyond `manifest` is done by `spoil`.
    Bad("manifest-is-json", reason="plugin.json"),
    Bad("manifest-is-valid", reason="\"libary\"", manifest={"libary": "libbad.so"}),
    Bad("manifest-id", reason="org.example.thing", manifest={"id": "Bad"}),
    Bad("manifest-version", reason="semver.org", manifest={"version": "1"}),
    Bad("manifest-permissions", reason="permission", manifest={"permissions": ["fs.eat:/"]}),
    Bad("files-are-there", reason="'data/table'", manifest={"files": ["data/table"]}),
    Bad("folder-is-ones-own", reason="chmod o-w"),
    # The library.
    Bad("library-is-elf", reason="no ELF file"),
    Bad("library-exports-the-entry", "no_entry", "no symbol dome_plugin_entry", ["-DWITHOUT_ENTRY"]),
    Bad("library-exports-nothing-else", "more_exports", "one_too_many", ["-DMORE_EXPORTS"]),
    Bad("library-links-nothing-of-dome", reason="libdome-made-up.so"),
    Bad("library-stack-is-not-executable", reason="noexecstack", flags=["-Wl,-z,execstack"]),
    Bad("library-has-no-text-relocations", "text_relocations", "-fPIC", ["-DTEXT_RELOCATIONS", "-Wl,-z,notext"]),
    Bad("entry-is-static", "filled_at_run_time", "no bytes in the file", ["-DFILLED_AT_RUN_TIME"]),
    # The handshake.
    Bad("loads", "dies_in_constructor", "in dlopen: killed by SIGABRT"),
    Bad("entry-magic", "wrong_magic", "magic is 0x1"),
    Bad("entry-abi-version", "newer_major", "built for ABI 2.1"),
    Bad("entry-struct-size", "short_entry", "struct_size is 8"),
    Bad("entry-functions", "no_factory_function", "get_factory is NULL"),
    Bad("init-succeeds", "init_false", "init returned false"),
    Bad("init-succeeds", "init_crashes", "in init: killed by SIGSEGV: a NULL pointer was used"),
    Bad("init-succeeds", "init_exits", "in init: ended the whole process, with exit status 7"),
    Bad("init-succeeds", "init_hangs", "in init: did not return within"),
    Bad("init-is-quick", "init_slow", "scans do both"),
    Bad("init-starts-nothing", "init_opens", "/dev/null"),
    Bad("init-without-extensions", "needs_extensions", "in init: killed by SIGSEGV: a NULL pointer"),
    Bad("init-with-a-newer-host", "needs_this_host", "SIGABRT"),
    # The tables.
    Bad("factory-knows-its-kind", "knows_no_kind", "NULL for dome.adapter/1"),
    Bad("factory-unknown-ids", "knows_every_kind", "compare the whole id"),
    Bad("factory-is-stable", "fresh_tables", "two tables"),
    Bad("table-struct-size", "short_table", "struct_size is 8"),
    Bad("table-functions", "no_connect", "connect is NULL"),
    # The descriptor.
    Bad("descriptor-is-whole", "no_descriptor", "returned NULL"),
    Bad("descriptor-is-utf8", "not_utf8", "version is not UTF-8"),
    Bad("descriptor-fits-plugin.json", "other_id", "'org.example.other' in the library"),
    Bad("descriptor-is-stable", "changes_its_mind", "two things"),
    Bad("declaration-size", "huge_declaration", "1048576"),
    Bad("declaration-is-an-object", "list_declared", "no object"),
    Bad("config-schema", "bad_config_schema", "config_schema"),
    Bad("actions-are-declared", "no_actions", "no \"actions\""),
    Bad("action-schemas", "no_input_schema", "no input_schema"),
    Bad("action-members", "odd_members", "\"title\""),
    Bad("declaration-is-taken", "odd_limits", "wall_seconds"),
    Bad("author-examples", reason="does not fit", manifest={"x-check": {"actions": {"hello": [{"name": 5}]}}}),
    # Connections.
    Bad("instance-is-made", "ok_without_instance", "set no instance"),
    Bad("instance-bad-config", "crashes_on_config", "in connect: killed by SIGABRT"),
    Bad("instance-refusal-leaves-none", "refuses_yet_makes", "nobody ends it"),
    Bad("instances-side-by-side", "one_at_a_time", "there is one already"),
    Bad("instance-many-times", "five_times", "five is enough"),
    Bad("instance-unknown-extensions", "every_extension", "compare the whole id"),
    # Calls.
    Bad("calls-succeed", "refuses_good", "DOME_INVALID"),
    Bad("ok-means-an-answer", "ok_without_reply", "without a reply"),
    Bad("answers-are-json", "reply_no_json", "reply of 'hello'"),
    Bad("answers-fit-their-schema", "reply_no_fit", "does not fit"),
    executor("plans-are-launch-plans", "empty_argv", "argv"),
    executor("same-job-same-plan", "two_plans", "two plans"),
    Bad("unknown-actions", "any_action", "DOME_OK"),
    Bad("failures-are-explained", "no_explanation", "without a word"),
    Bad("refused-replies", "ignores_reply", "reply had said false"),
    Bad("health-answers", "odd_health", "no \"ok\""),
    Bad("audit-is-heard", "dies_of_audit", "in audit: killed by SIGABRT"),
    Bad("artifacts-loop", "finishes_broken_artifact", "finished after write had said -1"),
    # Input.
    Bad("malformed-payloads", "dies_of_text", "SIGABRT"),
    Bad("odd-payloads", "dies_of_list", "SIGABRT"),
    Bad("deep-payloads", "recurses", "SIGSEGV"),
    Bad("oversized-payloads", "small_buffer", "SIG"),
    Bad("fuzzed-payloads", "dies_of_percent", "--seed 7 repeats it"),
    Bad("statuses-are-known", "odd_status", "unknown status 99"),
    # Cancellation.
    Bad("canceled-before-it-begins", "ignores_cancel", "ask is_canceled"),
    Bad("canceled-while-it-runs", "ignores_cancel", "ask is_canceled"),
    Bad("canceled-only-if-it-was", "cancels_itself", "never was true"),
    Bad("long-calls-ask", "never_asks", "never called is_canceled"),
    # Ownership.
    Bad("a-whole-life", "reads_past", "the payload (an argument of execute) was read past its end"),
    Bad("a-whole-life", "writes_to_payload", "the payload (an argument of execute) was written to"),
    Bad("a-whole-life", "keeps_payload", "used after the call that lent it had returned"),
    Bad("a-whole-life", "looks_into_call", "the call handle (dome_call_t) was looked into"),
    Bad("a-whole-life", "exits", "in execute of 'hello': ended the whole process, with exit status 3"),
    Bad("a-whole-life", "hangs", "in execute of 'hello': did not return within"),
    Bad("a-whole-life", "throws_up", "in execute of 'hello': killed by SIGABRT"),
    Bad("heap-is-sound", "overruns", "written past its end"),
    Bad("heap-is-sound", "frees_twice", "freed twice"),
    Bad("heap-is-sound", "writes_after_free", "written to after it was freed"),
    Bad("heap-is-sound", "frees_payload", "the host's memory was freed: the payload"),
    Bad("calls-leak-nothing", "leaks_per_call", "blocks more"),
    Bad("instances-leak-nothing", "leaks_per_connection", "blocks more"),
    Bad("thread-rules", "replies_from_thread", "reply: thread: called on a thread that is not the main one"),
    Bad("state-rules", "replies_late", "reply: state: called when no call was under way"),
    Bad("text-rules", "logs_no_utf8", "log: text: the message is not UTF-8"),
    # What is left.
    Bad("descriptors-are-closed", "leaves_descriptor", "/dev/null"),
    Bad("threads-are-ended", "leaves_thread", "thread"),
    Bad("processes-are-ended", "leaves_process", "process"),
    Bad("signals-are-left-alone", "takes_signal", "signal 10 ignored"),
    Bad("surroundings-are-left-alone", "changes_folder", "folder /tmp"),
    Bad("stdout-is-left-alone", "prints", "hello"),
    Bad("silent-after-deinit", "logs_after_deinit", "log: state: called before init or after deinit"),
]


def build(bad: Bad, folder: Path) -> Path:
    """Compiles it into `folder`, and spoils there what no source can."""
    folder.mkdir(parents=True)
    sources = [SOURCES / "bad.c", SOURCES / "bad_calls.c"]
    if bad.test.startswith("drive-"):
        sources = [ROOT / "Tests" / "Support" / "plugins" / "driving_executor.c"]
        (folder / "cluster").mkdir()
        bad.manifest["x-check"] = {"config": {"folder": str(folder / "cluster")}, "drive": True, "jobs": [{}]}
    (folder / "plugin.json").write_text(json.dumps(MANIFEST | bad.manifest))
    flags = ["-std=gnu11", "-O0", "-w", "-fPIC", "-fvisibility=hidden", "-shared", f"-DWHICH={bad.which}", *bad.flags]
    if bad.test == "library-links-nothing-of-dome":
        subprocess.run(["cc", "-shared", "-o", folder / "libdome-made-up.so", "-x", "c", "/dev/null"], check=True)
        flags += ["-Wl,--no-as-needed", f"-L{folder}", "-ldome-made-up"]
    headers = ROOT / "Sources" / "PluginABI" / "include"
    subprocess.run(
        ["cc", f"-I{headers}", "-o", folder / "libbad.so", *sources, *flags],
        check=True,
        stderr=subprocess.DEVNULL if "-Wl,-z,notext" in flags else None,
    )
    spoil(bad, folder)
    return folder


def spoil(bad: Bad, folder: Path) -> None:
    match bad.test:
        case "manifest-is-json":
            (folder / "plugin.json").write_text('{"id": "org.example.bad"')
        case "folder-is-ones-own":
            folder.chmod(0o777)
        case "library-is-elf":
            (folder / "libbad.so").write_text("#!/bin/sh\n")
